//! Takes a journalled change back: its inverse pipeline through the same planning, asking and journalling, in the
//! context it was made in. Refused when the target moved since, or when it was taken back already.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::ending::Ending;
use super::mutation::{Recovery, Work};
use super::plan::{Planner, StagePlan};
use super::ports::Contexts as _;
use super::run::Run;
use super::session::Inner;
use super::variables::{Scope, Values};
use crate::core::change::Inverse;
use crate::core::context::Context;
use crate::core::report::{Report, Severity};
use crate::verb::session::AuditEntry;
use crate::verb::{Action, Call, Catalogue, Mutate, Output};

const UNKNOWN: &str = "E-UNDO-001";
const NO_INVERSE: &str = "E-UNDO-002";
const DONE_ALREADY: &str = "E-UNDO-003";
const NO_CONTEXT: &str = "E-UNDO-006";
const BAD_INVERSE: &str = "E-UNDO-007";

/// Takes entry `number` back.
pub(super) async fn undo(
    inner: &Inner,
    catalogue: &Catalogue,
    number: u64,
    call: &Call,
    output: &Output,
) -> Result<(), Report> {
    let entry = inner.journal.entry(number).await?.ok_or_else(|| {
        Report::refused(UNKNOWN, format!("there is no entry {number} in the journal")).hint("`audit` lists them")
    })?;
    let inverse = inverse(&entry)?;
    if let Some(by) = inner.journal.undone_by(number).await? {
        return Err(Report::refused(
            DONE_ALREADY,
            format!("entry {number} was taken back already, by entry {by}"),
        ));
    }
    let context = context(inner, call, &entry)?;
    let planner = Planner {
        recovery: true,
        ..inner.planner(catalogue, &context, call.operator.origin())
    };
    let line = planner.line(&inverse.pipeline, &mut BTreeSet::new())?;
    let [(pipeline, _)] = line.items.as_slice() else {
        return Err(bad(&entry));
    };
    let [stage] = pipeline.stages.as_slice() else {
        return Err(bad(&entry));
    };
    let Action::Mutate(action) = &stage.verb.action else {
        return Err(bad(&entry));
    };
    let run = Run {
        plan: pipeline.clone(),
        operator: call.operator.clone(),
        session: call.session.clone(),
        journal: inner.journal.clone(),
        authorise: inner.authorise.clone(),
        user: call.user.clone(),
        ending: Ending::below(&call.cancel),
        values: Arc::default(),
        id: call.pipeline_id.clone(),
        outlets: inner.outlets.clone(),
        failure: Mutex::default(),
    };
    let recovery = Recovery {
        undoes: number,
        expects: inverse.expects.clone(),
    };
    perform(&run, stage, action.as_ref(), recovery, call, output).await
}

async fn perform(
    run: &Run,
    stage: &StagePlan,
    action: &dyn Mutate,
    recovery: Recovery,
    call: &Call,
    output: &Output,
) -> Result<(), Report> {
    let values = Values::default();
    let scope = Scope {
        record: None,
        values: &values,
    };
    let arguments = stage
        .template
        .arguments(scope)
        .map_err(|problem| problem.report(&run.plan.source, Severity::Refused))?;
    let inverse = Call {
        verb: stage.verb.declaration.qualified(),
        arguments,
        record: None,
        context: stage.context.clone(),
        ..call.clone()
    };
    let work = Work {
        run,
        stage,
        action,
        recovery: Some(recovery),
    };
    work.perform(vec![inverse], output).await
}

fn inverse(entry: &AuditEntry) -> Result<&Inverse, Report> {
    let number = entry.number;
    if entry.outcome != "applied" {
        let message = format!("entry {number} changed nothing that is known: {}", entry.outcome);
        return Err(Report::refused(NO_INVERSE, message));
    }
    entry.change.inverse.as_ref().ok_or_else(|| {
        Report::refused(
            NO_INVERSE,
            format!("entry {number} can't be taken back: {}", entry.change.summary),
        )
        .hint("its command knows no inverse for it")
    })
}

/// The context of the change, by its name.
fn context(inner: &Inner, call: &Call, entry: &AuditEntry) -> Result<Arc<Context>, Report> {
    if call.context.name == entry.context {
        return Ok(call.context.clone());
    }
    inner.contexts.context(&entry.context).ok_or_else(|| {
        let message = format!(
            "entry {} was made in context {:?}, which is not configured",
            entry.number, entry.context
        );
        Report::refused(NO_CONTEXT, message)
    })
}

fn bad(entry: &AuditEntry) -> Report {
    Report::refused(
        BAD_INVERSE,
        format!("the inverse of entry {} is not one changing command", entry.number),
    )
}
