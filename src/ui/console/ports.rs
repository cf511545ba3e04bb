//! What the console needs from outside: something that runs pipelines, and something that can start the sandbox.
//! `session` adapts the engine's session to this; tests bring their own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::console::input::history::Earlier;
use crate::verb::{Catalogue, Item, Operator, View};

/// What comes out of a running block, in order. [`BlockEvent::Ended`] is the last.
pub enum BlockEvent {
    /// A pipeline of the line starts (a line may hold several): its text, secrets masked.
    Pipeline(String),
    /// Rows to look at until the records come that they stand for.
    Preview(Vec<View>),
    /// A record of the result.
    Item(Item),
    /// A record that failed; the pipeline may go on.
    Failed(Report),
    /// A remark beside the result.
    Note(SafeText),
    /// The latest word about work that goes on.
    Progress(SafeText),
    /// A background job started: a block of its own.
    Job(Running),
    /// It ended.
    Ended(Ended),
}

/// How a block ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// As a process would: 0, 1, 2, 124, 130.
    pub exit_code: u8,
    /// The error that ended it.
    pub report: Option<Report>,
    /// How long it ran.
    pub elapsed: Duration,
}

/// A block that runs.
pub struct Running {
    /// Its number, as `$41` and `stop 41` name it.
    pub number: u64,
    /// The line as it is shown and kept: secrets masked.
    pub line: String,
    /// What the line was translated to, if it was a shell's loop.
    pub translation: Option<String>,
    /// Ended with `&`.
    pub background: bool,
    /// What happens in it. Dropping this ends it for good (a job runs on unseen).
    pub events: Box<dyn Events>,
    /// Asks it to end.
    pub cancel: Arc<dyn Fn() + Send + Sync>,
}

/// The events of a block. The block waits while nobody reads.
#[async_trait]
pub trait Events: Send {
    /// The next one; none after [`BlockEvent::Ended`].
    async fn next(&mut self) -> Option<BlockEvent>;
}

#[async_trait]
impl Events for mpsc::Receiver<BlockEvent> {
    async fn next(&mut self) -> Option<BlockEvent> {
        self.recv().await
    }
}

/// A pipeline that runs for a panel.
pub struct Observed {
    /// What happens in it. Dropping this ends it.
    pub events: Box<dyn Events>,
    /// It does not end by itself.
    pub follows: bool,
}

/// Runs pipelines.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Starts a line and keeps it in the history. `operator` says where the wish comes from and is asked for approvals.
    /// An error means that nothing ran.
    fn start(&self, line: &str, operator: Arc<dyn Operator>) -> Result<Running, Report>;

    /// A line that was refused as it may be shown and kept: secrets masked, as far as they can be told.
    fn hidden(&self, line: &str) -> String;

    /// What would refuse a line as it is being typed, with its place in the line; none: nothing that is known before it
    /// runs. Runs nothing and asks nobody.
    fn problem(&self, line: &str) -> Option<Report>;

    /// Runs a pinned pipeline in a context, without a number and without a place in the history. An error means that
    /// nothing ran.
    fn observe(&self, line: &str, context: &Arc<Context>) -> Result<Observed, Report>;

    /// The context new blocks run in.
    fn context(&self) -> Arc<Context>;

    /// The context of this name.
    fn find_context(&self, name: &str) -> Option<Arc<Context>>;

    /// The context that `@NAME` means in a line that starts now: where it is shown in another namespace, that one.
    fn meant_by(&self, name: &str) -> Option<Arc<Context>>;

    /// Makes this the context of new blocks. `beside`: others that are shown with it; with any, `@NAME` means these as
    /// they are here, of whatever namespace.
    fn switch(&self, context: Arc<Context>, beside: Vec<Arc<Context>>);

    /// Lets the context of new blocks take changes until then, though it is marked read-only; none: no more. Going over
    /// to a context of another name ends it.
    fn open_until(&self, until: Option<Timestamp>);

    /// The declarations as they are now.
    fn catalogue(&self) -> Arc<Catalogue>;

    /// Names for `@NAME`.
    fn contexts(&self) -> Vec<String>;

    /// Earlier lines, oldest first, at most `limit`.
    async fn history(&self, limit: usize) -> Result<Vec<Earlier>, Report>;

    /// The records of a block that has ended, by its number; the reason why there are none.
    fn records(&self, number: u64) -> Result<Arc<Vec<Record>>, String>;

    /// Ends everything that runs: the console closes.
    fn stop_all(&self);
}

/// Starts the built-in world, for a console that has nothing else to look at.
#[async_trait]
pub trait StartSandbox: Send + Sync {
    /// Starts it; the context that reaches it.
    async fn start(&self) -> Result<Arc<Context>, Report>;
}
