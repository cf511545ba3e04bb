//! Small readers for Kubernetes objects kept as JSON: the few fields that controllers, kubelets and the scheduler
//! look at, with the API's own defaults. Not a validator: what is stored has passed the API server.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The text at a JSON pointer, or `""`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The integer at a JSON pointer, or `default`.
pub fn int(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether deletion was requested (`metadata.deletionTimestamp` is set).
pub fn is_deleting(object: &Value) -> bool {
    object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(Value::is_string)
}

/// `metadata.labels`, if there are any.
pub fn labels(object: &Value) -> Option<&Map<String, Value>> {
    object.pointer("/metadata/labels").and_then(Value::as_object)
}

/// The owner reference marked `controller: true`, if there is one.
pub fn controller(object: &Value) -> Option<&Value> {
    owners(object).find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

/// All owner references.
pub fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Parses a `metav1.Time`; `None` when missing or not a time.
pub fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    object.pointer(pointer)?.as_str()?.parse().ok()
}

/// A `metav1.Time`: RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether every pair of a plain selector (a service's) is among the labels. An empty selector matches nothing.
pub fn pairs_match(selector: &Map<String, Value>, labels: Option<&Map<String, Value>>) -> bool {
    !selector.is_empty()
        && labels.is_some_and(|labels| selector.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// Whether a `LabelSelector` (`matchLabels` and `matchExpressions`) accepts the labels. An empty selector matches
/// everything; an unknown operator matches nothing.
pub fn selector_matches(selector: &Value, labels: Option<&Map<String, Value>>) -> bool {
    let empty = Map::new();
    let labels = labels.unwrap_or(&empty);
    let pairs = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .is_none_or(|pairs| pairs.iter().all(|(k, v)| labels.get(k) == Some(v)));
    pairs
        && selector
            .get("matchExpressions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .all(|expression| {
                let value = labels.get(text(expression, "/key"));
                let listed = || {
                    expression
                        .get("values")
                        .and_then(Value::as_array)
                        .is_some_and(|values| value.is_some_and(|v| values.contains(v)))
                };
                match text(expression, "/operator") {
                    "In" => listed(),
                    "NotIn" => !listed(),
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
}

/// An owner reference to `owner` as its controller.
pub fn owner_reference(owner: &Value, api_version: &str, kind: &str) -> Value {
    serde_json::json!({
        "apiVersion": api_version, "kind": kind, "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// Raises `metadata.generation` by one, as the API server does when a spec changes.
pub fn bump_generation(object: &mut Value) {
    let next = int(object, "/metadata/generation", 0) + 1;
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("generation".into(), next.into());
    }
}

/// The status condition of one type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object
        .pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|c| text(c, "/type") == kind)
}

/// What the controllers need to know of a pod.
pub mod pod {
    use super::*;

    /// Neither finished nor being deleted.
    pub fn is_active(pod: &Value) -> bool {
        !is_deleting(pod) && !is_finished(pod)
    }

    /// In phase `Succeeded` or `Failed`.
    pub fn is_finished(pod: &Value) -> bool {
        matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
    }

    /// Whether the condition `Ready` is true.
    pub fn is_ready(pod: &Value) -> bool {
        condition(pod, "Ready").is_some_and(|c| text(c, "/status") == "True")
    }

    /// Since when the pod is ready, if it is.
    pub fn ready_since(pod: &Value) -> Option<Timestamp> {
        condition(pod, "Ready")
            .filter(|c| text(c, "/status") == "True")
            .and_then(|c| time(c, "/lastTransitionTime"))
    }

    /// Seconds until the pod counts as available (ready for `min_ready_seconds`): `Some(0)` when it is, `None` while it is not ready.
    pub fn available_in(pod: &Value, min_ready_seconds: i64, now: Timestamp) -> Option<i64> {
        if !is_ready(pod) {
            return None;
        }
        if min_ready_seconds == 0 {
            return Some(0);
        }
        let since = ready_since(pod)?;
        Some((since.as_second() + min_ready_seconds - now.as_second()).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_follow_the_api() {
        let labels = json!({"run": "inspector", "tier": "web"});
        let labels = labels.as_object();
        assert!(selector_matches(&json!({"matchLabels": {"run": "inspector"}}), labels));
        assert!(!selector_matches(&json!({"matchLabels": {"run": "other"}}), labels));
        assert!(selector_matches(
            &json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "db"]}]}),
            labels
        ));
        assert!(selector_matches(
            &json!({"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}, {"key": "x", "operator": "NotIn", "values": ["y"]}]}),
            labels
        ));
        assert!(!selector_matches(
            &json!({"matchExpressions": [{"key": "tier", "operator": "Bogus"}]}),
            labels
        ));
        assert!(selector_matches(&json!({}), None));
        assert!(!pairs_match(&Map::new(), labels));
    }

    #[test]
    fn availability_waits_for_min_ready_seconds() {
        let now: Timestamp = "2026-11-21T18:00:10Z".parse().unwrap_or_default();
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T18:00:05Z"}]}});
        assert_eq!(pod::available_in(&ready, 0, now), Some(0));
        assert_eq!(pod::available_in(&ready, 8, now), Some(3));
        assert_eq!(pod::available_in(&json!({}), 0, now), None);
    }
}
