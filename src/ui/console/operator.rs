//! The console as a block sees it: asks for approvals and for the terminal. Each block has its own, so that a question
//! knows whose it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::core::change::{Origin, Plan, Requirement, Target};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::operator::{TerminalCommand, TerminalWork};
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
        /// Where the answer goes.
        answer: oneshot::Sender<Decision>,
    },
    /// A remark.
    Note(u64, SafeText),
    /// The latest word about work that goes on.
    Progress(u64, SafeText),
    /// The terminal, for a program.
    Terminal(Borrower, oneshot::Sender<Result<i32, Report>>),
    /// Another context for the lines to come.
    Context(String, oneshot::Sender<Result<(), Report>>),
    /// A change to this begins.
    ActingOn(Target),
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

    async fn ask(&self, plan: &Plan, requirement: Requirement) -> Decision {
        let (answer, decision) = oneshot::channel();
        let id = self.questions.fetch_add(1, Ordering::Relaxed);
        let request = Request::Ask {
            id,
            block: self.block,
            plan: Box::new(plan.clone()),
            requirement,
            answer,
        };
        let gone = || Decision::Declined("the console closed".to_owned());
        if self.requests.send(request).await.is_err() {
            return gone();
        }
        let _waiting = Waiting {
            id,
            requests: self.requests.clone(),
        };
        decision.await.unwrap_or_else(|_| gone())
    }

    fn note(&self, text: SafeText) {
        let _ = self.requests.try_send(Request::Note(self.block, text));
    }

    fn progress(&self, text: SafeText) {
        let _ = self.requests.try_send(Request::Progress(self.block, text));
    }

    fn acting_on(&self, target: &Target) {
        let _ = self.requests.try_send(Request::ActingOn(target.clone()));
    }

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        self.borrow(Borrower::Program(command)).await
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        self.borrow(Borrower::Work(work)).await
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
