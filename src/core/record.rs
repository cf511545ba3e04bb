//! A record: what flows from stage to stage. Not a schema: any JSON value is a record.

use serde_json::Value;

/// Any JSON value. JSON null is a value, not a missing record.
pub type Record = Value;

/// A record as one line of text: a string as it is, everything else as compact JSON.
pub fn to_text(record: &Record) -> String {
    match record {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value at a path of keys and list indexes, if every step exists.
pub fn at<'a>(record: &'a Record, path: &[impl AsRef<str>]) -> Option<&'a Record> {
    path.iter()
        .map(AsRef::as_ref)
        .try_fold(record, |value, step: &str| match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(step),
        })
}

/// The string at a path, if there is one.
pub fn text_at<'a>(record: &'a Record, path: &[&str]) -> Option<&'a str> {
    at(record, path).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_walk_maps_and_lists() {
        let service = json!({"status": {"ingress": [{"hostname": "lb.example"}]}});
        assert_eq!(
            text_at(&service, &["status", "ingress", "0", "hostname"]),
            Some("lb.example")
        );
        assert_eq!(at(&service, &["status", "ingress", "1"]), None);
        assert_eq!(at(&json!({"a": null}), &["a"]), Some(&Value::Null));
    }
}
