//! Objects of any other kind, as kubectl describes custom resources: every field with its name in words.

use serde_json::{Map, Value};

use super::Related;
use super::events::events;
use super::text::{Text, plain};
use crate::features::kubernetes::{object, secrecy};

/// Any object.
pub fn generic(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    let veiled = secrecy::veiled(object::text(live, "/kind"), live.clone());
    out.annotations(0, "Annotations", veiled.pointer("/metadata/annotations"));
    let mut rest: Map<String, Value> = live.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(metadata)) = rest.get_mut("metadata") {
        for known in ["name", "namespace", "labels", "annotations", "managedFields"] {
            metadata.shift_remove(known);
        }
    }
    fields(&mut out, &secrets_hidden(live, rest), 0);
    events(&mut out, related);
    out.finish()
}

/// A Secret's data is told by its size only, as kubectl does.
fn secrets_hidden(live: &Value, mut fields: Map<String, Value>) -> Map<String, Value> {
    if live["kind"] == "Secret"
        && let Some(Value::Object(data)) = fields.get_mut("data")
    {
        for value in data.values_mut() {
            // Base64: four characters stand for three bytes.
            let text = value.as_str().unwrap_or_default();
            let bytes = text.trim_end_matches('=').len() * 3 / 4;
            *value = Value::from(format!("{bytes} bytes"));
        }
    }
    fields
}

fn fields(out: &mut Text, map: &Map<String, Value>, level: usize) {
    let mut pairs: Vec<(String, &Value)> = map.iter().map(|(key, value)| (title(key), value)).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, value) in pairs {
        match value {
            Value::Object(inner) => {
                out.line(level, &format!("{name}:"));
                fields(out, inner, level + 1);
            }
            Value::Array(items) => {
                out.line(level, &format!("{name}:"));
                for item in items {
                    match item {
                        Value::Object(inner) => fields(out, inner, level + 1),
                        other => out.line(level + 1, &plain(other).replace(['\n', '\t'], " ")),
                    }
                }
            }
            other => out.field(level, &name, plain(other)),
        }
    }
}

/// `apiVersion` → `API Version`, `creationTimestamp` → `Creation Timestamp`.
fn title(key: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut previous_lower = false;
    for symbol in key.chars() {
        if words.is_empty() || (symbol.is_uppercase() && previous_lower) {
            words.push(String::new());
        }
        let first = words.last().is_some_and(String::is_empty);
        if let Some(word) = words.last_mut() {
            if first {
                word.extend(symbol.to_uppercase())
            } else {
                word.push(symbol)
            }
        }
        previous_lower = symbol.is_lowercase() || symbol.is_ascii_digit();
    }
    for word in &mut words {
        if matches!(word.as_str(), "Api" | "Uid" | "Ip" | "Url" | "Tls" | "Dns" | "Id") {
            *word = word.to_uppercase();
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn titles_are_words() {
        assert_eq!(title("apiVersion"), "API Version");
        assert_eq!(title("creationTimestamp"), "Creation Timestamp");
        assert_eq!(title("uid"), "UID");
        assert_eq!(title("clusterIP"), "Cluster IP");
    }

    #[test]
    fn a_secret_s_data_is_a_size() {
        let live = json!({"kind": "Secret", "metadata": {"name": "s", "annotations": {"kapp.k14s.io/original": "aHVudGVyMg=="}}, "data": {"password": "aHVudGVyMg=="}});
        let text = generic(&live, &Related::default());
        assert!(
            text.contains("Password:  7 bytes") && !text.contains("aHVudGVyMg"),
            "{text}"
        );
    }
}
