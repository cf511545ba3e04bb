//! `metrics.k8s.io/v1beta1`, as metrics-server answers it: what nodes and pods use now. A cluster has it only where it was
//! switched on. The figures are this world's own: they follow from a container's identity and drift slowly.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Api;
use super::body::{self, Reply};
use super::route::Query;
use super::selector::Filter;
use super::status::ApiError;
use super::users::{Act, User};
use crate::sandbox::kubernetes::kinds;
use crate::sandbox::kubernetes::objects::{name, namespace, pod, text, uid};
use crate::sandbox::kubernetes::store::Term;

/// The group.
pub const GROUP: &str = "metrics.k8s.io";
/// Its version.
pub const VERSION: &str = "v1beta1";
/// A figure moves once in so many seconds, as metrics-server scrapes.
const WINDOW: Duration = Duration::from_secs(20);

/// The resources, as discovery lists them: plural, kind, whether in namespaces.
const RESOURCES: [(&str, &str, bool); 2] = [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)];

/// `/apis/metrics.k8s.io/v1beta1`.
pub fn resources() -> Value {
    let list: Vec<Value> = RESOURCES
        .iter()
        .map(|(plural, kind, namespaced)| {
            json!({"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]})
        })
        .collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{GROUP}/{VERSION}"), "resources": list})
}

/// The group in aggregated discovery.
pub fn aggregated() -> Value {
    let list: Vec<Value> = RESOURCES
        .iter()
        .map(|(plural, kind, namespaced)| {
            let scope = if *namespaced { "Namespaced" } else { "Cluster" };
            json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope,
                "singularResource": "", "verbs": ["get", "list"]})
        })
        .collect();
    json!({"metadata": {"name": GROUP}, "versions": [{"version": VERSION, "resources": list, "freshness": "Current"}]})
}

/// The group in `/apis`.
pub fn group() -> Value {
    let version = json!({"groupVersion": format!("{GROUP}/{VERSION}"), "version": VERSION});
    json!({"name": GROUP, "versions": [version], "preferredVersion": version})
}

/// `GET` of a path below the group's version, taken apart.
pub(super) fn answer(api: &Api, user: User, path: &[&str], query: &Query) -> Result<Reply, ApiError> {
    let (resource, space, own) = match *path {
        [resource @ ("nodes" | "pods")] => (resource, "", ""),
        ["nodes", own] => ("nodes", "", own),
        ["namespaces", space, "pods"] => ("pods", space, ""),
        ["namespaces", space, "pods", own] => ("pods", space, own),
        _ => return Err(ApiError::path_not_found()),
    };
    let act = Act {
        verb: if own.is_empty() { "list" } else { "get" },
        group: GROUP,
        resource,
        namespace: space,
    };
    user.allow(act, own)?;
    match own {
        "" => list(api, resource, space, query),
        own => one(api, resource, space, own),
    }
}

fn list(api: &Api, resource: &str, space: &str, query: &Query) -> Result<Reply, ApiError> {
    let kind = kinds::by_resource(resource).ok_or_else(ApiError::path_not_found)?;
    let filter = Filter::parse(kind, space, query.text("labelSelector"), query.text("fieldSelector"))?;
    let objects = api.store.list(resource, Some(space).filter(|space| !space.is_empty()));
    let items: Vec<Value> = objects
        .iter()
        .filter(|object| filter.matches(object))
        .filter_map(|object| measured(api, resource, object))
        .collect();
    let kind = if resource == "nodes" {
        "NodeMetricsList"
    } else {
        "PodMetricsList"
    };
    Ok(body::json(
        200,
        &json!({"kind": kind, "apiVersion": format!("{GROUP}/{VERSION}"), "metadata": {}, "items": items}),
    ))
}

fn one(api: &Api, resource: &str, space: &str, own: &str) -> Result<Reply, ApiError> {
    let kind = kinds::by_resource(resource).ok_or_else(ApiError::path_not_found)?;
    let found = api.store.get(resource, space, own);
    let measured = found.and_then(|object| measured(api, resource, &object));
    measured
        .map(|mut found| {
            if let Some(map) = found.as_object_mut() {
                let kind = if resource == "nodes" {
                    "NodeMetrics"
                } else {
                    "PodMetrics"
                };
                map.shift_insert(0, "kind".into(), kind.into());
                map.shift_insert(1, "apiVersion".into(), format!("{GROUP}/{VERSION}").into());
            }
            body::json(200, &found)
        })
        .ok_or_else(|| ApiError::not_found(kind, own))
}

/// What an object uses; none for a pod that does not run.
fn measured(api: &Api, resource: &str, object: &Value) -> Option<Value> {
    let now = api.store.clock().now();
    let window = u64::try_from(now.as_second()).unwrap_or(0) / WINDOW.as_secs();
    let mut meta = Map::new();
    meta.insert("name".into(), name(object).into());
    if resource == "pods" {
        meta.insert("namespace".into(), namespace(object).into());
    }
    meta.insert("creationTimestamp".into(), api.store.clock().rfc3339().into());
    if let Some(labels) = object.pointer("/metadata/labels") {
        meta.insert("labels".into(), labels.clone());
    }
    let mut found = json!({"metadata": meta, "timestamp": api.store.clock().rfc3339(), "window": "20s"});
    if resource == "pods" {
        let containers: Vec<Value> = containers(object, window)
            .map(|(container, cpu, memory)| json!({"name": container, "usage": usage(cpu, memory)}))
            .collect();
        if containers.is_empty() {
            return None;
        }
        found["containers"] = Value::Array(containers);
    } else {
        let pods = api.store.find("pods", None, Term::Node(name(object)));
        let used = pods.iter().flat_map(|pod| containers(pod, window));
        // The system itself takes its share.
        let (cpu, memory) = used.fold((90_000_000, 700 * 1024), |(cpu, memory), (_, more, most)| {
            (cpu + more, memory + most)
        });
        found["usage"] = usage(cpu, memory);
    }
    Some(found)
}

/// Nanocores and KiB of each container of a running pod.
fn containers(object: &Value, window: u64) -> impl Iterator<Item = (&str, u64, u64)> {
    let runs = text(object, "/status/phase") == "Running" && !pod::is_finished(object);
    let list = object
        .pointer("/spec/containers")
        .and_then(Value::as_array)
        .filter(|_| runs);
    list.into_iter().flatten().map(move |container| {
        let own = text(container, "/name");
        let steady = hash(&format!("{}/{own}", uid(object)));
        let drift = hash(&format!("{}/{own}/{window}", uid(object)));
        let cpu = 1_000_000 + steady % 20_000_000 + drift % 2_000_000;
        let memory = 10 * 1024 + steady % (50 * 1024) + drift % 1024;
        (own, cpu, memory)
    })
}

fn usage(cpu: u64, memory: u64) -> Value {
    json!({"cpu": format!("{cpu}n"), "memory": format!("{memory}Ki")})
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
