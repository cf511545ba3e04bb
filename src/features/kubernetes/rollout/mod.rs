//! A rollout, watched: deployment, replica sets and pods go in, what a person wants to know comes out. No IO and no
//! clock of its own; the verb `rollout-status` and the rollout panel both stand on it.

mod cause;
mod gates;
mod progress;

use std::time::Duration;

use jiff::Timestamp;

use super::model::{Condition, DeploymentRow, EventRow, PodRow, ProbeFailures, ReplicaSetRow};
pub use cause::{Cause, refused, refused_creation, trouble, unhealthy};
pub use gates::{Gate, GateState, Standing, Traffic, gates, of_new};
pub use progress::{Progress, daemon_set, is_of, progress, stateful_set};

/// The step a rollout is at, as one word on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The controller has not seen the change yet.
    Observing,
    /// New pods are being made.
    Updating,
    /// Old pods are going.
    Terminating,
    /// New pods are not all available yet.
    Settling,
    /// Nobody reconciles it.
    Paused,
    /// Done.
    Complete,
    /// Did not get there in time.
    Failed,
}

impl Stage {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Observing => "observing",
            Stage::Updating => "updating",
            Stage::Terminating => "terminating old",
            Stage::Settling => "settling",
            Stage::Paused => "paused",
            Stage::Complete => "complete",
            Stage::Failed => "failed",
        }
    }
}

/// The stage of a deployment.
pub fn stage(row: &DeploymentRow) -> Stage {
    if row.paused {
        return Stage::Paused;
    }
    match progress(row, None) {
        Progress::Failed(_) => Stage::Failed,
        Progress::Done(_) => Stage::Complete,
        Progress::Waiting(_) if row.generation > row.observed_generation => Stage::Observing,
        Progress::Waiting(_) if row.updated < row.replicas => Stage::Updating,
        Progress::Waiting(_) if row.total > row.updated => Stage::Terminating,
        Progress::Waiting(_) => Stage::Settling,
    }
}

/// A replica set's part in a rollout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetView {
    /// Its name.
    pub name: String,
    /// The revision it stands for.
    pub revision: Option<i64>,
    /// Version of its images.
    pub version: String,
    /// Pods wanted.
    pub desired: i64,
    /// Pods there are.
    pub current: i64,
    /// Pods ready.
    pub ready: i64,
    /// Pods available.
    pub available: i64,
}

/// A pod's part in a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct PodView {
    /// Name.
    pub name: String,
    /// Of the new replica set.
    pub is_new: bool,
    /// Version of its images.
    pub version: String,
    /// kubectl's STATUS.
    pub status: String,
    /// Gets traffic.
    pub is_ready: bool,
    /// Restarts.
    pub restarts: i64,
    /// Address.
    pub ip: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How often its probes may fail in a row.
    pub probe_failures: ProbeFailures,
}

/// Everything a person wants to know of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutView {
    /// The deployment's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Pods wanted.
    pub replicas: i64,
    /// Pods it may have above that.
    pub surge: i64,
    /// Pods it may lack.
    pub unavailable: i64,
    /// The replica set of the current template; none until the controller made it.
    pub new: Option<SetView>,
    /// Replica sets of earlier templates that still have pods, oldest first.
    pub old: Vec<SetView>,
    /// Its pods: new ones first, then by name.
    pub pods: Vec<PodView>,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// The stage.
    pub stage: Stage,
    /// kubectl's sentence.
    pub progress: Progress,
    /// The numbers that its gates look at.
    pub standing: Standing,
    /// Why it does not go on, if something is wrong.
    pub cause: Option<Cause>,
}

/// Looks at a deployment through its replica sets and pods; those of others are ignored.
pub fn view<'a>(
    row: &DeploymentRow,
    sets: impl IntoIterator<Item = &'a ReplicaSetRow>,
    pods: impl IntoIterator<Item = &'a PodRow>,
    now: Timestamp,
) -> RolloutView {
    let mut own: Vec<&ReplicaSetRow> = sets.into_iter().filter(|set| set.owner_uid == row.uid).collect();
    own.sort_by_key(|set| (set.revision, set.created));
    let new = new_set(row, &own);
    let mut pods: Vec<(&PodRow, bool)> = pods
        .into_iter()
        .filter(|pod| own.iter().any(|set| set.uid == pod.owner_uid))
        .map(|pod| (pod, new.is_some_and(|set| set.uid == pod.owner_uid)))
        .collect();
    pods.sort_by(|(a, a_new), (b, b_new)| b_new.cmp(a_new).then_with(|| a.name.cmp(&b.name)));
    let (surge, unavailable) = row.strategy.fenceposts(row.replicas);
    let stage = stage(row);
    RolloutView {
        name: row.name.clone(),
        namespace: row.namespace.clone(),
        replicas: row.replicas,
        surge,
        unavailable,
        new: new.map(set_view),
        old: own
            .iter()
            .filter(|set| new.is_none_or(|new| new.uid != set.uid) && (set.desired > 0 || set.current > 0))
            .map(|set| set_view(set))
            .collect(),
        cause: cause(row, &pods),
        pods: pods.iter().map(|(pod, is_new)| pod_view(pod, *is_new)).collect(),
        conditions: row.conditions.clone(),
        progress: progress(row, None),
        standing: match new {
            // What the set counts itself.
            Some(set) => Standing {
                ready: set.ready,
                available: set.available,
                ..standing(row, now)
            },
            None => standing(row, now),
        },
        stage,
    }
}

/// The replica set of the current template. Its revision is the deployment's once the controller has seen the
/// change; until then there is none.
fn new_set<'a>(row: &DeploymentRow, own: &[&'a ReplicaSetRow]) -> Option<&'a ReplicaSetRow> {
    if row.generation > row.observed_generation
        && own.len() > 1
        && own.last().is_some_and(|set| set.version != row.version)
    {
        return None;
    }
    own.iter()
        .rev()
        .find(|set| set.revision.is_some() && set.revision == row.revision)
        .or(own.last())
        .copied()
}

impl RolloutView {
    /// Why it does not go on by itself; none: it goes on, is done, or somebody paused it.
    pub fn stuck(&self) -> Option<&Cause> {
        let waits = !matches!(self.stage, Stage::Complete | Stage::Paused);
        self.cause.as_ref().filter(|_| waits)
    }

    /// Who serves meanwhile: `new 0/1, old 3/3 serve`.
    pub fn serving(&self) -> String {
        let new = self.new.as_ref();
        let (ready, desired) = new.map_or((0, self.replicas), |set| (set.ready, set.desired));
        let old = self.old.iter().map(|set| (set.ready, set.desired));
        match old.reduce(|sum, set| (sum.0 + set.0, sum.1 + set.1)) {
            Some((serving, of)) => format!("new {ready}/{desired}, old {serving}/{of} serve"),
            None => format!("{ready}/{desired} serve"),
        }
    }

    /// Looks for the cause among the events when neither conditions nor pods tell it: pods that were refused, and new
    /// pods whose probes fail.
    pub fn explain<'a>(&mut self, events: impl IntoIterator<Item = &'a EventRow> + Clone) {
        if self.cause.is_some() || matches!(self.stage, Stage::Complete | Stage::Paused) {
            return;
        }
        let short = self.new.as_ref().filter(|set| set.current < set.desired);
        let refused = short.and_then(|set| {
            let own = events.clone().into_iter();
            refused_creation(own.filter(|event| about_object(event, "ReplicaSet", &set.name, &self.namespace)))
        });
        self.cause = refused.or_else(|| {
            self.pods
                .iter()
                .filter(|pod| pod.is_new && !pod.is_ready)
                .find_map(|pod| {
                    let own = events.clone().into_iter();
                    unhealthy(
                        &pod.name,
                        pod.probe_failures,
                        own.filter(|event| about_object(event, "Pod", &pod.name, &self.namespace)),
                    )
                })
        });
    }
}

fn about_object(event: &EventRow, kind: &str, name: &str, namespace: &str) -> bool {
    event.object_kind == kind && event.object == name && event.namespace == namespace
}

fn set_view(set: &ReplicaSetRow) -> SetView {
    SetView {
        name: set.name.clone(),
        revision: set.revision,
        version: set.version.clone(),
        desired: set.desired,
        current: set.current,
        ready: set.ready,
        available: set.available,
    }
}

fn pod_view(pod: &PodRow, is_new: bool) -> PodView {
    PodView {
        name: pod.name.clone(),
        is_new,
        version: pod.version.to_string(),
        status: pod.status.to_string(),
        is_ready: pod.is_ready,
        restarts: pod.restarts,
        ip: pod.ip.clone(),
        created: pod.created,
        probe_failures: pod.probe_failures,
    }
}

/// Time until a rollout counts as failed; none when it is done, failed or paused.
fn deadline_left(row: &DeploymentRow, stage: Stage, now: Timestamp) -> Option<Duration> {
    if matches!(stage, Stage::Complete | Stage::Failed | Stage::Paused) {
        return None;
    }
    let moved = row.condition("Progressing")?.last_update_time?;
    let end = moved + Duration::from_secs(u64::try_from(row.progress_deadline).ok()?);
    Some(Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The numbers of a deployment's rollout.
pub fn standing(row: &DeploymentRow, now: Timestamp) -> Standing {
    let stage = stage(row);
    let old = row.total - row.updated;
    Standing {
        wanted: row.replicas,
        updated: row.updated,
        ready: of_new(row.ready, old),
        available: of_new(row.available, old),
        late: stage == Stage::Failed,
        deadline_left: deadline_left(row, stage, now),
    }
}

/// The first new pod that cannot start, or what keeps pods from being made at all.
fn cause(row: &DeploymentRow, pods: &[(&PodRow, bool)]) -> Option<Cause> {
    refused(row).or_else(|| {
        pods.iter()
            .filter(|(pod, is_new)| *is_new && !pod.deleting)
            .find_map(|(pod, _)| trouble(pod))
    })
}

#[cfg(test)]
mod tests;
