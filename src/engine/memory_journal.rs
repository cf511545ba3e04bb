//! A journal that lives as long as the process: for the sandbox without a state folder, and for tests. Hash-chained
//! like the one in the store.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::ports::{HistoryLine, Journal, NewEntry};
use crate::core::change::hex;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::verb::session::AuditEntry;

/// Lines of history kept.
const MAX_HISTORY: usize = 10_000;

/// Changes and history in memory.
#[derive(Default)]
pub struct MemoryJournal {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: Vec<AuditEntry>,
    history: Vec<HistoryLine>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new(clock: Clock) -> Self {
        MemoryJournal {
            clock,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 over the entry (its own hash left empty) and the hash before it.
fn chain(entry: &AuditEntry, before: &str) -> String {
    let text = serde_json::to_string(entry).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(before);
    digest.update(text);
    hex(&digest.finalize())
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, new: NewEntry) -> Result<u64, Report> {
        let mut state = self.lock();
        let number = state.entries.len() as u64 + 1;
        let mut entry = AuditEntry {
            number,
            at: self.clock.now(),
            user: new.user,
            context: new.context,
            pipeline: new.pipeline,
            change: new.change,
            outcome: new.outcome,
            undoes: new.undoes,
            hash: String::new(),
        };
        let before = state.entries.last().map(|entry| entry.hash.clone()).unwrap_or_default();
        entry.hash = chain(&entry, &before);
        state.entries.push(entry);
        Ok(number)
    }

    async fn entries(&self, limit: usize) -> Result<Vec<AuditEntry>, Report> {
        Ok(self.lock().entries.iter().rev().take(limit).cloned().collect())
    }

    async fn entry(&self, number: u64) -> Result<Option<AuditEntry>, Report> {
        Ok(self.lock().entries.iter().find(|entry| entry.number == number).cloned())
    }

    async fn undone_by(&self, number: u64) -> Result<Option<u64>, Report> {
        Ok(self
            .lock()
            .entries
            .iter()
            .find(|entry| entry.undoes == Some(number))
            .map(|entry| entry.number))
    }

    async fn remember(&self, mut entry: HistoryLine) -> Result<(), Report> {
        let mut state = self.lock();
        entry.number = state.history.last().map_or(0, |last| last.number) + 1;
        if state.history.len() >= MAX_HISTORY {
            state.history.remove(0);
        }
        state.history.push(entry);
        Ok(())
    }

    async fn history(&self, limit: usize) -> Result<Vec<HistoryLine>, Report> {
        let state = self.lock();
        let skip = state.history.len().saturating_sub(limit);
        Ok(state.history.iter().skip(skip).cloned().collect())
    }
}
