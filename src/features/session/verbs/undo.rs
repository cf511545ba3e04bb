//! `undo N…`: takes journalled changes back, one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::core::change::{Origin, Risk};
use crate::core::report::Report;
use crate::engine::ports::Journal;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::AuditEntry;
use crate::verb::{
    Call, Candidate, Completer, Completion, CompletionRequest, Declaration, Input, InputMode, OptionKind, Output,
    Positional, Read, Verb,
};

/// The verb.
pub fn verb(journal: Option<Arc<dyn Journal>>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "undo", "Take changes back")
        .description(
            "Makes the inverse change, in the context in which the change was made. Refused when the target was \
             changed again since, when it was taken back already, or when its command knows no inverse. Several go \
             one after the other, each with a plan of its own, until one fails: name the newest first.",
        )
        .input(InputMode::None)
        .risk(Risk::Change)
        .recovery()
        .positional(
            Positional::new("numbers", OptionKind::Int, "the entries, as `audit` lists them")
                .optional()
                .variadic(),
        )
        .output("What the inverse commands emit.")
        .notes(
            "Without a number it is the last change that can be taken back, which the plan shows. Where nobody is \
             asked it needs one.",
        )
        .example("undo 12", "")
        .example("undo 12 11", "The later change first.");
    let verb = Verb::read(declaration, Undo(journal.clone()));
    match journal {
        Some(journal) => verb.completed_by(Arc::new(Numbers(journal))),
        None => verb,
    }
}

/// Entries looked through for what can be taken back.
const LATEST: usize = 50;

/// Offers the changes that can be taken back, the newest first.
struct Numbers(Arc<dyn Journal>);

#[async_trait]
impl Completer for Numbers {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        let entries = match self.0.entries(LATEST).await {
            Ok(entries) => entries,
            Err(report) => return Completion::none(report.sentence()),
        };
        let named = |number: &String| request.positionals.contains(number);
        let open = open(&entries).map(|entry| (entry.number.to_string(), entry));
        let fit = open.filter(|(number, _)| number.starts_with(&request.prefix) && !named(number));
        let found: Vec<Candidate> = fit
            .map(|(value, entry)| Candidate {
                value,
                note: entry.change.summary.clone(),
            })
            .collect();
        found.into()
    }
}

/// Those of the entries, newest first, that were applied, have an inverse and were not taken back since.
fn open(entries: &[AuditEntry]) -> impl Iterator<Item = &AuditEntry> {
    let applied = |entry: &&AuditEntry| entry.outcome == "applied";
    let undone: BTreeSet<u64> = entries
        .iter()
        .filter(applied)
        .filter_map(|entry| entry.undoes)
        .collect();
    let can = move |entry: &&AuditEntry| entry.change.inverse.is_some() && !undone.contains(&entry.number);
    entries.iter().filter(applied).filter(can)
}

struct Undo(Option<Arc<dyn Journal>>);

/// The change that is meant by who names none: the last one, where its plan is looked at before it is taken back. Asked
/// again it is the one before, and not what was taken back just now. The entries come newest first.
fn last(entries: &[AuditEntry], origin: Origin) -> Result<u64, Report> {
    let Some(last) = open(entries).find(|entry| entry.undoes.is_none()) else {
        let report = Report::refused("E-UNDO-009", "nothing that was done lately can be taken back");
        return Err(report.hint("`audit` lists what was done"));
    };
    match origin {
        Origin::Typed | Origin::Key => Ok(last.number),
        Origin::Headless { .. } => {
            let report = Report::refused("E-UNDO-009", "undo which? it takes the numbers of entries");
            Err(report.hint(format!(
                "the last that can be taken back is `undo {}`: {}; `audit` lists all",
                last.number, last.change.summary
            )))
        }
    }
}

#[async_trait]
impl Read for Undo {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let below = || Report::refused("E-UNDO-008", "entry numbers start at 1");
        let given = call.arguments.positionals.iter();
        let mut numbers: Vec<u64> = given
            .map(|number| number.as_u64().filter(|number| *number > 0).ok_or_else(below))
            .collect::<Result<_, _>>()?;
        if numbers.is_empty() {
            let entries = match &self.0 {
                Some(journal) => journal.entries(LATEST).await?,
                None => Vec::new(),
            };
            numbers.push(last(&entries, call.operator.origin())?);
        }
        // Nothing is taken back while one of them names nothing.
        for number in &numbers {
            if call.session.audited(*number).await?.is_none() {
                let report = Report::refused("E-UNDO-001", format!("there is no entry {number} in the journal"));
                return Err(report.hint("`audit` lists them"));
            }
        }
        for number in numbers {
            call.session.undo(number, call, output).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::core::change::{Change, Inverse};
    use crate::features::session::testing::{change, entry as applied};

    fn entry(number: u64, outcome: &str, inverse: Option<Inverse>, undoes: Option<u64>) -> AuditEntry {
        AuditEntry {
            change: Change {
                inverse,
                ..change("scale deployment/web to 3")
            },
            outcome: outcome.into(),
            undoes,
            ..applied(number)
        }
    }

    #[test]
    fn only_what_can_be_taken_back_is_offered() {
        let inverse = || {
            Some(Inverse {
                pipeline: "kubectl:scale deploy web --replicas=1".into(),
                expects: Value::Null,
            })
        };
        let entries = [
            entry(7, "failed: gone", inverse(), None),
            entry(6, "applied", None, None),
            entry(5, "applied", inverse(), Some(3)),
            entry(4, "declined: no", inverse(), Some(2)),
            entry(3, "applied", inverse(), None),
            entry(2, "applied", inverse(), None),
        ];
        let offered: Vec<u64> = open(&entries).map(|entry| entry.number).collect();
        assert_eq!(offered, [5, 2], "3 was taken back by 5, which can be taken back itself");

        assert_eq!(last(&entries, Origin::Typed).unwrap(), 2, "5 took back 3");
        let headless = Origin::Headless {
            yes: true,
            max_targets: None,
        };
        let refused = last(&entries, headless).unwrap_err();
        assert!(
            refused.hint.unwrap().contains("`undo 2`"),
            "a script names what it takes back"
        );
        assert_eq!(last(&entries[..5], Origin::Typed).unwrap_err().code, "E-UNDO-009");
    }
}
