//! Rows of the kinds that run pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::selector::selector_text;
use super::{Column, age, containers, count, labels, name};

pub(super) const STATEFULSET: &[Column] = &[
    ("Name", "string", 0),
    ("Ready", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
];
pub(super) const DAEMONSET: &[Column] = &[
    ("Name", "string", 0),
    ("Desired", "integer", 0),
    ("Current", "integer", 0),
    ("Ready", "integer", 0),
    ("Up-to-date", "integer", 0),
    ("Available", "integer", 0),
    ("Node Selector", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];
pub(super) const CONTROLLERREVISION: &[Column] = &[
    ("Name", "string", 0),
    ("Controller", "string", 0),
    ("Revision", "string", 0),
    ("Age", "string", 0),
];
pub(super) const JOB: &[Column] = &[
    ("Name", "string", 0),
    ("Status", "string", 0),
    ("Completions", "string", 0),
    ("Duration", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];
pub(super) const CRONJOB: &[Column] = &[
    ("Name", "string", 0),
    ("Schedule", "string", 0),
    ("Timezone", "string", 0),
    ("Suspend", "string", 0),
    ("Active", "integer", 0),
    ("Last Schedule", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

pub(super) fn deployment(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let [names, images] = containers(&spec["template"]);
    vec![
        name(object),
        json!(format!(
            "{}/{}",
            count(&status["readyReplicas"]),
            count(&spec["replicas"])
        )),
        json!(count(&status["updatedReplicas"])),
        json!(count(&status["availableReplicas"])),
        age(object, now),
        names,
        images,
        json!(selector_text(&spec["selector"])),
    ]
}

pub(super) fn replicaset(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let [names, images] = containers(&spec["template"]);
    vec![
        name(object),
        json!(count(&spec["replicas"])),
        json!(count(&status["replicas"])),
        json!(count(&status["readyReplicas"])),
        age(object, now),
        names,
        images,
        json!(selector_text(&spec["selector"])),
    ]
}

pub(super) fn statefulset(object: &Value, now: Timestamp) -> Vec<Value> {
    let [names, images] = containers(&object["spec"]["template"]);
    let ready = format!(
        "{}/{}",
        count(&object["status"]["readyReplicas"]),
        count(&object["spec"]["replicas"])
    );
    vec![name(object), json!(ready), age(object, now), names, images]
}

pub(super) fn daemonset(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let [names, images] = containers(&spec["template"]);
    let counts = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut row = vec![name(object)];
    row.extend(counts.iter().map(|field| json!(count(&status[*field]))));
    row.push(labels(&spec["template"]["spec"]["nodeSelector"]));
    row.extend([age(object, now), names, images, json!(selector_text(&spec["selector"]))]);
    row
}

/// A ControllerRevision names whose revision it is.
pub(super) fn controllerrevision(object: &Value, now: Timestamp) -> Vec<Value> {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
    let controller = owner.map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let text = |field: &str| owner[field].as_str().unwrap_or_default();
            let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{}", text("kind").to_lowercase(), text("name"))
        },
    );
    vec![
        name(object),
        json!(controller),
        object["revision"].clone(),
        age(object, now),
    ]
}

pub(super) fn job(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let [names, images] = containers(&spec["template"]);
    let succeeded = count(&status["succeeded"]);
    let completions = match (spec["completions"].as_i64(), spec["parallelism"].as_i64()) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, Some(parallel)) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        _ => format!("{succeeded}/1"),
    };
    let has = |kind: &str| {
        status["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|c| c["type"] == kind && c["status"] == "True")
    };
    let state = if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if !object["metadata"]["deletionTimestamp"].is_null() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    let second = |field: &str| {
        status[field]
            .as_str()
            .and_then(|t| t.parse::<Timestamp>().ok())
            .map(|t| t.as_second())
    };
    let duration = match (second("startTime"), second("completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => age::human(end.unwrap_or(now.as_second()) - start),
    };
    vec![
        name(object),
        json!(state),
        json!(completions),
        json!(duration),
        age(object, now),
        names,
        images,
        json!(selector_text(&spec["selector"])),
    ]
}

pub(super) fn cronjob(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let job = &spec["jobTemplate"]["spec"];
    let [names, images] = containers(&job["template"]);
    let last = status["lastScheduleTime"]
        .as_str()
        .map_or("<none>".to_owned(), |at| age::since(Some(at), now));
    vec![
        name(object),
        spec["schedule"].clone(),
        super::or_none(&spec["timeZone"]),
        json!(if spec["suspend"] == true { "True" } else { "False" }),
        json!(status["active"].as_array().map_or(0, Vec::len)),
        json!(last),
        age(object, now),
        names,
        images,
        json!(selector_text(&job["selector"])),
    ]
}
