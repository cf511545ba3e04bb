//! The file that keeps pinned pipelines between sessions: read at the start, and changed by one pipeline at a time, so that
//! what another console has pinned meanwhile stays. What cannot be read of it stays in it. Not for writing to a disk.

use serde::Deserialize;
use toml::{Table, Value};

use super::{MOST, Pinned};
use crate::core::report::Report;

/// Its name in the folder of what is remembered.
pub const FILE: &str = "pins.toml";
/// The list in it: `[[pin]]`.
const LIST: &str = "pin";

/// What becomes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This one is kept from now on.
    Add(Pinned),
    /// The one of this pipeline no more.
    Remove(String),
}

/// What the file keeps, each under an id of its own; and what is wrong in it.
pub fn read(text: &str) -> (Vec<Pinned>, Vec<Report>) {
    let (mut pins, mut remarks): (Vec<Pinned>, Vec<Report>) = (Vec::new(), Vec::new());
    let table = match table(text) {
        Ok(table) => table,
        Err(report) => return (pins, vec![report]),
    };
    for entry in entries(&table) {
        let mut pin = match Pinned::deserialize(entry.clone()) {
            Ok(pin) => pin,
            Err(error) => {
                remarks.push(broken(&format!("one pinned pipeline: {}", error.message())));
                continue;
            }
        };
        if pins.iter().any(|known| known.line == pin.line) {
            continue;
        }
        // Two consoles may have given the same id, and a hand another panel's.
        let ids = ids();
        let taken = |id: &str| pins.iter().any(|known| known.id == id);
        let own = Some(pin.id.clone()).filter(|id| ids.contains(id) && !taken(id));
        let Some(id) = own.or_else(|| ids.into_iter().find(|id| !taken(id))) else {
            let report = Report::failed(
                "E-PIN-009",
                format!("{} is not shown: {MOST} pipelines at most are", pin.line),
            );
            remarks.push(report.hint(":unpin NAME makes room for the next session"));
            continue;
        };
        pin.id = id;
        pins.push(pin);
    }
    (pins, remarks)
}

/// The file after a change; refused when it cannot be read, and would be lost.
pub fn changed(text: &str, change: &Change) -> Result<String, Report> {
    let mut table = table(text)?;
    let line = match change {
        Change::Add(pinned) => &pinned.line,
        Change::Remove(line) => line,
    };
    let is_it = |entry: &Value| entry.get("line").and_then(Value::as_str) == Some(line);
    let mut entries: Vec<Value> = entries(&table).iter().filter(|entry| !is_it(entry)).cloned().collect();
    if let Change::Add(pinned) = change {
        let entry = Value::try_from(pinned).map_err(|error| broken(&error.to_string()))?;
        entries.push(entry);
    }
    table.insert(LIST.to_owned(), Value::Array(entries));
    toml::to_string(&table).map_err(|error| broken(&error.to_string()))
}

/// The ids of pinned pipelines.
pub fn ids() -> Vec<String> {
    (1..=MOST).map(|number| format!("pin{number}")).collect()
}

fn table(text: &str) -> Result<Table, Report> {
    let table: Table = toml::from_str(text).map_err(|error| broken(error.message()))?;
    match table.get(LIST) {
        None | Some(Value::Array(_)) => Ok(table),
        Some(_) => Err(broken("pin is no list of tables")),
    }
}

fn entries(table: &Table) -> &[Value] {
    table.get(LIST).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The file cannot be read, for this reason.
pub fn broken(reason: &str) -> Report {
    Report::failed(
        "E-PIN-009",
        format!("{FILE} of the remembered layout cannot be read: {reason}"),
    )
    .hint("mend or delete it; it stays as it is")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pin(id: &str, line: &str) -> Pinned {
        Pinned {
            id: id.into(),
            line: line.into(),
            every: 5_000,
        }
    }

    #[test]
    fn what_one_console_pins_does_not_take_away_what_another_did() {
        let here = changed("", &Change::Add(pin("pin1", "kubectl:get deploy"))).unwrap();
        let both = changed(&here, &Change::Add(pin("pin1", "kubectl:get svc"))).unwrap();
        let (pins, remarks) = read(&both);
        assert!(remarks.is_empty(), "{remarks:?}");
        assert_eq!(
            pins,
            [pin("pin1", "kubectl:get deploy"), pin("pin2", "kubectl:get svc")]
        );
        let slower = Pinned {
            every: 60_000,
            ..pin("pin1", "kubectl:get svc")
        };
        let again = changed(&both, &Change::Add(slower)).unwrap();
        assert_eq!(
            read(&again).0.last().unwrap().every,
            60_000,
            "the same again replaces it"
        );
        let one = changed(&again, &Change::Remove("kubectl:get deploy".into())).unwrap();
        assert_eq!(read(&one).0.len(), 1);
        assert_eq!(changed(&one, &Change::Remove("never pinned".into())).unwrap(), one);
    }

    #[test]
    fn what_cannot_be_read_of_the_file_is_told_and_stays() {
        let newer = "version = 2\n\n[[pin]]\nline = \"a\"\ncolour = \"red\"\n\n[[pin]]\nline = 3\n\n[[pin]]\nid = \"pods\"\nline = \"b\"\n";
        let (pins, remarks) = read(newer);
        assert_eq!(
            pins,
            [pin("pin1", "a"), pin("pin2", "b")],
            "by default every 5s; no other panel's id"
        );
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        let more = changed(newer, &Change::Add(pin("pin3", "c"))).unwrap();
        for kept in ["version = 2", "colour = \"red\"", "line = 3", "line = \"c\""] {
            assert!(more.contains(kept), "{kept}: {more}");
        }
        for text in ["pin = 3\n", "[[pin\n", "\u{0}"] {
            assert_eq!(
                changed(text, &Change::Add(pin("pin1", "a"))).unwrap_err().code,
                "E-PIN-009",
                "{text}"
            );
            let (pins, remarks) = read(text);
            assert_eq!((pins.len(), remarks.len()), (0, 1), "{text}");
        }
    }

    #[test]
    fn so_many_are_shown_and_the_others_are_told() {
        let mut text = String::new();
        for number in 0..MOST + 2 {
            text = changed(&text, &Change::Add(pin("pin1", &format!("line {number}")))).unwrap();
        }
        let (pins, remarks) = read(&text);
        assert_eq!((pins.len(), remarks.len()), (MOST, 2));
        let shown: Vec<String> = pins.into_iter().map(|pin| pin.id).collect();
        assert_eq!(shown, ids());
    }
}
