//! What `check` shows: the plan of a line as data. Runs nothing and draws nothing.

use serde_json::{Value, json};

use super::plan::{LinePlan, StagePlan};
use super::ports::Site;
use crate::core::context::Context;

/// One stage of a checked line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedStage {
    /// Pipeline in the line, from 1.
    pub pipeline: usize,
    /// Stage in the pipeline, from 1.
    pub stage: usize,
    /// `kubectl:get`.
    pub verb: String,
    /// `here`, or the Docker engine.
    pub site: String,
    /// The context's name.
    pub context: String,
    /// The permission it needs, or else the rules about it; none: allowed to all.
    pub permission: Option<String>,
    /// The class known before the run, raised where the context is production.
    pub risk: String,
    /// The stage's text, secret values masked.
    pub text: String,
}

/// The plan of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Every stage, in order; one that runs in several contexts once for each.
    pub stages: Vec<CheckedStage>,
}

impl Check {
    /// The plan of a line that was found good.
    pub fn of(plan: &LinePlan) -> Check {
        let mut stages = Vec::new();
        for (index, (pipeline, _)) in plan.items.iter().enumerate() {
            stages.extend(pipeline.stages.iter().flat_map(|stage| checked(index + 1, stage)));
        }
        Check { stages }
    }

    /// `{"stages":[{"pipeline","stage","verb","where","context","permission","risk","text"}]}`.
    pub fn to_json(&self) -> Value {
        let stages: Vec<Value> = self
            .stages
            .iter()
            .map(|s| {
                json!({
                    "pipeline": s.pipeline, "stage": s.stage, "verb": s.verb, "where": s.site, "context": s.context,
                    "permission": s.permission, "risk": s.risk, "text": s.text,
                })
            })
            .collect();
        json!({ "stages": stages })
    }
}

fn checked(pipeline: usize, stage: &StagePlan) -> Vec<CheckedStage> {
    let contexts = match stage.contexts.as_slice() {
        [] => std::slice::from_ref(&stage.context),
        several => several,
    };
    contexts
        .iter()
        .map(|context| in_context(pipeline, stage, context))
        .collect()
}

fn in_context(pipeline: usize, stage: &StagePlan, context: &Context) -> CheckedStage {
    let declaration = &stage.verb.declaration;
    let risk = match context.production && !declaration.recovery {
        true => stage.risk().raised(),
        false => stage.risk(),
    };
    let rules = (!declaration.rules.is_empty()).then(|| declaration.rules.join("; "));
    CheckedStage {
        pipeline,
        stage: stage.number,
        verb: stage.verb.declaration.qualified(),
        site: match &stage.site {
            Site::Here => "here".to_owned(),
            Site::Docker(host) => host.clone(),
        },
        context: context.name.clone(),
        permission: declaration.permission_of(&stage.template.known()).cloned().or(rules),
        risk: risk.to_string(),
        text: stage.text.clone(),
    }
}
