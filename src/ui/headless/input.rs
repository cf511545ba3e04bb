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
/// A value that goes over lines is tried again with each piece up to this; beyond it, whenever it has doubled.
const EAGER: usize = 1 << 20;
/// The largest value.
const LARGEST: usize = 64 << 20;
/// Records handed on together: fewer would wake the next stage for each few, which costs more than reading them.
const TOGETHER: usize = 256;

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
    let mut try_at = 0;
    loop {
        let ended = !fill(&mut source, &mut buffer).map_err(|error| unreadable(&error))?;
        // What ends with the buffer may go on (`12` and `34`): only a line break is an end for sure.
        let last = buffer.iter().rposition(|byte| *byte == b'\n');
        let whole = if ended {
            buffer.len()
        } else {
            last.map_or(0, |at| at + 1)
        };
        if !ended && buffer.len() < try_at {
            continue;
        }
        let mut stream = Deserializer::from_slice(buffer.get(..whole).unwrap_or_default()).into_iter::<Value>();
        let used = loop {
            match stream.next() {
                Some(Ok(value)) => {
                    if !values.take(value) {
                        return Ok(());
                    }
                }
                Some(Err(error)) if error.is_eof() && !ended => break stream.byte_offset(),
                Some(Err(error)) => return Err(unreadable(&error)),
                None => break whole,
            }
        };
        if ended || !values.flush() {
            return Ok(());
        }
        buffer.drain(..used);
        if buffer.len() > LARGEST {
            return Err(unreadable(&io::Error::other(format!(
                "a value is larger than {} MiB",
                LARGEST >> 20
            ))));
        }
        try_at = if buffer.len() > EAGER { buffer.len() * 2 } else { 0 };
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
    Report::failed("E-RUN-INPUT", "the input is not JSON from here on").because(error)
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
