//! The operator port: how a verb reaches the person (or the script) in front. Console and headless each implement it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::View;
use crate::core::change::{Origin, Plan, Target};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};

/// The answer to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Approved; names the digest of the plan that was seen.
    Approved(String),
    /// Refused, with the reason.
    Declined(String),
    /// What was asked for, where a value was.
    Given(Secret),
}

/// That a secret is asked for and nobody is there.
pub fn nobody_to_ask(what: &str) -> Report {
    Report::refused(
        "E-SECRET-007",
        format!("{what} is asked for, and there is no terminal to ask on"),
    )
    .hint("@FILE reads it from a file, - from standard input")
}

/// A program that needs the terminal for itself: shell, editor, pager, login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalCommand {
    /// Executable and arguments.
    pub argv: Vec<String>,
    /// Variables set for it on top of the allow-list.
    pub environment: BTreeMap<String, String>,
}

/// Work of ours that needs the terminal for itself while it lasts: a shell in a container. It reads the standard input,
/// writes the standard output and leaves the terminal as it found it; its exit code.
pub type TerminalWork = std::pin::Pin<Box<dyn Future<Output = Result<i32, Report>> + Send>>;

/// A pipeline that is to be a panel of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The pipeline, without `pin`.
    pub line: String,
    /// Between two runs, unless it goes on by itself.
    pub every: Duration,
}

/// The front end as verbs and the engine see it.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Where the wish comes from; decides what an approval takes.
    fn origin(&self) -> Origin;

    /// The operator of a job that has a block of its own, with this number; none: this one is asked for it as well.
    fn of_job(&self, number: u64) -> Option<Arc<dyn Operator>> {
        let _ = number;
        None
    }

    /// Shows a plan for a context and waits for the answer. Only called when [`Plan::requirement`] asks for something.
    async fn ask(&self, plan: &Plan, requirement: crate::core::change::Requirement, context: &Arc<Context>)
    -> Decision;

    /// A value that nobody may see, typed by the operator or, where `from_input` and nobody types, read from standard
    /// input. `what` says what it is for. Refused where there is neither.
    async fn secret(&self, what: &str, _from_input: bool) -> Result<Secret, Report> {
        Err(nobody_to_ask(what))
    }

    /// All that standard input holds, as text: the same for everybody who asks. Refused where nothing can come from it.
    async fn input(&self) -> Result<String, Report> {
        Err(
            Report::refused("E-RUN-INPUT", "- means standard input, and nothing comes from there")
                .hint("name a file, or feed it from a pipe"),
        )
    }

    /// A remark beside the result: stderr headless, a dim line in a block.
    fn note(&self, text: SafeText);

    /// The latest word about work that goes on; replaces the one before.
    fn progress(&self, text: SafeText);

    /// Whether somebody looks at the result as it comes, so that [`Operator::preview`] is worth a request.
    fn shows_previews(&self) -> bool {
        false
    }

    /// Rows to look at until the records that they stand for have come. Nothing else is made of them: they are not
    /// kept, counted or handed on. Only ever before the first record.
    fn preview(&self, rows: Vec<View>) {
        drop(rows);
    }

    /// A change to this target of a context begins: what shows live data may turn to it. Nothing is shown headless.
    fn acting_on(&self, target: &Target, context: &Arc<Context>) {
        let _ = (target, context);
    }

    /// Gives the terminal to a program until it ends; its exit code. Refused where there is no terminal to give.
    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report>;

    /// Whether somebody sits at a terminal that could be given away.
    fn has_terminal(&self) -> bool {
        false
    }

    /// Gives the terminal to work of ours until it ends; its exit code. Refused where there is no terminal to give.
    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        drop(work);
        Err(Report::refused("E-RUN-TERMINAL", "there is no terminal to give").hint("use the console"))
    }

    /// Shows a pipeline as a panel from now on; the panel's name. Refused where there is no screen.
    async fn pin(&self, pin: Pin) -> Result<String, Report> {
        let message = format!("there is no screen to pin {} to", pin.line);
        Err(Report::refused("E-PIN-006", message).hint("use the console"))
    }

    /// Makes another context the one of the lines that start from now on; those that run keep theirs. Refused where the
    /// context is fixed for the whole run.
    async fn use_context(&self, name: &str) -> Result<(), Report> {
        Err(Report::refused(
            "E-RUN-CONTEXT",
            format!("this run keeps its context and does not go over to {name}"),
        )
        .hint(format!(
            "--context {name} for the whole run, @{name} before one command"
        )))
    }
}
