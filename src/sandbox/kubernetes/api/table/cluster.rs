//! Rows of nodes, namespaces, events, configuration, and of every kind without rules of its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, name, or_none};

pub(super) const CONFIGMAP: &[Column] = &[("Name", "string", 0), ("Data", "string", 0), ("Age", "string", 0)];
pub(super) const SECRET: &[Column] = &[
    ("Name", "string", 0),
    ("Type", "string", 0),
    ("Data", "string", 0),
    ("Age", "string", 0),
];
pub(super) const SERVICEACCOUNT: &[Column] = &[("Name", "string", 0), ("Secrets", "string", 0), ("Age", "string", 0)];
pub(super) const RESOURCEQUOTA: &[Column] = &[
    ("Name", "string", 0),
    ("Request", "string", 0),
    ("Limit", "string", 0),
    ("Age", "string", 0),
];
pub(super) const ANY: &[Column] = &[("Name", "string", 0), ("Age", "string", 0)];

pub(super) fn any(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(object), age(object, now)]
}

pub(super) fn namespace(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(object), object["status"]["phase"].clone(), age(object, now)]
}

/// What is used of each limit, `cpu: 1/2`; what limits containers stands apart from what they request.
pub(super) fn resourcequota(object: &Value, now: Timestamp) -> Vec<Value> {
    let hard = object["status"]["hard"].as_object();
    let mut keys: Vec<&String> = hard.into_iter().flat_map(|hard| hard.keys()).collect();
    keys.sort();
    let joined = |limits: bool| {
        let own = keys.iter().filter(|key| key.starts_with("limits") == limits);
        let text = |list: &str, key: &str| object["status"][list][key].as_str().unwrap_or("0").to_owned();
        let pairs: Vec<String> = own
            .map(|key| format!("{key}: {}/{}", text("used", key), text("hard", key)))
            .collect();
        json!(pairs.join(", "))
    };
    vec![name(object), joined(false), joined(true), age(object, now)]
}

fn size(value: &Value) -> usize {
    value.as_object().map_or(0, |map| map.len())
}

pub(super) fn configmap(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        json!(size(&object["data"]) + size(&object["binaryData"])),
        age(object, now),
    ]
}

pub(super) fn secret(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        object["type"].clone(),
        json!(size(&object["data"])),
        age(object, now),
    ]
}

pub(super) fn serviceaccount(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        json!(object["secrets"].as_array().map_or(0, Vec::len)),
        age(object, now),
    ]
}

pub(super) fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let ready = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "Ready");
    let mut state = match ready.map(|c| &c["status"]) {
        Some(status) if status == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if spec["unschedulable"] == true {
        state.push_str(",SchedulingDisabled");
    }
    let info = &status["nodeInfo"];
    let address = |kind: &str| {
        let all = status["addresses"].as_array().into_iter().flatten();
        or_none(
            &all.into_iter()
                .find(|a| a["type"] == kind)
                .map_or(Value::Null, |a| a["address"].clone()),
        )
    };
    let unknown = |value: &Value| match value.as_str() {
        Some(text) if !text.is_empty() => json!(text),
        _ => json!("<unknown>"),
    };
    let kernel = match (info["kernelVersion"].as_str(), info["architecture"].as_str()) {
        (Some(kernel), Some(architecture)) if !kernel.is_empty() && !architecture.is_empty() => {
            json!(format!("{kernel} ({architecture})"))
        }
        _ => unknown(&info["kernelVersion"]),
    };
    vec![
        name(object),
        json!(state),
        json!(roles(object)),
        age(object, now),
        info["kubeletVersion"].clone(),
        address("InternalIP"),
        address("ExternalIP"),
        unknown(&info["osImage"]),
        kernel,
        unknown(&info["containerRuntimeVersion"]),
    ]
}

fn roles(object: &Value) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        if let Some(role) = key
            .strip_prefix("node-role.kubernetes.io/")
            .filter(|role| !role.is_empty())
        {
            roles.insert(role);
        } else if key == "kubernetes.io/role" {
            roles.extend(value.as_str().filter(|role| !role.is_empty()));
        }
    }
    if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.into_iter().collect::<Vec<_>>().join(",")
    }
}

pub(super) fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let since = |at: Option<&str>| age::since(at, now);
    let first_at = object["firstTimestamp"].as_str().or(object["eventTime"].as_str());
    let series = &object["series"];
    let last_at = series["lastObservedTime"]
        .as_str()
        .or(object["lastTimestamp"].as_str())
        .or(first_at);
    let times = series["count"]
        .as_i64()
        .or(object["count"].as_i64().filter(|n| *n > 0))
        .unwrap_or(1);

    let about = &object["involvedObject"];
    let kind = text(&about["kind"]).unwrap_or_default().to_lowercase();
    let what = format!("{kind}/{}", text(&about["name"]).unwrap_or_default());
    let component = text(&object["source"]["component"])
        .or(text(&object["reportingComponent"]))
        .unwrap_or_default();
    let source = match text(&object["source"]["host"]).or(text(&object["reportingInstance"])) {
        Some(host) => format!("{component}, {host}"),
        None => component,
    };
    vec![
        json!(since(last_at)),
        object["type"].clone(),
        object["reason"].clone(),
        json!(what),
        json!(text(&about["fieldPath"]).unwrap_or_default()),
        json!(source),
        json!(text(&object["message"]).unwrap_or_default().trim()),
        json!(since(first_at)),
        json!(times),
        name(object),
    ]
}
