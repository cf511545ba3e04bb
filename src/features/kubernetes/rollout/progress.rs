//! Where a rollout stands, in the sentences and the order of `kubectl rollout status`. Not for why it does not go on.

use serde_json::Value;

use crate::features::kubernetes::model::DeploymentRow;
use crate::features::kubernetes::object::{number, text};

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

/// Only rolling updates have a progress of their own.
fn rolls(live: &Value) -> bool {
    matches!(text(live, "/spec/updateStrategy/type"), "" | "RollingUpdate")
}

fn no_status() -> Progress {
    Progress::Failed("rollout status is only available for RollingUpdate strategy type".to_owned())
}

/// What `kubectl rollout status` says of a daemon set.
pub fn daemon_set(live: &Value) -> Progress {
    if !rolls(live) {
        return no_status();
    }
    let name = text(live, "/metadata/name");
    let status = |field: &str| number(live, &format!("/status/{field}"));
    if number(live, "/metadata/generation") > status("observedGeneration") {
        return Progress::Waiting("Waiting for daemon set spec update to be observed...".to_owned());
    }
    let waiting = |what: String| {
        Progress::Waiting(format!(
            "Waiting for daemon set \"{name}\" rollout to finish: {what}..."
        ))
    };
    let (wanted, updated) = (status("desiredNumberScheduled"), status("updatedNumberScheduled"));
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new pods have been updated"));
    }
    let available = status("numberAvailable");
    if available < wanted {
        return waiting(format!("{available} of {wanted} updated pods are available"));
    }
    Progress::Done(format!("daemon set \"{name}\" successfully rolled out"))
}

/// What `kubectl rollout status` says of a stateful set.
pub fn stateful_set(live: &Value) -> Progress {
    if !rolls(live) {
        return no_status();
    }
    let status = |field: &str| number(live, &format!("/status/{field}"));
    let observed = status("observedGeneration");
    if observed == 0 || number(live, "/metadata/generation") > observed {
        return Progress::Waiting("Waiting for statefulset spec update to be observed...".to_owned());
    }
    let wanted = live.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let missing = wanted - status("readyReplicas");
    if missing > 0 {
        return Progress::Waiting(format!("Waiting for {missing} pods to be ready..."));
    }
    let updated = status("updatedReplicas");
    if let Some(partition) = live
        .pointer("/spec/updateStrategy/rollingUpdate/partition")
        .and_then(Value::as_i64)
    {
        if updated < wanted - partition {
            return Progress::Waiting(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                wanted - partition
            ));
        }
        return Progress::Done(format!(
            "partitioned roll out complete: {updated} new pods have been updated..."
        ));
    }
    let (current, update) = (
        text(live, "/status/currentRevision"),
        text(live, "/status/updateRevision"),
    );
    if current != update {
        return Progress::Waiting(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    Progress::Done(format!(
        "statefulset rolling update complete {} pods at revision {current}...",
        status("currentReplicas")
    ))
}

/// Whether a pod of a stateful or daemon set is of this revision. A stateful set's pods carry the name of the
/// ControllerRevision, a daemon set's the hash in it.
pub fn is_of(pod: &Value, revision: &str) -> bool {
    !revision.is_empty() && text(pod, "/metadata/labels/controller-revision-hash") == revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stateful_sets_in_the_order_of_kubectl() {
        let say = |spec: Value, status: Value| {
            let live = json!({"metadata": {"name": "db", "generation": 2}, "spec": spec, "status": status});
            stateful_set(&live).sentence().to_owned()
        };
        let rolling = json!({"replicas": 3});
        assert!(say(rolling.clone(), json!({"observedGeneration": 1})).contains("spec update to be observed"));
        let half = json!({"observedGeneration": 2, "readyReplicas": 1});
        assert_eq!(say(rolling.clone(), half), "Waiting for 2 pods to be ready...");
        let mixed = json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"});
        assert_eq!(
            say(rolling, mixed.clone()),
            "waiting for statefulset rolling update to complete 1 pods at revision b..."
        );
        let parted = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
        assert_eq!(
            say(parted, mixed),
            "partitioned roll out complete: 1 new pods have been updated..."
        );
        let by_hand = json!({"updateStrategy": {"type": "OnDelete"}});
        assert!(say(by_hand, json!({})).contains("only available for RollingUpdate"));
    }

    #[test]
    fn daemon_sets_in_the_order_of_kubectl() {
        let say = |status: Value| {
            let live = json!({"metadata": {"name": "agent", "generation": 1}, "spec": {}, "status": status});
            daemon_set(&live)
        };
        let waiting =
            |what: &str| Progress::Waiting(format!("Waiting for daemon set \"agent\" rollout to finish: {what}..."));
        assert!(matches!(say(json!({})), Progress::Waiting(_)));
        let status = |updated: i64, available: i64| json!({"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": updated, "numberAvailable": available});
        assert_eq!(say(status(1, 0)), waiting("1 out of 3 new pods have been updated"));
        assert_eq!(say(status(3, 2)), waiting("2 of 3 updated pods are available"));
        assert_eq!(
            say(status(3, 3)),
            Progress::Done("daemon set \"agent\" successfully rolled out".into())
        );
    }

    #[test]
    fn pods_of_a_revision_are_told_apart() {
        let pod = |labels: Value| json!({"metadata": {"labels": labels}});
        let new = pod(json!({"controller-revision-hash": "db-2"}));
        assert!(is_of(&new, "db-2"));
        assert!(!is_of(&new, "db-1") && !is_of(&pod(json!({})), ""));
    }
}
