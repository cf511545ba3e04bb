//! How a stage that changes something runs: plan every target, ask once, apply in order, journal each change.
//! The rules of approval are `core::change`'s; what a change is and does is its verb's.

use std::collections::HashSet;

use serde_json::Value;
use tokio::sync::mpsc;

use super::ending::timed_out;
use super::plan::{OnError, StagePlan, YES, because};
use super::ports::NewEntry;
use super::run::Run;
use super::stage::{GRACE, elapsed};
use crate::core::change::{Change, Plan, Requirement, Risk};
use crate::core::report::{Report, Severity};
use crate::verb::invocation::NOBODY_READS;
use crate::verb::{Call, Decision, Mutate, Output};

/// Targets of one plan, at most.
pub const MAX_TARGETS: usize = 10_000;

/// Results of one applied change that may wait for their reader.
const RESULTS: usize = 16;

const REFUSED: &str = "E-APPROVAL-001";
const DECLINED: &str = "E-APPROVAL-002";
const MOVED: &str = "E-APPROVAL-003";
const LOOKED: &str = "E-APPROVAL-004";

/// The report of a plan with too many targets.
pub fn too_many() -> Report {
    Report::refused(
        "E-PLAN-001",
        format!("more than {MAX_TARGETS} targets: nothing was changed"),
    )
    .hint("narrow the records before they reach the command")
}

/// The change that a recovery takes back.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The entry's number in the journal.
    pub undoes: u64,
    /// The state its target must still be in.
    pub expects: Value,
}

/// One stage's changes.
pub struct Work<'a> {
    /// The pipeline.
    pub run: &'a Run,
    /// The stage.
    pub stage: &'a StagePlan,
    /// What plans and applies.
    pub action: &'a dyn Mutate,
    /// It takes something back.
    pub recovery: Option<Recovery>,
}

impl Work<'_> {
    /// Plans, asks, applies.
    pub async fn perform(&self, calls: Vec<Call>, output: &Output) -> Result<(), Report> {
        let (mut entries, plan) = self.plan(&calls, output).await?;
        if plan.changes.is_empty() {
            return self.apply(&calls, &entries, output).await;
        }
        let declaration = &self.stage.verb.declaration;
        // It was let through as one that only looks.
        if self.stage.risk() != declaration.risk {
            let message = format!("{} was to look only, and planned a change", declaration.qualified());
            return Err(Report::refused(LOOKED, message).hint("nothing was changed"));
        }
        if let Some(recovery) = &self.recovery {
            unmoved(recovery, &plan)?;
        }
        let production = self.stage.context.production;
        let requirement = plan
            .requirement(self.run.operator.origin(), production)
            .map_err(|reason| {
                let verb = self.stage.verb.declaration.qualified();
                let why = because(&self.stage.context);
                let hint = format!("{YES}; {}", summaries(&plan));
                Report::refused(REFUSED, format!("{verb}: {reason}{why}; nothing was changed")).hint(hint)
            })?;
        if requirement != Requirement::Nothing {
            self.ask(&plan, requirement).await?;
            let (again, fresh) = self.plan(&calls, output).await?;
            if fresh.digest() != plan.digest() {
                return Err(moved(&plan, &fresh));
            }
            entries = again;
        }
        self.apply(&calls, &entries, output).await
    }

    /// What all calls planned, each with the call it belongs to, and the changes among it. With `on-error=stop` one
    /// call without a plan is the end before anything changed.
    async fn plan(&self, calls: &[Call], output: &Output) -> Result<(Vec<(usize, Change)>, Plan), Report> {
        let mut entries: Vec<(usize, Change)> = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            let planned = tokio::select! {
                biased;
                () = self.run.ending.token().cancelled() => return Err(self.run.ending.report()),
                planned = self.action.plan(call) => planned,
                () = elapsed(self.stage.timeout) => Err(timed_out(self.stage.timeout.unwrap_or_default())),
            };
            match planned {
                Ok(found) => entries.extend(found.into_iter().map(|change| (index, change))),
                Err(report) => {
                    let report = self.placed(report, call);
                    match call.record {
                        Some(_) => output.fail(report).await?,
                        None => return Err(report),
                    }
                }
            }
            if entries.len() > MAX_TARGETS {
                return Err(too_many());
            }
        }
        for (_, change) in entries.iter_mut().filter(|_| self.recovery.is_some()) {
            change.recovery = true;
        }
        let changes = entries.iter().map(|(_, change)| change);
        let changes = changes.filter(|change| !change.only_answers()).cloned().collect();
        Ok((entries, Plan { changes }))
    }

    async fn ask(&self, plan: &Plan, requirement: Requirement) -> Result<(), Report> {
        let decision = tokio::select! {
            biased;
            () = self.run.ending.token().cancelled() => return Err(self.run.ending.report()),
            decision = self.run.operator.ask(plan, requirement, &self.stage.context) => decision,
        };
        match decision {
            Decision::Approved(digest) if digest == plan.digest() => Ok(()),
            Decision::Approved(_) | Decision::Given(_) => Err(Report::refused(
                MOVED,
                "the approval names another plan than the one shown; nothing was changed",
            )),
            Decision::Declined(reason) => {
                for change in &plan.changes {
                    self.journal(change, format!("declined: {reason}")).await?;
                }
                let message = format!("{}; nothing was changed", declined(&self.stage.text, &reason));
                Err(Report::refused(DECLINED, message))
            }
        }
    }

    /// What only answers is performed as a change is, in its place, and not journalled.
    async fn apply(&self, calls: &[Call], entries: &[(usize, Change)], output: &Output) -> Result<(), Report> {
        let all = entries.iter().filter(|(_, change)| !change.only_answers()).count();
        let mut left = all;
        for (owner, change) in entries {
            let Some(call) = calls.get(*owner) else { continue };
            let own;
            let call = match self.stage.timeout {
                // Time that is up for one change is not up for those that follow it.
                Some(_) => {
                    own = Call {
                        cancel: call.cancel.child_token(),
                        ..call.clone()
                    };
                    &own
                }
                None => call,
            };
            if self.run.ending.is_ending() {
                self.note_rest(left, all);
                return Err(self.run.ending.report());
            }
            if change.only_answers() {
                match self.bounded(call, self.action.apply(call, change, output)).await {
                    Err(report) if report.code != NOBODY_READS => {
                        self.go_on_after(self.placed(report, call), output, (left, all)).await?;
                    }
                    _ => {}
                }
                continue;
            }
            if let Err(report) = self.run.window.still(&self.stage.context) {
                self.note_rest(left, all);
                return Err(self.placed(report, call));
            }
            left -= 1;
            if let Err(report) = self.apply_one(call, change, output).await {
                self.go_on_after(self.placed(report, call), output, (left, all)).await?;
            }
        }
        Ok(())
    }

    /// What one that failed means for those that are left of all.
    async fn go_on_after(&self, report: Report, output: &Output, (left, all): (usize, usize)) -> Result<(), Report> {
        if report.severity == Severity::Interrupted || self.stage.on_error == OnError::Stop {
            self.note_rest(left, all);
            return Err(report);
        }
        output.fail(report).await
    }

    /// Applies one change to its end, whether or not anyone still reads its results, and journals the outcome.
    async fn apply_one(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        self.run.operator.acting_on(&change.target, &self.stage.context);
        let (sender, mut results) = mpsc::channel(RESULTS);
        let own = Output::new(sender);
        let forward = async {
            while let Some(item) = results.recv().await {
                // Nobody reads: the change is still made to its end, its results are dropped.
                let _ = output.pass_on(item).await;
            }
        };
        let work = async {
            let result = self.bounded(call, self.action.apply(call, change, &own)).await;
            drop(own);
            result
        };
        let (result, ()) = tokio::join!(work, forward);
        match result {
            Err(report) if report.code != NOBODY_READS => {
                self.journal(change, format!("failed: {}", report.sentence())).await?;
                Err(report)
            }
            _ => {
                let number = self.journal(change, "applied".to_owned()).await?;
                self.offer_undo(number, change);
                Ok(())
            }
        }
    }

    /// A change under way is told to stop and given time for it: dropping it would leave its outcome unknown.
    async fn bounded(&self, call: &Call, work: impl Future<Output = Result<(), Report>>) -> Result<(), Report> {
        tokio::pin!(work);
        let mut report = tokio::select! {
            biased;
            result = &mut work => return result,
            () = self.run.ending.token().cancelled() => self.run.ending.report(),
            () = elapsed(self.stage.timeout) => timed_out(self.stage.timeout.unwrap_or_default()),
        };
        call.cancel.cancel();
        match tokio::time::timeout(GRACE, &mut work).await {
            Ok(Err(stopped)) if stopped.severity == Severity::Interrupted => Err(report),
            Ok(result) => result,
            Err(_) => {
                report
                    .message
                    .push_str(" while a change was under way: its outcome is unknown");
                Err(report)
            }
        }
    }

    async fn journal(&self, change: &Change, outcome: String) -> Result<u64, Report> {
        let entry = NewEntry {
            user: self.run.user.clone(),
            context: self.stage.context.name.clone(),
            pipeline: self.run.plan.text.clone(),
            change: change.clone(),
            undoes: self
                .recovery
                .as_ref()
                .filter(|_| outcome == "applied")
                .map(|recovery| recovery.undoes),
            outcome,
        };
        let what = entry.outcome.clone();
        self.run.journal.append(entry).await.map_err(|report| {
            let message = format!("the journal could not record this change: {} ({what})", change.summary);
            Report::failed("E-JOURNAL-001", message).because(&report)
        })
    }

    fn offer_undo(&self, number: u64, change: &Change) {
        if change.inverse.is_some() && !change.is_noop() {
            self.run
                .operator
                .note(format!("undo {number} takes back: {}", change.summary).into());
        }
    }

    fn note_rest(&self, left: usize, all: usize) {
        if left > 0 {
            self.run
                .operator
                .note(format!("{left} of {all} planned changes were not made").into());
        }
    }

    fn placed(&self, report: Report, call: &Call) -> Report {
        let span = self.stage.span;
        let report = report
            .in_stage(self.stage.number)
            .at(&self.run.plan.source, span.start..span.end);
        match &call.record {
            Some(record) => report.on_record(record),
            None => report,
        }
    }
}

/// Asks about a command above `read` that brings no plan of its own, where its class takes an approval.
pub async fn approve_opaque(run: &Run, stage: &StagePlan) -> Result<(), Report> {
    if stage.risk() == Risk::Read || stage.verb.declaration.recovery {
        return Ok(());
    }
    let plan = stage.opaque_plan();
    let production = stage.context.production;
    let requirement = plan.requirement(run.operator.origin(), production).map_err(|reason| {
        let verb = stage.verb.declaration.qualified();
        Report::refused(REFUSED, format!("{verb}: {reason}{}", because(&stage.context))).hint(YES)
    })?;
    if requirement == Requirement::Nothing {
        return run.window.still(&stage.context);
    }
    let decision = tokio::select! {
        biased;
        () = run.ending.token().cancelled() => return Err(run.ending.report()),
        decision = run.operator.ask(&plan, requirement, &stage.context) => decision,
    };
    match decision {
        Decision::Approved(digest) if digest == plan.digest() => run.window.still(&stage.context),
        Decision::Approved(_) | Decision::Given(_) => Err(Report::refused(
            MOVED,
            "the approval names another plan than the one shown",
        )),
        Decision::Declined(reason) => Err(Report::refused(
            DECLINED,
            format!("{}; nothing was run", declined(&stage.text, &reason)),
        )),
    }
}

/// `kubectl:scale web was declined by the operator`: what the reason says already is said once.
fn declined(line: &str, reason: &str) -> String {
    match reason.strip_prefix("declined ") {
        Some(by) => format!("{line} was declined {by}"),
        None => format!("{line} was declined: {reason}"),
    }
}

/// A recovery only ever meets the state that its change left behind.
fn unmoved(recovery: &Recovery, plan: &Plan) -> Result<(), Report> {
    match plan.changes.as_slice() {
        [change] if change.before == recovery.expects => Ok(()),
        [change] => {
            let message = format!(
                "{} was changed again since entry {}: it should be {}, and is {}",
                change.target.name, recovery.undoes, recovery.expects, change.before
            );
            Err(Report::refused("E-UNDO-004", message).hint("nothing was changed; look at it and change it by hand"))
        }
        several => {
            let message = format!("taking back one change would make {}", several.len());
            Err(Report::refused("E-UNDO-005", message))
        }
    }
}

fn moved(seen: &Plan, fresh: &Plan) -> Report {
    let known: HashSet<String> = seen.changes.iter().map(difference).collect();
    let new: Vec<String> = fresh
        .changes
        .iter()
        .map(difference)
        .filter(|text| !known.contains(text))
        .take(3)
        .collect();
    let now = match new.is_empty() {
        true => "fewer targets are left".to_owned(),
        false => new.join("; "),
    };
    Report::refused(
        MOVED,
        format!("the targets changed after the plan was shown; nothing was changed. Now: {now}"),
    )
    .hint("run it again to see the new plan")
}

fn difference(change: &Change) -> String {
    format!(
        "{} {}: {} → {}",
        change.target.kind, change.target.name, change.before, change.after
    )
}

fn summaries(plan: &Plan) -> String {
    const SHOWN: usize = 5;
    let summary = |change: &Change| match change.inverse {
        Some(_) => change.summary.clone(),
        None => format!("{} (cannot be undone)", change.summary),
    };
    let mut lines: Vec<String> = plan.changes.iter().take(SHOWN).map(summary).collect();
    if plan.changes.len() > SHOWN {
        lines.push("…".to_owned());
    }
    format!("the plan was: {}", lines.join("; "))
}
