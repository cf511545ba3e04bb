//! A rollout, watched: deployment, replica sets and pods go in, what a person wants to know comes out. No IO and no
//! clock of its own; the verb `rollout-status` and the rollout panel both stand on it.

mod progress;

use std::time::Duration;

use jiff::Timestamp;

use super::model::{Condition, DeploymentRow, PodRow, ReplicaSetRow};
pub use progress::{Progress, daemon_set, is_of_newest, progress, stateful_set};

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
}

/// Why a rollout does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The pod it shows at; empty when it is about the whole deployment.
    pub pod: String,
    /// One word: `ImagePullBackOff`, `Unschedulable`, `FailedCreate`.
    pub reason: String,
    /// The cluster's own sentence; may be empty.
    pub message: String,
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
    /// Time until it counts as failed; none when it is done, failed or paused.
    pub deadline_left: Option<Duration>,
    /// Why it does not go on, if something is wrong.
    pub cause: Option<Cause>,
}

/// Reasons for waiting that a new pod does not get out of by itself, or not soon.
const FATAL: [&str; 10] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "OOMKilled",
    "Error",
];

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
        deadline_left: deadline_left(row, stage, now),
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
    }
}

fn deadline_left(row: &DeploymentRow, stage: Stage, now: Timestamp) -> Option<Duration> {
    if matches!(stage, Stage::Complete | Stage::Failed | Stage::Paused) {
        return None;
    }
    let moved = row.condition("Progressing")?.last_update_time?;
    let end = moved + Duration::from_secs(u64::try_from(row.progress_deadline).ok()?);
    Some(Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The first new pod that cannot start, or what keeps pods from being made at all.
fn cause(row: &DeploymentRow, pods: &[(&PodRow, bool)]) -> Option<Cause> {
    refused(row).or_else(|| {
        pods.iter()
            .filter(|(pod, is_new)| *is_new && !pod.deleting)
            .find_map(|(pod, _)| trouble(pod))
    })
}

/// What keeps a deployment's pods from being made at all: a quota, an admission rule.
pub fn refused(row: &DeploymentRow) -> Option<Cause> {
    let condition = row
        .condition("ReplicaFailure")
        .filter(|condition| condition.status == "True")?;
    Some(Cause {
        pod: String::new(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    })
}

/// What keeps a pod from running, if it is something that does not pass by itself.
pub fn trouble(pod: &PodRow) -> Option<Cause> {
    if !pod.unschedulable.is_empty() {
        return Some(Cause {
            pod: pod.name.clone(),
            reason: "Unschedulable".to_owned(),
            message: pod.unschedulable.clone(),
        });
    }
    let word = pod.status.strip_prefix("Init:").unwrap_or(&pod.status);
    let fatal = FATAL.contains(&word) || word.starts_with("ExitCode:") || word.starts_with("Signal:");
    fatal.then(|| Cause {
        pod: pod.name.clone(),
        reason: pod.status.to_string(),
        message: pod.message.clone(),
    })
}

#[cfg(test)]
mod tests;
