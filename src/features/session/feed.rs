//! Jobs and journalled changes as live rows. They are looked at in turns: the session has nothing to watch, and reading
//! it costs nothing but a short lock, the journal's newest entry one small query.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::engine::ports::Journal;
use crate::feed::{FeedKey, HealthState, Hub, Source, Subscription};
use crate::verb::session::{AuditEntry, Job};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// Changes shown, the newest ones; older ones are what `audit` is for.
pub const MOST: usize = 500;

/// The jobs of the session, oldest first.
pub type Jobs = Arc<dyn Fn() -> Vec<Job> + Send + Sync>;

/// What both panels look at.
#[derive(Clone)]
pub struct SessionFeeds {
    /// Shared feeds.
    pub hub: Hub,
    /// The session's jobs.
    pub jobs: Jobs,
    /// The journal.
    pub journal: Arc<dyn Journal>,
}

impl SessionFeeds {
    /// The jobs, the newest first.
    pub fn jobs(&self, context: &Arc<Context>) -> Subscription<Job> {
        let jobs = self.jobs.clone();
        self.hub.subscribe(key(context, "session/jobs"), |source, stop| {
            tokio::spawn(follow(source, stop, move || {
                let jobs = jobs.clone();
                async move { Ok(Some(jobs())) }
            }));
        })
    }

    /// The changes, the newest first.
    pub fn changes(&self, context: &Arc<Context>) -> Subscription<AuditEntry> {
        let journal = self.journal.clone();
        self.hub.subscribe(key(context, "session/changes"), |source, stop| {
            let seen = Arc::new(AtomicU64::new(u64::MAX));
            tokio::spawn(follow(source, stop, move || {
                let (journal, seen) = (journal.clone(), seen.clone());
                async move { changes(journal.as_ref(), &seen).await }
            }));
        })
    }
}

fn key(context: &Arc<Context>, kind: &str) -> FeedKey {
    FeedKey {
        context: context.clone(),
        kind: kind.to_owned(),
    }
}

/// A number that sorts the newest first.
fn newest_first(number: u64) -> String {
    format!("{:020}", u64::MAX - number)
}

/// A row that is known by a number.
trait Numbered {
    fn number(&self) -> u64;
}

impl Numbered for Job {
    fn number(&self) -> u64 {
        self.number
    }
}

impl Numbered for AuditEntry {
    fn number(&self) -> u64 {
        self.number
    }
}

/// The changes, unless the newest is the one that was seen.
async fn changes(journal: &dyn Journal, seen: &AtomicU64) -> Result<Option<Vec<AuditEntry>>, Report> {
    let newest = |entries: &[AuditEntry]| entries.first().map_or(0, |entry| entry.number);
    let look = async {
        if newest(&journal.entries(1).await?) == seen.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let rows = journal.entries(MOST).await?;
        seen.store(newest(&rows), Ordering::Relaxed);
        Ok(Some(rows))
    };
    let found = look.await;
    if found.is_err() {
        // Whatever is there when it can be read again is new.
        seen.store(u64::MAX, Ordering::Relaxed);
    }
    found
}

/// Looks in turns; `look` answers all rows, or none when nothing changed.
async fn follow<R, F>(source: Arc<Source<R>>, stop: CancellationToken, look: impl Fn() -> F)
where
    R: Numbered + PartialEq,
    F: Future<Output = Result<Option<Vec<R>>, Report>>,
{
    loop {
        match look().await {
            Ok(Some(rows)) => source.replace(rows.into_iter().map(|row| (newest_first(row.number()), row))),
            Ok(None) => source.touch(),
            Err(report) => {
                let reason = SafeText::line(&report.sentence());
                if source.health().reason.as_ref() != Some(&reason) {
                    source.set_health(HealthState::Failed, Some(reason));
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use async_trait::async_trait;

    use super::*;
    use crate::engine::ports::{HistoryLine, NewEntry};

    /// Has one entry, and cannot be read as often as told once it was asked for the newest.
    struct Busy(AtomicU64);

    #[async_trait]
    impl Journal for Busy {
        async fn append(&self, _: NewEntry) -> Result<u64, Report> {
            Ok(0)
        }

        async fn entries(&self, limit: usize) -> Result<Vec<AuditEntry>, Report> {
            if limit > 1 && self.0.swap(0, Ordering::Relaxed) > 0 {
                return Err(Report::failed("E-TEST", "busy"));
            }
            Ok(Vec::new())
        }

        async fn entry(&self, _: u64) -> Result<Option<AuditEntry>, Report> {
            Ok(None)
        }

        async fn undone_by(&self, _: u64) -> Result<Option<u64>, Report> {
            Ok(None)
        }

        async fn remember(&self, _: HistoryLine) -> Result<(), Report> {
            Ok(())
        }

        async fn history(&self, _: usize) -> Result<Vec<HistoryLine>, Report> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn changes_that_could_not_be_read_are_read_again() {
        let (journal, seen) = (Busy(AtomicU64::new(1)), AtomicU64::new(u64::MAX));
        assert!(changes(&journal, &seen).await.is_err());
        assert_eq!(changes(&journal, &seen).await.unwrap(), Some(Vec::new()));
        assert_eq!(
            changes(&journal, &seen).await.unwrap(),
            None,
            "nothing has changed since"
        );
    }
}
