//! Rules of objects, with the real server's words: what a 422 answer lists. Types and unknown fields are `decode`'s.

use serde_json::Value;

use super::status::Cause;
use crate::sandbox::kubernetes::kinds::Kind;

mod meta;
mod names;
mod pod;
mod quota;
mod service;
mod workload;

/// The broken rules of a new object, after defaulting.
pub(super) fn create(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = meta::check(kind, object);
    causes.extend(specific(kind, object));
    causes
}

/// The broken rules of a change.
pub(super) fn update(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = meta::labels_and_annotations(new);
    causes.extend(specific(kind, new));
    match kind.resource {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" | "jobs" => {
            causes.extend(workload::selector_is_kept(old, new));
        }
        "pods" => causes.extend(pod::spec_is_kept(old, new)),
        "configmaps" | "secrets" => causes.extend(immutable_data(kind, old, new)),
        _ => {}
    }
    causes
}

fn specific(kind: &Kind, object: &Value) -> Vec<Cause> {
    match kind.resource {
        "deployments" => workload::deployment(object),
        "replicasets" | "statefulsets" | "daemonsets" => workload::replicated(object),
        "jobs" => workload::job(&object["spec"], "spec"),
        "cronjobs" => workload::cron_job(object),
        "resourcequotas" => quota::quota(object),
        "pods" => pod::spec(&object["spec"], "spec"),
        "services" => service::service(object),
        "configmaps" => keys(object, &["data", "binaryData"]),
        "secrets" => keys(object, &["data"]),
        _ => Vec::new(),
    }
}

fn keys(object: &Value, fields: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in fields {
        for key in object[*field].as_object().into_iter().flatten().map(|(key, _)| key) {
            let ok = !key.is_empty()
                && key.len() <= 253
                && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !ok || key == "." || key.starts_with("..") {
                let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                causes.push(Cause::invalid(
                    format!("{field}[{key}]"),
                    &Value::String(key.clone()),
                    why,
                ));
            }
        }
    }
    causes
}

fn immutable_data(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if old["immutable"] == true {
        for field in ["data", "binaryData"] {
            if old[field] != new[field] {
                causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
            }
        }
    }
    if kind.resource == "secrets" && old["type"] != new["type"] {
        causes.push(Cause::invalid("type", &new["type"], "field is immutable"));
    }
    causes
}

#[cfg(test)]
mod tests;
