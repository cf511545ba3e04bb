//! The blocks that run: starts them, hands their events to the loop, cancels and kills them, and keeps the questions
//! that wait for an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::Message;
use crate::core::change::Origin;
use crate::core::report::{Report, Severity};
use crate::lang::ast::Connector;
use crate::lang::read;
use crate::ui::console::app::Event;
use crate::ui::console::operator::{BlocksOfJobs, ConsoleOperator, Desk, Request};
use crate::ui::console::ports::{BlockEvent, Ended, Runner, Running};
use crate::verb::Decision;

struct Handle {
    since: Instant,
    cancel: Arc<dyn Fn() + Send + Sync>,
    /// Nobody waits for its end any more.
    killed: bool,
}

pub(super) struct Blocks {
    runner: Arc<dyn Runner>,
    outbox: mpsc::Sender<Message>,
    desk: Desk,
    jobs: watch::Sender<BlocksOfJobs>,
    running: HashMap<u64, Handle>,
    answers: HashMap<u64, oneshot::Sender<Decision>>,
}

impl Blocks {
    pub(super) fn new(runner: Arc<dyn Runner>, outbox: mpsc::Sender<Message>, asking: mpsc::Sender<Request>) -> Self {
        let jobs = watch::Sender::default();
        let desk = Desk {
            requests: asking,
            questions: Arc::new(AtomicU64::new(1)),
            jobs: jobs.subscribe(),
        };
        Blocks {
            runner,
            outbox,
            desk,
            jobs,
            running: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    /// Starts a line; what became of that.
    pub(super) fn start(&mut self, block: u64, line: &str, origin: Origin) -> Event {
        let operator = ConsoleOperator::new(block, origin, self.desk.clone());
        match self.runner.start(line, Arc::new(operator)) {
            Ok(running) => {
                let alone = is_one_job(line);
                let event = Event::Started {
                    block,
                    number: running.number,
                    line: running.line.clone(),
                    translation: running.translation.clone(),
                    background: running.background,
                };
                self.read(block, running, alone);
                event
            }
            Err(report) => Event::Refused(block, self.runner.hidden(line), Box::new(report)),
        }
    }

    /// Hands the events of a job's block to the loop, in their order, waiting while it is busy.
    pub(super) fn follow(&mut self, block: u64, running: Running) {
        self.is_job(block, running.number);
        self.read(block, running, false);
    }

    /// As [`Blocks::follow`]. `alone`: the line is one job and nothing else, whose block this becomes once it runs; that
    /// the line itself has ended then is no news.
    fn read(&mut self, block: u64, running: Running, mut alone: bool) {
        let Running { mut events, cancel, .. } = running;
        let (outbox, since) = (self.outbox.clone(), Instant::now());
        tokio::spawn(async move {
            let mut ended = false;
            let mut job: Option<Running> = None;
            while let Some(event) = events.next().await {
                let over = matches!(event, BlockEvent::Ended(_));
                if over && let Some(running) = job.take() {
                    events = running.events;
                    continue;
                }
                ended |= over;
                let message = match event {
                    BlockEvent::Job(running) if alone => {
                        let (number, cancel) = (running.number, running.cancel.clone());
                        (job, alone) = (Some(running), false);
                        Message::Turned(block, number, cancel)
                    }
                    BlockEvent::Job(job) => Message::Job(Box::new(job)),
                    event => Message::App(Event::Block(block, Box::new(event))),
                };
                if outbox.send(message).await.is_err() {
                    return;
                }
            }
            if !ended {
                let report = Report::failed("E-CONSOLE-002", "the block ended without saying how");
                let message = Message::App(Event::Block(
                    block,
                    Box::new(end(Some(report), Severity::Failed, since)),
                ));
                // Refused only when the console closes.
                let _ = outbox.send(message).await;
            }
            let _ = outbox.send(Message::Gone(block)).await;
        });
        self.running.insert(
            block,
            Handle {
                since,
                cancel,
                killed: false,
            },
        );
    }

    /// What a job with this number asks is asked for this block.
    fn is_job(&self, block: u64, number: u64) {
        self.jobs.send_modify(|jobs| {
            jobs.insert(number, block);
        });
    }

    /// A block is a job from now on, with this number and this way to end it.
    pub(super) fn turn(&mut self, block: u64, number: u64, cancel: Arc<dyn Fn() + Send + Sync>) {
        if let Some(handle) = self.running.get_mut(&block) {
            handle.cancel = cancel;
        }
        self.is_job(block, number);
    }

    pub(super) fn cancel(&self, block: u64) {
        if let Some(handle) = self.running.get(&block) {
            (handle.cancel)();
        }
    }

    /// Waits for a block no more, whatever it does; what the app is told. A change that is under way has some time left:
    /// what it says until its own end still comes.
    pub(super) fn kill(&mut self, block: u64) -> Vec<Event> {
        let Some(handle) = self.running.get_mut(&block) else {
            return Vec::new();
        };
        (handle.cancel)();
        handle.killed = true;
        let note =
            BlockEvent::Note("not waited for any more: what it still does is told here, changes by `audit`".into());
        let end = end(Some(Report::interrupted()), Severity::Interrupted, handle.since);
        let event = |event| Event::Block(block, Box::new(event));
        [note, end].map(event).into()
    }

    pub(super) fn forget(&mut self, block: u64) {
        self.running.remove(&block);
        self.jobs.send_modify(|jobs| jobs.retain(|_, known| *known != block));
    }

    /// Whether no end is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.running.values().all(|handle| handle.killed)
    }

    pub(super) fn await_answer(&mut self, question: u64, answer: oneshot::Sender<Decision>) {
        self.answers.insert(question, answer);
    }

    pub(super) fn answer(&mut self, question: u64, decision: Decision) {
        if let Some(answer) = self.answers.remove(&question) {
            // The block stopped waiting at the same moment: then the answer means nothing any more.
            let _ = answer.send(decision);
        }
    }

    /// Declines all that waits for an answer.
    pub(super) fn decline_all(&mut self, reason: &str) {
        for (_, answer) in self.answers.drain() {
            // The block stopped waiting at the same moment.
            let _ = answer.send(Decision::Declined(reason.to_owned()));
        }
    }

    /// True when the question was still open.
    pub(super) fn withdraw(&mut self, question: u64) -> bool {
        self.answers.remove(&question).is_some()
    }
}

/// Whether all of a line becomes one job: `CMD &`, `CMD && CMD &`.
fn is_one_job(line: &str) -> bool {
    let joins: Vec<Option<Connector>> = match read(line) {
        Ok(reading) => reading.line.items.iter().map(|item| item.then).collect(),
        Err(_) => return false,
    };
    match joins.split_last() {
        Some((Some(Connector::Background), before)) => {
            let together = |join: &Option<Connector>| matches!(join, Some(Connector::And | Connector::Or));
            before.iter().all(together)
        }
        _ => false,
    }
}

fn end(report: Option<Report>, severity: Severity, since: Instant) -> BlockEvent {
    BlockEvent::Ended(Ended {
        exit_code: severity.exit_code(),
        report,
        elapsed: since.elapsed(),
    })
}
