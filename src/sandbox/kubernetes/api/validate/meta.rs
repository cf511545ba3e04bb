//! Rules of `metadata`.

use serde_json::{Value, json};

use super::super::status::Cause;
use super::names;
use crate::sandbox::kubernetes::kinds::Kind;

/// Longest sum of all annotations, in bytes.
const ANNOTATIONS: usize = 256 * 1024;

/// Name, labels and annotations of a new object.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let meta = &object["metadata"];
    let mut causes = Vec::new();
    let name = meta["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else {
        causes.extend(
            name_rules(kind, name)
                .iter()
                .map(|why| Cause::invalid("metadata.name", &json!(name), why)),
        );
    }
    causes.extend(labels_and_annotations(object));
    causes
}

fn name_rules(kind: &Kind, name: &str) -> Vec<String> {
    match kind.resource {
        "namespaces" => names::label(name),
        "services" => names::label_1035(name),
        _ if kind.group == "rbac.authorization.k8s.io" => path_segment(name),
        _ => names::subdomain(name),
    }
}

/// Names of roles may hold anything that cannot change a path.
fn path_segment(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|bad| name.contains(*bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

/// Labels and annotations of any object.
pub(super) fn labels_and_annotations(object: &Value) -> Vec<Cause> {
    let meta = &object["metadata"];
    let mut causes = labels(&meta["labels"], "metadata.labels");
    let mut size = 0;
    for (key, value) in meta["annotations"].as_object().into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        // Annotation keys are compared without regard to case.
        causes.extend(
            names::qualified(&key.to_lowercase())
                .iter()
                .map(|why| Cause::invalid("metadata.annotations", &json!(key), why)),
        );
    }
    if size > ANNOTATIONS {
        let message = format!("Too long: may not be more than {ANNOTATIONS} bytes");
        causes.push(Cause {
            reason: "FieldValueTooLong",
            field: "metadata.annotations".into(),
            message,
        });
    }
    causes
}

/// A map of labels at some place.
pub(super) fn labels(map: &Value, field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in map.as_object().into_iter().flatten() {
        causes.extend(
            names::qualified(key)
                .iter()
                .map(|why| Cause::invalid(field, &json!(key), why)),
        );
        let text = value.as_str().unwrap_or_default();
        causes.extend(
            names::label_value(text)
                .iter()
                .map(|why| Cause::invalid(field, value, why)),
        );
    }
    causes
}
