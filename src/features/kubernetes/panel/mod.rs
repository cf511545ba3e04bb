//! The panels of deployments and of the rollout in progress.

pub mod deployments;
pub mod rollout;

use super::model::DeploymentRow;
use super::rollout::{Stage, stage};
use crate::ui::panel::Tone;

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
