//! The replica set controller: one pass over a replica set and its pods, from objects to actions, without IO. Also
//! what a new pod looks like. Not for scheduling or running pods.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::sandbox::kubernetes::objects::{self, int, name, pod, text};

/// At most so many pods are created in one pass, as in the Kubernetes controller.
const BURST: usize = 500;

/// What a pass wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Create so many pods from the template.
    CreatePods(usize),
    /// Delete these pods gracefully.
    DeletePods(Vec<String>),
    /// Write this status.
    Status(Map<String, Value>),
    /// Look again after this time (a pod is ready but not yet available).
    Requeue(Duration),
}

/// One pass. `pods` are all pods the replica set controls, those being deleted included. The status counts the pods
/// as they were before the pass acts, so that every change shows in its own step.
pub fn sync(set: &Value, pods: &[Arc<Value>], now: Timestamp) -> Vec<Action> {
    let active: Vec<&Value> = pods.iter().map(|p| &**p).filter(|p| pod::is_active(p)).collect();
    let terminating = pods
        .iter()
        .filter(|p| objects::is_deleting(p) && !pod::is_finished(p))
        .count();
    let mut actions = Vec::new();
    if !objects::is_deleting(set) {
        let wanted = usize::try_from(int(set, "/spec/replicas", 1)).unwrap_or(0);
        if active.len() < wanted {
            actions.push(Action::CreatePods((wanted - active.len()).min(BURST)));
        } else if active.len() > wanted {
            actions.push(Action::DeletePods(to_delete(&active, active.len() - wanted)));
        }
    }
    let status = status(set, &active, terminating, now);
    if set.get("status").and_then(Value::as_object) != Some(&status) {
        actions.push(Action::Status(status));
    }
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let next = active
        .iter()
        .filter_map(|p| pod::available_in(p, min_ready, now))
        .filter(|left| *left > 0)
        .min();
    if let Some(seconds) = next {
        actions.push(Action::Requeue(Duration::from_secs(
            u64::try_from(seconds).unwrap_or(1),
        )));
    }
    actions
}

fn status(set: &Value, active: &[&Value], terminating: usize, now: Timestamp) -> Map<String, Value> {
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let template = set.pointer("/spec/template/metadata/labels").and_then(Value::as_object);
    let labeled = |p: &Value| {
        template.is_none_or(|t| {
            t.iter()
                .all(|(k, v)| objects::labels(p).is_some_and(|l| l.get(k) == Some(v)))
        })
    };
    let count = |test: &dyn Fn(&Value) -> bool| active.iter().filter(|p| test(p)).count();
    let mut status = Map::new();
    status.insert("replicas".into(), active.len().into());
    for (field, value) in [
        ("fullyLabeledReplicas", count(&labeled)),
        ("readyReplicas", count(&pod::is_ready)),
        (
            "availableReplicas",
            count(&|p| pod::available_in(p, min_ready, now) == Some(0)),
        ),
    ] {
        if value > 0 {
            status.insert(field.into(), value.into());
        }
    }
    status.insert("terminatingReplicas".into(), terminating.into());
    status.insert("observedGeneration".into(), int(set, "/metadata/generation", 1).into());
    if let Some(conditions) = set.pointer("/status/conditions") {
        status.insert("conditions".into(), conditions.clone());
    }
    status
}

/// Which pods go first: unscheduled, pending, not ready, of lower deletion cost, on crowded nodes, ready for a shorter
/// time, more often restarted, younger.
fn to_delete(active: &[&Value], count: usize) -> Vec<String> {
    let mut on_node: HashMap<&str, usize> = HashMap::new();
    for p in active {
        *on_node.entry(text(p, "/spec/nodeName")).or_default() += 1;
    }
    let mut ranked: Vec<&&Value> = active.iter().collect();
    ranked.sort_by_key(|p| {
        let node = text(p, "/spec/nodeName");
        let phase = match text(p, "/status/phase") {
            "Pending" => 0,
            "Running" => 2,
            _ => 1,
        };
        let cost: i64 = p
            .pointer("/metadata/annotations/controller.kubernetes.io~1pod-deletion-cost")
            .and_then(Value::as_str)
            .and_then(|c| c.parse().ok())
            .unwrap_or(0);
        let restarts: i64 = p
            .pointer("/status/containerStatuses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|c| int(c, "/restartCount", 0))
            .max()
            .unwrap_or(0);
        (
            (!node.is_empty(), phase, pod::is_ready(p), cost),
            (
                Reverse(on_node.get(node).copied().unwrap_or(0)),
                Reverse(pod::ready_since(p)),
                Reverse(restarts),
            ),
            (
                Reverse(text(p, "/metadata/creationTimestamp").to_owned()),
                name(p).to_owned(),
            ),
        )
    });
    ranked.into_iter().take(count).map(|p| name(p).to_owned()).collect()
}

/// A pod as the API server stores it for a replica set: the template with owner, defaults and the service account's
/// volume. `suffix` names that volume.
pub fn new_pod(set: &Value, suffix: &str) -> Value {
    pod_of(set, "apps/v1", "ReplicaSet", suffix)
}

/// The same for the template of any owner.
pub fn pod_of(set: &Value, api_version: &str, kind: &str, suffix: &str) -> Value {
    let template = set.pointer("/spec/template");
    let from = |pointer: &str| {
        template
            .and_then(|t| t.pointer(pointer))
            .filter(|v| !v.is_null())
            .cloned()
    };
    let mut metadata = json!({"generateName": format!("{}-", name(set)), "namespace": objects::namespace(set)});
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = from(&format!("/metadata/{field}")) {
            metadata[field] = value;
        }
    }
    metadata["ownerReferences"] = json!([objects::owner_reference(set, api_version, kind)]);
    let mut spec = from("/spec").unwrap_or_else(|| json!({}));
    complete_spec(&mut spec, suffix);
    let quality = quality_of_service(&spec);
    json!({
        "kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec,
        "status": {"phase": "Pending", "qosClass": quality},
    })
}

/// What admission adds to a pod's spec: service account, its token volume, tolerations, priority.
pub fn complete_spec(spec: &mut Value, suffix: &str) {
    let Some(map) = spec.as_object_mut() else { return };
    let account = map
        .get("serviceAccountName")
        .and_then(Value::as_str)
        .filter(|a| !a.is_empty())
        .unwrap_or("default")
        .to_owned();
    let mounts = map.get("automountServiceAccountToken").and_then(Value::as_bool) != Some(false);
    if mounts {
        let volume = format!("kube-api-access-{suffix}");
        let mount =
            json!({"name": volume, "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
        for field in ["containers", "initContainers"] {
            for container in map
                .get_mut(field)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                if let Some(list) = container
                    .entry("volumeMounts")
                    .or_insert_with(|| json!([]))
                    .as_array_mut()
                {
                    list.push(mount.clone());
                }
            }
        }
        if let Some(list) = map.entry("volumes").or_insert_with(|| json!([])).as_array_mut() {
            list.push(token_volume(&volume));
        }
    }
    for (field, default) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
        ("priority", json!(0)),
        ("enableServiceLinks", json!(true)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
    ] {
        map.entry(field).or_insert(default);
    }
    map.insert("serviceAccountName".into(), account.clone().into());
    map.insert("serviceAccount".into(), account.into());
    let list = map.entry("tolerations").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            if !list.iter().any(|t| text(t, "/key") == key) {
                list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
            }
        }
    }
}

fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]}})
}

/// The quality of service class: `Guaranteed` when every container limits CPU and memory to what it requests,
/// `BestEffort` when none asks for anything, else `Burstable`.
pub fn quality_of_service(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = ["/containers", "/initContainers"]
        .iter()
        .filter_map(|p| spec.pointer(p))
        .filter_map(Value::as_array)
        .flatten()
        .collect();
    let has = |c: &Value, list: &str| {
        c.pointer(&format!("/resources/{list}"))
            .and_then(Value::as_object)
            .is_some_and(|m| !m.is_empty())
    };
    if !containers.iter().any(|c| has(c, "requests") || has(c, "limits")) {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|c| {
        ["cpu", "memory"].iter().all(|resource| {
            let limit = c.pointer(&format!("/resources/limits/{resource}"));
            let request = c.pointer(&format!("/resources/requests/{resource}"));
            limit.is_some() && (request.is_none() || request == limit)
        })
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, node: &str, phase: &str, ready: Option<&str>) -> Arc<Value> {
        let conditions = ready
            .map(|at| json!([{"type": "Ready", "status": "True", "lastTransitionTime": at}]))
            .unwrap_or(json!([]));
        Arc::new(json!({
            "metadata": {"name": name, "labels": {"run": "x"}, "creationTimestamp": "2026-11-21T18:00:00Z"},
            "spec": {"nodeName": node}, "status": {"phase": phase, "conditions": conditions},
        }))
    }

    fn set(replicas: i64) -> Value {
        json!({
            "metadata": {"name": "x-1", "namespace": "default", "uid": "u", "generation": 2},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"run": "x"}}, "spec": {"containers": [{"name": "x", "image": "i"}]}}},
            "status": {"replicas": 0},
        })
    }

    fn now() -> Timestamp {
        "2026-11-21T18:10:00Z".parse().unwrap_or_default()
    }

    #[test]
    fn deletes_in_the_documented_order() {
        let pods = [
            pod("ready-old", "n1", "Running", Some("2026-11-21T18:00:05Z")),
            pod("ready-new", "n2", "Running", Some("2026-11-21T18:05:05Z")),
            pod("crowded-a", "n3", "Running", Some("2026-11-21T18:00:01Z")),
            pod("crowded-b", "n3", "Running", Some("2026-11-21T18:00:02Z")),
            pod("unready", "n4", "Running", None),
            pod("pending", "n5", "Pending", None),
            pod("unscheduled", "", "Pending", None),
        ];
        let order: Vec<String> = (1..=7)
            .map(|n| {
                let active: Vec<&Value> = pods.iter().map(|p| &**p).collect();
                to_delete(&active, n).pop().unwrap_or_default()
            })
            .collect();
        assert_eq!(
            order,
            [
                "unscheduled",
                "pending",
                "unready",
                "crowded-b",
                "crowded-a",
                "ready-new",
                "ready-old"
            ]
        );
    }

    #[test]
    fn creates_what_is_missing_and_counts_what_there_was() {
        let one = [pod("a", "n1", "Running", Some("2026-11-21T18:00:05Z"))];
        let actions = sync(&set(3), &one, now());
        assert_eq!(actions[0], Action::CreatePods(2));
        let Action::Status(status) = &actions[1] else {
            unreachable!("a status follows")
        };
        assert_eq!(
            Value::Object(status.clone()),
            json!({"replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "terminatingReplicas": 0, "observedGeneration": 2})
        );
    }

    #[test]
    fn a_deleted_set_creates_nothing_and_min_ready_seconds_requeue() {
        let mut deleted = set(3);
        deleted["metadata"]["deletionTimestamp"] = json!("2026-11-21T18:00:00Z");
        assert!(
            !sync(&deleted, &[], now())
                .iter()
                .any(|a| matches!(a, Action::CreatePods(_)))
        );
        let mut patient = set(1);
        patient["spec"]["minReadySeconds"] = json!(5);
        let fresh = [pod("a", "n1", "Running", Some("2026-11-21T18:09:58Z"))];
        assert!(sync(&patient, &fresh, now()).contains(&Action::Requeue(Duration::from_secs(3))));
    }

    #[test]
    fn pods_carry_owner_defaults_and_class() {
        let pod = new_pod(&set(1), "abcde");
        assert_eq!(pod["metadata"]["generateName"], "x-1-");
        assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");
        assert_eq!(
            pod["spec"]["containers"][0]["volumeMounts"][0]["name"],
            "kube-api-access-abcde"
        );
        assert_eq!(pod["status"]["qosClass"], "BestEffort");
        let both = json!({"containers": [{"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]});
        assert_eq!(quality_of_service(&both), "Guaranteed");
        assert_eq!(
            quality_of_service(&json!({"containers": [{"resources": {"requests": {"cpu": "1"}}}]})),
            "Burstable"
        );
    }
}
