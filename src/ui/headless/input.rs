//! `--input`: JSON values one after another, read in large pieces and parsed where they lie. A thread of its own does it:
//! a read of stdin may take for ever. Not for what the values mean.

use std::io::{self, Read};

use serde_json::{Deserializer, Value};
use tokio::sync::mpsc;

use crate::core::report::Report;
use crate::engine::Items;
use crate::verb::Item;
use crate::verb::invocation::CHANNEL_ITEMS;

/// Read at a time.
const PIECE: usize = 64 << 10;
/// The largest value.
const LARGEST: usize = 64 << 20;
/// Records handed on together: fewer would wake the next stage for each few, which costs more than reading them.
const TOGETHER: usize = 256;

const CODE: &str = "E-RUN-INPUT";

/// The values of `source` as a stage takes them; reading waits while the stage is busy.
pub fn records(source: impl Read + Send + 'static) -> Items {
    let (sender, receiver) = mpsc::channel(CHANNEL_ITEMS);
    std::thread::spawn(move || {
        let mut handing = Handing {
            sender,
            records: Vec::with_capacity(TOGETHER),
        };
        let read = read(source, &mut handing);
        handing.flush();
        if let Err(report) = read {
            // A reader that is gone needs no word.
            let _ = handing.sender.blocking_send(Err(report));
        }
    });
    receiver
}

/// Where values go.
trait Take {
    /// Takes a value; false: no more are wanted.
    fn take(&mut self, value: Value) -> bool;
    /// What was taken is handed on now: the next read may take long.
    fn flush(&mut self) -> bool;
}

struct Handing {
    sender: mpsc::Sender<Result<Item, Report>>,
    records: Vec<Item>,
}

impl Take for Handing {
    fn take(&mut self, record: Value) -> bool {
        self.records.push(Item { record, view: None });
        self.records.len() < TOGETHER || self.flush()
    }

    fn flush(&mut self) -> bool {
        if self.records.is_empty() {
            return !self.sender.is_closed();
        }
        match futures::executor::block_on(self.sender.reserve_many(self.records.len())) {
            Ok(permits) => {
                permits
                    .zip(self.records.drain(..))
                    .for_each(|(permit, item)| permit.send(Ok(item)));
                true
            }
            Err(_) => false,
        }
    }
}

fn read(mut source: impl Read, values: &mut impl Take) -> Result<(), Report> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut open = Open::default();
    let mut at = At::default();
    loop {
        let ended = !fill(&mut source, &mut buffer).map_err(|error| unreadable(&error))?;
        let Some(first) = open.first_end(&buffer).or(ended.then_some(buffer.len())) else {
            match buffer.len() > LARGEST {
                true => return Err(too_large()),
                false => continue,
            }
        };
        // A line break is found faster than the end of a value, and is nearly always one. A value behind the last one,
        // though whole, waits for what comes next.
        let rest = buffer.get(first..).unwrap_or_default();
        let whole = match rest.iter().rposition(|byte| *byte == b'\n') {
            _ if ended => buffer.len(),
            Some(line) => first + line + 1,
            None => open.last_end(&buffer, first),
        };
        let mut stream = Deserializer::from_slice(buffer.get(..whole).unwrap_or_default()).into_iter::<Value>();
        let used = loop {
            match stream.next() {
                Some(Ok(value)) => {
                    if !values.take(value) {
                        return Ok(());
                    }
                }
                // The line break stood inside a value.
                Some(Err(error)) if error.is_eof() && !ended && stream.byte_offset() >= first => {
                    break stream.byte_offset();
                }
                Some(Err(error)) => return Err(at.wrong(&error)),
                None => break whole,
            }
        };
        if ended || !values.flush() {
            return Ok(());
        }
        at.pass(buffer.get(..used).unwrap_or_default());
        buffer.drain(..used);
        open = Open::default();
    }
}

/// How far the bytes were looked through for the end of the value that they begin with; goes on where it stopped, so
/// that a value of many pieces is looked at once. Knows strings and nesting only: what is wrong is the parser's to say.
#[derive(Default)]
struct Open {
    at: usize,
    depth: usize,
    quoted: bool,
    escaped: bool,
    /// In a number or a word, which end before what can't belong to them.
    bare: bool,
}

impl Open {
    /// Where the first value ends, blanks alone being one too; none: not in these bytes.
    fn first_end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.at) {
            if let Some(end) = self.step(*byte) {
                return Some(end);
            }
        }
        let begun = self.depth > 0 || self.quoted || self.bare;
        (!begun && !bytes.is_empty()).then_some(bytes.len())
    }

    /// Where the last whole value ends; `first`: where the first one does.
    fn last_end(&mut self, bytes: &[u8], first: usize) -> usize {
        let mut last = first;
        while let Some(end) = self.first_end(bytes).filter(|end| *end > last) {
            last = end;
        }
        last
    }

    /// Takes one byte; the end of a value, if this tells it.
    fn step(&mut self, byte: u8) -> Option<usize> {
        self.at += 1;
        if self.quoted {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.quoted = false,
                _ => {}
            }
            return (!self.quoted && self.depth == 0).then_some(self.at);
        }
        let bare = self.depth == 0 && std::mem::take(&mut self.bare);
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return (self.depth == 0).then_some(self.at);
            }
            b' ' | b'\t' | b'\r' | b'\n' => return bare.then_some(self.at),
            _ => {
                self.bare = self.depth == 0;
                return None;
            }
        }
        bare.then_some(self.at - 1)
    }
}

/// How much of the input was handed on.
#[derive(Default)]
struct At {
    lines: usize,
    column: usize,
}

impl At {
    fn pass(&mut self, bytes: &[u8]) {
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count();
        self.column = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(line) => bytes.len() - line - 1,
            None => self.column + bytes.len(),
        };
    }

    /// What is wrong behind it; the parser counts from where it began.
    fn wrong(&self, error: &serde_json::Error) -> Report {
        let (line, begun) = (
            self.lines + error.line(),
            if error.line() == 1 { self.column } else { 0 },
        );
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        let place = format!("the input is no JSON at line {line} column {}", begun + error.column());
        Report::failed(CODE, place).because(&io::Error::other(reason))
    }
}

/// One read; false: the end.
fn fill(source: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let filled = buffer.len();
    buffer.resize(filled + PIECE, 0);
    let read = loop {
        match source.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    buffer.truncate(filled + read.as_ref().copied().unwrap_or(0));
    Ok(read? > 0)
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Report {
    Report::failed(CODE, "the input can't be read on").because(error)
}

fn too_large() -> Report {
    unreadable(&io::Error::other(format!(
        "a value is larger than {} MiB",
        LARGEST >> 20
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[derive(Default)]
    struct All(Vec<Value>);

    impl Take for All {
        fn take(&mut self, value: Value) -> bool {
            self.0.push(value);
            true
        }

        fn flush(&mut self) -> bool {
            true
        }
    }

    /// Gives a few bytes at a time, as a slow pipe does.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(buffer.get_mut(..most).unwrap())
        }
    }

    fn all(text: &str, at_a_time: usize) -> Result<Vec<Value>, Report> {
        let mut values = All::default();
        read(Slow(text.as_bytes(), at_a_time), &mut values).map(|()| values.0)
    }

    #[test]
    fn values_over_lines_beside_each_other_and_without_a_last_line_break() {
        let text = "{\"a\":\n 1}\n12\n34 [5]\n\n\"x\\n\" null 7";
        let wanted = vec![
            json!({"a": 1}),
            json!(12),
            json!(34),
            json!([5]),
            json!("x\n"),
            json!(null),
            json!(7),
        ];
        for at_a_time in [1, 2, 3, 7, 1000] {
            assert_eq!(all(text, at_a_time).unwrap(), wanted, "{at_a_time}");
        }
        assert_eq!(all("", 5).unwrap(), Vec::<Value>::new());
        assert_eq!(all(" \n ", 1).unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn what_is_no_json_is_told_after_what_was() {
        let mut values = All::default();
        let report = read("1\n{]\n2".as_bytes(), &mut values).unwrap_err();
        assert_eq!((report.code, values.0), ("E-RUN-INPUT", vec![json!(1)]));
        assert!(all("{\"a\":", 3).is_err());
        assert!(all(&"[".repeat(100_000), 60_000).is_err(), "nesting is bounded");
    }

    #[test]
    fn values_without_a_line_break_come_as_soon_as_they_are_there() {
        for (text, at_once) in [
            ("{\"a\":1}[2]\"x\\\"\"", 3),
            ("1 2 3", 2),
            ("[1\n]12\"x\"34", 3),
            ("true{}", 2),
        ] {
            for at_a_time in [1, 2, 5, 100] {
                let mut values = All::default();
                let open = Slow(text.as_bytes(), at_a_time).chain(Broken);
                assert!(read(open, &mut values).is_err());
                assert_eq!(values.0.len(), at_once, "{text} {at_a_time}");
            }
        }
    }

    /// A pipe that breaks: what came before must have been handed on by then.
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }

    #[test]
    fn many_bytes_without_a_line_break_are_neither_refused_nor_looked_at_again() {
        let record = format!("[\"{}\"]", "x".repeat((4 << 20) - 4));
        let times = LARGEST / record.len() + 1;
        let mut count = Counted(0);
        read(
            Read::take(Cycle(record.as_bytes(), 0), (times * record.len()) as u64),
            &mut count,
        )
        .unwrap();
        assert_eq!(count.0, times);
        // One value in pieces of a few bytes: seconds if each piece began anew.
        let text = format!("[{}1]", "[\n1],".repeat(40_000));
        assert_eq!(all(&text, 3).unwrap().len(), 1);
    }

    /// The same bytes for ever.
    struct Cycle<'a>(&'a [u8], usize);

    impl Read for Cycle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let piece = Slow(&self.0[self.1..], usize::MAX).read(buffer)?;
            self.1 = (self.1 + piece) % self.0.len();
            Ok(piece)
        }
    }

    struct Counted(usize);

    impl Take for Counted {
        fn take(&mut self, _: Value) -> bool {
            self.0 += 1;
            true
        }

        fn flush(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn a_wrong_place_is_counted_from_the_start_of_the_input() {
        for at_a_time in [1, 4, 1000] {
            let told = |text: &str| all(text, at_a_time).unwrap_err().message;
            assert_eq!(told("1\n2\n{\"a\":\n x}\n"), "the input is no JSON at line 4 column 2");
            assert_eq!(told("[1][2]x"), "the input is no JSON at line 1 column 7");
        }
    }

    #[test]
    fn a_large_value_is_read_and_a_larger_one_refused() {
        let text = format!("[\n\"{}\"\n]\n1", "x".repeat(3 << 20));
        assert_eq!(all(&text, 1 << 20).unwrap().len(), 2);
        let endless = std::io::Cursor::new(vec![b'['; 1]).chain(io::repeat(b'\n'));
        assert!(read(endless, &mut All::default()).unwrap_err().causes[0].contains("larger than"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter_and_no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), at_a_time in 1usize..9) {
            let mut values = All::default();
            let _ = read(Slow(&bytes, at_a_time), &mut values);
        }

        #[test]
        fn written_values_come_back(numbers in proptest::collection::vec(any::<i64>(), 0..50), at_a_time in 1usize..40) {
            let text: String = numbers.iter().map(|n| format!("{{\"n\":{n}}}\n")).collect();
            let wanted: Vec<Value> = numbers.iter().map(|n| json!({"n": n})).collect();
            prop_assert_eq!(all(&text, at_a_time).unwrap(), wanted);
        }
    }
}
