//! What the store itself writes into an object: its identity, its generation and the order of its fields. Not for
//! defaults and validation: those are the API's.

use serde_json::{Map, Value, json};

use crate::sandbox::kubernetes::kinds::Kind;

/// Namespace and name, empty where there is none.
pub(super) fn name_of(object: &Value) -> (String, String) {
    let text = |field| {
        object
            .pointer(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (text("/metadata/namespace"), text("/metadata/name"))
}

/// Sets a field of the metadata, where an object has any.
pub(super) fn set_meta(object: &mut Value, field: &str, value: Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.insert(field.to_owned(), value);
    }
}

/// Gives a new object its identity and the usual order of its fields: type, metadata, the rest.
pub(super) fn stamp(kind: &Kind, object: &mut Value, namespace: &str, name: &str, uid: &str, now: &str) {
    let mut given = match object.take() {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let mut old_meta = match given.shift_remove("metadata") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut meta = Map::new();
    meta.insert("name".into(), json!(name));
    if let Some(prefix) = old_meta.shift_remove("generateName").filter(|p| p.as_str() != Some("")) {
        meta.insert("generateName".into(), prefix);
    }
    if !namespace.is_empty() {
        meta.insert("namespace".into(), json!(namespace));
    }
    meta.insert("uid".into(), json!(uid));
    meta.insert("resourceVersion".into(), json!(""));
    if kind.generation {
        meta.insert("generation".into(), json!(1));
    }
    meta.insert("creationTimestamp".into(), json!(now));
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
    ] {
        old_meta.shift_remove(field);
    }
    meta.append(&mut old_meta);
    let mut map = Map::new();
    map.insert("kind".into(), json!(kind.kind));
    map.insert("apiVersion".into(), json!(kind.api_version()));
    map.insert("metadata".into(), Value::Object(meta));
    given.shift_remove("kind");
    given.shift_remove("apiVersion");
    map.append(&mut given);
    *object = Value::Object(map);
}

/// Keeps what a writer may not change (identity, type) and counts the generation.
pub(super) fn settle(kind: &Kind, old: &Value, new: &mut Value) {
    if let Some(map) = new.as_object_mut() {
        for field in ["kind", "apiVersion"] {
            if let Some(value) = old.get(field) {
                map.insert(field.to_owned(), value.clone());
            }
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "resourceVersion"] {
        if let Some(value) = old["metadata"].get(field) {
            set_meta(new, field, value.clone());
        }
    }
    if kind.generation {
        let before = old["metadata"]["generation"].as_i64().unwrap_or(1);
        let given = new["metadata"]["generation"].as_i64().unwrap_or(before);
        let counted = if old.get("spec") == new.get("spec") {
            before.max(given)
        } else {
            before + 1
        };
        set_meta(new, "generation", json!(counted));
    }
}

/// Whether this change ends the object: it is being deleted and its last finalizer has just gone.
pub(super) fn finished(old: &Value, new: &Value) -> bool {
    let finalizers = |object: &Value| {
        object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
    };
    let grace = new["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    !new["metadata"]["deletionTimestamp"].is_null() && finalizers(old) && !finalizers(new) && grace == 0
}
