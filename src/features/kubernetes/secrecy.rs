//! What of an object no plan, record, journal or message may tell: the values of a Secret, wherever the object holds
//! them. Not for reading one: what asks for a Secret itself (`get -o yaml`, `edit`) gets its values.

use serde_json::{Value, json};

use super::object;
use crate::core::report::Report;
use crate::core::text::MASK;

/// Annotations in which tools keep a copy of the whole object: kubectl's apply, kapp, Rancher's objectset.
const COPIES: [&str; 3] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
];

/// Whether an annotation of such an object holds values that nobody may be told: a copy of the object, or any other JSON
/// object, since tools name their copies as they like.
pub fn hides(kind: &str, annotation: &str, value: &str) -> bool {
    kind == "Secret" && (COPIES.contains(&annotation) || value.trim_start().starts_with('{'))
}

/// The object with a fingerprint in the place of each value that is hidden: two states differ where they did.
pub fn veiled(kind: &str, mut object: Value) -> Value {
    if kind != "Secret" {
        return object;
    }
    for field in ["data", "stringData"] {
        match object.get_mut(field) {
            Some(Value::Object(values)) => values.values_mut().for_each(veil),
            Some(other) => veil(other),
            None => {}
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations");
    for (key, value) in annotations.and_then(Value::as_object_mut).into_iter().flatten() {
        if hides(kind, key, value.as_str().unwrap_or_default()) {
            veil(value);
        }
    }
    object
}

/// What the server says about an object. It quotes a patch that it cannot take, and what stands where an applied object
/// must have a value of another type: values and all.
pub fn told(kind: &str, mut report: Report) -> Report {
    const QUOTED: &str = "Invalid value: ";
    if kind != "Secret" {
        return report;
    }
    let message = report.message.as_str();
    report.message = match message.split_once(QUOTED) {
        // What was got may hold anything, these words too.
        Some((before, quoted)) if !before.contains(GOT) => {
            let why = quoted.rsplit_once("\": ").map_or("", |(_, why)| why);
            let told = format!("{before}{QUOTED}{MASK}: {}", without_got(why));
            told.trim_end_matches([':', ' ']).to_owned()
        }
        _ => without_got(message),
    };
    report
}

/// Before the value that is of the wrong type (structured-merge-diff's validation: `.data: expected map, got &{VALUE}`).
const GOT: &str = ", got ";

/// The message up to such a value. What follows it goes too: nothing tells where a value of several lines ends.
fn without_got(message: &str) -> String {
    match message.split_once(GOT) {
        Some((before, _)) => format!("{before}{GOT}{MASK}"),
        None => message.to_owned(),
    }
}

/// Enough to tell two values apart, nothing of what they say. Null stays: there is none.
fn veil(value: &mut Value) {
    if !value.is_null() {
        *value = json!(format!("{MASK} {}", object::fingerprint(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

    #[test]
    fn a_secret_s_values_are_hidden_wherever_it_holds_them() {
        let copy = r#"{"kind":"Secret","data":{"k":"b2xk"}}"#;
        let secret = json!({"kind": "Secret", "metadata": {"name": "s", "annotations": {
                APPLIED: copy, "tool.example.org/state": format!(" {copy}"), "kapp.k14s.io/original": "b2xk", "team": "web"}},
            "data": {"k": "b2xk", "gone": null}, "stringData": {"p": "old"}, "type": "Opaque"});
        let veiled = veiled("Secret", secret.clone());
        let text = veiled.to_string();
        assert!(!text.contains("b2xk") && !text.contains("\"old\""), "{text}");
        assert_eq!(veiled["metadata"]["annotations"]["team"], "web");
        assert_eq!(
            (&veiled["type"], &veiled["data"]["gone"]),
            (&json!("Opaque"), &Value::Null)
        );
        assert!(
            !super::veiled("Secret", json!({"data": "b2xk"}))
                .to_string()
                .contains("b2xk")
        );
        assert_eq!(super::veiled("ConfigMap", secret.clone()), secret);
    }

    #[test]
    fn the_server_s_quotation_of_a_patch_is_left_out() {
        let said = r#"The request is invalid: patch: Invalid value: "{\"data\":{\"k\":\"hunter2: \\\": x\"}}": illegal base64 data at input byte 6"#;
        let message = |kind: &str| told(kind, Report::failed("E-X", said)).message;
        assert_eq!(
            message("Secret"),
            format!("The request is invalid: patch: Invalid value: {MASK}: illegal base64 data at input byte 6")
        );
        assert_eq!(message("Pod"), said);
        let cut = told("Secret", Report::failed("E-X", "Invalid value: hunter2")).message;
        assert_eq!(cut, format!("Invalid value: {MASK}"));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_left_out() {
        let message = |said: &str| told("Secret", Report::failed("E-X", said)).message;
        let of_apply = "failed to create typed patch object (default/key; /v1, Kind=Secret): ";
        let wrong = |said: &str| message(&format!("{of_apply}{said}"));
        let cut = |expected: &str| format!("{of_apply}{expected}, got {MASK}");
        assert_eq!(
            wrong(".stringData.pin: expected string, got &value.valueUnstructured{Value:1234}"),
            cut(".stringData.pin: expected string")
        );
        assert_eq!(
            wrong(".immutable: expected boolean, got &{one\ntwo, got three}"),
            cut(".immutable: expected boolean")
        );
        assert_eq!(
            wrong(".data: expected map, got &{Invalid value: \"x\": hunter2}"),
            cut(".data: expected map")
        );
        let both = message("patch: Invalid value: \"{, got 1}\": .data: expected map, got &{hunter2}");
        assert_eq!(
            both,
            format!("patch: Invalid value: {MASK}: .data: expected map, got {MASK}")
        );
    }
}
