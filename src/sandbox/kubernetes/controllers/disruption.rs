//! The disruption controller: how many pods a budget lets go now. Pure; not for evicting them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::sandbox::kubernetes::objects::{int, is_deleting, labels, pod, selector_matches};

/// The status of a budget. `pods` are those of its namespace, `expected` how many its workloads want in all.
pub fn status(budget: &Value, pods: &[Arc<Value>], expected: i64) -> Map<String, Value> {
    let healthy = pods
        .iter()
        .filter(|pod| selects(budget, pod) && pod::is_ready(pod) && !is_deleting(pod))
        .count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let desired = match (
        budget.pointer("/spec/minAvailable"),
        budget.pointer("/spec/maxUnavailable"),
    ) {
        (Some(least), _) if !least.is_null() => share(least, expected),
        (_, Some(most)) if !most.is_null() => (expected - share(most, expected)).max(0),
        _ => 0,
    };
    let allowed = (healthy - desired).max(0);
    let (state, reason) = if allowed > 0 {
        ("True", "SufficientPods")
    } else {
        ("False", "InsufficientPods")
    };
    let since = budget
        .pointer("/status/conditions/0")
        .filter(|condition| condition["status"] == state)
        .map_or_else(
            || budget["metadata"]["creationTimestamp"].clone(),
            |known| known["lastTransitionTime"].clone(),
        );
    let generation = int(budget, "/metadata/generation", 1);
    let status = json!({
        "conditions": [{"lastTransitionTime": since, "message": "", "observedGeneration": generation,
            "reason": reason, "status": state, "type": "DisruptionAllowed"}],
        "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed, "expectedPods": expected,
        "observedGeneration": generation,
    });
    status.as_object().cloned().unwrap_or_default()
}

/// Whether a budget is about a pod.
pub fn selects(budget: &Value, pod: &Value) -> bool {
    budget
        .pointer("/spec/selector")
        .is_some_and(|selector| selector_matches(selector, labels(pod)))
}

/// A number, or a percentage of all, rounded up.
fn share(value: &Value, all: i64) -> i64 {
    match value.as_str().and_then(|text| text.strip_suffix('%')) {
        Some(percent) => (percent.parse::<i64>().unwrap_or(0) * all + 99) / 100,
        None => value.as_i64().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_percentages() {
        let pod = |ready: &str| {
            Arc::new(json!({"metadata": {"labels": {"a": "b"}},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
        };
        let pods = [pod("True"), pod("True"), pod("False")];
        let allowed = |spec: Value| {
            let mut budget = json!({"metadata": {"generation": 1}, "spec": spec});
            budget["spec"]["selector"] = json!({"matchLabels": {"a": "b"}});
            status(&budget, &pods, 3)["disruptionsAllowed"].clone()
        };
        assert_eq!(allowed(json!({"minAvailable": 2})), 0);
        assert_eq!(allowed(json!({"minAvailable": 1})), 1);
        assert_eq!(allowed(json!({"minAvailable": "50%"})), 0);
        assert_eq!(allowed(json!({"maxUnavailable": 2})), 1);
        assert_eq!(allowed(json!({"maxUnavailable": "100%"})), 2);
    }
}
