//! What `check` shows: the plan of a line as data and as lines of text. Runs nothing.

use serde_json::{Value, json};

use super::plan::{LinePlan, StagePlan};
use super::ports::Site;
use crate::core::text::{safe_line, width};

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
    /// The class known before the run.
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

    /// A table: one line a stage under a header. Safe to print.
    pub fn lines(&self) -> Vec<String> {
        let header = ["STAGE", "VERB", "WHERE", "CONTEXT", "PERMISSION", "RISK", "TEXT"];
        let several = self.stages.last().is_some_and(|stage| stage.pipeline > 1);
        let mut rows: Vec<[String; 7]> = vec![header.map(str::to_owned)];
        rows.extend(self.stages.iter().map(|s| {
            let number = if several {
                format!("{}.{}", s.pipeline, s.stage)
            } else {
                s.stage.to_string()
            };
            let permission = s.permission.clone().unwrap_or_else(|| "-".to_owned());
            let cells = [&number, &s.verb, &s.site, &s.context, &permission, &s.risk, &s.text];
            cells.map(|cell| safe_line(cell))
        }));
        let widths: Vec<usize> = (0..header.len())
            .map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0))
            .collect();
        rows.iter()
            .map(|row| {
                let cells = row.iter().zip(&widths).map(|(cell, wide)| {
                    let fill = wide.saturating_sub(width(cell));
                    format!("{cell}{}", " ".repeat(fill))
                });
                cells.collect::<Vec<_>>().join("   ").trim_end().to_owned()
            })
            .collect()
    }
}

fn checked(pipeline: usize, stage: &StagePlan) -> Vec<CheckedStage> {
    let contexts = match stage.contexts.as_slice() {
        [] => std::slice::from_ref(&stage.context),
        several => several,
    };
    contexts
        .iter()
        .map(|context| in_context(pipeline, stage, context.name.clone()))
        .collect()
}

fn in_context(pipeline: usize, stage: &StagePlan, context: String) -> CheckedStage {
    let declaration = &stage.verb.declaration;
    let rules = (!declaration.rules.is_empty()).then(|| declaration.rules.join("; "));
    CheckedStage {
        pipeline,
        stage: stage.number,
        verb: stage.verb.declaration.qualified(),
        site: match &stage.site {
            Site::Here => "here".to_owned(),
            Site::Docker(host) => host.clone(),
        },
        context,
        permission: declaration.permission.clone().or(rules),
        risk: stage.risk().to_string(),
        text: stage.text.clone(),
    }
}
