//! Resource quotas: what an object costs, whether the quotas of its namespace have room for it, and what a namespace has
//! used. As in the API server, an admitted object is counted in the quota's status at once, by a change under the
//! store's lock; the controller counts anew when objects go. Not for storage classes.

mod quantity;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kinds;
use super::objects::{self, name, namespace, text};
use super::store::Store;
use quantity::Milli;

/// Kinds that a quota may name without `count/`.
const COUNTED: [&str; 7] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
];
/// What containers ask for.
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Counts a new object in every quota that limits it.
///
/// # Errors
/// Why it may not be made, in the API server's words: `exceeded quota: …` or `failed quota: …`.
pub fn admit(store: &Store, resource: &str, object: &Value) -> Result<(), String> {
    let space = namespace(object);
    let quotas = store.list("resourcequotas", Some(space));
    for quota in quotas.iter().filter(|quota| applies(quota, resource, object)) {
        let hard = quota.pointer("/status/hard").and_then(Value::as_object);
        let missing = hard.map(|hard| missing(hard, resource, object)).unwrap_or_default();
        if !missing.is_empty() {
            return Err(format!(
                "failed quota: {}: must specify {}",
                name(quota),
                missing.join("; ")
            ));
        }
        let cost = cost(resource, object);
        let mut refused = None;
        // Gone meanwhile: then it limits nothing.
        let _ = store.modify("resourcequotas", space, name(quota), |quota| {
            refused = take(quota, &cost).err();
        });
        if let Some(why) = refused {
            return Err(why);
        }
    }
    Ok(())
}

/// Adds a cost to a quota's use, or says what there is no room for and changes nothing.
fn take(quota: &mut Value, cost: &BTreeMap<String, Milli>) -> Result<(), String> {
    let read = |quota: &Value, list: &str, key: &str| {
        let amount = quota.pointer(&format!("/status/{list}")).and_then(|list| list.get(key));
        amount.and_then(Value::as_str).and_then(quantity::parse)
    };
    let (mut requested, mut used, mut limited) = (Vec::new(), Vec::new(), Vec::new());
    let mut sums = Vec::new();
    for (key, amount) in cost.iter().filter(|(_, amount)| **amount > 0) {
        let Some(hard) = read(quota, "hard", key) else { continue };
        let before = read(quota, "used", key).unwrap_or(0);
        if before + amount > hard {
            let pair = |amount| format!("{key}={}", show(key, amount));
            requested.push(pair(*amount));
            used.push(pair(before));
            limited.push(pair(hard));
        }
        sums.push((key, show(key, before + amount)));
    }
    if !requested.is_empty() {
        return Err(format!(
            "exceeded quota: {}, requested: {}, used: {}, limited: {}",
            name(quota),
            requested.join(","),
            used.join(","),
            limited.join(",")
        ));
    }
    for (key, sum) in sums {
        quota["status"]["used"][key] = sum.into();
    }
    Ok(())
}

/// A quota's whole status: its limits, and what the namespace uses of them.
pub fn status(store: &Store, quota: &Value) -> Value {
    let space = namespace(quota);
    let hard = quota
        .pointer("/spec/hard")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut used = Map::new();
    for key in hard.keys() {
        let Some(resource) = resource_of(key) else { continue };
        let objects = store.list(resource, Some(space));
        let counted = objects.iter().filter(|object| applies(quota, resource, object));
        let sum: Milli = counted
            .filter_map(|object| cost(resource, object).get(key).copied())
            .sum();
        used.insert(key.clone(), show(key, sum).into());
    }
    json!({"hard": hard, "used": used})
}

/// Which objects a limit is about: `requests.cpu` about pods, `count/jobs.batch` about jobs.
fn resource_of(key: &str) -> Option<&'static str> {
    let bare = key.trim_start_matches("requests.").trim_start_matches("limits.");
    let wanted = match key.strip_prefix("count/") {
        Some(qualified) => {
            return kinds::KINDS
                .iter()
                .find(|kind| kind.qualified() == qualified)
                .map(|kind| kind.resource);
        }
        None if COMPUTE.contains(&bare) => "pods",
        None if key.starts_with("services.") => "services",
        None => key,
    };
    COUNTED.into_iter().find(|resource| *resource == wanted)
}

/// Whether a quota is about an object: pods that have ended cost nothing, and scopes pick among pods.
fn applies(quota: &Value, resource: &str, object: &Value) -> bool {
    let of = |pointer: &str| {
        quota
            .pointer(pointer)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let (scopes, expressions) = (of("/spec/scopes"), of("/spec/scopeSelector/matchExpressions"));
    if resource != "pods" {
        return scopes.is_empty() && expressions.is_empty();
    }
    let named = scopes.iter().filter_map(Value::as_str);
    !objects::pod::is_finished(object)
        && named.into_iter().all(|scope| is_in_scope(object, scope))
        && expressions.iter().all(|expression| matches_scope(object, expression))
}

/// Whether a pod is one that a scope is about.
fn is_in_scope(pod: &Value, scope: &str) -> bool {
    let best_effort = || text(pod, "/status/qosClass") == "BestEffort";
    let limited = || pod.pointer("/spec/activeDeadlineSeconds").is_some_and(Value::is_number);
    match scope {
        "BestEffort" => best_effort(),
        "NotBestEffort" => !best_effort(),
        "Terminating" => limited(),
        "NotTerminating" => !limited(),
        "PriorityClass" => !text(pod, "/spec/priorityClassName").is_empty(),
        "CrossNamespacePodAffinity" => reaches_across(pod),
        _ => false,
    }
}

/// The same for one expression of a scope selector; only priority classes have values to choose from.
fn matches_scope(pod: &Value, expression: &Value) -> bool {
    let scope = text(expression, "/scopeName");
    let class = text(pod, "/spec/priorityClassName");
    let mut values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
    match text(expression, "/operator") {
        "In" => scope == "PriorityClass" && values.any(|value| value == class),
        "NotIn" => scope == "PriorityClass" && !values.any(|value| value == class),
        "Exists" => is_in_scope(pod, scope),
        "DoesNotExist" => !is_in_scope(pod, scope),
        _ => false,
    }
}

/// Whether a pod's affinities look into other namespaces.
fn reaches_across(pod: &Value) -> bool {
    let mut terms = Vec::new();
    for kind in ["podAffinity", "podAntiAffinity"] {
        let of = |field: &str| {
            let list = pod
                .pointer(&format!("/spec/affinity/{kind}/{field}"))
                .and_then(Value::as_array);
            list.into_iter().flatten()
        };
        terms.extend(of("requiredDuringSchedulingIgnoredDuringExecution"));
        terms
            .extend(of("preferredDuringSchedulingIgnoredDuringExecution").filter_map(|one| one.get("podAffinityTerm")));
    }
    terms.into_iter().any(|term| {
        let spaces = term.get("namespaces").and_then(Value::as_array);
        term.get("namespaceSelector").is_some_and(Value::is_object) || spaces.is_some_and(|spaces| !spaces.is_empty())
    })
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.pointer("/spec/containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// What a container asks for, or may use; a missing request is as high as the limit.
fn asked<'a>(container: &'a Value, list: &str, resource: &str) -> Option<&'a str> {
    let of = |list: &str| {
        container
            .pointer(&format!("/resources/{list}/{resource}"))
            .and_then(Value::as_str)
    };
    of(list).or_else(|| of("limits").filter(|_| list == "requests"))
}

/// What an object counts for, by the names quotas use.
fn cost(resource: &str, object: &Value) -> BTreeMap<String, Milli> {
    const ONE: Milli = 1_000;
    let mut cost = BTreeMap::new();
    if let Some(kind) = kinds::by_resource(resource) {
        cost.insert(format!("count/{}", kind.qualified()), ONE);
    }
    if COUNTED.contains(&resource) {
        cost.insert(resource.to_owned(), ONE);
    }
    match resource {
        "pods" => {
            for part in COMPUTE {
                let sum = |list: &str| -> Milli {
                    containers(object)
                        .filter_map(|c| quantity::parse(asked(c, list, part)?))
                        .sum()
                };
                cost.insert(part.to_owned(), sum("requests"));
                cost.insert(format!("requests.{part}"), sum("requests"));
                cost.insert(format!("limits.{part}"), sum("limits"));
            }
        }
        "services" => {
            let kind = text(object, "/spec/type");
            let balanced = kind == "LoadBalancer";
            let ports = object
                .pointer("/spec/ports")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            let nodes = if balanced || kind == "NodePort" {
                ONE * Milli::try_from(ports).unwrap_or(0)
            } else {
                0
            };
            cost.insert("services.loadbalancers".to_owned(), if balanced { ONE } else { 0 });
            cost.insert("services.nodeports".to_owned(), nodes);
        }
        _ => {}
    }
    cost
}

/// What the containers of a pod have to say under a quota and do not: `limits.cpu for: web`.
fn missing(hard: &Map<String, Value>, resource: &str, pod: &Value) -> Vec<String> {
    if resource != "pods" {
        return Vec::new();
    }
    let mut keys: Vec<&String> = hard.keys().collect();
    keys.sort();
    let without = |key: &String| {
        let (list, part) = key.split_once('.').unwrap_or(("requests", key.as_str()));
        if !COMPUTE.contains(&part) || !matches!(list, "requests" | "limits") {
            return None;
        }
        let names: Vec<&str> = containers(pod)
            .filter(|container| asked(container, list, part).is_none())
            .map(|container| text(container, "/name"))
            .collect();
        (!names.is_empty()).then(|| format!("{key} for: {}", names.join(",")))
    };
    keys.iter().filter_map(|key| without(key)).collect()
}

fn show(key: &str, amount: Milli) -> String {
    quantity::show(amount, key.ends_with("memory") || key.ends_with("storage"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sandbox::clock::Clock;

    fn store(hard: Value) -> Store {
        let store = Store::new(Clock::new(1.0), 1);
        let quota = json!({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard}});
        let quota = store.create("resourcequotas", quota).unwrap();
        let status = status(&store, &quota);
        store
            .modify("resourcequotas", "n", "q", |q| q["status"] = status.clone())
            .unwrap();
        store
    }

    fn pod(own: &str, resources: Value) -> Value {
        json!({"metadata": {"name": own, "namespace": "n"}, "status": {"phase": "Pending"},
            "spec": {"containers": [{"name": "web", "resources": resources}]}})
    }

    fn used(store: &Store) -> Value {
        store.get("resourcequotas", "n", "q").unwrap()["status"]["used"].clone()
    }

    #[test]
    fn the_last_that_fits_is_counted_and_the_next_refused() {
        let store = store(json!({"pods": "2", "requests.memory": "1Gi"}));
        let asks = json!({"requests": {"memory": "256Mi"}});
        for own in ["a", "b"] {
            admit(&store, "pods", &pod(own, asks.clone())).unwrap();
            store.create("pods", pod(own, asks.clone())).unwrap();
        }
        assert_eq!(used(&store), json!({"pods": "2", "requests.memory": "512Mi"}));
        assert_eq!(
            admit(&store, "pods", &pod("c", asks.clone())),
            Err("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2".to_owned())
        );
        assert_eq!(used(&store)["pods"], "2", "what is refused is not counted");
        store
            .modify("pods", "n", "a", |p| p["status"]["phase"] = "Succeeded".into())
            .unwrap();
        let quota = store.get("resourcequotas", "n", "q").unwrap();
        assert_eq!(
            status(&store, &quota)["used"],
            json!({"pods": "1", "requests.memory": "256Mi"})
        );
    }

    #[test]
    fn containers_have_to_say_what_a_quota_limits() {
        let store = store(json!({"limits.cpu": "1", "cpu": "1"}));
        assert_eq!(
            admit(&store, "pods", &pod("a", json!({}))),
            Err("failed quota: q: must specify cpu for: web; limits.cpu for: web".to_owned())
        );
        let asks = json!({"limits": {"cpu": "600m"}});
        assert_eq!(
            admit(&store, "pods", &pod("a", asks.clone())),
            Ok(()),
            "a limit is a request"
        );
        assert_eq!(
            admit(&store, "pods", &pod("b", asks)),
            Err("exceeded quota: q, requested: cpu=600m,limits.cpu=600m, used: cpu=600m,limits.cpu=600m, limited: cpu=1,limits.cpu=1".to_owned())
        );
    }

    #[test]
    fn other_objects_are_counted_by_their_kind() {
        let store = store(json!({"services.loadbalancers": "0", "count/jobs.batch": "1"}));
        let service =
            json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {"type": "LoadBalancer", "ports": [{}]}});
        assert!(admit(&store, "services", &service).is_err());
        let job = json!({"metadata": {"name": "j", "namespace": "n"}});
        assert_eq!(admit(&store, "jobs", &job), Ok(()));
        assert!(admit(&store, "jobs", &job).is_err());
        let elsewhere = json!({"metadata": {"name": "j", "namespace": "other"}});
        assert_eq!(admit(&store, "jobs", &elsewhere), Ok(()));
    }

    #[test]
    fn scopes_pick_among_pods() {
        let plain = pod("p", json!({}));
        let mut best = plain.clone();
        best["status"]["qosClass"] = "BestEffort".into();
        let mut urgent = plain.clone();
        urgent["spec"]["priorityClassName"] = "high".into();
        let mut brief = plain.clone();
        brief["spec"]["activeDeadlineSeconds"] = 5.into();
        let mut wide = plain.clone();
        wide["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!([{"namespaces": ["other"]}]);
        let scoped = |scopes: Value| json!({"spec": {"scopes": scopes}});
        let chosen = |scope: &str, operator: &str, values: Value| json!({"spec": {"scopeSelector": {"matchExpressions": [{"scopeName": scope, "operator": operator, "values": values}]}}});
        let cases = [
            (scoped(json!(["BestEffort"])), [false, true, false, false, false]),
            (
                scoped(json!(["NotBestEffort", "Terminating"])),
                [false, false, false, true, false],
            ),
            (scoped(json!(["NotTerminating"])), [true, true, true, false, true]),
            (
                scoped(json!(["CrossNamespacePodAffinity"])),
                [false, false, false, false, true],
            ),
            (scoped(json!(["Unheard"])), [false; 5]),
            (
                chosen("PriorityClass", "In", json!(["high", "higher"])),
                [false, false, true, false, false],
            ),
            (
                chosen("PriorityClass", "NotIn", json!(["high"])),
                [true, true, false, true, true],
            ),
            (
                chosen("PriorityClass", "Exists", json!([])),
                [false, false, true, false, false],
            ),
            (
                chosen("Terminating", "DoesNotExist", json!([])),
                [true, true, true, false, true],
            ),
        ];
        for (quota, wanted) in cases {
            let found = [&plain, &best, &urgent, &brief, &wide].map(|pod| applies(&quota, "pods", pod));
            assert_eq!(found, wanted, "{quota}");
            assert!(!applies(&quota, "services", &plain), "scopes are about pods only");
        }
    }
}
