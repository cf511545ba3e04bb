//! What the deployment controller knows of its objects, read once from their JSON. Not the objects themselves: a
//! pass computes on these and answers with [`Action`](super::Action)s.

use serde_json::{Map, Value};

use crate::sandbox::kubernetes::objects::{int, is_deleting, name, text, uid};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
pub(super) const HASH_LABEL: &str = "pod-template-hash";
/// Annotations that stay with the object they are on, never copied between a deployment and its replica sets.
pub(super) const OWN_ANNOTATIONS: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// The fields of a deployment that steer a pass.
#[derive(Debug, Clone)]
pub(super) struct Deployment {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub generation: i64,
    pub annotations: Map<String, Value>,
    pub replicas: i64,
    pub paused: bool,
    pub recreate: bool,
    pub max_surge: i64,
    pub max_unavailable: i64,
    pub min_ready_seconds: i64,
    /// Seconds without progress after which the rollout counts as failed; `None` without a deadline.
    pub deadline: Option<i64>,
    pub history_limit: Option<usize>,
    pub selector: Value,
    pub template: Value,
    pub collision_count: i64,
    pub deleting: bool,
    pub status: Map<String, Value>,
}

impl Deployment {
    /// Reads a stored deployment.
    pub fn read(object: &Value) -> Self {
        let spec = |pointer: &str| object.pointer(&format!("/spec/{pointer}"));
        let replicas = int(object, "/spec/replicas", 1);
        let recreate = text(object, "/spec/strategy/type") == "Recreate";
        let (max_surge, max_unavailable) = if recreate {
            (0, 0)
        } else {
            fenceposts(
                spec("strategy/rollingUpdate/maxSurge"),
                spec("strategy/rollingUpdate/maxUnavailable"),
                replicas,
            )
        };
        Self {
            name: name(object).to_owned(),
            namespace: text(object, "/metadata/namespace").to_owned(),
            uid: uid(object).to_owned(),
            generation: int(object, "/metadata/generation", 0),
            annotations: object
                .pointer("/metadata/annotations")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            replicas,
            paused: spec("paused").and_then(Value::as_bool).unwrap_or(false),
            recreate,
            max_surge,
            max_unavailable,
            min_ready_seconds: int(object, "/spec/minReadySeconds", 0),
            // The API writes the largest int32 for "no deadline" and "no limit".
            deadline: spec("progressDeadlineSeconds")
                .and_then(Value::as_i64)
                .filter(|s| *s != i64::from(i32::MAX)),
            history_limit: spec("revisionHistoryLimit")
                .and_then(Value::as_i64)
                .filter(|n| *n != i64::from(i32::MAX))
                .and_then(|n| usize::try_from(n).ok()),
            selector: spec("selector").cloned().unwrap_or_default(),
            template: spec("template").cloned().unwrap_or_default(),
            collision_count: int(object, "/status/collisionCount", 0),
            deleting: is_deleting(object),
            status: object
                .get("status")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// A number of the stored status, 0 when absent.
    pub fn status_int(&self, field: &str) -> i64 {
        self.status.get(field).and_then(Value::as_i64).unwrap_or(0)
    }

    /// One condition of the stored status.
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        self.status
            .get("conditions")?
            .as_array()?
            .iter()
            .find(|c| text(c, "/type") == kind)
    }

    /// The most pods a rolling update may have at once.
    pub fn max_total(&self) -> i64 {
        self.replicas + self.max_surge
    }
}

/// Bound for surge and unavailability, as numbers or percentages: far beyond use, far below overflow.
const MOST: i64 = 1_000_000;

/// Resolves `maxSurge` (percentages rounded up) and `maxUnavailable` (rounded down) for a number of replicas. Both
/// resolving to 0 would never move, so one pod may then be unavailable; never more than there are replicas.
pub(super) fn fenceposts(max_surge: Option<&Value>, max_unavailable: Option<&Value>, replicas: i64) -> (i64, i64) {
    let resolve = |value: Option<&Value>, round_up: bool| -> i64 {
        match value {
            Some(Value::Number(number)) => number.as_i64().unwrap_or(0).clamp(0, MOST),
            other => {
                let text = other.and_then(Value::as_str).unwrap_or("25%");
                let percent = text.trim_end_matches('%').parse::<i64>().unwrap_or(0).clamp(0, MOST);
                if round_up {
                    (percent * replicas + 99) / 100
                } else {
                    percent * replicas / 100
                }
            }
        }
    };
    let surge = resolve(max_surge, true);
    let mut unavailable = resolve(max_unavailable, false);
    if surge == 0 && unavailable == 0 {
        unavailable = 1;
    }
    (surge, unavailable.min(replicas))
}

/// One replica set of a deployment.
#[derive(Debug, Clone)]
pub(super) struct ReplicaSet {
    pub name: String,
    pub uid: String,
    pub created: String,
    pub generation: i64,
    pub observed_generation: i64,
    pub annotations: Map<String, Value>,
    pub template: Value,
    pub min_ready_seconds: i64,
    /// `spec.replicas`: how many it shall have.
    pub replicas: i64,
    /// `status.replicas`: how many it has.
    pub actual: i64,
    pub ready: i64,
    pub available: i64,
    pub terminating: i64,
    pub failure: Option<Value>,
    pub deleting: bool,
}

impl ReplicaSet {
    /// Reads a stored replica set.
    pub fn read(object: &Value) -> Self {
        Self {
            name: name(object).to_owned(),
            uid: uid(object).to_owned(),
            created: text(object, "/metadata/creationTimestamp").to_owned(),
            generation: int(object, "/metadata/generation", 0),
            observed_generation: int(object, "/status/observedGeneration", 0),
            annotations: object
                .pointer("/metadata/annotations")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            template: object.pointer("/spec/template").cloned().unwrap_or_default(),
            min_ready_seconds: int(object, "/spec/minReadySeconds", 0),
            replicas: int(object, "/spec/replicas", 1),
            actual: int(object, "/status/replicas", 0),
            ready: int(object, "/status/readyReplicas", 0),
            available: int(object, "/status/availableReplicas", 0),
            terminating: int(object, "/status/terminatingReplicas", 0),
            failure: crate::sandbox::kubernetes::objects::condition(object, "ReplicaFailure").cloned(),
            deleting: is_deleting(object),
        }
    }

    /// A number kept as an annotation.
    pub fn number(&self, annotation: &str) -> Option<i64> {
        self.annotations.get(annotation)?.as_str()?.parse().ok()
    }

    /// The revision, 0 when it has none.
    pub fn revision(&self) -> i64 {
        self.number(REVISION).unwrap_or(0)
    }

    /// Writes a number as an annotation; true when that changed something.
    pub fn annotate(&mut self, annotation: &str, value: &str) -> bool {
        if self.annotations.get(annotation).and_then(Value::as_str) == Some(value) {
            return false;
        }
        self.annotations.insert(annotation.to_owned(), value.into());
        self.annotations.sort_keys();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fenceposts_of_the_documented_table() {
        let quarter = json!("25%");
        for (replicas, surge, unavailable) in [(0, 0, 0), (1, 1, 0), (3, 1, 0), (4, 1, 1), (10, 3, 2)] {
            assert_eq!(
                fenceposts(Some(&quarter), Some(&quarter), replicas),
                (surge, unavailable),
                "25%/25% of {replicas}"
            );
        }
        let one = json!(1);
        for replicas in [1, 3, 4, 10] {
            assert_eq!(fenceposts(Some(&one), Some(&one), replicas), (1, 1));
        }
        assert_eq!(
            fenceposts(Some(&json!("0%")), Some(&json!("10%")), 3),
            (0, 1),
            "both zero: one may be missing"
        );
        assert_eq!(
            fenceposts(Some(&json!(0)), Some(&json!(9)), 2),
            (0, 2),
            "never more than there are"
        );
    }
}
