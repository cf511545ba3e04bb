//! Defaults of the kinds that run pods.

use serde_json::{Map, Value, json};

use super::{map, pod, set};

fn template(spec: &mut Map<String, Value>) {
    if let Some(template) = map(spec.entry("template").or_insert(Value::Null)) {
        set(template, "metadata", json!({}));
        pod::spec(template.entry("spec").or_insert(Value::Null));
    }
}

/// `apps/v1` Deployment.
pub fn deployment(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    set(spec, "replicas", json!(1));
    template(spec);
    if let Some(strategy) = map(spec.entry("strategy").or_insert(Value::Null)) {
        set(strategy, "type", json!("RollingUpdate"));
        if strategy.get("type") == Some(&json!("RollingUpdate"))
            && let Some(rolling) = map(strategy.entry("rollingUpdate").or_insert(Value::Null))
        {
            set(rolling, "maxUnavailable", json!("25%"));
            set(rolling, "maxSurge", json!("25%"));
        }
    }
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    // `paused: false` is Go's zero value and never shown.
    if spec.get("paused") == Some(&json!(false)) {
        spec.shift_remove("paused");
    }
}

/// `apps/v1` ReplicaSet, and ReplicationController.
pub fn replicaset(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    set(spec, "replicas", json!(1));
    template(spec);
}

/// `apps/v1` StatefulSet.
pub fn statefulset(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    set(spec, "replicas", json!(1));
    template(spec);
    set(spec, "podManagementPolicy", json!("OrderedReady"));
    set(
        spec,
        "updateStrategy",
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
    );
    set(spec, "revisionHistoryLimit", json!(10));
    set(
        spec,
        "persistentVolumeClaimRetentionPolicy",
        json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
    );
}

/// `apps/v1` DaemonSet.
pub fn daemonset(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    template(spec);
    set(
        spec,
        "updateStrategy",
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}),
    );
    set(spec, "revisionHistoryLimit", json!(10));
}

fn job_spec(spec: &mut Map<String, Value>) {
    let has = |spec: &Map<String, Value>, field: &str| spec.get(field).is_some_and(|v| !v.is_null());
    if !has(spec, "completions") && !has(spec, "parallelism") {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    set(spec, "backoffLimit", json!(6));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    set(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    template(spec);
}

/// `batch/v1` Job. The selector and its label are the server's to choose: they are derived from the name, which is
/// as unique among live jobs as the UID a real server takes.
pub fn job(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    job_spec(spec);
    if spec.get("selector").is_none_or(Value::is_null) {
        spec.insert(
            "selector".into(),
            json!({"matchLabels": {"batch.kubernetes.io/job-name": name}}),
        );
        for label in ["batch.kubernetes.io/job-name", "job-name"] {
            spec["template"]["metadata"]["labels"][label] = name.clone();
        }
    }
}

/// `batch/v1` CronJob.
pub fn cronjob(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    set(spec, "concurrencyPolicy", json!("Allow"));
    set(spec, "suspend", json!(false));
    set(spec, "successfulJobsHistoryLimit", json!(3));
    set(spec, "failedJobsHistoryLimit", json!(1));
    if let Some(template) = map(spec.entry("jobTemplate").or_insert(Value::Null)) {
        set(template, "metadata", json!({}));
        if let Some(spec) = map(template.entry("spec").or_insert(Value::Null)) {
            let given: Vec<&str> = ["completions", "parallelism"]
                .into_iter()
                .filter(|f| !spec.contains_key(*f))
                .collect();
            self::template(spec);
            // A job template keeps its own counts for the jobs made of it.
            for field in given {
                spec.shift_remove(field);
            }
        }
    }
}
