//! A pod template, and the parts it shares with a pod: labels, containers, volumes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::tabs::align;
use crate::features::kubernetes::object;

/// A pod template as `rollout history --revision` shows it; `cause` becomes an annotation of it there.
pub fn pod_template(template: &Value, cause: Option<&str>) -> String {
    let mut template = template.clone();
    if let Some(cause) = cause.filter(|cause| *cause != "<none>") {
        if !template["metadata"]["annotations"].is_object() {
            template["metadata"]["annotations"] = Value::Object(Map::new());
        }
        template["metadata"]["annotations"][object::CHANGE_CAUSE] = Value::from(cause);
    }
    let mut text = String::new();
    write_template(&mut text, &template);
    align(&text).trim_end().to_owned()
}

/// Writes `Pod Template:` and everything below it, tabs not yet aligned.
pub fn write_template(out: &mut String, template: &Value) {
    out.push_str("Pod Template:\n");
    labels(out, "  Labels", template.pointer("/metadata/labels"), "=");
    if object::map(template, "/metadata/annotations").is_some_and(|map| !map.is_empty()) {
        labels(out, "  Annotations", template.pointer("/metadata/annotations"), ": ");
    }
    let _ = out;
}

/// A map over several lines, sorted: `Labels:\ta=1\n\tb=2`, `<none>` when empty.
pub fn labels(out: &mut String, title: &str, map: Option<&Value>, sign: &str) {
    let mut pairs: Vec<(&String, &Value)> = map.and_then(Value::as_object).into_iter().flatten().collect();
    pairs.sort_by_key(|(key, _)| *key);
    let _ = write!(out, "{title}:\t");
    if pairs.is_empty() {
        out.push_str("<none>\n");
    }
    for (at, (key, value)) in pairs.iter().enumerate() {
        let indent = if at == 0 { "" } else { "\t" };
        let _ = writeln!(out, "{indent}{key}{sign}{}", value.as_str().unwrap_or_default());
    }
}
