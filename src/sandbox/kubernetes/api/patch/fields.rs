//! Sets of fields in the notation of `fieldsV1`: which paths an object sets, and what stands there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::lists;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::schema::{self, Shape};

/// A path: `f:name` for a field, `k:{"name":"x"}` for a list's item, `v:"x"` for a set's value.
pub(super) type Path = Vec<String>;
/// The paths an object sets and their values.
pub(super) type Leaves = BTreeMap<Path, Value>;

/// `metadata` that belongs to the server and is owned by nobody.
const SERVER_META: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// Everything an object sets that somebody can own.
pub(super) fn leaves(kind: &Kind, object: &Value) -> Leaves {
    let mut leaves = Leaves::new();
    let shape = schema::of(&kind.api_version(), kind.kind).unwrap_or(&Shape::Any);
    for (key, value) in object.as_object().into_iter().flatten() {
        let at = vec![format!("f:{key}")];
        match key.as_str() {
            "kind" | "apiVersion" => {}
            "metadata" => {
                let meta = inner(shape, key);
                for (key, value) in value.as_object().into_iter().flatten() {
                    if !SERVER_META.contains(&key.as_str()) {
                        walk(
                            value,
                            inner(meta, key),
                            key,
                            &step(&at, format!("f:{key}")),
                            &mut leaves,
                        );
                    }
                }
            }
            _ => walk(value, inner(shape, key), key, &at, &mut leaves),
        }
    }
    leaves
}

/// The shape of a field, `Any` when unknown.
pub(super) fn inner<'s>(shape: &'s Shape, field: &str) -> &'s Shape {
    match shape {
        Shape::Struct(known) => known.field(field).unwrap_or(&Shape::Any),
        Shape::Map(item) => item,
        _ => &Shape::Any,
    }
}

fn step(path: &Path, next: String) -> Path {
    path.iter().cloned().chain([next]).collect()
}

/// The step of a keyed list's item.
pub(super) fn item_step(item: &Value, keys: &[&str]) -> String {
    let mut sorted: Vec<&&str> = keys.iter().collect();
    sorted.sort_unstable();
    let map: Map<String, Value> = sorted
        .into_iter()
        .map(|key| ((*key).to_owned(), lists::key_value(item, key)))
        .collect();
    format!("k:{}", Value::Object(map))
}

fn walk(value: &Value, shape: &Shape, field: &str, path: &Path, out: &mut Leaves) {
    match (value, shape) {
        (Value::Object(map), _)
            if !map.is_empty() && !lists::is_atomic(field, shape) && !matches!(shape, Shape::Any) =>
        {
            for (key, value) in map {
                walk(value, inner(shape, key), key, &step(path, format!("f:{key}")), out);
            }
        }
        (Value::Array(list), Shape::List(item)) if !list.is_empty() => match lists::keys(item) {
            Some(keys) => {
                for element in list {
                    let at = step(path, item_step(element, keys));
                    out.insert(at.clone(), Value::Null);
                    for (key, value) in element.as_object().into_iter().flatten() {
                        walk(value, inner(item, key), key, &step(&at, format!("f:{key}")), out);
                    }
                }
            }
            None if lists::is_set(field) => {
                for element in list {
                    out.insert(step(path, format!("v:{element}")), element.clone());
                }
            }
            None => {
                out.insert(path.clone(), value.clone());
            }
        },
        _ => {
            out.insert(path.clone(), value.clone());
        }
    }
}

/// The set as `fieldsV1`.
pub(super) fn to_v1(set: &BTreeSet<Path>) -> Value {
    let mut root = Map::new();
    for path in set {
        let mut at = &mut root;
        for (index, part) in path.iter().enumerate() {
            let slot = at.entry(part.clone()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(map) = slot else { break };
            // An item is itself a member besides its fields.
            if index + 1 == path.len() && part.starts_with("k:") {
                map.insert(".".to_owned(), Value::Object(Map::new()));
            }
            at = map;
        }
    }
    Value::Object(root)
}

/// The set of a `fieldsV1`.
pub(super) fn from_v1(value: &Value) -> BTreeSet<Path> {
    fn read(value: &Value, path: &Path, out: &mut BTreeSet<Path>) {
        match value.as_object() {
            Some(map) if !map.is_empty() => {
                for (key, value) in map {
                    if key == "." {
                        out.insert(path.clone());
                    } else {
                        read(value, &step(path, key.clone()), out);
                    }
                }
            }
            _ if !path.is_empty() => {
                out.insert(path.clone());
            }
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    read(value, &Vec::new(), &mut out);
    out
}

/// A path as people read it: `.spec.containers[name="x"].image`.
pub(super) fn show(path: &Path) -> String {
    let mut text = String::new();
    for part in path {
        if let Some(field) = part.strip_prefix("f:") {
            text.push('.');
            text.push_str(field);
        } else if let Some(keys) = part.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            text.push_str(&format!("[{}]", pairs.join(",")));
        } else if let Some(value) = part.strip_prefix("v:") {
            text.push_str(&format!("[={value}]"));
        }
    }
    text
}

/// Removes what stands at a path.
pub(super) fn remove(target: &mut Value, path: &[String]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if let Some(field) = first.strip_prefix("f:") {
        let Some(map) = target.as_object_mut() else {
            return;
        };
        if rest.is_empty() {
            map.shift_remove(field);
        } else if let Some(next) = map.get_mut(field) {
            remove(next, rest);
        }
        return;
    }
    let Some(list) = target.as_array_mut() else {
        return;
    };
    let matches = |entry: &Value| match (first.strip_prefix("k:"), first.strip_prefix("v:")) {
        (Some(keys), _) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            keys.iter().all(|(key, value)| lists::key_value(entry, key) == *value)
        }
        (None, Some(value)) => serde_json::from_str::<Value>(value).is_ok_and(|value| value == *entry),
        (None, None) => false,
    };
    if rest.is_empty() {
        list.retain(|entry| !matches(entry));
    } else if let Some(next) = list.iter_mut().find(|entry| matches(entry)) {
        remove(next, rest);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubernetes::kinds;

    #[test]
    fn sets_round_trip_and_paths_read_well() {
        let object = json!({
            "metadata": {"name": "x", "labels": {"a": "1"}, "finalizers": ["f"]},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "1"}}, "template": {"spec": {
                "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {}}]
            }}}
        });
        let leaves = leaves(kinds::by_resource("deployments").unwrap(), &object);
        let shown: Vec<String> = leaves.keys().map(show).collect();
        assert_eq!(
            shown,
            [
                ".metadata.finalizers[=\"f\"]",
                ".metadata.labels.a",
                ".spec.replicas",
                ".spec.selector",
                ".spec.template.spec.containers[name=\"c\"]",
                ".spec.template.spec.containers[name=\"c\"].image",
                ".spec.template.spec.containers[name=\"c\"].name",
                ".spec.template.spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.template.spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"].containerPort",
                ".spec.template.spec.containers[name=\"c\"].resources",
            ]
        );
        let set: BTreeSet<Path> = leaves.keys().cloned().collect();
        assert_eq!(from_v1(&to_v1(&set)), set);
        let mut copy = object.clone();
        for path in &set {
            remove(&mut copy, path);
        }
        assert_eq!(
            copy,
            json!({"metadata": {"name": "x", "labels": {}, "finalizers": []}, "spec": {"template": {"spec": {"containers": []}}}})
        );
    }
}
