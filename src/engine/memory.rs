//! What earlier pipelines answered, for `$_`, `$41` and `let`. Bounded in blocks, records and bytes: what does not fit
//! is remembered as gone, with the reason, never cut short. Not for history: that is the journal's.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::variables::{Kept, Values};
use crate::core::record::Record;

/// Blocks kept; older ones are dropped.
pub const MAX_BLOCKS: usize = 200;
/// Records kept of one pipeline; one with more keeps none.
pub const MAX_RECORDS: usize = 10_000;
/// Bytes kept of one pipeline, roughly counted.
pub const MAX_BYTES: usize = 16 << 20;
/// Bytes kept of all blocks together; older ones are dropped. `let` names are not counted: they are asked for.
pub const MAX_TOTAL: usize = 64 << 20;

/// Collects one pipeline's records as they are delivered.
#[derive(Default)]
pub struct Recorder {
    records: Vec<Record>,
    bytes: usize,
    gone: Option<&'static str>,
}

impl Recorder {
    /// Keeps nothing: nobody will ask for these records.
    pub fn off() -> Self {
        Recorder {
            gone: Some("nobody asked for it to be kept"),
            ..Recorder::default()
        }
    }

    /// Keeps a record, while it fits.
    pub fn push(&mut self, record: &Record) {
        if self.gone.is_some() {
            return;
        }
        self.bytes = self.bytes.saturating_add(weight(record));
        if self.records.len() >= MAX_RECORDS {
            self.drop_all("it has more than 10000 records");
        } else if self.bytes > MAX_BYTES {
            self.drop_all("it is larger than 16 MiB");
        } else {
            self.records.push(record.clone());
        }
    }

    fn drop_all(&mut self, reason: &'static str) {
        self.records = Vec::new();
        self.bytes = 0;
        self.gone = Some(reason);
    }
}

/// The session's memory.
#[derive(Default)]
pub struct Memory {
    values: Values,
    sizes: BTreeMap<u64, usize>,
}

impl Memory {
    /// The values as a pipeline that starts now sees them.
    pub fn snapshot(&self) -> Values {
        self.values.clone()
    }

    /// Names given by `let`.
    pub fn names(&self) -> Vec<String> {
        self.values.names.keys().cloned().collect()
    }

    /// A pipeline of block `number` has ended. `foreground`: it becomes `$_`.
    pub fn remember(&mut self, number: u64, name: Option<&str>, recorder: Recorder, foreground: bool) {
        let kept = match recorder.gone {
            Some(reason) => Kept::Gone(reason),
            None => Kept::Records(Arc::new(recorder.records)),
        };
        if let Some(name) = name {
            self.values.names.insert(name.to_owned(), kept.clone());
        }
        if foreground {
            self.values.last = Some(kept.clone());
        }
        self.values.blocks.insert(number, kept);
        self.sizes.insert(number, recorder.bytes);
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.sizes.len() > MAX_BLOCKS || self.sizes.values().sum::<usize>() > MAX_TOTAL {
            let Some((oldest, _)) = self.sizes.pop_first() else {
                return;
            };
            self.values.blocks.remove(&oldest);
        }
    }
}

/// Roughly the bytes a value takes in memory.
fn weight(value: &Value) -> usize {
    const NODE: usize = std::mem::size_of::<Value>();
    NODE + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recorder(records: usize, size: usize) -> Recorder {
        let mut recorder = Recorder::default();
        (0..records).for_each(|_| recorder.push(&json!("x".repeat(size))));
        recorder
    }

    #[test]
    fn what_does_not_fit_is_gone_with_a_reason_and_never_cut_short() {
        let mut memory = Memory::default();
        memory.remember(1, Some("many"), recorder(MAX_RECORDS + 1, 1), true);
        memory.remember(2, Some("large"), recorder(2, MAX_BYTES), true);
        memory.remember(3, Some("fits"), recorder(MAX_RECORDS, 1), false);
        let values = memory.snapshot();
        assert!(matches!(values.names["many"], Kept::Gone(reason) if reason.contains("10000")));
        assert!(matches!(values.names["large"], Kept::Gone(reason) if reason.contains("16 MiB")));
        assert!(matches!(&values.names["fits"], Kept::Records(all) if all.len() == MAX_RECORDS));
        assert!(
            matches!(values.last, Some(Kept::Gone(_))),
            "a background pipeline is not $_"
        );
    }

    #[test]
    fn a_recorder_that_is_off_keeps_nothing() {
        let mut off = Recorder::off();
        off.push(&json!({"n": 1}));
        assert!(off.records.is_empty() && off.bytes == 0);
    }

    #[test]
    fn the_whole_is_bounded_and_the_oldest_go_first() {
        let mut memory = Memory::default();
        for number in 0..10 {
            memory.remember(number, None, recorder(1, 10 << 20), true);
        }
        let kept: Vec<u64> = memory.snapshot().blocks.keys().copied().collect();
        assert_eq!(kept, vec![4, 5, 6, 7, 8, 9]);
        for number in 10..10 + MAX_BLOCKS as u64 {
            memory.remember(number, None, recorder(1, 1), true);
        }
        assert_eq!(memory.snapshot().blocks.len(), MAX_BLOCKS);
    }
}
