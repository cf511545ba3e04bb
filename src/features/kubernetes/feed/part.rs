//! What a feed keeps of a collection that is larger than it may keep, and whether what it shows is only a part. Not for
//! how a list and a watch go on (`follow`).

use crate::feed::RowTable;

/// Rows one feed keeps at most: the pods of the largest cluster Kubernetes is made for. Policy: what comes above it is
/// not kept, and the feed's health says that there is more. While it lists again, rows of the list before stay as well,
/// until the new list is complete.
pub(super) const MOST: usize = 150_000;

/// How full a feed's table is.
#[derive(Debug)]
pub(super) struct Part {
    most: usize,
    /// Rows the present list has named.
    listed: usize,
    /// Some row was not kept.
    cut: bool,
}

impl Default for Part {
    fn default() -> Self {
        Part::of(MOST)
    }
}

impl Part {
    fn of(most: usize) -> Self {
        Part {
            most,
            listed: 0,
            cut: false,
        }
    }

    /// A list begins: what it names is counted from the start.
    pub(super) fn begin<R>(&mut self, table: &mut RowTable<R>) {
        (self.listed, self.cut) = (0, false);
        table.begin_list();
    }

    /// A page of the list. True when nothing more shall be read: it was the last page, or no more rows are kept. The
    /// rows that the list did not name are gone then.
    pub(super) fn page<R>(
        &mut self,
        table: &mut RowTable<R>,
        rows: impl IntoIterator<Item = (String, R)>,
        last: bool,
    ) -> bool {
        for (key, row) in rows {
            if self.listed == self.most {
                self.cut = true;
                break;
            }
            self.listed += 1;
            table.upsert(key, row);
        }
        self.cut |= self.listed == self.most && !last;
        let done = last || self.cut;
        if done {
            table.end_list();
        }
        done
    }

    /// A row that came or changed: a new one only while there is room.
    pub(super) fn put<R>(&mut self, table: &mut RowTable<R>, key: String, row: R) {
        if table.len() < self.most || table.get(&key).is_some() {
            table.upsert(key, row);
        } else {
            self.cut = true;
        }
    }

    /// There are more rows than these: how many are kept.
    pub(super) fn shown(&self) -> Option<usize> {
        self.cut.then_some(self.most)
    }

    /// There are more rows, and by now there is room for some of them: only another list tells which.
    pub(super) fn could_show_more<R>(&self, table: &RowTable<R>) -> bool {
        self.cut && table.len() < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(names: &str) -> Vec<(String, ())> {
        names.chars().map(|name| (name.to_string(), ())).collect()
    }

    fn keys(table: &RowTable<()>) -> String {
        table.iter().map(|(key, ())| key).collect()
    }

    #[test]
    fn what_is_above_the_limit_is_told_and_what_went_goes() {
        let (mut part, mut table) = (Part::of(4), RowTable::default());
        part.begin(&mut table);
        assert!(!part.page(&mut table, rows("abc"), false));
        assert_eq!(part.shown(), None, "nothing is missing yet");
        assert!(
            part.page(&mut table, rows("def"), false),
            "no further page is asked for"
        );
        assert_eq!((keys(&table).as_str(), part.shown()), ("abcd", Some(4)));
        // Listed again: what the new list does not name is not kept, although the list is not read to its end.
        part.begin(&mut table);
        assert!(!part.page(&mut table, rows("bcx"), false));
        assert_eq!(keys(&table), "abcdx", "nothing vanishes while listing");
        assert!(part.page(&mut table, rows("yz"), true));
        assert_eq!((keys(&table).as_str(), part.shown()), ("bcxy", Some(4)));
    }

    #[test]
    fn exactly_as_many_as_may_be_kept_are_all() {
        let (mut part, mut table) = (Part::of(3), RowTable::default());
        part.begin(&mut table);
        assert!(part.page(&mut table, rows("abc"), true));
        assert_eq!(part.shown(), None);
        part.put(&mut table, "a".into(), ());
        assert_eq!(part.shown(), None, "a change of a known row needs no room");
        part.put(&mut table, "d".into(), ());
        assert_eq!((keys(&table).as_str(), part.shown()), ("abc", Some(3)));
        assert!(!part.could_show_more(&table));
        table.remove("a");
        assert!(
            part.could_show_more(&table) && part.shown().is_some(),
            "until it is listed again"
        );
        part.begin(&mut table);
        assert!(part.page(&mut table, rows("bc"), true));
        assert_eq!((part.shown(), part.could_show_more(&table)), (None, false));
    }
}
