//! One feed's shared state: the writer (a feature's task) updates it, views read it and wait for its version to move.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::health::{Health, HealthState};
use super::table::RowTable;
use crate::core::clock::Clock;
use crate::core::text::SafeText;

/// Rows, health, and a version that moves with either. Views read under a short lock, only what is visible.
pub struct Source<R> {
    state: RwLock<(RowTable<R>, Health)>,
    version: watch::Sender<u64>,
    clock: Clock,
}

impl<R> Source<R> {
    /// Empty and loading.
    pub fn new(clock: Clock) -> Self {
        let health = Health::loading(clock.now());
        Source {
            state: RwLock::new((RowTable::default(), health)),
            version: watch::Sender::new(0),
            clock,
        }
    }

    /// Changes rows; the data counts as fresh from now on.
    pub fn write<T>(&self, change: impl FnOnce(&mut RowTable<R>) -> T) -> T {
        let result = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.1.data_at = Some(self.clock.now());
            change(&mut state.0)
        };
        self.version.send_modify(|version| *version += 1);
        result
    }

    /// What a poll brought is all there is: rows that are not in it go, and the feed is live. Where it brought what is
    /// known already nothing moves, and nobody draws for it.
    pub fn replace(&self, rows: impl IntoIterator<Item = (String, R)>)
    where
        R: PartialEq,
    {
        let rows: Vec<(String, R)> = rows.into_iter().collect();
        let is_known = self.read(|known, health| {
            health.state == HealthState::Live
                && known.len() == rows.len()
                && rows.iter().all(|(key, row)| known.get(key) == Some(row))
        });
        if is_known {
            return self.touch();
        }
        self.write(|table| {
            table.begin_list();
            rows.into_iter().for_each(|(key, row)| table.upsert(key, row));
            table.end_list();
        });
        self.set_health(HealthState::Live, None);
    }

    /// Proof that the rows are still right (a bookmark, an unchanged poll) without changing any.
    pub fn touch(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).1.data_at = Some(self.clock.now());
    }

    /// Sets the health.
    pub fn set_health(&self, state: HealthState, reason: Option<SafeText>) {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .become_state(state, reason, self.clock.now());
        self.version.send_modify(|version| *version += 1);
    }

    /// Says whether the rows are only a part of what there is, and how many are kept then.
    pub fn set_part(&self, part: Option<usize>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.1.part == part {
            return;
        }
        state.1.part = part;
        drop(state);
        self.version.send_modify(|version| *version += 1);
    }

    /// The login that lets us in ends then, and why there is no next one yet; none: that is not so, or no more.
    pub fn set_login_end(&self, ends: Option<(Timestamp, SafeText)>) {
        let changed = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let changed = state.1.login_ends != ends;
            state.1.login_ends = ends;
            changed
        };
        if changed {
            self.version.send_modify(|version| *version += 1);
        }
    }

    /// Reads rows and health.
    pub fn read<T>(&self, look: impl FnOnce(&RowTable<R>, &Health) -> T) -> T {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        look(&state.0, &state.1)
    }

    /// The health.
    pub fn health(&self) -> Health {
        self.read(|_, health| health.clone())
    }

    /// Moves with every change of rows or health.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Wakes on every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Waits until the feed has answered for the first time, with rows or with a reason for having none.
    pub async fn first(&self) {
        let mut changes = self.changes();
        while self.health().state == HealthState::Loading && changes.changed().await.is_ok() {}
    }

    /// The same, but not for longer than this.
    pub async fn first_within(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.first()).await;
    }

    /// The time by this source's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_that_brings_what_is_known_makes_it_fresh_and_moves_nothing() {
        let clock = Clock::paused(Timestamp::UNIX_EPOCH);
        let source = Source::new(clock.clone());
        let poll = |rows: &[(&str, u8)]| source.replace(rows.iter().map(|(key, row)| ((*key).to_owned(), *row)));
        poll(&[("a", 1), ("b", 2)]);
        let version = source.version();
        clock.advance(Duration::from_secs(10));
        poll(&[("a", 1), ("b", 2)]);
        assert_eq!(
            (source.version(), source.health().data_at),
            (version, Some(clock.now()))
        );
        for changed in [&[("a", 1), ("b", 3)][..], &[("a", 1)], &[("c", 1)], &[]] {
            let before = source.version();
            poll(changed);
            assert_ne!(source.version(), before, "{changed:?}");
            assert_eq!(source.read(|rows, _| rows.len()), changed.len());
        }
        // The first answer is news, even if it has no row.
        let empty: Source<u8> = Source::new(clock);
        empty.replace([]);
        assert_eq!(empty.health().state, HealthState::Live);
    }
}
