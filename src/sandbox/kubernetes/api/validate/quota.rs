//! Rules of resource quotas: scopes that contradict each other, and limits that a scope does not know.

use serde_json::Value;

use super::super::status::Cause;

const SCOPES: [&str; 6] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
];
/// What the pods of a scope can be limited in; those of best effort ask for nothing and can only be counted.
const OF_PODS: [&str; 9] = [
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
];

/// `v1` ResourceQuota.
pub(super) fn quota(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let given = spec["scopes"].as_array().map_or(&[][..], Vec::as_slice);
    let scopes: Vec<&str> = given.iter().filter_map(Value::as_str).collect();
    let limits: Vec<&str> = spec["hard"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let mut causes = Vec::new();
    let has = |scope: &str| scopes.contains(&scope);
    for (at, scope) in scopes.iter().enumerate() {
        let place = format!("spec.scopes[{at}]");
        if !SCOPES.contains(scope) {
            causes.push(Cause::not_supported(place, &given[at], &SCOPES));
            continue;
        }
        let known = |limit: &&str| match *scope {
            "BestEffort" => matches!(*limit, "pods" | "count/pods"),
            _ => OF_PODS.contains(limit) || matches!(*limit, "count/pods" | "limits.ephemeral-storage"),
        };
        if !limits.iter().all(known) {
            let why = "unsupported scope applied to resource";
            causes.push(Cause::invalid("spec.scopes", &spec["scopes"], why));
        }
    }
    if (has("BestEffort") && has("NotBestEffort")) || (has("Terminating") && has("NotTerminating")) {
        causes.push(Cause::invalid("spec.scopes", &spec["scopes"], "conflicting scopes"));
    }
    for (at, one) in spec["scopeSelector"]["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let place = format!("spec.scopeSelector.matchExpressions[{at}]");
        let scope = one["scopeName"].as_str().unwrap_or_default();
        if !SCOPES.contains(&scope) {
            causes.push(Cause::not_supported(
                format!("{place}.scopeName"),
                &one["scopeName"],
                &SCOPES,
            ));
        }
        let values = one["values"].as_array().map_or(0, Vec::len);
        match one["operator"].as_str().unwrap_or_default() {
            "In" | "NotIn" if scope != "PriorityClass" => {
                let why = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
                causes.push(Cause::invalid(format!("{place}.operator"), &one["operator"], why));
            }
            "In" | "NotIn" if values == 0 => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                causes.push(Cause::required(format!("{place}.values"), why));
            }
            "Exists" | "DoesNotExist" if values > 0 => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                causes.push(Cause::invalid(format!("{place}.values"), &one["values"], why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.push(Cause::invalid(
                format!("{place}.operator"),
                &one["operator"],
                "not a valid selector operator",
            )),
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(spec: Value) -> Vec<String> {
        let causes = quota(&json!({"spec": spec}));
        causes.iter().map(|cause| cause.field.clone()).collect()
    }

    #[test]
    fn scopes_have_to_agree_with_each_other_and_with_the_limits() {
        assert!(fields(json!({"hard": {"pods": "1"}, "scopes": ["BestEffort", "Terminating"]})).is_empty());
        assert!(fields(json!({"hard": {"services": "1"}})).is_empty());
        assert_eq!(
            fields(json!({"hard": {"cpu": "1"}, "scopes": ["BestEffort"]})),
            ["spec.scopes"]
        );
        assert_eq!(
            fields(json!({"hard": {"services": "1"}, "scopes": ["Terminating"]})),
            ["spec.scopes"]
        );
        assert_eq!(
            fields(json!({"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]})),
            ["spec.scopes"]
        );
        assert_eq!(fields(json!({"scopes": ["Nope"]})), ["spec.scopes[0]"]);
        let one = |expression: Value| fields(json!({"scopeSelector": {"matchExpressions": [expression]}}));
        assert!(one(json!({"scopeName": "PriorityClass", "operator": "In", "values": ["high"]})).is_empty());
        assert_eq!(
            one(json!({"scopeName": "PriorityClass", "operator": "In"})),
            ["spec.scopeSelector.matchExpressions[0].values"]
        );
        assert_eq!(
            one(json!({"scopeName": "Terminating", "operator": "In", "values": ["x"]})),
            ["spec.scopeSelector.matchExpressions[0].operator"]
        );
        assert_eq!(fields(json!({"scopes": "x", "hard": 3})), Vec::<String>::new());
    }
}
