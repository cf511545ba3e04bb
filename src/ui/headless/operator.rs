//! The operator of a run without a screen: there is no one to ask. What was approved beforehand (`--yes`,
//! `--max-targets`) is in the origin, and the engine refuses the rest before it would ask.

use async_trait::async_trait;

use crate::core::change::{Origin, Plan, Requirement};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::operator::{TerminalCommand, TerminalWork};
use crate::verb::{Decision, Operator};

/// Answers every question with no.
pub struct NoOneToAsk {
    origin: Origin,
}

impl NoOneToAsk {
    /// With these approvals given beforehand.
    pub fn new(origin: Origin) -> Self {
        NoOneToAsk { origin }
    }
}

#[async_trait]
impl Operator for NoOneToAsk {
    fn origin(&self) -> Origin {
        self.origin
    }

    async fn ask(&self, _plan: &Plan, _requirement: Requirement) -> Decision {
        Decision::Declined("there is no one to ask: use --yes, or the console".to_owned())
    }

    fn note(&self, _text: SafeText) {}

    fn progress(&self, _text: SafeText) {}

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        let program = command.argv.first().map_or("it", String::as_str);
        Err(Report::refused(
            "E-RUN-TERMINAL",
            format!("{program} needs a terminal, and this run has none to give"),
        )
        .hint("use the console"))
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        // Nothing of ours is on it: records are printed when the work has ended.
        work.await
    }
}
