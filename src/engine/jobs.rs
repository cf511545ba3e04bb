//! Blocks and background jobs of one session: their numbers, states and ends. Bounded: of those that have ended only
//! the latest are remembered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::ending::Ending;
use crate::core::report::Report;
use crate::verb::session::{Job, JobState};

/// Ended jobs that are remembered.
pub const MAX_ENDED: usize = 1000;

struct Entry {
    job: Job,
    records: Arc<AtomicU64>,
    ending: Ending,
    ended: watch::Sender<bool>,
}

/// All blocks and jobs of a session.
#[derive(Default)]
pub struct Jobs {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Jobs {
    /// A new block or job starts: its number and its counter of records.
    pub fn begin(&self, pipeline: &str, background: bool, started: Timestamp, ending: Ending) -> (u64, Arc<AtomicU64>) {
        let mut state = self.lock();
        state.next += 1;
        let number = state.next;
        let records = Arc::new(AtomicU64::new(0));
        let job = Job {
            number,
            pipeline: pipeline.to_owned(),
            state: JobState::Running,
            background,
            started,
            records: 0,
        };
        let entry = Entry {
            job,
            records: records.clone(),
            ending,
            ended: watch::Sender::new(false),
        };
        state.entries.insert(number, entry);
        (number, records)
    }

    /// It has ended.
    pub fn end(&self, number: u64, outcome: JobState) {
        let mut state = self.lock();
        if let Some(entry) = state.entries.get_mut(&number) {
            entry.job.state = outcome;
            entry.ended.send_replace(true);
        }
        let ended: Vec<u64> = state
            .entries
            .values()
            .filter(|e| e.job.state != JobState::Running)
            .map(|e| e.job.number)
            .collect();
        for number in ended.iter().take(ended.len().saturating_sub(MAX_ENDED)) {
            state.entries.remove(number);
        }
    }

    /// All that are known, oldest first.
    pub fn all(&self) -> Vec<Job> {
        self.lock().entries.values().map(snapshot).collect()
    }

    /// Whether it has not ended.
    pub fn is_running(&self, number: u64) -> bool {
        let state = self.lock();
        let entry = state.entries.get(&number);
        entry.is_some_and(|entry| entry.job.state == JobState::Running)
    }

    /// Interrupts one.
    pub fn stop(&self, number: u64) -> Result<Job, Report> {
        let state = self.lock();
        let entry = state.entries.get(&number).ok_or_else(|| unknown(number))?;
        if entry.job.state != JobState::Running {
            return Err(Report::failed("E-JOB-002", format!("job {number} has ended already")));
        }
        entry.ending.interrupt();
        Ok(snapshot(entry))
    }

    /// Waits for one, or for every background job that runs now (but for `own`, the block that waits).
    pub async fn wait(&self, number: Option<u64>, own: u64) -> Result<Vec<Job>, Report> {
        if number == Some(own) {
            return Err(Report::failed(
                "E-JOB-003",
                format!("block {own} can't wait for itself"),
            ));
        }
        let mut ends = Vec::new();
        {
            let state = self.lock();
            match number {
                Some(number) => {
                    let entry = state.entries.get(&number).ok_or_else(|| unknown(number))?;
                    ends.push((number, entry.ended.subscribe()));
                }
                None => {
                    let running = state.entries.values().filter(|entry| {
                        entry.job.background && entry.job.state == JobState::Running && entry.job.number != own
                    });
                    ends.extend(running.map(|entry| (entry.job.number, entry.ended.subscribe())));
                }
            }
        }
        for (_, end) in &mut ends {
            // An error means that the entry is gone, which only ended ones are.
            let _ = end.wait_for(|ended| *ended).await;
        }
        let state = self.lock();
        Ok(ends
            .iter()
            .filter_map(|(number, _)| state.entries.get(number))
            .map(snapshot)
            .collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn snapshot(entry: &Entry) -> Job {
    Job {
        records: entry.records.load(Ordering::Relaxed),
        ..entry.job.clone()
    }
}

fn unknown(number: u64) -> Report {
    Report::failed("E-JOB-001", format!("there is no job {number}")).hint("`jobs` lists them")
}
