//! Label and field selectors: parsing, matching, and the indexed term that narrows a list. Works on wire objects.

use std::cmp::Ordering;

use serde_json::Value;

use super::status::ApiError;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::store::Term;

/// What a list or watch is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    namespace: String,
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Compare(String, Ordering, i64),
}

impl Filter {
    /// Parses both selectors. `namespace` empty means all.
    pub fn parse(kind: &Kind, namespace: &str, labels: &str, fields: &str) -> Result<Self, ApiError> {
        Ok(Self {
            namespace: namespace.to_owned(),
            labels: parse_labels(labels)?,
            fields: parse_fields(kind, fields)?,
        })
    }

    /// Whether labels or fields narrow anything.
    pub fn narrows(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether an object passes.
    pub fn matches(&self, object: &Value) -> bool {
        let meta = &object["metadata"];
        (self.namespace.is_empty() || meta["namespace"] == self.namespace.as_str())
            && self
                .labels
                .iter()
                .all(|requirement| requirement.matches(&meta["labels"]))
            && self
                .fields
                .iter()
                .all(|(field, equal, value)| (field_text(object, field) == *value) == *equal)
    }

    /// An indexed property every match has, if the selectors name one.
    pub fn term(&self) -> Option<Term<'_>> {
        let node = self
            .fields
            .iter()
            .find(|(field, equal, value)| *equal && field == "spec.nodeName" && !value.is_empty());
        if let Some((_, _, node)) = node {
            return Some(Term::Node(node));
        }
        self.labels.iter().find_map(|requirement| match requirement {
            Requirement::In(key, values) => match values.as_slice() {
                [value] => Some(Term::Label(key, value)),
                _ => None,
            },
            _ => None,
        })
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let value = |key: &String| labels.get(key).and_then(Value::as_str);
        match self {
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Missing(key) => value(key).is_none(),
            Requirement::In(key, values) => value(key).is_some_and(|v| values.iter().any(|x| x == v)),
            Requirement::NotIn(key, values) => value(key).is_none_or(|v| values.iter().all(|x| x != v)),
            Requirement::Compare(key, order, bound) => value(key)
                .and_then(|v| v.parse::<i64>().ok())
                .is_some_and(|v| v.cmp(bound) == *order),
        }
    }
}

/// Whether the `LabelSelector` object of a spec matches labels. An empty selector matches everything.
pub(in crate::sandbox::kubernetes) fn selector_matches(selector: &Value, labels: &Value) -> bool {
    let text = |key: &str| labels.get(key).and_then(Value::as_str);
    let exact = selector["matchLabels"].as_object().into_iter().flatten();
    if !exact.into_iter().all(|(key, value)| text(key) == value.as_str()) {
        return false;
    }
    selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten()
        .all(|expression| {
            let key = expression["key"].as_str().unwrap_or_default();
            let values: Vec<&str> = expression["values"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            match expression["operator"].as_str() {
                Some("In") => text(key).is_some_and(|v| values.contains(&v)),
                Some("NotIn") => text(key).is_none_or(|v| !values.contains(&v)),
                Some("Exists") => text(key).is_some(),
                Some("DoesNotExist") => text(key).is_none(),
                _ => false,
            }
        })
}

/// A `LabelSelector` in the text form of tables and of Scale's status; `<none>` when empty.
pub(super) fn selector_text(selector: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut exact: Vec<(&String, &Value)> = selector["matchLabels"].as_object().into_iter().flatten().collect();
    exact.sort_by_key(|(key, _)| key.as_str());
    parts.extend(
        exact
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())),
    );
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let mut values: Vec<&str> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push(match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("Exists") => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    if parts.is_empty() {
        "<none>".to_owned()
    } else {
        parts.join(",")
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, ApiError> {
    let mut requirements = Vec::new();
    for part in split_outside_parentheses(text) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        requirements.push(parse_requirement(part).ok_or_else(|| {
            ApiError::bad_request(format!(
                "unable to parse requirement: found '{part}', expected: a label requirement"
            ))
        })?);
    }
    Ok(requirements)
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return label_key(key).map(Requirement::Missing);
    }
    for (operator, order) in [
        ("!=", None),
        ("==", Some(Ordering::Equal)),
        ("=", Some(Ordering::Equal)),
    ] {
        if let Some((key, value)) = part.split_once(operator) {
            let (key, value) = (label_key(key)?, label_value(value)?);
            let values = vec![value];
            return Some(if order.is_some() {
                Requirement::In(key, values)
            } else {
                Requirement::NotIn(key, values)
            });
        }
    }
    for (operator, order) in [('>', Ordering::Greater), ('<', Ordering::Less)] {
        if let Some((key, value)) = part.split_once(operator) {
            return Some(Requirement::Compare(label_key(key)?, order, value.trim().parse().ok()?));
        }
    }
    let mut words = part.splitn(2, char::is_whitespace);
    let key = label_key(words.next()?)?;
    let Some(rest) = words.next().map(str::trim) else {
        return Some(Requirement::Exists(key));
    };
    let (negative, list) = match rest.strip_prefix("notin") {
        Some(list) => (true, list),
        None => (false, rest.strip_prefix("in")?),
    };
    let list = list.trim().strip_prefix('(')?.strip_suffix(')')?;
    let values: Option<Vec<String>> = list.split(',').map(label_value).collect();
    Some(if negative {
        Requirement::NotIn(key, values?)
    } else {
        Requirement::In(key, values?)
    })
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(ok)).then(|| text.to_owned())
}

fn label_value(text: &str) -> Option<String> {
    let text = text.trim();
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().all(ok).then(|| text.to_owned())
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_fields(kind: &Kind, text: &str) -> Result<Vec<(String, bool, String)>, ApiError> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
            (field, false, value)
        } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (field, true, value)
        } else {
            let why = format!("invalid selector: '{text}'; can't understand '{part}'");
            return Err(ApiError::bad_request(why));
        };
        if !known_field(kind, field) {
            let asked = format!(
                "Unable to find {:?} that match label selector \"\", field selector {text:?}: ",
                gvr(kind)
            );
            return Err(ApiError::bad_request(format!(
                "{asked}field label not supported: {field}"
            )));
        }
        fields.push((field.to_owned(), equal, value.to_owned()));
    }
    Ok(fields)
}

fn gvr(kind: &Kind) -> String {
    format!("{}/{}, Resource={}", kind.group, kind.version, kind.resource)
}

fn known_field(kind: &Kind, field: &str) -> bool {
    let more: &[&str] = match kind.resource {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "nodes" => &["spec.unschedulable"],
        "namespaces" => &["status.phase"],
        "secrets" => &["type"],
        "services" => &["spec.clusterIP", "spec.type"],
        "replicasets" | "replicationcontrollers" => &["status.replicas"],
        "jobs" => &["status.successful"],
        _ => &[],
    };
    field == "metadata.name" || (kind.namespaced && field == "metadata.namespace") || more.contains(&field)
}

fn field_text(object: &Value, field: &str) -> String {
    let path = match field {
        "source" => "source.component",
        other => other,
    };
    let found = path.split('.').fold(object, |at, key| &at[key]);
    match found {
        Value::String(text) => text.clone(),
        Value::Null if matches!(field, "spec.unschedulable" | "spec.hostNetwork") => "false".to_owned(),
        Value::Null if matches!(field, "status.replicas" | "status.successful") => "0".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubernetes::kinds;

    fn matches(labels: &str, fields: &str) -> bool {
        let pod = json!({
            "metadata": {"name": "p", "namespace": "d", "labels": {"app": "web", "tier": "3"}},
            "spec": {"nodeName": "n"}, "status": {"phase": "Running"}
        });
        Filter::parse(kinds::by_resource("pods").unwrap(), "d", labels, fields)
            .unwrap()
            .matches(&pod)
    }

    #[test]
    fn label_selectors() {
        for yes in [
            "",
            "app=web",
            "app==web",
            "app!=x",
            "app",
            "!nope",
            "app in (a, web)",
            "app notin (a,b)",
            "tier>2",
            "x!=1",
            "app=web,tier in (3)",
        ] {
            assert!(matches(yes, ""), "{yes}");
        }
        for no in [
            "app=x",
            "app!=web",
            "nope",
            "!app",
            "app in (a,b)",
            "app notin (web)",
            "tier<2",
            "app=web,x=1",
        ] {
            assert!(!matches(no, ""), "{no}");
        }
        let kind = kinds::by_resource("pods").unwrap();
        for bad in ["a in b", "a=b=c d", "a in (b", "=x", "a;b"] {
            assert_eq!(Filter::parse(kind, "", bad, "").unwrap_err().code, 400, "{bad}");
        }
    }

    #[test]
    fn field_selectors() {
        assert!(matches("", "metadata.name=p,spec.nodeName=n,status.phase!=Pending"));
        assert!(!matches("", "status.phase!=Running"));
        assert!(matches("", "spec.hostNetwork=false"));
        let kind = kinds::by_resource("deployments").unwrap();
        assert_eq!(Filter::parse(kind, "", "", "spec.nodeName=x").unwrap_err().code, 400);
        assert_eq!(Filter::parse(kind, "", "", "metadata.name").unwrap_err().code, 400);
    }

    #[test]
    fn selectors_of_specs() {
        let selector =
            json!({"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]});
        assert_eq!(selector_text(&selector), "a=1,b=2,c");
        assert!(selector_matches(&selector, &json!({"a": "1", "b": "2", "c": ""})));
        assert!(!selector_matches(&selector, &json!({"a": "1", "b": "2"})));
        assert_eq!(selector_text(&json!({})), "<none>");
    }
}
