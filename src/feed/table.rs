//! The table of rows behind a panel: keyed, last one wins, with generation marks so that a relist drops what is gone
//! without ever showing an empty table in between.

use std::collections::BTreeMap;

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
}

impl<R> Default for RowTable<R> {
    fn default() -> Self {
        RowTable {
            rows: BTreeMap::new(),
            generation: 0,
            relisting: false,
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
            self.rows.retain(|_, marked| marked.generation == current);
            self.relisting = false;
        }
    }

    /// Adds or replaces a row.
    pub fn upsert(&mut self, key: impl Into<Box<str>>, row: R) {
        self.rows.insert(
            key.into(),
            Marked {
                row: Box::new(row),
                generation: self.generation,
            },
        );
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &str) -> Option<R> {
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
}
