//! What becomes different between two states of an object, field by field, and the same fields of a later state. Secret
//! values are never told, only that they differ. Not for patches.

use serde_json::{Map, Value};

use crate::features::kubernetes::{object, secrecy};

/// The fields that differ, as JSON pointers with their values before and after. Status and the server's bookkeeping do
/// not count. All of them: what an approval names must be all that is changed.
pub fn between(kind: &str, live: &Value, wanted: &Value) -> (Value, Value) {
    let mut found = Vec::new();
    let bare = |state: &Value| secrecy::veiled(kind, object::as_manifest(state.clone()));
    walk(&bare(live), &bare(wanted), String::new(), &mut found);
    let (mut before, mut after) = (Map::new(), Map::new());
    for (pointer, old, new) in found {
        before.insert(pointer.clone(), old);
        after.insert(pointer, new);
    }
    (Value::Object(before), Value::Object(after))
}

/// A line for each field that differs, each behind a line break; empty where the two are no fields.
pub fn told(before: &Value, after: &Value) -> String {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return String::new();
    };
    let line = |(field, new): (&String, &Value)| {
        let old = before.get(field).unwrap_or(&Value::Null);
        format!("\n  {field}: {old} → {new}")
    };
    after.iter().map(line).collect()
}

/// The values of the same fields in another state of an object of this kind.
pub fn at(kind: &str, live: &Value, fields: &Value) -> Value {
    let Some(fields) = fields.as_object() else {
        return Value::Null;
    };
    let live = secrecy::veiled(kind, live.clone());
    let value = |pointer: &String| live.pointer(pointer).cloned().unwrap_or_default();
    Value::Object(fields.keys().map(|pointer| (pointer.clone(), value(pointer))).collect())
}

fn walk(old: &Value, new: &Value, pointer: String, found: &mut Vec<(String, Value, Value)>) {
    if old == new {
        return;
    }
    let child = |step: &str| format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                walk(value, new.get(key).unwrap_or(&Value::Null), child(key), found);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                found.push((child(key), Value::Null, value.clone()));
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                walk(old, new, child(&index.to_string()), found);
            }
        }
        _ => found.push((pointer, old.clone(), new.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_differ_are_named_and_books_are_not() {
        let live = json!({"metadata": {"resourceVersion": "1", "labels": {"a/b": "1"}}, "spec": {"n": 1, "l": [{"x": 1}]}, "status": 1});
        let wanted = json!({"metadata": {"resourceVersion": "2", "labels": {"a/b": "2"}}, "spec": {"l": [{"x": 2}], "m": {}}, "status": 2});
        let (before, after) = between("Deployment", &live, &wanted);
        assert_eq!(
            before,
            json!({"/metadata/labels/a~1b": "1", "/spec/n": 1, "/spec/l/0/x": 1, "/spec/m": null})
        );
        assert_eq!(after["/spec/l/0/x"], 2);
        assert_eq!(at("Deployment", &live, &before), before);
        assert_eq!(at("Deployment", &wanted, &before), after);
    }

    #[test]
    fn every_field_counts_however_many_there_are() {
        let data = |value: &str| -> Value {
            let fields = (0..100).map(|number| (format!("k{number}"), json!(value)));
            json!({"data": Value::Object(fields.collect())})
        };
        let (before, after) = between("ConfigMap", &data("old"), &data("new"));
        assert_eq!(
            (before.as_object().map(Map::len), after.as_object().map(Map::len)),
            (Some(100), Some(100))
        );
    }

    #[test]
    fn secrets_stay_secret_in_every_field_that_holds_them() {
        let secret = |value: &str| {
            let copy = json!({"data": {"k": value}}).to_string();
            json!({"kind": "Secret", "data": {"k": value},
                "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy}}})
        };
        let (old, new, bare) = (secret("b2xk"), secret("bmV3"), json!({"kind": "Secret"}));
        let in_place = [
            "/data/k",
            "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        ];
        // Of an object without annotations or data the whole field is new, or gone.
        for (live, wanted, fields) in [
            (&old, &new, in_place),
            (&bare, &new, ["/data", "/metadata"]),
            (&old, &bare, ["/data", "/metadata"]),
        ] {
            let (before, after) = between("Secret", live, wanted);
            let mut names: Vec<&String> = before.as_object().into_iter().flat_map(Map::keys).collect();
            names.sort();
            assert_eq!(names, fields);
            let told = format!("{before}{after}{}", told(&before, &after));
            assert!(!told.contains("b2xk") && !told.contains("bmV3"), "{told}");
            assert_eq!(at("Secret", live, &before), before);
            assert_eq!(at("Secret", wanted, &before), after);
        }
    }
}
