//! The table of rows behind a panel: keyed, last one wins, with generation marks so that a relist drops what is gone
//! without ever showing an empty table in between.

use std::collections::{BTreeMap, VecDeque};

/// Changes that are remembered: some frames of a busy cluster. Who comes later looks at all rows.
const REMEMBERED: usize = 256;

struct Marked<R> {
    /// Boxed: a tree's nodes are up to half empty, and moving rows about in them would cost more than the box.
    row: Box<R>,
    generation: u64,
}

/// Rows by key, in key order.
pub struct RowTable<R> {
    rows: BTreeMap<Box<str>, Marked<R>>,
    generation: u64,
    relisting: bool,
    /// The keys of the last changes, the newest last.
    changed: VecDeque<String>,
    changes: u64,
}

impl<R> Default for RowTable<R> {
    fn default() -> Self {
        RowTable {
            rows: BTreeMap::new(),
            generation: 0,
            relisting: false,
            changed: VecDeque::new(),
            changes: 0,
        }
    }
}

impl<R> RowTable<R> {
    /// A full list begins: rows not seen again before [`RowTable::end_list`] will be dropped.
    pub fn begin_list(&mut self) {
        self.generation += 1;
        self.relisting = true;
    }

    /// The full list is complete: drops the rows it did not name.
    pub fn end_list(&mut self) {
        if self.relisting {
            let current = self.generation;
            let gone = self.rows.extract_if(.., |_, marked| marked.generation != current);
            let gone: Vec<Box<str>> = gone.map(|(key, _)| key).collect();
            gone.iter().for_each(|key| self.note(key));
            self.relisting = false;
        }
    }

    fn note(&mut self, key: &str) {
        let mut kept = match self.changed.len() < REMEMBERED {
            true => String::new(),
            false => self.changed.pop_front().unwrap_or_default(),
        };
        kept.clear();
        kept.push_str(key);
        self.changed.push_back(kept);
        self.changes += 1;
    }

    /// How many changes there were so far.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The keys of what was added, replaced or removed since there were so many changes, some more than once; none: more
    /// than is remembered.
    pub fn changed_since(&self, changes: u64) -> Option<impl Iterator<Item = &str>> {
        let count = usize::try_from(self.changes.checked_sub(changes)?).ok()?;
        let first = self.changed.len().checked_sub(count)?;
        Some(self.changed.range(first..).map(String::as_str))
    }

    /// Adds or replaces a row.
    pub fn upsert(&mut self, key: impl Into<Box<str>>, row: R) {
        let key = key.into();
        self.note(&key);
        self.rows.insert(
            key,
            Marked {
                row: Box::new(row),
                generation: self.generation,
            },
        );
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &str) -> Option<R> {
        self.note(key);
        self.rows.remove(key).map(|marked| *marked.row)
    }

    /// One row.
    pub fn get(&self, key: &str) -> Option<&R> {
        self.rows.get(key).map(|marked| &*marked.row)
    }

    /// Rows in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &R)> {
        self.rows.iter().map(|(key, marked)| (&**key, &*marked.row))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relist_drops_only_what_it_did_not_name_and_only_at_its_end() {
        let mut table = RowTable::default();
        table.upsert("a", 1);
        table.upsert("b", 1);
        table.begin_list();
        table.upsert("b", 2);
        assert_eq!(table.len(), 2, "nothing vanishes while listing");
        table.end_list();
        assert_eq!(table.iter().collect::<Vec<_>>(), vec![("b", &2)]);
        table.end_list();
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn what_changed_is_told_to_those_who_were_there_lately() {
        let mut table = RowTable::default();
        let since = |table: &RowTable<u8>, changes| {
            let keys = table.changed_since(changes)?;
            Some(keys.map(str::to_owned).collect::<Vec<_>>())
        };
        let seen = table.changes();
        assert_eq!(since(&table, seen), Some(vec![]));
        table.upsert("a", 1);
        table.upsert("b", 1);
        let later = table.changes();
        table.remove("a");
        table.begin_list();
        table.end_list();
        assert_eq!(since(&table, seen).unwrap(), ["a", "b", "a", "b"]);
        assert_eq!(
            since(&table, later).unwrap(),
            ["a", "b"],
            "removed, and not in the list"
        );
        for _ in 0..REMEMBERED {
            table.upsert("c", 2);
        }
        assert_eq!(since(&table, later), None, "too long ago");
        assert_eq!(since(&table, table.changes() + 1), None, "of another table");
        assert_eq!(table.changed.len(), REMEMBERED);
    }
}
