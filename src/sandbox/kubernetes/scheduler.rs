//! The scheduler: which node a pod goes to. Pure, but for the random choice among equals. Not for placing by resources:
//! the nodes of this world are limited by their number of pods.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::objects::{int, name, text};
use crate::sandbox::random::Random;

/// The node for a pod, or why none will do (the scheduler's own sentence).
///
/// # Errors
/// When no node accepts the pod.
pub fn choose<'a, T: AsRef<Value>>(
    pod: &Value,
    nodes: &'a [T],
    load: &HashMap<String, usize>,
    random: &mut Random,
) -> Result<&'a Value, String> {
    let mut refused: HashMap<String, usize> = HashMap::new();
    let mut fits: Vec<(usize, &Value)> = Vec::new();
    for node in nodes.iter().map(AsRef::as_ref) {
        let pods = load.get(name(node)).copied().unwrap_or(0);
        match refusal(pod, node, pods) {
            Some(reason) => *refused.entry(reason).or_default() += 1,
            None => fits.push((pods, node)),
        }
    }
    let least = fits.iter().map(|(pods, _)| *pods).min();
    let best: Vec<&Value> = fits
        .iter()
        .filter(|(pods, _)| Some(*pods) == least)
        .map(|(_, node)| *node)
        .collect();
    random.choose(&best).copied().ok_or_else(|| {
        let mut reasons: Vec<String> = refused
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        reasons.sort();
        if nodes.is_empty() {
            return "no nodes available to schedule pods".to_owned();
        }
        format!("0/{} nodes are available: {}.", nodes.len(), reasons.join(", "))
    })
}

/// Why a node does not take a pod, if it does not.
pub fn refusal(pod: &Value, node: &Value, pods: usize) -> Option<String> {
    if node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        return Some("node(s) were unschedulable".into());
    }
    let ready = super::objects::condition(node, "Ready").is_some_and(|c| text(c, "/status") == "True");
    if !ready {
        return Some("node(s) were not ready".into());
    }
    let taints = node.pointer("/spec/taints").and_then(Value::as_array);
    for taint in taints
        .into_iter()
        .flatten()
        .filter(|t| matches!(text(t, "/effect"), "NoSchedule" | "NoExecute"))
    {
        if !is_tolerated(pod, taint) {
            return Some(format!(
                "node(s) had untolerated taint(s) {{{}: {}}}",
                text(taint, "/key"),
                text(taint, "/value")
            ));
        }
    }
    let labels = super::objects::labels(node);
    let wanted = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    if !wanted.is_none_or(|w| w.iter().all(|(k, v)| labels.is_some_and(|l| l.get(k) == Some(v)))) {
        return Some("node(s) didn't match Pod's node affinity/selector".into());
    }
    let capacity: usize = text(node, "/status/allocatable/pods").parse().unwrap_or(110);
    (pods >= capacity).then(|| "Too many pods".into())
}

fn is_tolerated(pod: &Value, taint: &Value) -> bool {
    let tolerations = pod.pointer("/spec/tolerations").and_then(Value::as_array);
    tolerations.into_iter().flatten().any(|t| {
        let key = text(t, "/key");
        let effect = text(t, "/effect");
        let exists = text(t, "/operator") == "Exists";
        (key == text(taint, "/key") && (exists || text(t, "/value") == text(taint, "/value"))
            || key.is_empty() && exists)
            && (effect.is_empty() || effect == text(taint, "/effect"))
    })
}

/// Binds a pod to a node: the node's name, its topology labels, and the condition.
pub fn bind(pod: &mut Value, node: &Value, now: &str) {
    pod["spec"]["nodeName"] = name(node).into();
    for label in ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"] {
        if let Some(value) = super::objects::labels(node).and_then(|l| l.get(label)) {
            pod["metadata"]["labels"][label] = value.clone();
        }
    }
    set_condition(
        pod,
        json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now}),
    );
}

/// Notes that no node accepts the pod.
pub fn mark_unschedulable(pod: &mut Value, message: &str, now: &str) {
    set_condition(
        pod,
        json!({"type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": now, "reason": "Unschedulable", "message": message}),
    );
}

fn set_condition(pod: &mut Value, condition: Value) {
    let same = |c: &Value| c["status"] == condition["status"] && c["message"] == condition["message"];
    let status = &mut pod["status"];
    if !status["conditions"].is_array() {
        // The order of a real status: phase, conditions, qosClass.
        let class = status.as_object_mut().and_then(|s| s.shift_remove("qosClass"));
        status["conditions"] = json!([]);
        if let Some(class) = class {
            status["qosClass"] = class;
        }
    }
    if let Some(list) = status["conditions"].as_array_mut() {
        if list.iter().any(|c| text(c, "/type") == "PodScheduled" && same(c)) {
            return;
        }
        list.retain(|c| text(c, "/type") != "PodScheduled");
        list.push(condition);
    }
}

/// How many pods each node has, finished ones not counted.
pub fn load<T: AsRef<Value>>(pods: &[T]) -> HashMap<String, usize> {
    let mut load = HashMap::new();
    for pod in pods
        .iter()
        .map(AsRef::as_ref)
        .filter(|p| !super::objects::pod::is_finished(p))
    {
        let node = text(pod, "/spec/nodeName");
        if !node.is_empty() {
            *load.entry(node.to_owned()).or_insert(0) += 1;
        }
    }
    load
}

/// Whether a pod waits for this scheduler.
pub fn is_waiting(pod: &Value) -> bool {
    text(pod, "/spec/nodeName").is_empty()
        && !super::objects::is_deleting(pod)
        && text(pod, "/spec/schedulerName") == "default-scheduler"
        && int(pod, "/spec/schedulingGates/0", 0) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    fn node(name: &str, extra: Value) -> Arc<Value> {
        let mut node = json!({
            "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": "ap-southeast-2a", "kind": name}},
            "spec": {}, "status": {"allocatable": {"pods": "2"}, "conditions": [{"type": "Ready", "status": "True"}]},
        });
        for (key, value) in extra.as_object().unwrap() {
            node["spec"][key] = value.clone();
        }
        Arc::new(node)
    }

    fn taint() -> Value {
        json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})
    }

    #[test]
    fn spreads_and_respects_taints_cordons_and_capacity() {
        let nodes = [
            node("master", taint()),
            node("a", json!({})),
            node("b", json!({})),
            node("c", json!({"unschedulable": true})),
        ];
        let mut random = Random::new(1);
        let pod = json!({"spec": {}});
        let load = HashMap::from([("a".to_owned(), 1)]);
        assert_eq!(name(choose(&pod, &nodes, &load, &mut random).unwrap()), "b");
        let full = HashMap::from([("a".to_owned(), 2), ("b".to_owned(), 2)]);
        assert_eq!(
            choose(&pod, &nodes, &full, &mut random).unwrap_err(),
            "0/4 nodes are available: 1 node(s) had untolerated taint(s) {node-role.kubernetes.io/control-plane: }, 1 node(s) were unschedulable, 2 Too many pods."
        );
        let tolerant = json!({"spec": {"tolerations": [{"operator": "Exists"}], "nodeSelector": {"kind": "master"}}});
        assert_eq!(name(choose(&tolerant, &nodes, &full, &mut random).unwrap()), "master");
    }

    #[test]
    fn binding_writes_node_topology_and_condition() {
        let mut pod =
            json!({"metadata": {"labels": {}}, "spec": {}, "status": {"phase": "Pending", "qosClass": "BestEffort"}});
        mark_unschedulable(&mut pod, "no", "t0");
        bind(&mut pod, &node("a", json!({})), "t1");
        assert_eq!(pod["spec"]["nodeName"], "a");
        assert_eq!(
            pod["metadata"]["labels"]["topology.kubernetes.io/zone"],
            "ap-southeast-2a"
        );
        assert_eq!(pod["status"]["conditions"].as_array().unwrap().len(), 1);
        assert_eq!(pod["status"]["conditions"][0]["status"], "True");
    }
}
