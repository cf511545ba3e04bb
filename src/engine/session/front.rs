//! The front end of one block: what opens its two ends, and the operator as its stages see it. It runs nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::Inner;
use super::port::SessionPort;
use crate::core::change::{Origin, Plan, Requirement, Target};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::engine::block::{Block, BlockEvent, Board};
use crate::engine::ending::Ending;
use crate::engine::line::LineRun;
use crate::verb::invocation::CHANNEL_ITEMS;
use crate::verb::operator::{Pin, TerminalCommand, TerminalWork};
use crate::verb::{Catalogue, Decision, Operator, View};

/// What makes a block: used for lines and for background jobs.
pub(in crate::engine) struct Front {
    pub(in crate::engine) number: u64,
    pub(in crate::engine) records: Arc<AtomicU64>,
    pub(in crate::engine) catalogue: Arc<Catalogue>,
    pub(in crate::engine) ending: Ending,
    pub(in crate::engine) background: bool,
    pub(in crate::engine) operator: Arc<dyn Operator>,
}

impl Front {
    /// The two ends of a block. `depth`: how many lines ran the line that it is for.
    pub(in crate::engine) fn open(self, inner: Arc<Inner>, text: String, depth: usize) -> (Block, LineRun) {
        let (sender, events) = mpsc::channel::<BlockEvent>(CHANNEL_ITEMS);
        let board = Arc::new(Board::default());
        let block = Block::new(
            self.number,
            text,
            events,
            board.clone(),
            self.ending.clone(),
            self.background,
        );
        let session = SessionPort {
            inner: inner.clone(),
            catalogue: self.catalogue.clone(),
            number: self.number,
            depth,
        };
        let operator = BlockOperator {
            inner: self.operator.clone(),
            board: board.clone(),
        };
        let run = LineRun {
            inner,
            front: self,
            events: sender,
            board,
            operator: Arc::new(operator),
            session: Arc::new(session),
        };
        (block, run)
    }
}

/// The front end as the stages of a block see it: what needs no answer goes onto the block's board.
struct BlockOperator {
    inner: Arc<dyn Operator>,
    board: Arc<Board>,
}

#[async_trait]
impl Operator for BlockOperator {
    fn origin(&self) -> Origin {
        self.inner.origin()
    }

    async fn ask(&self, plan: &Plan, requirement: Requirement, context: &Arc<Context>) -> Decision {
        self.inner.ask(plan, requirement, context).await
    }

    async fn secret(&self, what: &str, from_input: bool) -> Result<Secret, Report> {
        self.inner.secret(what, from_input).await
    }

    async fn input(&self) -> Result<String, Report> {
        self.inner.input().await
    }

    fn note(&self, text: SafeText) {
        self.board.note(text);
    }

    fn progress(&self, text: SafeText) {
        self.board.progress(text);
    }

    fn shows_previews(&self) -> bool {
        self.inner.shows_previews()
    }

    fn preview(&self, rows: Vec<View>) {
        self.board.preview(rows);
    }

    fn acting_on(&self, target: &Target, context: &Arc<Context>) {
        self.inner.acting_on(target, context);
    }

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        self.inner.suspend(command).await
    }

    fn has_terminal(&self) -> bool {
        self.inner.has_terminal()
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        self.inner.lend(work).await
    }

    async fn use_context(&self, name: &str) -> Result<(), Report> {
        self.inner.use_context(name).await
    }

    async fn pin(&self, pin: Pin) -> Result<String, Report> {
        self.inner.pin(pin).await
    }
}
