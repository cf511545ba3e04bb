//! The console as a block sees it: asks for approvals and for the terminal. Each block has its own, so that a question
//! knows whose it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

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

/// One block's operator.
pub struct ConsoleOperator {
    block: u64,
    origin: Origin,
    requests: mpsc::Sender<Request>,
    questions: Arc<AtomicU64>,
}

impl ConsoleOperator {
    /// For a block. `questions` counts over all blocks.
    pub fn new(block: u64, origin: Origin, requests: mpsc::Sender<Request>, questions: Arc<AtomicU64>) -> Self {
        ConsoleOperator {
            block,
            origin,
            requests,
            questions,
        }
    }
}

impl ConsoleOperator {
    /// Asks and waits for the answer.
    async fn question(&self, request: impl FnOnce(u64, oneshot::Sender<Decision>) -> Request) -> Decision {
        let (answer, decision) = oneshot::channel();
        let id = self.questions.fetch_add(1, Ordering::Relaxed);
        let gone = || Decision::Declined("the console closed".to_owned());
        if self.requests.send(request(id, answer)).await.is_err() {
            return gone();
        }
        let _waiting = Waiting {
            id,
            requests: self.requests.clone(),
        };
        decision.await.unwrap_or_else(|_| gone())
    }

    async fn borrow(&self, borrower: Borrower) -> Result<i32, Report> {
        let (answer, result) = oneshot::channel();
        let closed = || Report::failed("E-CONSOLE-003", "the console closed before the program could run");
        self.requests
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

    async fn ask(&self, plan: &Plan, requirement: Requirement, context: &Arc<Context>) -> Decision {
        let (block, plan, context) = (self.block, Box::new(plan.clone()), context.clone());
        let request = |id, answer| Request::Ask {
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
        let (block, what) = (self.block, SafeText::line(what));
        let request = |id, answer| Request::Secret {
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
        let _ = self.requests.try_send(Request::Note(self.block, text));
    }

    fn progress(&self, text: SafeText) {
        let _ = self.requests.try_send(Request::Progress(self.block, text));
    }

    fn shows_previews(&self) -> bool {
        true
    }

    fn acting_on(&self, target: &Target, context: &Arc<Context>) {
        let subject = Subject::of(target.clone(), context);
        let _ = self.requests.try_send(Request::ActingOn(subject));
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
        self.requests
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
        self.requests
            .send(Request::Context(name.to_owned(), answer))
            .await
            .map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }
}
