//! "May they run this?": a line planned for another user, every refusal of the `Authorise` port written down instead of
//! ending it. Nothing runs, and nothing else is refused that a run would be: approvals are another question.

use std::sync::{Mutex, PoisonError};

use super::plan::Planner;
use super::ports::{Authorise, Permit};
use super::session::Inner;
use crate::core::change::Origin;
use crate::core::report::Report;
use crate::verb::session::Permission;
use crate::verb::{Catalogue, Declaration, Known};

/// Asks for each stage of a line. Whether records would be given to it is not known, so either way it may stand.
pub(super) fn may(inner: &Inner, catalogue: &Catalogue, user: &str, line: &str) -> Result<Vec<Permission>, Report> {
    asked(inner, catalogue, user, line, false)
        .or_else(|report| asked(inner, catalogue, user, line, true).map_err(|_| report))
}

fn asked(inner: &Inner, catalogue: &Catalogue, user: &str, line: &str, fed: bool) -> Result<Vec<Permission>, Report> {
    let asked = Asked {
        inner: inner.authorise.as_ref(),
        answers: Mutex::default(),
    };
    let context = inner.context();
    let origin = Origin::Headless {
        yes: true,
        max_targets: None,
    };
    let planner = Planner {
        authorise: &asked,
        user,
        fed,
        read_only: false,
        recovery: true,
        ..inner.planner(catalogue, &context, origin)
    };
    let mut names = inner.with_memory(|memory| memory.names()).into_iter().collect();
    let plan = planner.line(line, &mut names)?;
    let answers = asked.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stages = plan.items.iter().enumerate().flat_map(|(index, (pipeline, _))| {
        let stages = pipeline.stages.iter();
        stages.map(move |stage| (index + 1, stage))
    });
    // The port is asked once a stage, in the order of the line.
    let permissions = stages.zip(answers).map(|((pipeline, stage), answer)| Permission {
        pipeline,
        stage: stage.number,
        verb: stage.verb.declaration.qualified(),
        text: stage.text.clone(),
        allowed: match &answer {
            Ok(Permit::Granted) => Some(true),
            Ok(Permit::Conditional) => None,
            Err(_) => Some(false),
        },
        reason: answer.err().map(|report| report.sentence()),
    });
    Ok(permissions.collect())
}

/// Writes answers down and lets everything pass.
struct Asked<'a> {
    inner: &'a dyn Authorise,
    answers: Mutex<Vec<Result<Permit, Report>>>,
}

impl Authorise for Asked<'_> {
    fn authorise(&self, user: &str, declaration: &Declaration, known: &Known) -> Result<Permit, Report> {
        let answer = self.inner.authorise(user, declaration, known);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        Ok(Permit::Granted)
    }
}
