//! The panels of the cluster: deployments, the rollout in progress, pods, services, events.

pub mod deployments;
pub mod events;
pub mod pods;
pub mod rollout;
pub mod services;

use jiff::Timestamp;

use super::model::DeploymentRow;
use super::rollout::{Stage, stage};
use crate::core::change::Target;
use crate::core::text::SafeText;
use crate::feed::health::age;
use crate::lang;
use crate::ui::panel::widgets::table::Cell;
use crate::ui::panel::{Action, Effect, Meaning, Tone};

const DESCRIBE: Action = Action {
    name: "describe",
    key: 'd',
    word: "describe",
};

const YAML: Action = Action {
    name: "yaml",
    key: 'v',
    word: "YAML",
};

const EDIT: Action = Action {
    name: "edit",
    key: 'e',
    word: "edit",
};

const COPY: Action = Action {
    name: "copy",
    key: 'y',
    word: "copy name",
};

/// What the actions that every kind has do; `kind` as typed: `deploy`, `po`.
fn common(action: &str, kind: &str, name: &str) -> Vec<Effect> {
    let stage = |verb: &str| lang::Stage::new(verb).arg(kind).arg(name);
    match action {
        "describe" => vec![Effect::Run(stage("kubectl:describe").into())],
        "yaml" => vec![Effect::Run(
            stage("kubectl:get").option("--output", Some("yaml")).into(),
        )],
        "edit" => vec![Effect::Run(stage("kubectl:edit").into())],
        "copy" => vec![Effect::Copy(SafeText::line(name))],
        _ => Vec::new(),
    }
}

fn target(kind: &str, scope: &str, name: &str) -> Target {
    Target {
        kind: kind.to_owned(),
        scope: scope.to_owned(),
        name: name.to_owned(),
    }
}

fn age_cell(at: Option<Timestamp>, now: Timestamp) -> Cell {
    Cell::styled(&at.map_or_else(|| "-".to_owned(), |at| age(now, at)), Meaning::Dim)
}

/// How a pod's status, as kubectl prints it, feels.
fn pod_tone(status: &str, is_ready: bool) -> Tone {
    match status {
        "Running" if is_ready => Tone::Ok,
        "Running" | "Pending" | "ContainerCreating" | "PodInitializing" => Tone::Progress,
        "Terminating" | "Completed" | "Succeeded" => Tone::Neutral,
        status if status.starts_with("Init:") && !status.contains("Err") && !status.contains("BackOff") => {
            Tone::Progress
        }
        _ => Tone::Bad,
    }
}

/// A deployment's state as the panels show it: tone and word.
pub(in crate::features::kubernetes) fn state(row: &DeploymentRow) -> (Tone, &'static str) {
    if row.deleting {
        return (Tone::Progress, "deleting");
    }
    match stage(row) {
        Stage::Failed => (Tone::Bad, "failed"),
        Stage::Paused => (Tone::Waiting, "paused"),
        Stage::Complete if row.replicas == 0 => (Tone::Neutral, "scaled to 0"),
        Stage::Complete => (Tone::Ok, "available"),
        // All pods are of the newest template, yet too few serve: nothing rolls out, something broke.
        Stage::Settling if row.condition("Available").is_some_and(|c| c.status == "False") => (Tone::Warn, "degraded"),
        other => (Tone::Progress, other.word()),
    }
}

/// How much a state wants attention: the rollout panel shows the highest when nobody chose one.
pub(in crate::features::kubernetes) fn urgency(row: &DeploymentRow) -> u8 {
    match state(row).0 {
        Tone::Bad => 4,
        Tone::Warn => 3,
        Tone::Progress => 2,
        Tone::Waiting => 1,
        Tone::Ok | Tone::Neutral => 0,
    }
}

#[cfg(test)]
mod tests;
