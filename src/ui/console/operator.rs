//! The console as a block sees it: asks for approvals and for the terminal. Each block has its own, so that a question
//! knows whose it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};

use crate::core::change::{Origin, Plan, Requirement, Target};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::ui::panel::Subject;
use crate::verb::operator::{Pin, TerminalCommand, TerminalWork, nobody_to_ask};
use crate::verb::{Decision, Operator};

/// What a block asks of the console.
pub enum Request {
    /// An approval.
    Ask {
        /// Names the question.
        id: u64,
        /// The block.
        block: u64,
        /// What it wants to do.
        plan: Box<Plan>,
        /// What approving takes.
        requirement: Requirement,
        /// Where it would be done.
        context: Arc<Context>,
        /// Where the answer goes.
        answer: oneshot::Sender<Decision>,
    },
    /// A value that nobody may see.
    Secret {
        /// Names the question.
        id: u64,
        /// The block.
        block: u64,
        /// What it is for.
        what: SafeText,
        /// Where the answer goes.
        answer: oneshot::Sender<Decision>,
    },
    /// A remark.
    Note(u64, SafeText),
    /// The latest word about work that goes on.
    Progress(u64, SafeText),
    /// The terminal, for a program.
    Terminal(Borrower, oneshot::Sender<Result<i32, Report>>),
    /// A panel for a pipeline; its name is the answer.
    Pin(Pin, oneshot::Sender<Result<String, Report>>),
    /// Another context for the lines to come.
    Context(String, oneshot::Sender<Result<(), Report>>),
    /// A change to this begins.
    ActingOn(Subject),
    /// Nobody waits for this answer any more.
    Withdraw(u64),
}

/// Who wants the terminal for a while.
pub enum Borrower {
    /// Another program.
    Program(TerminalCommand),
    /// Work of ours.
    Work(TerminalWork),
}

/// The blocks of the jobs that run, by the jobs' numbers.
pub type BlocksOfJobs = BTreeMap<u64, u64>;

/// What the operators of all blocks share.
#[derive(Clone)]
pub struct Desk {
    /// Where they ask.
    pub requests: mpsc::Sender<Request>,
    /// Counts their questions.
    pub questions: Arc<AtomicU64>,
    /// Tells a job's operator which block the job has got.
    pub jobs: watch::Receiver<BlocksOfJobs>,
}

/// Whose operator it is.
#[derive(Clone, Copy)]
enum Whose {
    Block(u64),
    /// A job by its number: its block is opened while it runs already.
    Job(u64),
}

/// One block's operator.
pub struct ConsoleOperator {
    whose: Whose,
    origin: Origin,
    desk: Desk,
}

impl ConsoleOperator {
    /// For a block.
    pub fn new(block: u64, origin: Origin, desk: Desk) -> Self {
        ConsoleOperator {
            whose: Whose::Block(block),
            origin,
            desk,
        }
    }

    /// The block, once there is one; none: the console closed before.
    async fn block(&self) -> Option<u64> {
        let number = match self.whose {
            Whose::Block(block) => return Some(block),
            Whose::Job(number) => number,
        };
        let mut jobs = self.desk.jobs.clone();
        let known = jobs.wait_for(|jobs| jobs.contains_key(&number)).await.ok()?;
        known.get(&number).copied()
    }

    /// A word for the block. A job has said it on the engine's own board for its block, and never says it here.
    fn post(&self, request: impl FnOnce(u64) -> Request) {
        if let Whose::Block(block) = self.whose {
            let _ = self.desk.requests.try_send(request(block));
        }
    }

    /// Asks and waits for the answer.
    async fn question(&self, request: impl FnOnce(u64, u64, oneshot::Sender<Decision>) -> Request) -> Decision {
        let (answer, decision) = oneshot::channel();
        let id = self.desk.questions.fetch_add(1, Ordering::Relaxed);
        let gone = || Decision::Declined("the console closed".to_owned());
        let Some(block) = self.block().await else {
            return gone();
        };
        if self.desk.requests.send(request(id, block, answer)).await.is_err() {
            return gone();
        }
        let _waiting = Waiting {
            id,
            requests: self.desk.requests.clone(),
        };
        decision.await.unwrap_or_else(|_| gone())
    }

    async fn borrow(&self, borrower: Borrower) -> Result<i32, Report> {
        let (answer, result) = oneshot::channel();
        let closed = || Report::failed("E-CONSOLE-003", "the console closed before the program could run");
        self.desk
            .requests
            .send(Request::Terminal(borrower, answer))
            .await
            .map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }
}

/// Withdraws a question when the one who asked stops waiting (cancelled, timed out).
struct Waiting {
    id: u64,
    requests: mpsc::Sender<Request>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A full queue only leaves a question on the screen whose answer goes nowhere.
        let _ = self.requests.try_send(Request::Withdraw(self.id));
    }
}

#[async_trait]
impl Operator for ConsoleOperator {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn of_job(&self, number: u64) -> Option<Arc<dyn Operator>> {
        Some(Arc::new(ConsoleOperator {
            whose: Whose::Job(number),
            origin: self.origin,
            desk: self.desk.clone(),
        }))
    }

    async fn ask(&self, plan: &Plan, requirement: Requirement, context: &Arc<Context>) -> Decision {
        let (plan, context) = (Box::new(plan.clone()), context.clone());
        let request = |id, block, answer| Request::Ask {
            id,
            block,
            plan,
            requirement,
            context,
            answer,
        };
        self.question(request).await
    }

    async fn secret(&self, what: &str, _from_input: bool) -> Result<Secret, Report> {
        let what = SafeText::line(what);
        let request = |id, block, answer| Request::Secret {
            id,
            block,
            what: what.clone(),
            answer,
        };
        match self.question(request).await {
            Decision::Given(secret) => Ok(secret),
            Decision::Approved(_) => Err(nobody_to_ask(what.as_str())),
            Decision::Declined(reason) => {
                let message = format!("{what} was not given: {reason}");
                Err(Report::refused("E-SECRET-007", message))
            }
        }
    }

    fn note(&self, text: SafeText) {
        self.post(|block| Request::Note(block, text));
    }

    fn progress(&self, text: SafeText) {
        self.post(|block| Request::Progress(block, text));
    }

    fn shows_previews(&self) -> bool {
        true
    }

    fn acting_on(&self, target: &Target, context: &Arc<Context>) {
        let subject = Subject::of(target.clone(), context);
        let _ = self.desk.requests.try_send(Request::ActingOn(subject));
    }

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        self.borrow(Borrower::Program(command)).await
    }

    fn has_terminal(&self) -> bool {
        true
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        self.borrow(Borrower::Work(work)).await
    }

    async fn pin(&self, pin: Pin) -> Result<String, Report> {
        let (answer, result) = oneshot::channel();
        let closed = || Report::failed("E-CONSOLE-003", "the console closed before it could show a panel");
        self.desk
            .requests
            .send(Request::Pin(pin, answer))
            .await
            .map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }

    async fn use_context(&self, name: &str) -> Result<(), Report> {
        let (answer, result) = oneshot::channel();
        let closed = || {
            Report::failed(
                "E-CONSOLE-003",
                "the console closed before it could go over to another context",
            )
        };
        self.desk
            .requests
            .send(Request::Context(name.to_owned(), answer))
            .await
            .map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }
}
