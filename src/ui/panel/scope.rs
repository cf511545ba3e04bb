//! Which contexts the panels show and which of them lines run in; and what in which of them something is about. Not for
//! how contexts are named by the operator: that is the console's.

use std::sync::Arc;

use crate::core::change::Target;
use crate::core::context::Context;
use crate::ui::panel::Effect;

/// The contexts a panel shows. Their names differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    own: Arc<Context>,
    contexts: Vec<Arc<Context>>,
}

impl Scope {
    /// The session's own context alone.
    pub fn one(own: &Arc<Context>) -> Self {
        Scope {
            own: own.clone(),
            contexts: vec![own.clone()],
        }
    }

    /// The session's own context, and others beside it.
    pub fn with(own: &Arc<Context>, beside: &[Arc<Context>]) -> Self {
        Scope {
            own: own.clone(),
            contexts: std::iter::once(own).chain(beside).cloned().collect(),
        }
    }

    /// One of several, for what shows a part: lines go on running in the session's own.
    #[must_use]
    pub fn only(&self, context: &Arc<Context>) -> Self {
        Scope {
            own: self.own.clone(),
            contexts: vec![context.clone()],
        }
    }

    /// Where lines run that name no context.
    pub fn own(&self) -> &Arc<Context> {
        &self.own
    }

    /// All of them, the session's own first where it is one of them; never none.
    pub fn contexts(&self) -> &[Arc<Context>] {
        &self.contexts
    }

    /// More than one.
    pub fn is_several(&self) -> bool {
        self.contexts.len() > 1
    }

    /// The one that a subject lies in; none: it is not among these.
    pub fn of(&self, subject: &Subject) -> Option<&Arc<Context>> {
        let name = &subject.context.as_ref().unwrap_or(&self.own).name;
        self.contexts.iter().find(|context| context.name == *name)
    }

    /// The name to put before a line about this context; none: lines run there anyway.
    pub fn away<'c>(&self, context: &'c Context) -> Option<&'c str> {
        (context.name != self.own.name).then_some(context.name.as_str())
    }
}

/// An object, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The object.
    pub target: Target,
    /// The context it lies in; none: the session's own.
    pub context: Option<Arc<Context>>,
}

impl Subject {
    /// In this context.
    pub fn of(target: Target, context: &Arc<Context>) -> Self {
        Subject {
            target,
            context: Some(context.clone()),
        }
    }
}

impl From<Target> for Subject {
    fn from(target: Target) -> Self {
        Subject { target, context: None }
    }
}

impl Effect {
    /// The same about this context: where lines would not run there anyway, they name it.
    #[must_use]
    pub fn within(self, scope: &Scope, context: &Arc<Context>) -> Effect {
        let Some(name) = scope.away(context) else { return self };
        let there = |subject: Subject| Subject::of(subject.target, context);
        match self {
            Effect::Run(pipeline) => Effect::Run(pipeline.in_context(name)),
            Effect::Compose(pipeline) => Effect::Compose(pipeline.in_context(name)),
            Effect::Show { panel, subject } => Effect::Show {
                panel,
                subject: there(subject),
            },
            Effect::Hold { panel, subject } => Effect::Hold {
                panel,
                subject: there(subject),
            },
            other @ (Effect::Copy(_) | Effect::Toast(_) | Effect::Unpin(_)) => other,
        }
    }
}
