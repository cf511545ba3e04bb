//! The daemon set controller: one pass over a daemon set, its pods and the nodes, from objects to actions, without IO.
//! One pod on every node that takes it; an update replaces as many at once as may be unavailable.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::history;
use super::replica_set::pod_of;
pub use super::stateful_set::Action;
use super::stateful_set::{self, BURST, REVISION_LABEL};
use crate::sandbox::kubernetes::objects::{int, is_deleting, name, pod, text};
use crate::sandbox::kubernetes::scheduler;

/// Taints that a daemon's pod bears on any node, with their effects.
const BORNE: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// One pass. `pods` are all pods the set controls and `revisions` its ControllerRevisions; `suffix` names a new pod,
/// followed by its place in the pass.
pub fn sync(
    set: &Value,
    pods: &[Arc<Value>],
    revisions: &[Arc<Value>],
    nodes: &[Arc<Value>],
    suffix: &str,
    now: Timestamp,
) -> Vec<Action> {
    let in_use: Vec<&str> = pods.iter().filter_map(|pod| stateful_set::revision_of(pod)).collect();
    let newest = history::newest(set, "DaemonSet", revisions, &in_use);
    let hash = newest.hash;
    let wanted: Vec<&Value> = nodes
        .iter()
        .map(|node| &**node)
        .filter(|node| takes(set, node))
        .collect();
    let mut on: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for pod in pods {
        on.entry(text(pod, "/spec/nodeName")).or_default().push(pod);
    }
    let mut actions = Vec::new();
    if !is_deleting(set) {
        let steps = newest.steps.into_iter().map(Action::Revision);
        for (index, node) in wanted.iter().enumerate() {
            if !on.contains_key(name(node)) {
                actions.push(Action::Create(new_pod(set, node, &hash, &format!("{suffix}{index}"))));
            }
        }
        for (node, pods) in &on {
            let stays = wanted.iter().any(|wanted| name(wanted) == *node);
            let dead = |pod: &&&Value| !is_deleting(pod) && (!stays || pod::is_finished(pod));
            actions.extend(pods.iter().filter(dead).map(|pod| Action::Delete(name(pod).to_owned())));
        }
        actions.extend(replace(set, &wanted, &on, &hash, now));
        actions.truncate(BURST);
        actions.splice(0..0, steps);
    }
    let status = status(set, &wanted, &on, &hash, now);
    if set.get("status").and_then(Value::as_object) != Some(&status) {
        actions.push(Action::Status(status));
    }
    actions.extend(stateful_set::requeue(set, pods, now));
    actions
}

/// Whether a node shall have a pod: being closed for others (cordoned) does not matter.
fn takes(set: &Value, node: &Value) -> bool {
    let mut probe = json!({"spec": set.pointer("/spec/template/spec")});
    bear(&mut probe);
    let mut open = node.clone();
    if let Some(spec) = open["spec"].as_object_mut() {
        spec.shift_remove("unschedulable");
    }
    scheduler::refusal(&probe, &open, 0).is_none()
}

fn bear(pod: &mut Value) {
    let mut list = pod
        .pointer("/spec/tolerations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    list.retain(|toleration| !BORNE.iter().any(|(key, _)| text(toleration, "/key") == *key));
    list.extend(BORNE.map(|(key, effect)| json!({"key": key, "operator": "Exists", "effect": effect})));
    pod["spec"]["tolerations"] = Value::Array(list);
}

fn new_pod(set: &Value, node: &Value, hash: &str, suffix: &str) -> Value {
    let mut pod = pod_of(set, "apps/v1", "DaemonSet", suffix);
    bear(&mut pod);
    pod["metadata"]["labels"][REVISION_LABEL] = hash.into();
    pod["metadata"]["labels"]["pod-template-generation"] = int(set, "/metadata/generation", 1).to_string().into();
    pod["spec"]["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name(node)]}]}]}}});
    scheduler::bind(&mut pod, node, text(set, "/metadata/creationTimestamp"));
    pod
}

fn is_new(pod: &Value, hash: &str) -> bool {
    stateful_set::revision_of(pod) == Some(hash)
}

/// Old pods to delete: those that serve nothing at once, the others as far as `maxUnavailable` allows.
fn replace(
    set: &Value,
    wanted: &[&Value],
    on: &BTreeMap<&str, Vec<&Value>>,
    hash: &str,
    now: Timestamp,
) -> Vec<Action> {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return Vec::new();
    }
    let limit = match set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable") {
        Some(Value::String(percent)) => {
            let percent: usize = percent.trim_end_matches('%').parse().unwrap_or(0);
            (wanted.len() * percent).div_ceil(100)
        }
        Some(number) => usize::try_from(number.as_i64().unwrap_or(1)).unwrap_or(1),
        None => 1,
    };
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let is_available = |pod: &Value| pod::is_active(pod) && pod::available_in(pod, min_ready, now) == Some(0);
    let serves = |node: &&&Value| {
        on.get(name(node))
            .is_some_and(|pods| pods.iter().any(|pod| is_available(pod)))
    };
    let down = wanted.iter().filter(|node| !serves(node)).count();
    let mut room = limit.max(1).saturating_sub(down);
    let mut actions = Vec::new();
    for pod in wanted.iter().filter_map(|node| on.get(name(node))).flatten() {
        if is_new(pod, hash) || !pod::is_active(pod) {
            continue;
        }
        if is_available(pod) {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        actions.push(Action::Delete(name(pod).to_owned()));
    }
    actions
}

fn status(
    set: &Value,
    wanted: &[&Value],
    on: &BTreeMap<&str, Vec<&Value>>,
    hash: &str,
    now: Timestamp,
) -> Map<String, Value> {
    let min_ready = int(set, "/spec/minReadySeconds", 0);
    let count = |test: &dyn Fn(&Value) -> bool| {
        wanted
            .iter()
            .filter(|node| {
                on.get(name(node))
                    .is_some_and(|pods| pods.iter().any(|pod| pod::is_active(pod) && test(pod)))
            })
            .count()
    };
    let available = count(&|pod| pod::available_in(pod, min_ready, now) == Some(0));
    let stray = on
        .keys()
        .filter(|node| !wanted.iter().any(|wanted| name(wanted) == **node))
        .count();
    let mut status = Map::new();
    status.insert("currentNumberScheduled".into(), count(&|_| true).into());
    status.insert("numberMisscheduled".into(), stray.into());
    status.insert("desiredNumberScheduled".into(), wanted.len().into());
    status.insert("numberReady".into(), count(&pod::is_ready).into());
    status.insert("observedGeneration".into(), int(set, "/metadata/generation", 1).into());
    for (field, value) in [
        ("updatedNumberScheduled", count(&|pod| is_new(pod, hash))),
        ("numberAvailable", available),
        ("numberUnavailable", wanted.len() - available),
    ] {
        if value > 0 {
            status.insert(field.into(), value.into());
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five seconds after the pods of these tests became ready.
    const NOW: Timestamp = Timestamp::constant(1_767_225_605, 0);

    fn set(image: &str) -> Value {
        json!({"metadata": {"name": "d", "namespace": "default", "uid": "u", "generation": 1},
            "spec": {"template": {"metadata": {"labels": {"d": "d"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    fn node(own: &str, taint: bool) -> Arc<Value> {
        let taints = if taint {
            json!([{"key": "control-plane", "effect": "NoSchedule"}])
        } else {
            json!([])
        };
        Arc::new(
            json!({"metadata": {"name": own, "labels": {}}, "spec": {"taints": taints, "unschedulable": own == "closed"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"pods": "110"}}}),
        )
    }

    fn pod(set: &Value, node: &Value, ready: bool) -> Arc<Value> {
        let mut pod = new_pod(set, node, &history::newest(set, "DaemonSet", &[], &[]).hash, "x");
        pod["metadata"]["name"] = format!("d-{}", name(node)).into();
        pod["status"]["phase"] = "Running".into();
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": if ready { "True" } else { "False" },
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        Arc::new(pod)
    }

    fn acts(set: &Value, pods: &[Arc<Value>], nodes: &[Arc<Value>]) -> Vec<String> {
        sync(set, pods, &[], nodes, "x", NOW)
            .into_iter()
            .filter_map(|action| match action {
                Action::Create(pod) => Some(format!("+{}", text(&pod, "/spec/nodeName"))),
                Action::Delete(pod) => Some(format!("-{pod}")),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn one_pod_on_each_node_that_takes_it() {
        let nodes = [node("a", false), node("closed", false), node("master", true)];
        assert_eq!(acts(&set("i"), &[], &nodes), ["+a", "+closed"]);
        let left = [pod(&set("i"), &nodes[0], true), pod(&set("i"), &nodes[2], true)];
        assert_eq!(acts(&set("i"), &left, &nodes[..1]), ["-d-master"]);
    }

    #[test]
    fn an_update_keeps_to_what_may_be_unavailable() {
        let nodes = [node("a", false), node("b", false)];
        let (old, new) = (set("i:1"), set("i:2"));
        let pods = [pod(&old, &nodes[0], true), pod(&old, &nodes[1], true)];
        assert_eq!(acts(&new, &pods, &nodes), ["-d-a"]);
        let half = [pod(&new, &nodes[0], false), pod(&old, &nodes[1], true)];
        assert!(acts(&new, &half, &nodes).is_empty(), "the new one is awaited");
        let ready = [pod(&new, &nodes[0], true), pod(&old, &nodes[1], true)];
        assert_eq!(acts(&new, &ready, &nodes), ["-d-b"]);
        let mut patient = new;
        patient["spec"]["minReadySeconds"] = 8.into();
        let mut ready = ready;
        Arc::make_mut(&mut ready[1])["status"]["conditions"][0]["lastTransitionTime"] = "2025-12-31T00:00:00Z".into();
        assert!(acts(&patient, &ready, &nodes).is_empty(), "ready is not yet available");
        let all = sync(&patient, &ready, &[], &nodes, "x", NOW);
        assert!(
            all.contains(&Action::Requeue(std::time::Duration::from_secs(3))),
            "{all:?}"
        );
    }

    #[test]
    fn many_nodes_are_served_in_bursts() {
        let nodes: Vec<Arc<Value>> = (0..400).map(|n| node(&format!("n-{n}"), false)).collect();
        assert_eq!(acts(&set("i"), &[], &nodes).len(), BURST);
    }
}
