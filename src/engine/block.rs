//! A running line as its front end sees it: a bounded stream of events, and a way to cancel it.
//!
//! # Order of events
//! * A line's pipelines run one after another: `Pipeline` announces each, then come its `Item`s and `Failed`s in the
//!   order its last stage produced them. A pipeline skipped by `&&` or `||` is not announced.
//! * `Ended` comes exactly once, last, after everything else of the block, and after every task of the block has ended.
//!   Its report is that of the line's last pipeline; an earlier one that failed was told by `Failed`.
//! * Notes come as soon as they can be read, possibly before items that were produced earlier, always before `Ended`.
//!   Of progress only the latest word is kept. A preview comes the same way, before the first item or not at all.
//! * A background job (`&`) is announced by `Job` with a block of its own, whose events are read from that block.
//!
//! Events wait for their reader (backpressure through all stages): a job's block must be read too, or dropped. Dropping
//! a foreground block cancels it; dropping a job's block lets it run on unseen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::ending::Ending;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::{Item, View};

/// Notes that wait to be read; of more the oldest are dropped and counted.
pub const MAX_NOTES: usize = 500;

/// What happens in a block.
#[derive(Debug)]
pub enum BlockEvent {
    /// A pipeline of the line starts: its text, secrets masked.
    Pipeline(String),
    /// Rows to look at until the records come that they stand for; only where the operator shows previews.
    Preview(Vec<View>),
    /// A record of the result.
    Item(Item),
    /// A record that failed and was passed over, or an earlier pipeline of the line that failed.
    Failed(Report),
    /// A remark.
    Note(SafeText),
    /// The latest word about work that goes on.
    Progress(SafeText),
    /// A background job has started.
    Job(Box<Block>),
    /// The end.
    Ended {
        /// That of the last pipeline that ran: 0 done, 1 failed, 2 refused, 124 timed out, 130 interrupted.
        exit_code: u8,
        /// Why it did not end well; none also when records were passed over (exit code 1).
        report: Option<Report>,
        /// From the start.
        elapsed: Duration,
    },
}

/// The reading end of a running line. See the module for the order of events.
#[derive(Debug)]
pub struct Block {
    number: u64,
    pipeline: String,
    events: mpsc::Receiver<BlockEvent>,
    board: Arc<Board>,
    ending: Ending,
    background: bool,
    /// The end, held back while there are notes to read.
    held: Option<BlockEvent>,
}

impl Block {
    pub(super) fn new(
        number: u64,
        pipeline: String,
        events: mpsc::Receiver<BlockEvent>,
        board: Arc<Board>,
        ending: Ending,
        background: bool,
    ) -> Self {
        Block {
            number,
            pipeline,
            events,
            board,
            ending,
            background,
            held: None,
        }
    }

    /// The number that `$N`, `stop N` and `wait N` take.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The text, secrets masked.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Interrupts it; the end comes as an event.
    pub fn cancel(&self) {
        self.ending.interrupt();
    }

    /// A handle that interrupts it, for another task.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.ending.clone())
    }

    /// The next event; none after the end.
    pub async fn next(&mut self) -> Option<BlockEvent> {
        loop {
            if let Some(event) = self.board.take(self.events.is_empty()) {
                return Some(event);
            }
            if let Some(event) = self.held.take() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.board.posted.notified() => {}
                event = self.events.recv() => match event? {
                    end @ BlockEvent::Ended { .. } => self.held = Some(end),
                    event => return Some(event),
                },
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if !self.background {
            self.ending.interrupt();
        }
    }
}

/// Interrupts a block.
#[derive(Clone, Debug)]
pub struct Canceller(Ending);

impl Canceller {
    /// Interrupts the block; harmless when it has ended.
    pub fn cancel(&self) {
        self.0.interrupt();
    }
}

/// Where notes and progress wait for the reader, without ever making a verb wait.
#[derive(Debug, Default)]
pub struct Board {
    posts: Mutex<Posts>,
    posted: Notify,
}

#[derive(Debug, Default)]
struct Posts {
    notes: VecDeque<SafeText>,
    dropped: usize,
    progress: Option<SafeText>,
    preview: Option<Vec<View>>,
}

impl Board {
    /// Adds a note.
    pub fn note(&self, text: SafeText) {
        let mut posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        posts.notes.push_back(text);
        if posts.notes.len() > MAX_NOTES {
            posts.notes.pop_front();
            posts.dropped += 1;
        }
        drop(posts);
        self.posted.notify_one();
    }

    /// Replaces the progress.
    pub fn progress(&self, text: SafeText) {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).progress = Some(text);
        self.posted.notify_one();
    }

    /// Posts rows to look at until the records come.
    pub fn preview(&self, rows: Vec<View>) {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).preview = Some(rows);
        self.posted.notify_one();
    }

    /// What a preview stands for comes now: one that nobody has read is not shown any more.
    pub fn outdate_preview(&self) {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).preview = None;
    }

    /// `is_read`: nothing waits that came before a preview.
    fn take(&self, is_read: bool) -> Option<BlockEvent> {
        let mut posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = posts.preview.take_if(|_| is_read) {
            return Some(BlockEvent::Preview(rows));
        }
        if posts.dropped > 0 {
            let text = format!("{} earlier notes left out", std::mem::take(&mut posts.dropped));
            return Some(BlockEvent::Note(SafeText::line(&text)));
        }
        match posts.notes.pop_front() {
            Some(note) => Some(BlockEvent::Note(note)),
            None => posts.progress.take().map(BlockEvent::Progress),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engine::run::Delivery;

    #[tokio::test]
    async fn a_preview_comes_before_the_first_item_of_its_own_pipeline_or_not_at_all() {
        let (sender, events) = mpsc::channel(8);
        let board = Arc::new(Board::default());
        let ending = Ending::below(&CancellationToken::new());
        let mut block = Block::new(1, String::new(), events, board.clone(), ending, false);
        let delivery = Delivery {
            events: sender.clone(),
            board: board.clone(),
            records: Arc::new(AtomicU64::new(0)),
            background: false,
        };
        let pipeline = || BlockEvent::Pipeline("x".to_owned());
        let item = || {
            BlockEvent::Item(Item {
                record: json!(1),
                view: None,
            })
        };
        // Nobody reads before the items are there, and before the next pipeline begins.
        for event in [pipeline(), item()] {
            board.preview(vec![View::Text("stale".to_owned())]);
            assert!(delivery.send(event).await);
        }
        // This one is waited for behind what came before it.
        assert!(delivery.send(pipeline()).await);
        board.preview(vec![View::Text("rows".to_owned())]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(match block.next().await {
                Some(BlockEvent::Pipeline(_)) => "pipeline".to_owned(),
                Some(BlockEvent::Item(_)) => "item".to_owned(),
                Some(BlockEvent::Preview(rows)) => format!("{rows:?}"),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(seen[..3], ["pipeline", "item", "pipeline"]);
        assert!(seen[3].contains("rows"), "{seen:?}");
        assert!(delivery.send(item()).await);
        assert!(matches!(block.next().await, Some(BlockEvent::Item(_))));
    }
}
