//! A rollout, watched: deployment, replica sets and pods go in, what a person wants to know comes out. No IO and no
//! clock of its own; the verb `rollout-status` and the rollout panel both stand on it.

use std::time::Duration;

use jiff::Timestamp;

use super::model::{Condition, DeploymentRow, PodRow, ReplicaSetRow};

/// Where a rollout stands, as `kubectl rollout status` judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Goes on; the sentence says what it waits for.
    Waiting(String),
    /// All pods are new and available.
    Done(String),
    /// It will not get there by itself.
    Failed(String),
}

impl Progress {
    /// kubectl's sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Progress::Waiting(sentence) | Progress::Done(sentence) | Progress::Failed(sentence) => sentence,
        }
    }
}

/// What `kubectl rollout status` says of a deployment (`DeploymentStatusViewer`). `revision`: only this one counts.
pub fn progress(row: &DeploymentRow, revision: Option<i64>) -> Progress {
    let name = &row.name;
    if let (Some(wanted), running) = (revision, row.revision.unwrap_or(0))
        && wanted != running
    {
        return Progress::Failed(format!(
            "desired revision ({wanted}) is different from the running revision ({running})"
        ));
    }
    if row.generation > row.observed_generation {
        return Progress::Waiting("Waiting for deployment spec update to be observed...".to_owned());
    }
    if row
        .condition("Progressing")
        .is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded")
    {
        return Progress::Failed(format!("deployment \"{name}\" exceeded its progress deadline"));
    }
    let waiting = |what: String| {
        Progress::Waiting(format!(
            "Waiting for deployment \"{name}\" rollout to finish: {what}..."
        ))
    };
    if row.updated < row.replicas {
        return waiting(format!(
            "{} out of {} new replicas have been updated",
            row.updated, row.replicas
        ));
    }
    if row.total > row.updated {
        return waiting(format!(
            "{} old replicas are pending termination",
            row.total - row.updated
        ));
    }
    if row.available < row.updated {
        return waiting(format!(
            "{} of {} updated replicas are available",
            row.available, row.updated
        ));
    }
    Progress::Done(format!("deployment \"{name}\" successfully rolled out"))
}

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
        version: pod.version.clone(),
        status: pod.status.clone(),
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
    let refused = row
        .condition("ReplicaFailure")
        .filter(|condition| condition.status == "True");
    if let Some(condition) = refused {
        return Some(Cause {
            pod: String::new(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
        });
    }
    pods.iter()
        .filter(|(pod, is_new)| *is_new && !pod.deleting)
        .find_map(|(pod, _)| trouble(pod))
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
        reason: pod.status.clone(),
        message: pod.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn deployment() -> DeploymentRow {
        DeploymentRow {
            name: "web".into(),
            uid: "d".into(),
            generation: 2,
            observed_generation: 2,
            replicas: 3,
            total: 3,
            updated: 3,
            ready: 3,
            available: 3,
            progress_deadline: 600,
            revision: Some(2),
            ..DeploymentRow::default()
        }
    }

    fn set(name: &str, revision: i64, desired: i64) -> ReplicaSetRow {
        ReplicaSetRow {
            name: name.into(),
            uid: name.into(),
            owner_uid: "d".into(),
            revision: Some(revision),
            desired,
            current: desired,
            version: revision.to_string(),
            ..ReplicaSetRow::default()
        }
    }

    fn pod(name: &str, set: &str, status: &str) -> PodRow {
        PodRow {
            name: name.into(),
            owner_uid: set.into(),
            status: status.into(),
            ..PodRow::default()
        }
    }

    #[test]
    fn the_sentences_of_kubectl_in_their_order() {
        let row = deployment();
        let say = |change: &dyn Fn(&mut DeploymentRow)| {
            let mut row = row.clone();
            change(&mut row);
            progress(&row, None)
        };
        let waiting =
            |what: &str| Progress::Waiting(format!("Waiting for deployment \"web\" rollout to finish: {what}..."));
        assert_eq!(
            say(&|row| row.generation = 3),
            Progress::Waiting("Waiting for deployment spec update to be observed...".into())
        );
        assert_eq!(
            say(&|row| row.updated = 1),
            waiting("1 out of 3 new replicas have been updated")
        );
        assert_eq!(
            say(&|row| row.total = 4),
            waiting("1 old replicas are pending termination")
        );
        assert_eq!(
            say(&|row| row.available = 2),
            waiting("2 of 3 updated replicas are available")
        );
        assert_eq!(
            say(&|_| {}),
            Progress::Done("deployment \"web\" successfully rolled out".into())
        );
        let late = Condition {
            kind: "Progressing".into(),
            reason: "ProgressDeadlineExceeded".into(),
            ..Condition::default()
        };
        assert_eq!(
            say(&|row| row.conditions = vec![late.clone()]),
            Progress::Failed("deployment \"web\" exceeded its progress deadline".into())
        );
        assert_eq!(
            progress(&row, Some(1)),
            Progress::Failed("desired revision (1) is different from the running revision (2)".into())
        );
    }

    #[test]
    fn old_and_new_are_told_apart_and_strangers_left_out() {
        let mut row = deployment();
        row.updated = 1;
        let mut stranger = set("x", 9, 5);
        stranger.owner_uid = "other".into();
        let sets = [set("new", 2, 1), set("old", 1, 3), set("gone", 0, 0), stranger];
        let pods = [
            pod("o1", "old", "Running"),
            pod("n1", "new", "Running"),
            pod("x1", "x", "Running"),
        ];
        let view = view(&row, &sets, &pods, Timestamp::UNIX_EPOCH);
        assert_eq!(view.new.unwrap().name, "new");
        assert_eq!(
            view.old.iter().map(|set| set.name.as_str()).collect::<Vec<_>>(),
            ["old"]
        );
        assert_eq!(
            view.pods
                .iter()
                .map(|pod| (pod.name.as_str(), pod.is_new))
                .collect::<Vec<_>>(),
            [("n1", true), ("o1", false)]
        );
        assert_eq!((view.surge, view.unavailable, view.stage), (1, 0, Stage::Updating));
    }

    #[test]
    fn an_unseen_change_has_no_new_set_yet() {
        let mut row = deployment();
        row.generation = 3;
        row.version = "3".into();
        let view = view(&row, &[set("one", 1, 0), set("two", 2, 3)], &[], Timestamp::UNIX_EPOCH);
        assert_eq!((view.new, view.stage), (None, Stage::Observing));
        assert_eq!(view.old.len(), 1);
    }

    #[test]
    fn the_cause_is_the_first_new_pod_that_cannot_start() {
        let mut row = deployment();
        row.updated = 1;
        let sets = [set("new", 2, 1), set("old", 1, 3)];
        let mut bad = pod("n2", "new", "ImagePullBackOff");
        bad.message = "Back-off pulling image".into();
        let pods = [
            pod("o1", "old", "CrashLoopBackOff"),
            pod("n1", "new", "ContainerCreating"),
            bad,
        ];
        let cause = view(&row, &sets, &pods, Timestamp::UNIX_EPOCH).cause.unwrap();
        assert_eq!((cause.pod.as_str(), cause.reason.as_str()), ("n2", "ImagePullBackOff"));
        row.conditions = vec![Condition {
            kind: "ReplicaFailure".into(),
            status: "True".into(),
            reason: "FailedCreate".into(),
            message: "exceeded quota".into(),
            ..Condition::default()
        }];
        assert_eq!(
            view(&row, &sets, &pods, Timestamp::UNIX_EPOCH).cause.unwrap().reason,
            "FailedCreate"
        );
    }

    #[test]
    fn the_deadline_counts_from_the_last_progress() {
        let mut row = deployment();
        row.updated = 1;
        let start = Timestamp::UNIX_EPOCH;
        row.conditions = vec![Condition {
            kind: "Progressing".into(),
            last_update_time: Some(start),
            ..Condition::default()
        }];
        let left = |seconds: u64| view(&row, &[], &[], start + Duration::from_secs(seconds)).deadline_left;
        assert_eq!(left(100), Some(Duration::from_secs(500)));
        assert_eq!(left(900), Some(Duration::ZERO));
        row.updated = 3;
        assert_eq!(view(&row, &[], &[], start).deadline_left, None);
    }
}
