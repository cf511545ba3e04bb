//! What `tee` and `cat` share: names, and records within bounds.

use crate::core::record::Record;
use crate::core::report::Report;
use crate::verb::Call;

/// Records under one name.
const MOST_RECORDS: usize = 100_000;
/// Bytes of JSON under one name.
const MOST_BYTES: usize = 32 << 20;
/// The longest name.
const LONGEST_NAME: usize = 100;

/// The name that was given.
pub fn name(call: &Call) -> Result<String, Report> {
    let name = call.arguments.text_at(0).unwrap_or_default();
    let proper = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    match proper {
        true => Ok(name),
        false => Err(
            Report::refused("E-KEPT-001", format!("{name:?} is no name to keep records under"))
                .hint("letters, digits, . _ and -"),
        ),
    }
}

/// Collects records to be kept.
pub struct Keeper {
    verb: &'static str,
    records: Vec<Record>,
    bytes: usize,
}

impl Keeper {
    /// For this verb.
    pub fn new(verb: &'static str) -> Keeper {
        Keeper {
            verb,
            records: Vec::new(),
            bytes: 0,
        }
    }

    /// One more, while it fits.
    pub fn push(&mut self, record: &Record) -> Result<(), Report> {
        self.bytes = self.bytes.saturating_add(record.to_string().len());
        if self.records.len() >= MOST_RECORDS || self.bytes > MOST_BYTES {
            let message = format!(
                "{} keeps at most {MOST_RECORDS} records and {} MiB",
                self.verb,
                MOST_BYTES >> 20
            );
            return Err(Report::failed("E-KEPT-003", message).hint("> file:PATH writes any number of records"));
        }
        self.records.push(record.clone());
        Ok(())
    }

    /// All of them.
    pub fn records(self) -> Vec<Record> {
        self.records
    }
}
