//! The engine's session as the console runs pipelines with it.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::input::history::Earlier;
use super::pin::Nobody;
use super::ports::{BlockEvent, Ended, Events, Observed, Runner, Running};
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::engine::ports::{Contexts, HistoryLine};
use crate::engine::{self, Session};
use crate::lang::read;
use crate::verb::{Catalogue, Operator};

/// A session, and where its contexts come from.
pub struct SessionRunner {
    session: Session,
    contexts: Arc<dyn Contexts>,
}

impl SessionRunner {
    /// Wraps a session.
    pub fn new(session: Session, contexts: Arc<dyn Contexts>) -> Self {
        SessionRunner { session, contexts }
    }
}

struct Block(engine::Block);

#[async_trait]
impl Events for Block {
    async fn next(&mut self) -> Option<BlockEvent> {
        Some(match self.0.next().await? {
            engine::BlockEvent::Pipeline(text) => BlockEvent::Pipeline(text),
            engine::BlockEvent::Preview(rows) => BlockEvent::Preview(rows),
            engine::BlockEvent::Item(item) => BlockEvent::Item(item),
            engine::BlockEvent::Failed(report) => BlockEvent::Failed(report),
            engine::BlockEvent::Note(text) => BlockEvent::Note(text),
            engine::BlockEvent::Progress(text) => BlockEvent::Progress(text),
            engine::BlockEvent::Job(block) => BlockEvent::Job(running(*block, None, true)),
            engine::BlockEvent::Ended {
                exit_code,
                report,
                elapsed,
            } => BlockEvent::Ended(Ended {
                exit_code,
                report,
                elapsed,
            }),
        })
    }
}

/// `typed` is the line when it was translated: what was typed is shown, with the translation below. Where the
/// translation hides a secret, nobody knows where that was typed: it stands alone.
fn running(block: engine::Block, typed: Option<(&str, String)>, background: bool) -> Running {
    let canceller = block.canceller();
    let (line, translation) = match typed {
        Some((line, translation)) if translation == block.pipeline() => (line.to_owned(), Some(translation)),
        _ => (block.pipeline().to_owned(), None),
    };
    Running {
        number: block.number(),
        line,
        translation,
        background,
        events: Box::new(Block(block)),
        cancel: Arc::new(move || canceller.cancel()),
    }
}

#[async_trait]
impl Runner for SessionRunner {
    fn start(&self, line: &str, operator: Arc<dyn Operator>) -> Result<Running, Report> {
        let translation = read(line).ok().and_then(|reading| reading.translation);
        let block = self.session.start(line, operator)?;
        Ok(running(block, translation.map(|text| (line, text)), false))
    }

    fn hidden(&self, line: &str) -> String {
        self.session.hidden(line)
    }

    fn problem(&self, line: &str) -> Option<Report> {
        self.session.problem(line)
    }

    fn observe(&self, line: &str, context: &Arc<Context>) -> Result<Observed, Report> {
        let observed = self.session.observe(line, context, Arc::new(Nobody))?;
        Ok(Observed {
            events: Box::new(Block(observed.block)),
            follows: observed.follows,
        })
    }

    fn context(&self) -> Arc<Context> {
        self.session.context()
    }

    fn find_context(&self, name: &str) -> Option<Arc<Context>> {
        self.contexts.context(name)
    }

    fn meant_by(&self, name: &str) -> Option<Arc<Context>> {
        self.session.meant_by(name)
    }

    fn switch(&self, context: Arc<Context>, beside: Vec<Arc<Context>>) {
        let shown = match beside.is_empty() {
            true => Vec::new(),
            false => std::iter::once(context.clone()).chain(beside).collect(),
        };
        self.session.set_shown(shown);
        self.session.set_context(context);
    }

    fn open_until(&self, until: Option<Timestamp>) {
        self.session.open_until(until);
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.session.catalogue()
    }

    fn contexts(&self) -> Vec<String> {
        self.contexts.names()
    }

    async fn history(&self, limit: usize) -> Result<Vec<Earlier>, Report> {
        let entries = self.session.journal().history(limit).await?;
        let earlier = |entry: HistoryLine| Earlier {
            line: entry.line,
            context: entry.context,
            ok: entry.exit.map(|code| code == 0),
        };
        Ok(entries.into_iter().map(earlier).collect())
    }

    fn records(&self, number: u64) -> Result<Arc<Vec<Record>>, String> {
        self.session.records(number)
    }

    fn stop_all(&self) {
        self.session.interrupt_all();
    }
}
