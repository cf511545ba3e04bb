//! What the static pass makes: a line, its pipelines and their stages, checked and ready to run. Not how it is made.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::core::change::{Change, Plan, Risk, Target};
use crate::core::context::Context;
use crate::engine::destination::Target as Outlet;
use crate::engine::options::Template;
use crate::engine::ports::Site;
use crate::lang::{Connector, Span};
use crate::verb::operator::Pin;
use crate::verb::{Action, Alias, Verb};

/// What happens when a record fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The pipeline ends; what came before is delivered.
    #[default]
    Stop,
    /// It is reported and passed over.
    Continue,
}

/// A checked line.
#[derive(Clone, Debug)]
pub struct LinePlan {
    /// The text as typed.
    pub source: Arc<str>,
    /// The text with secret values masked: what history and jobs show.
    pub masked: String,
    /// Pipelines and the connectors after them.
    pub items: Vec<(Arc<PipelinePlan>, Option<Connector>)>,
}

impl LinePlan {
    /// The aliases that it makes, as far as that is known before it runs.
    pub fn aliases(&self) -> impl Iterator<Item = Alias> {
        let stages = self.items.iter().flat_map(|(pipeline, _)| &pipeline.stages);
        stages.filter_map(|stage| match &stage.verb.action {
            Action::Read(action) => action.makes_alias(&stage.template.known()),
            Action::Mutate(_) => None,
        })
    }
}

/// A checked pipeline.
#[derive(Debug)]
pub struct PipelinePlan {
    /// The line it stands in.
    pub source: Arc<str>,
    /// Its own text, secret values masked.
    pub text: String,
    /// The name that `let` gives to its records.
    pub binding: Option<String>,
    /// At least one.
    pub stages: Vec<Arc<StagePlan>>,
    /// Where the result goes; none: to the block.
    pub destinations: Vec<Outlet>,
    /// It ends in `pin`: nothing runs, the front end is asked to show it from now on.
    pub pin: Option<Pin>,
}

/// A checked stage.
#[derive(Clone)]
pub struct StagePlan {
    /// Counted from 1.
    pub number: usize,
    /// Its place in the line.
    pub span: Span,
    /// Its own text, secret values masked.
    pub text: String,
    /// What runs.
    pub verb: Verb,
    /// Its arguments.
    pub template: Template,
    /// Its targets; the first of several.
    pub context: Arc<Context>,
    /// `@A,B`, `@*`: it runs in each of these at once. Empty: in `context` alone.
    pub contexts: Vec<Arc<Context>>,
    /// Where it runs.
    pub site: Site,
    /// What a failed record does.
    pub on_error: OnError,
    /// Invocations at a time.
    pub parallel: Option<usize>,
    /// Most time one invocation may take.
    pub timeout: Option<Duration>,
    /// Whether it may run is asked again for each invocation, when the values of its variables are known.
    pub conditional: bool,
    /// Records come down a pipe.
    pub fed: bool,
    /// What it emits is the pipeline's result.
    pub last: bool,
}

impl std::fmt::Debug for StagePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.text)
    }
}

impl StagePlan {
    /// The class it is known to have before it runs.
    pub fn risk(&self) -> Risk {
        self.verb.declaration.risk_of(&self.template.known())
    }

    /// Whether it goes on until it is stopped.
    pub fn goes_on(&self) -> bool {
        self.verb.declaration.goes_on(&self.template.known())
    }

    /// Whether it may go on for long, as far as that is known before it runs.
    pub fn may_go_on(&self) -> bool {
        self.verb.declaration.may_go_on(&self.template.known())
    }

    /// A command above `read` that brings no plan of its own, as one change: what an operator can be asked about.
    pub fn opaque_plan(&self) -> Plan {
        let declaration = &self.verb.declaration;
        Plan {
            changes: vec![Change {
                verb: declaration.qualified(),
                summary: self.text.clone(),
                target: Target {
                    kind: "Command".to_owned(),
                    scope: self.context.name.clone(),
                    name: declaration.name.clone(),
                },
                before: Value::Null,
                after: Value::String(self.text.clone()),
                precondition: Value::Null,
                request: Value::Null,
                risk: declaration.risk,
                inverse: None,
                recovery: declaration.recovery,
            }],
        }
    }
}
