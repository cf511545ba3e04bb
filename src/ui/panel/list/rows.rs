//! The rows of a list: those of one context's feed, or those of several contexts put together. Not for how they look,
//! nor for which of them is selected.

use std::sync::Arc;

use super::Listing;
use crate::core::context::Context;
use crate::feed::{Health, RowTable, Subscription};

/// Which row it is. Two contexts may have rows of the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    /// The context's place among those shown.
    pub context: u16,
    /// The key in its feed.
    pub key: Box<str>,
}

/// One context's rows.
pub(super) struct Feed<R> {
    pub context: Arc<Context>,
    pub rows: Subscription<R>,
}

impl<R> Feed<R> {
    pub fn read<T>(&self, look: impl FnOnce(&RowTable<R>) -> T) -> T {
        self.rows.source().read(|rows, _| look(rows))
    }

    /// Its rows are of all namespaces.
    pub fn is_everywhere(&self) -> bool {
        self.context.kubernetes.everywhere
    }

    pub fn health(&self) -> Health {
        self.rows.source().health()
    }
}

/// Whether a row of a feed is shown.
pub(super) type Passes<'a, R> = &'a (dyn Fn(&Feed<R>, &R) -> bool + 'a);

/// The feeds, one a context, in the order of the contexts. None: nobody looks.
pub(super) struct Feeds<R>(pub Vec<Feed<R>>);

impl<R> Feeds<R> {
    pub fn is_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Moves with any of them.
    pub fn version(&self) -> u64 {
        self.0.iter().map(|feed| feed.rows.source().version()).sum()
    }

    pub fn get(&self, context: u16) -> Option<&Feed<R>> {
        self.0.get(usize::from(context))
    }

    /// The place of the context of this name.
    pub fn place(&self, name: &str) -> Option<u16> {
        let at = self.0.iter().position(|feed| feed.context.name == name)?;
        u16::try_from(at).ok()
    }

    /// Reads a row where it is.
    pub fn row<T>(&self, key: &RowKey, look: impl FnOnce(&R) -> T) -> Option<T> {
        self.get(key.context)?.read(|rows| rows.get(&key.key).map(look))
    }

    /// Reads the tables of all contexts at once.
    pub fn tables<T>(&self, look: impl FnOnce(&[&RowTable<R>]) -> T) -> T {
        tables(&self.0, &[], look)
    }

    /// How each is, the worst first.
    pub fn by_rank(&self) -> Vec<(&Feed<R>, Health)> {
        let mut all: Vec<_> = self.0.iter().map(|feed| (feed, feed.health())).collect();
        all.sort_by_key(|(_, health)| std::cmp::Reverse(health.rank()));
        all
    }

    /// The keys of the rows to show, in their order; none: they are those known already. A row that changed leaves the
    /// keys as they are: a list of tens of thousands is not made anew for it.
    pub fn keys<L: Listing<Row = R>>(
        &self,
        listing: &L,
        known: &[RowKey],
        passes: Option<Passes<'_, R>>,
    ) -> Option<Vec<RowKey>> {
        self.tables(|tables| {
            let lists = self.0.iter().zip(tables).enumerate().map(|(place, (feed, rows))| {
                listing.look(place, rows);
                let mut keys = listing.shown(rows);
                if let Some(passes) = passes {
                    keys.retain(|key| rows.get(key).is_some_and(|row| passes(feed, row)));
                }
                keys
            });
            let mut lists: Vec<Vec<&str>> = lists.collect();
            if lists.len() < 2 {
                let only = lists.pop().unwrap_or_default();
                return others(known, only.iter().map(|key| (0, *key)));
            }
            let places = (0_u16..).zip(tables.iter().zip(&lists));
            let mut all: Vec<(u16, &str, &R)> = places
                .flat_map(|(place, (rows, keys))| {
                    keys.iter()
                        .filter_map(move |key| rows.get(key).map(|row| (place, *key, row)))
                })
                .collect();
            // Each list is in this order already, which a stable sort makes use of.
            all.sort_by(|(_, one, row), (_, other, beside)| listing.order((one, row), (other, beside)));
            others(known, all.iter().map(|(place, key, _)| (*place, *key)))
        })
    }
}

fn others<'k>(known: &[RowKey], shown: impl ExactSizeIterator<Item = (u16, &'k str)> + Clone) -> Option<Vec<RowKey>> {
    let is = |((context, key), row): ((u16, &str), &RowKey)| context == row.context && *key == *row.key;
    let same = shown.len() == known.len() && shown.clone().zip(known).all(is);
    let row = |(context, key): (u16, &str)| RowKey {
        context,
        key: key.into(),
    };
    (!same).then(|| shown.map(row).collect())
}

/// Each table is read under its own lock; no two contexts share a feed.
fn tables<R, T>(feeds: &[Feed<R>], before: &[&RowTable<R>], look: impl FnOnce(&[&RowTable<R>]) -> T) -> T {
    let Some((first, rest)) = feeds.split_first() else {
        return look(before);
    };
    first.read(|rows| {
        let mut all: Vec<&RowTable<R>> = before.to_vec();
        all.push(rows);
        tables(rest, &all, look)
    })
}
