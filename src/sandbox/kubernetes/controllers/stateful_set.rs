//! The stateful set controller: one pass over a stateful set and its pods, from objects to actions, without IO. Pods are
//! made in order and replaced from the last to the partition. Not for volumes: this world has none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::history::{self, Step};
use super::replica_set::pod_of;
use crate::sandbox::kubernetes::objects::{int, is_deleting, labels, name, pod, text};

/// The label that tells the pods of two templates apart.
pub const REVISION_LABEL: &str = "controller-revision-hash";

/// At most so many pods are made or deleted in one pass; what that does to them starts the next one.
pub const BURST: usize = 250;

/// What a pass wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Change the stored revisions.
    Revision(Step),
    /// Create this pod.
    Create(Value),
    /// Delete this pod gracefully.
    Delete(String),
    /// Write this status.
    Status(Map<String, Value>),
    /// Look again after this time: a pod is ready but not yet available.
    Requeue(Duration),
}

/// One pass. `pods` are all pods the set controls, those being deleted included, and `revisions` its ControllerRevisions;
/// `suffix` names a new pod's volume.
pub fn sync(set: &Value, pods: &[Arc<Value>], revisions: &[Arc<Value>], suffix: &str, now: Timestamp) -> Vec<Action> {
    let in_use: Vec<&str> = pods.iter().filter_map(|pod| revision_of(pod)).collect();
    let newest = history::newest(set, "StatefulSet", revisions, &in_use);
    let revision = newest.name;
    let current = match text(set, "/status/currentRevision") {
        "" => revision.clone(),
        known => known.to_owned(),
    };
    let by_ordinal: BTreeMap<i64, &Value> = pods
        .iter()
        .filter_map(|pod| Some((ordinal(set, pod)?, &**pod)))
        .collect();
    let mut actions = Vec::new();
    if !is_deleting(set) {
        actions.extend(newest.steps.into_iter().map(Action::Revision));
        actions.extend(next(set, &by_ordinal, &revision, suffix, now).into_iter().take(BURST));
    }
    let status = status(set, &by_ordinal, &revision, &current, now);
    if set.get("status").and_then(Value::as_object) != Some(&status) {
        actions.push(Action::Status(status));
    }
    actions.extend(requeue(set, pods, now));
    actions
}

/// When the next ready pod becomes available, if one has to prove itself for `minReadySeconds`.
pub fn requeue(set: &Value, pods: &[Arc<Value>], now: Timestamp) -> Option<Action> {
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let left = pods
        .iter()
        .filter(|pod| pod::is_active(pod))
        .filter_map(|pod| pod::available_in(pod, min_ready, now))
        .filter(|left| *left > 0)
        .min()?;
    Some(Action::Requeue(Duration::from_secs(u64::try_from(left).unwrap_or(1))))
}

/// Whether a pod is ready and has been so for `minReadySeconds`.
fn is_available(set: &Value, pod: &Value, now: Timestamp) -> bool {
    pod::is_active(pod) && pod::available_in(pod, int(set, "/spec/minReadySeconds", 0), now) == Some(0)
}

fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    name(pod).strip_prefix(name(set))?.strip_prefix('-')?.parse().ok()
}

/// The revision a pod says it is of.
pub fn revision_of(pod: &Value) -> Option<&str> {
    labels(pod)?.get(REVISION_LABEL)?.as_str()
}

fn is_of(pod: &Value, revision: &str) -> bool {
    revision_of(pod) == Some(revision)
}

fn is_parallel(set: &Value) -> bool {
    text(set, "/spec/podManagementPolicy") == "Parallel"
}

/// Makes what is missing, then takes away what is too much, then replaces what is old; one pod at a time in order
/// unless the policy is `Parallel`.
fn next(set: &Value, pods: &BTreeMap<i64, &Value>, revision: &str, suffix: &str, now: Timestamp) -> Vec<Action> {
    let wanted = int(set, "/spec/replicas", 1).max(0);
    let mut actions = Vec::new();
    for index in 0..wanted {
        match pods.get(&index) {
            None => actions.push(Action::Create(new_pod(set, index, revision, suffix))),
            Some(pod) if is_available(set, pod, now) => continue,
            // It has ended for good: another one takes its name once it is gone.
            Some(pod) if pod::is_finished(pod) && !is_deleting(pod) => {
                actions.push(Action::Delete(name(pod).to_owned()))
            }
            Some(_) => {}
        }
        if !is_parallel(set) {
            // The next one waits until this one is available.
            return actions;
        }
    }
    for (_, pod) in pods.range(wanted..).rev() {
        if !is_deleting(pod) {
            actions.push(Action::Delete(name(pod).to_owned()));
        }
        if !is_parallel(set) {
            return actions;
        }
    }
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return actions;
    }
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition", 0);
    for (_, pod) in pods.range(partition.min(wanted)..wanted).rev() {
        if !is_of(pod, revision) {
            if !is_deleting(pod) {
                actions.push(Action::Delete(name(pod).to_owned()));
            }
            return actions;
        }
        if !is_available(set, pod, now) {
            return actions;
        }
    }
    actions
}

fn new_pod(set: &Value, index: i64, revision: &str, suffix: &str) -> Value {
    let own = format!("{}-{index}", name(set));
    let mut pod = pod_of(set, "apps/v1", "StatefulSet", suffix);
    if let Some(meta) = pod["metadata"].as_object_mut() {
        meta.insert("name".into(), own.as_str().into());
    }
    pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] = index.to_string().into();
    pod["metadata"]["labels"][REVISION_LABEL] = revision.into();
    pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = own.as_str().into();
    pod["spec"]["hostname"] = own.into();
    if let Some(service) = set.pointer("/spec/serviceName") {
        pod["spec"]["subdomain"] = service.clone();
    }
    pod
}

fn status(
    set: &Value,
    pods: &BTreeMap<i64, &Value>,
    revision: &str,
    current: &str,
    now: Timestamp,
) -> Map<String, Value> {
    let count = |test: &dyn Fn(&Value) -> bool| {
        i64::try_from(pods.values().filter(|pod| !pod::is_finished(pod) && test(pod)).count()).unwrap_or(i64::MAX)
    };
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let alive = |pod: &Value| !is_deleting(pod);
    let wanted = int(set, "/spec/replicas", 1);
    let updated = count(&|pod| alive(pod) && is_of(pod, revision));
    let ready = count(&|pod| pod::is_ready(pod) && alive(pod));
    let done = updated == wanted && ready == wanted;
    let current = if done { revision } else { current };
    let mut status = Map::new();
    status.insert("observedGeneration".into(), int(set, "/metadata/generation", 1).into());
    status.insert("replicas".into(), count(&|_| true).into());
    for (field, value) in [
        ("readyReplicas", ready),
        ("currentReplicas", count(&|pod| alive(pod) && is_of(pod, current))),
        ("updatedReplicas", updated),
    ] {
        if value > 0 {
            status.insert(field.into(), value.into());
        }
    }
    status.insert("currentRevision".into(), current.into());
    status.insert("updateRevision".into(), revision.into());
    status.insert("collisionCount".into(), 0.into());
    let available = count(&|pod| alive(pod) && pod::available_in(pod, min_ready, now) == Some(0));
    status.insert("availableReplicas".into(), json!(available));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pods of these tests are ready since then.
    const READY: &str = "2026-01-01T00:00:00Z";
    const NOW: Timestamp = Timestamp::constant(1_767_225_605, 0);

    fn set(replicas: i64, image: &str) -> Value {
        json!({"metadata": {"name": "s", "namespace": "default", "uid": "u", "generation": 1},
            "spec": {"replicas": replicas, "serviceName": "s",
                "template": {"metadata": {"labels": {"s": "s"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    fn pod(set: &Value, index: i64, ready: bool) -> Arc<Value> {
        let revision = history::newest(set, "StatefulSet", &[], &[]).name;
        let mut pod = new_pod(set, index, &revision, "x");
        pod["status"]["phase"] = "Running".into();
        let status = if ready { "True" } else { "False" };
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": status, "lastTransitionTime": READY}]);
        Arc::new(pod)
    }

    fn acts(set: &Value, pods: &[Arc<Value>]) -> Vec<String> {
        sync(set, pods, &[], "x", NOW)
            .into_iter()
            .filter_map(|action| match action {
                Action::Create(pod) => Some(format!("+{}", name(&pod))),
                Action::Delete(pod) => Some(format!("-{pod}")),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn pods_come_and_go_one_by_one() {
        let three = set(3, "i:1");
        assert_eq!(acts(&three, &[]), ["+s-0"]);
        assert!(
            acts(&three, &[pod(&three, 0, false)]).is_empty(),
            "the first is awaited"
        );
        assert_eq!(acts(&three, &[pod(&three, 0, true)]), ["+s-1"]);
        let all = [pod(&three, 0, true), pod(&three, 1, true), pod(&three, 2, true)];
        assert!(acts(&three, &all).is_empty());
        assert_eq!(acts(&set(1, "i:1"), &all), ["-s-2"]);
        let mut parallel = set(2, "i:1");
        parallel["spec"]["podManagementPolicy"] = "Parallel".into();
        assert_eq!(acts(&parallel, &[]), ["+s-0", "+s-1"]);
    }

    #[test]
    fn a_pod_must_be_available_before_the_next_one_comes() {
        let mut patient = set(2, "i:1");
        patient["spec"]["minReadySeconds"] = 8.into();
        let first = [pod(&patient, 0, true)];
        assert!(acts(&patient, &first).is_empty());
        let all = sync(&patient, &first, &[], "x", NOW);
        assert!(all.contains(&Action::Requeue(Duration::from_secs(3))), "{all:?}");
        let later = NOW + Duration::from_secs(3);
        let all = sync(&patient, &first, &[], "x", later);
        assert!(matches!(&all[1], Action::Create(pod) if name(pod) == "s-1"), "{all:?}");
    }

    #[test]
    fn a_large_set_comes_in_bursts() {
        let mut large = set(1_000, "i:1");
        large["spec"]["podManagementPolicy"] = "Parallel".into();
        assert_eq!(acts(&large, &[]).len(), BURST);
    }

    #[test]
    fn an_update_goes_from_the_last_to_the_partition() {
        let (old, mut new) = (set(2, "i:1"), set(2, "i:2"));
        let pods = [pod(&old, 0, true), pod(&old, 1, true)];
        assert_eq!(acts(&new, &pods), ["-s-1"]);
        assert_eq!(acts(&new, &[pod(&old, 0, true), pod(&new, 1, true)]), ["-s-0"]);
        new["spec"]["updateStrategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
        assert!(acts(&new, &[pod(&old, 0, true), pod(&new, 1, true)]).is_empty());
        new["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        assert!(acts(&new, &pods).is_empty());
    }
}
