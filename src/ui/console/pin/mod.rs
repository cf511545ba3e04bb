//! Pipelines pinned as panels: what is kept of one, the rows it answers, and its panel. Not for which pipelines may be
//! pinned: the engine's static pass says that.

mod feed;
pub mod kept;
mod panel;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::core::change::{Origin, Plan, Requirement};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::feed::Hub;
use crate::ui::console::ports::Runner;
use crate::ui::panel::Panel;
use crate::verb::operator::{Pin, TerminalCommand};
use crate::verb::{Decision, Operator};

/// Pinned pipelines at most: each of them asks again and again.
pub const MOST: usize = 9;

/// A pinned pipeline as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pinned {
    /// The panel's id: `pin1`.
    #[serde(default)]
    pub id: String,
    /// The pipeline.
    pub line: String,
    /// Milliseconds between two runs.
    #[serde(default = "usual")]
    pub every: u64,
}

/// Between two runs, where a file does not say.
fn usual() -> u64 {
    5_000
}

impl Pinned {
    /// Under a name of its own.
    pub fn new(id: String, pin: &Pin) -> Self {
        Pinned {
            id,
            line: pin.line.clone(),
            every: u64::try_from(pin.every.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Between two runs; a file can't make it less than a second or more than a day.
    fn pause(&self) -> Duration {
        Duration::from_millis(self.every.clamp(1_000, 86_400_000))
    }
}

/// Makes panels of pinned pipelines.
pub type Maker = Arc<dyn Fn(&Pinned) -> Box<dyn Panel> + Send + Sync>;

/// Panels that run their pipelines here.
pub fn maker(hub: &Hub, runner: &Arc<dyn Runner>) -> Maker {
    let (hub, runner) = (hub.clone(), runner.clone());
    Arc::new(move |pinned| Box::new(panel::panel(&hub, &runner, pinned)))
}

/// Nobody in front of a pinned pipeline: it reads, so that there is nothing to ask.
pub struct Nobody;

#[async_trait]
impl Operator for Nobody {
    fn origin(&self) -> Origin {
        Origin::Headless {
            yes: false,
            max_targets: None,
        }
    }

    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Declined("a panel changes nothing".to_owned())
    }

    fn note(&self, _: SafeText) {}

    fn progress(&self, _: SafeText) {}

    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-RUN-TERMINAL", "a panel has no terminal to give"))
    }
}
