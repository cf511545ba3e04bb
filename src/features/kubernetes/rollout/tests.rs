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
    let left = |seconds: u64| {
        view(&row, &[], &[], start + Duration::from_secs(seconds))
            .standing
            .deadline_left
    };
    assert_eq!(left(100), Some(Duration::from_secs(500)));
    assert_eq!(left(900), Some(Duration::ZERO));
    row.updated = 3;
    assert_eq!(view(&row, &[], &[], start).standing.deadline_left, None);
}

#[test]
fn events_tell_what_neither_conditions_nor_pods_do() {
    let event = |kind: &str, object: &str, reason: &str| EventRow {
        namespace: "default".into(),
        object_kind: kind.into(),
        object: object.into(),
        reason: reason.into(),
        message: "why".into(),
        count: 3,
        ..EventRow::default()
    };
    let mut row = deployment();
    (row.updated, row.available, row.namespace) = (1, 2, "default".into());
    let mut new = set("new", 2, 3);
    new.current = 1;
    let running = pod("new-a", "new", "Running");
    let explained = |events: Vec<EventRow>, row: &DeploymentRow| {
        let mut view = view(row, [&new], [&running], Timestamp::UNIX_EPOCH);
        view.explain(&events);
        view.cause.map(|cause| (cause.pod, cause.reason))
    };
    let sick = event("Pod", "new-a", "Unhealthy");
    assert_eq!(
        explained(vec![sick.clone()], &row),
        Some(("new-a".into(), "Unhealthy".into()))
    );
    let refused = event("ReplicaSet", "new", "FailedCreate");
    assert_eq!(
        explained(vec![sick, refused], &row),
        Some((String::new(), "FailedCreate".into()))
    );
    let others = vec![
        event("Pod", "old-a", "Unhealthy"),
        event("ReplicaSet", "old", "FailedCreate"),
    ];
    assert_eq!(explained(others, &row), None);
    assert_eq!(
        explained(vec![event("Pod", "new-a", "Unhealthy")], &deployment()),
        None,
        "done is done"
    );
}

#[test]
fn a_rollout_that_cannot_go_on_says_so_and_who_serves() {
    let mut row = deployment();
    // As the controller reports it: the old pod is ready, the new one is not.
    (row.replicas, row.total, row.updated, row.ready, row.available) = (1, 2, 1, 1, 1);
    let (new, mut old) = (set("new", 2, 1), set("old", 1, 1));
    (old.ready, old.available) = (1, 1);
    let bad = pod("n1", "new", "ImagePullBackOff");
    let seen = |row: &DeploymentRow, sets: &[&ReplicaSetRow], pod: &PodRow| {
        view(row, sets.iter().copied(), [pod], Timestamp::UNIX_EPOCH)
    };
    let stuck = seen(&row, &[&new, &old], &bad);
    assert_eq!(stuck.stuck().unwrap().reason, "ImagePullBackOff");
    assert_eq!(stuck.serving(), "new 0/1, old 1/1 serve");
    let counts = |standing: &Standing| (standing.updated, standing.ready, standing.available);
    assert_eq!(counts(&stuck.standing), (1, 0, 0), "the old pod passes no gate");
    assert_eq!(
        counts(&standing(&row, Timestamp::UNIX_EPOCH)),
        (1, 0, 0),
        "nor without the sets"
    );
    assert_eq!(seen(&row, &[&new], &bad).serving(), "0/1 serve");
    let slow = pod("n1", "new", "ContainerCreating");
    assert_eq!(seen(&row, &[&new, &old], &slow).stuck(), None);
    row.paused = true;
    assert_eq!(seen(&row, &[&new, &old], &bad).stuck(), None, "somebody holds it");
}
