//! Reading API objects as they come (JSON): names, labels, selectors, images, times. Not for typed access: feeds decode
//! slim rows instead.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The string at a JSON pointer; empty when there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer; 0 when there is none.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The list at a JSON pointer; empty when there is none.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The map at a JSON pointer.
pub fn map<'a>(object: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    object.pointer(pointer).and_then(Value::as_object)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`; empty for a cluster's own object.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// An annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// The owner that controls an object.
pub fn controller(object: &Value) -> Option<&Value> {
    list(object, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner["controller"] == json!(true))
}

/// A label map as a selector: `a=b,c=d`, sorted as kubectl does.
pub fn label_query(labels: &Map<String, Value>) -> String {
    let mut pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    pairs.join(",")
}

/// A LabelSelector (`matchLabels` and `matchExpressions`) as a query text (apimachinery `FormatLabelSelector`).
pub fn selector_query(selector: &Value) -> String {
    let mut parts: Vec<String> = selector["matchLabels"]
        .as_object()
        .map(label_query)
        .into_iter()
        .filter(|q| !q.is_empty())
        .collect();
    for expression in selector["matchExpressions"].as_array().map_or(&[][..], Vec::as_slice) {
        let key = text(expression, "/key");
        let values: Vec<&str> = list(expression, "/values").iter().filter_map(Value::as_str).collect();
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.join(",")
}

/// Image by container name of a pod spec, init containers included.
pub fn images(pod_spec: &Value) -> Map<String, Value> {
    let containers = list(pod_spec, "/initContainers")
        .iter()
        .chain(list(pod_spec, "/containers"));
    containers
        .map(|c| (text(c, "/name").to_owned(), c["image"].clone()))
        .collect()
}

/// Where a kind keeps its pod template's spec.
pub fn pod_spec_pointer(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Pod" => "/spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            "/spec/template/spec"
        }
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    })
}

/// The label that tells replica sets of one deployment apart.
pub const TEMPLATE_HASH: &str = "pod-template-hash";
/// The revision a replica set stands for, and a deployment is at.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// Why a revision came about.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// A pod template without the label that its replica set added.
pub fn bare_template(template: &Value) -> Value {
    let mut bare = template.clone();
    if let Some(labels) = bare.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(TEMPLATE_HASH);
    }
    bare
}

/// A short fingerprint of a pod template, the same however its keys are ordered.
pub fn fingerprint(template: &Value) -> String {
    let digest = Sha256::digest(sorted(&bare_template(template)).to_string());
    crate::core::change::hex(&digest[..6])
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut entries: Vec<(&String, &Value)> = fields.iter().filter(|(_, v)| !v.is_null()).collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// An object read without `metadata.managedFields`: nobody looks at them, and they are most of many an object.
pub struct Lean(pub Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(Fields(|name| match name {
            "metadata" => Field::Metadata,
            _ => Field::Kept,
        }))?;
        Ok(Lean(Value::Object(fields)))
    }
}

/// What becomes of a field.
enum Field {
    Kept,
    LeftOut,
    /// Read as `metadata` is.
    Metadata,
}

/// Reads a map; tells by a field's name what becomes of it.
struct Fields(fn(&str) -> Field);

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match (self.0)(&name) {
                Field::Kept => {
                    fields.insert(name, access.next_value()?);
                }
                Field::LeftOut => {
                    access.next_value::<IgnoredAny>()?;
                }
                Field::Metadata => {
                    fields.insert(name, Value::Object(access.next_value::<Metadata>()?.0));
                }
            }
        }
        Ok(fields)
    }
}

/// `metadata` without `managedFields`.
struct Metadata(Map<String, Value>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(Fields(|name| match name {
            "managedFields" => Field::LeftOut,
            _ => Field::Kept,
        }))?;
        Ok(Metadata(fields))
    }
}

/// The object as verbs hand it on: without the server's bookkeeping, with kind and version even where a list left
/// them out.
pub fn cleaned(mut object: Value, api_version: &str, kind: &str) -> Value {
    let Some(fields) = object.as_object_mut() else {
        return object;
    };
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    if !fields.contains_key("kind") {
        fields.shift_insert(0, "kind".to_owned(), json!(kind));
        fields.shift_insert(0, "apiVersion".to_owned(), json!(api_version));
    }
    object
}

/// The object as one writes it in a manifest: without what the server keeps of its own.
pub fn as_manifest(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.shift_remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "managedFields",
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "generation",
            "selfLink",
        ] {
            metadata.shift_remove(field);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_ignores_order_and_hash_label_only() {
        let one = json!({"metadata": {"labels": {"run": "x", TEMPLATE_HASH: "abc"}}, "spec": {"a": 1, "b": [1, 2]}});
        let same = json!({"spec": {"b": [1, 2], "a": 1}, "metadata": {"labels": {"run": "x"}}});
        let other = json!({"spec": {"b": [2, 1], "a": 1}, "metadata": {"labels": {"run": "x"}}});
        assert_eq!(fingerprint(&one), fingerprint(&same));
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }

    #[test]
    fn selectors_read_as_queries() {
        let selector = json!({"matchLabels": {"b": "2", "a": "1"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "y"]}, {"key": "z", "operator": "DoesNotExist"}]});
        assert_eq!(selector_query(&selector), "a=1,b=2,tier in (x,y),!z");
    }

    #[test]
    fn cleaning_names_the_kind_and_drops_the_bookkeeping() {
        let object = cleaned(json!({"metadata": {"name": "x", "managedFields": []}}), "v1", "Pod");
        assert_eq!(
            object,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})
        );
    }
}
