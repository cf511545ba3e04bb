//! The contexts that a stage names (`@NAME`, `@A,B`, `@*`), and which stages may stand under several. Not how a stage
//! runs in them: that is `stage`'s.

use std::sync::Arc;

use super::{MAX_PARALLEL, StagePlan, fixed};
use crate::core::change::Risk;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::engine::ports::Contexts;
use crate::engine::problem::Problem;
use crate::lang::{self, Span};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Action, InputMode};

const UNKNOWN: &str = "E-CONTEXT-001";
const TWICE: &str = "E-CONTEXT-002";
const CHANGE: &str = "E-CONTEXT-003";
const UNFIT: &str = "E-CONTEXT-004";

/// Contexts of one stage, at most.
const MOST: usize = MAX_PARALLEL;

/// The contexts of a stage.
pub(super) struct Named {
    /// The only one, or the first of several.
    pub first: Arc<Context>,
    /// All of several, the first too; empty: it is one.
    pub several: Vec<Arc<Context>>,
}

impl Named {
    /// One context.
    pub fn one(context: Arc<Context>) -> Self {
        Named {
            first: context,
            several: Vec::new(),
        }
    }

    /// What stands behind `@`, at `span`.
    pub fn read(known: &dyn Contexts, names: &lang::Contexts, span: Span) -> Result<Self, Problem> {
        let several = match names {
            lang::Contexts::Every => {
                let found = known.names().iter().filter_map(|name| known.context(name)).collect();
                let problem = || Problem::new(UNKNOWN, span, "there is no context at all").hint(Some(none_known()));
                return Named::all(found, span)?.ok_or_else(problem);
            }
            lang::Contexts::Named(names) => names,
        };
        if let [name] = several.as_slice() {
            return Ok(Named::one(find(known, &fixed(name, span)?, span)?));
        }
        let mut found: Vec<Arc<Context>> = Vec::with_capacity(several.len());
        for name in several {
            // A tree that a program built has no places of its own.
            let at = if name.span == Span::default() { span } else { name.span };
            let text = fixed(name, at)?;
            if found.iter().any(|context| context.name == text) {
                let message = format!("context {text} is named twice");
                let hint = "name each context once".to_owned();
                return Err(Problem::new(TWICE, at, message).hint(Some(hint)));
            }
            found.push(find(known, &text, at)?);
        }
        Named::all(found, span)?.ok_or_else(|| Problem::new(UNKNOWN, span, "no context is named"))
    }

    /// Several, as they are to be shown; none: there are none.
    fn all(several: Vec<Arc<Context>>, span: Span) -> Result<Option<Self>, Problem> {
        if several.len() > MOST {
            let message = format!(
                "these are {} contexts, and a command runs in at most {MOST} at once",
                several.len()
            );
            return Err(Problem::new(UNFIT, span, message).hint(Some("name those you mean: @A,B".to_owned())));
        }
        let first = several.first().cloned();
        Ok(first.map(|first| Named { first, several }))
    }

    /// A report about one of them, which is named where there are several.
    pub fn within(&self, report: Report, context: &Context) -> Report {
        match self.several.is_empty() {
            true => report,
            false => report.in_context(&context.name),
        }
    }
}

fn find(known: &dyn Contexts, name: &str, span: Span) -> Result<Arc<Context>, Problem> {
    known.context(name).ok_or_else(|| {
        let names = known.names();
        let hint = did_you_mean(&nearest(name, names.clone())).unwrap_or_else(|| match names.is_empty() {
            true => none_known(),
            false => format!("known contexts: {}", names.join(", ")),
        });
        Problem::new(UNKNOWN, span, format!("there is no context {name:?}")).hint(Some(hint))
    })
}

fn none_known() -> String {
    "no context is configured: set KUBECONFIG, or write a [contexts.NAME] table".to_owned()
}

/// What may stand under several contexts: what only reads, and runs in each by itself or record by record.
pub(super) fn fits(stage: &StagePlan, name: Span) -> Result<(), Problem> {
    let count = stage.contexts.len();
    if count == 0 {
        return Ok(());
    }
    let verb = stage.verb.declaration.qualified();
    if changes(stage) {
        let message = format!(
            "{verb} may change something, and stands under {count} contexts: one context at a time for changes"
        );
        return Err(Problem::new(CHANGE, name, message).hint(Some(one_by_one(stage))));
    }
    if stage.verb.declaration.once {
        let message = format!("{verb} does something to this session, which no context has a part in");
        return Err(Problem::new(UNFIT, name, message).hint(Some("leave the contexts out".to_owned())));
    }
    if stage.fed && stage.verb.declaration.input == InputMode::All {
        let message = format!("{verb} takes all records together, and would take them again in each context");
        let hint = "write the contexts before the command that reads from them: @A,B kubectl:get deploy | …".to_owned();
        return Err(Problem::new(UNFIT, name, message).hint(Some(hint)));
    }
    Ok(())
}

/// Records of several contexts are no targets: a change is made in one context, whichever they came from.
pub(super) fn follows(before: &[Arc<StagePlan>], stage: &StagePlan) -> Result<(), Problem> {
    let Some(source) = before.iter().find(|before| !before.contexts.is_empty()) else {
        return Ok(());
    };
    if !changes(stage) {
        return Ok(());
    }
    let message = format!(
        "{} may change something, and what it is given comes from {} contexts: one context at a time for changes",
        stage.verb.declaration.qualified(),
        source.contexts.len()
    );
    Err(Problem::new(CHANGE, stage.span, message).hint(Some(one_by_one(source))))
}

fn changes(stage: &StagePlan) -> bool {
    stage.risk() != Risk::Read || matches!(stage.verb.action, Action::Mutate(_))
}

fn one_by_one(stage: &StagePlan) -> String {
    let names = stage.contexts.iter().map(|context| format!("@{}", context.name));
    let names: Vec<String> = names.take(3).collect();
    format!(
        "run it once for each context, one after the other: {}",
        names.join(", then ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Numbered(usize);

    impl Contexts for Numbered {
        fn context(&self, name: &str) -> Option<Arc<Context>> {
            self.names()
                .contains(&name.to_owned())
                .then(|| Arc::new(Context::empty(name)))
        }

        fn names(&self) -> Vec<String> {
            (0..self.0).map(|n| n.to_string()).collect()
        }
    }

    #[test]
    fn every_context_is_none_several_or_too_many() {
        let every = |count| Named::read(&Numbered(count), &lang::Contexts::Every, Span::default());
        assert_eq!(every(0).err().unwrap().code, UNKNOWN);
        assert_eq!(
            every(1).ok().unwrap().several.len(),
            1,
            "its records are named as those of several"
        );
        assert_eq!(every(MOST).ok().unwrap().several.len(), MOST);
        assert_eq!(every(MOST + 1).err().unwrap().code, UNFIT);
    }
}
