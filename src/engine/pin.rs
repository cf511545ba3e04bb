//! `… | pin`: which pipelines can be a panel, and running one for a panel. Such a run has no number, no place in the
//! history and leaves nothing in `$_`. Not for the panel itself, nor for when it is run again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::block::Block;
use super::ending::Ending;
use super::plan::StagePlan;
use super::problem::Problem;
use super::session::{Front, Session};
use super::variables::mentioned;
use crate::core::change::Risk;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::lang::{self, Pipeline, Root, Span};
use crate::verb::operator::Pin;
use crate::verb::{Action, InputMode, Operator};

/// A problem, and the stage it is in.
type Refusal = (Problem, Option<usize>);

/// What a pipeline that ends in `pin` pins; none: it does not end so. Refused when it can't be run again by itself.
pub(super) fn pinned(stages: &[Arc<StagePlan>], pipeline: &Pipeline) -> Result<Option<Pin>, Refusal> {
    let every = |stage: &Arc<StagePlan>| match &stage.verb.action {
        Action::Read(action) => action.pins(&stage.template.known()),
        Action::Mutate(_) => None,
    };
    // Alone it is a verb like any other, which says what is missing.
    let Some((at, every)) = stages
        .iter()
        .enumerate()
        .skip(1)
        .find_map(|(at, stage)| Some((at, every(stage)?)))
    else {
        return Ok(None);
    };
    let (before, rest) = stages.split_at(at);
    if let [pin, next, ..] = rest {
        let message = format!(
            "{} ends a pipeline: nothing follows it",
            pin.verb.declaration.qualified()
        );
        return Err((Problem::new("E-PIN-002", next.span, message), Some(next.number)));
    }
    let elsewhere = pipeline.redirect.as_ref().map(|redirect| redirect.span);
    let elsewhere = elsewhere.or(pipeline.binding.as_ref().map(|binding| binding.span));
    may_be_pinned(before, elsewhere)?;
    let mut shown = pipeline.clone();
    shown.stages.truncate(at);
    Ok(Some(Pin {
        line: lang::print(&shown),
        every,
    }))
}

/// Whether these stages can be run again and again by themselves, for a panel. `elsewhere`: their records are to go there.
fn may_be_pinned(stages: &[Arc<StagePlan>], elsewhere: Option<Span>) -> Result<(), Refusal> {
    if let Some(span) = elsewhere {
        let message = "what is pinned goes into its panel, and nowhere else";
        return Err((Problem::new("E-PIN-003", span, message), None));
    }
    stages.iter().try_for_each(|stage| {
        repeatable(stage)
            .and_then(|()| by_itself(stage))
            .map_err(|problem| (problem, Some(stage.number)))
    })
}

/// What to say of a pipeline that is asked again and again though its verb could follow: how it would.
pub(super) fn advice(stages: &[Arc<StagePlan>]) -> Option<String> {
    let (first, rest) = stages.split_first()?;
    let flag = first
        .verb
        .declaration
        .follow_flag(|name| first.template.mentions(name))?;
    // The last is the pin itself.
    let (_, between) = rest.split_last()?;
    let each = |stage: &Arc<StagePlan>| stage.verb.declaration.input == InputMode::Each;
    between
        .iter()
        .all(each)
        .then(|| format!("; --{} in it would follow it instead", flag.name))
}

/// Only what looks may run again and again.
fn repeatable(stage: &StagePlan) -> Result<(), Problem> {
    let declaration = &stage.verb.declaration;
    let verb = declaration.qualified();
    let reason = match (declaration.risk, &stage.verb.action) {
        (Risk::Read, Action::Read(_)) if !declaration.once => return Ok(()),
        (Risk::Read, _) => format!("{verb} does something to this session"),
        (risk, _) => format!("{verb} is of class {risk}, it may change something"),
    };
    let message = format!("{reason}, and a panel runs its pipeline again and again: only what reads can be pinned");
    Err(Problem::new("E-PIN-004", stage.span, message))
}

/// A panel outlives the session: it can't ask for secrets, and earlier answers are gone.
fn by_itself(stage: &StagePlan) -> Result<(), Problem> {
    let secret = stage.template.secrets().into_iter().next();
    if secret.is_some() || !stage.template.elsewhere().is_empty() {
        let message = "a secret is in it, and a panel's pipeline is kept with the layout";
        return Err(Problem::new("E-PIN-005", secret.unwrap_or(stage.span), message));
    }
    let each = stage.fed && stage.verb.declaration.input == InputMode::Each;
    let mentioned = stage.template.dynamic_words().flat_map(mentioned);
    let earlier = mentioned
        .filter(|(root, _)| !(each && matches!(root, Root::Name(_))))
        .map(|(_, span)| span)
        .next();
    earlier.map_or(Ok(()), |span| {
        let message = "an earlier answer is in it, which will be another one, or none, when the panel runs it again";
        let hint = "write the pipeline that gives it instead".to_owned();
        Err(Problem::new("E-PIN-005", span, message).hint(Some(hint)))
    })
}

/// A pipeline that runs for a panel.
pub struct Observed {
    /// Its events. Dropping it ends the run.
    pub block: Block,
    /// It does not end by itself: what it shows comes as it happens.
    pub follows: bool,
}

impl Session {
    /// Runs what was pinned, in a context, without a trace in jobs, history and `$_`. Checked anew as a whole: the line
    /// may come from a file. `Err`: it was refused and nothing has run.
    pub fn observe(&self, line: &str, context: &Arc<Context>, operator: Arc<dyn Operator>) -> Result<Observed, Report> {
        let (catalogue, _) = self.snapshot();
        let planner = self.inner.planner(&catalogue, context, operator.origin());
        let plan = planner.line(line, &mut BTreeSet::new())?;
        let [(pipeline, None)] = plan.items.as_slice() else {
            return Err(Report::refused("E-PIN-003", "a panel shows one pipeline"));
        };
        let last = pipeline.stages.last().map_or_else(Span::default, |stage| stage.span);
        let elsewhere = pipeline.pin.is_some() || pipeline.binding.is_some() || !pipeline.destinations.is_empty();
        may_be_pinned(&pipeline.stages, elsewhere.then_some(last)).map_err(|(problem, stage)| {
            let report = problem.refused(&plan.source);
            stage.map_or(report.clone(), |stage| report.in_stage(stage))
        })?;
        let ending = Ending::below(&self.inner.shutdown);
        let front = Front {
            number: 0,
            records: Arc::default(),
            catalogue,
            ending,
            background: false,
            operator,
        };
        let (block, run) = front.open(self.inner.clone(), plan.masked.clone(), 0);
        tokio::spawn(run.observe(pipeline.clone()));
        Ok(Observed {
            block,
            follows: pipeline.stages.iter().any(|stage| stage.goes_on()),
        })
    }
}
