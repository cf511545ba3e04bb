//! The operator port: how a verb reaches the person (or the script) in front. Console and headless each implement it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;

use crate::core::change::{Origin, Plan, Target};
use crate::core::report::Report;
use crate::core::text::SafeText;

/// The answer to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Approved; names the digest of the plan that was seen.
    Approved(String),
    /// Refused, with the reason.
    Declined(String),
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
pub type TerminalWork = Pin<Box<dyn Future<Output = Result<i32, Report>> + Send>>;

/// The front end as verbs and the engine see it.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Where the wish comes from; decides what an approval takes.
    fn origin(&self) -> Origin;

    /// Shows a plan and waits for the answer. Only called when [`Plan::requirement`] asks for something.
    async fn ask(&self, plan: &Plan, requirement: crate::core::change::Requirement) -> Decision;

    /// A remark beside the result: stderr headless, a dim line in a block.
    fn note(&self, text: SafeText);

    /// The latest word about work that goes on; replaces the one before.
    fn progress(&self, text: SafeText);

    /// A change to this target begins: what shows live data may turn to it. Nothing is shown headless.
    fn acting_on(&self, target: &Target) {
        let _ = target;
    }

    /// Gives the terminal to a program until it ends; its exit code. Refused where there is no terminal to give.
    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report>;

    /// Gives the terminal to work of ours until it ends; its exit code. Refused where there is no terminal to give.
    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        drop(work);
        Err(Report::refused("E-RUN-TERMINAL", "there is no terminal to give").hint("use the console"))
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
