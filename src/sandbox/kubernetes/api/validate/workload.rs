//! Rules of the kinds that run pods.

use serde_json::Value;

use super::super::selector::selector_matches;
use super::super::status::Cause;
use super::{meta, pod};
use crate::sandbox::kubernetes::controllers::cron_job::{self, schedule::Schedule};

const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

fn not_negative(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    if spec[field].as_i64().is_some_and(|number| number < 0) {
        causes.push(Cause::invalid(format!("spec.{field}"), &spec[field], NOT_NEGATIVE));
    }
}

/// Replicas, selector and template, in the order a real server reports them.
pub(super) fn replicated(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    not_negative(spec, "replicas", &mut causes);
    not_negative(spec, "minReadySeconds", &mut causes);
    selector(spec, &mut causes);
    template(spec, "spec", &mut causes);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| policy != "Always") {
        causes.push(Cause::not_supported(
            "spec.template.spec.restartPolicy",
            policy,
            &["Always"],
        ));
    }
    causes
}

fn selector(spec: &Value, causes: &mut Vec<Cause>) {
    let selector = &spec["selector"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
        return;
    }
    causes.extend(meta::labels(&selector["matchLabels"], "spec.selector.matchLabels"));
    let size = |field: &str| match &selector[field] {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    };
    if size("matchLabels") + size("matchExpressions") == 0 {
        causes.push(Cause::invalid(
            "spec.selector",
            selector,
            "empty selector is invalid for deployment",
        ));
    }
}

fn template(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let (selector, template) = (&spec["selector"], &spec["template"]);
    let labels = &template["metadata"]["labels"];
    let place = format!("{path}.template.metadata.labels");
    causes.extend(meta::labels(labels, &place));
    if !selector.is_null() && !selector_matches(selector, labels) {
        causes.push(Cause::invalid(
            place,
            labels,
            "`selector` does not match template `labels`",
        ));
    }
    causes.extend(pod::spec(&template["spec"], &format!("{path}.template.spec")));
}

/// `apps/v1` Deployment.
pub(super) fn deployment(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = replicated(object);
    strategy(&spec["strategy"], &mut causes);
    not_negative(spec, "revisionHistoryLimit", &mut causes);
    if let (Some(deadline), ready) = (
        spec["progressDeadlineSeconds"].as_i64(),
        spec["minReadySeconds"].as_i64().unwrap_or(0),
    ) {
        not_negative(spec, "progressDeadlineSeconds", &mut causes);
        if deadline >= 0 && deadline <= ready {
            let why = "must be greater than minReadySeconds";
            causes.push(Cause::invalid(
                "spec.progressDeadlineSeconds",
                &spec["progressDeadlineSeconds"],
                why,
            ));
        }
    }
    causes
}

fn strategy(strategy: &Value, causes: &mut Vec<Cause>) {
    match strategy["type"].as_str() {
        Some("Recreate") => {
            if !strategy["rollingUpdate"].is_null() {
                let why = "may not be specified when strategy `type` is 'Recreate'";
                causes.push(Cause::forbidden("spec.strategy.rollingUpdate", why));
            }
        }
        Some("RollingUpdate") => {
            let rolling = &strategy["rollingUpdate"];
            let mut zero = true;
            for field in ["maxUnavailable", "maxSurge"] {
                zero &= matches!(
                    amount(&rolling[field], &format!("spec.strategy.rollingUpdate.{field}"), causes),
                    Some(0)
                );
            }
            if zero {
                let why = "may not be 0 when `maxSurge` is 0";
                causes.push(Cause::invalid(
                    "spec.strategy.rollingUpdate.maxUnavailable",
                    &rolling["maxUnavailable"],
                    why,
                ));
            }
        }
        _ => causes.push(Cause::not_supported(
            "spec.strategy.type",
            &strategy["type"],
            &["Recreate", "RollingUpdate"],
        )),
    }
}

/// A count or percentage; `None` when it is neither.
fn amount(value: &Value, field: &str, causes: &mut Vec<Cause>) -> Option<i64> {
    let number = match value {
        Value::String(text) => match text.strip_suffix('%').and_then(|digits| digits.parse::<i64>().ok()) {
            Some(percent) if percent >= 0 => Some(percent),
            _ => {
                let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
                causes.push(Cause::invalid(field, value, why));
                None
            }
        },
        other => other.as_i64(),
    };
    if number.is_some_and(|number| number < 0) {
        causes.push(Cause::invalid(field, value, NOT_NEGATIVE));
    }
    if field.ends_with("maxUnavailable") && value.is_string() && number.is_some_and(|percent| percent > 100) {
        causes.push(Cause::invalid(field, value, "must not be greater than 100%"));
    }
    number
}

/// The spec of a `batch/v1` Job, which is at `path`.
pub(super) fn job(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["parallelism", "completions", "backoffLimit"] {
        if spec[field].as_i64().is_some_and(|number| number < 0) {
            causes.push(Cause::invalid(format!("{path}.{field}"), &spec[field], NOT_NEGATIVE));
        }
    }
    match spec["completionMode"].as_str() {
        Some("Indexed") if spec["completions"].is_null() => {
            let why = "when completion mode is Indexed";
            causes.push(Cause::required(format!("{path}.completions"), why));
        }
        None | Some("Indexed" | "NonIndexed") => {}
        Some(_) => causes.push(Cause::not_supported(
            format!("{path}.completionMode"),
            &spec["completionMode"],
            &["Indexed", "NonIndexed"],
        )),
    }
    template(spec, path, &mut causes);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if !matches!(policy.as_str(), Some("OnFailure" | "Never")) {
        causes.push(Cause::not_supported(
            format!("{path}.template.spec.restartPolicy"),
            policy,
            &["OnFailure", "Never"],
        ));
    }
    causes
}

/// Longest name of a cron job: those of its jobs are 11 letters longer.
const LONGEST_NAME: usize = 52;

/// `batch/v1` CronJob.
pub(super) fn cron_job(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    if object["metadata"]["name"]
        .as_str()
        .is_some_and(|name| name.len() > LONGEST_NAME)
    {
        let why = format!("must be no more than {LONGEST_NAME} characters");
        causes.push(Cause::invalid("metadata.name", &object["metadata"]["name"], &why));
    }
    match spec["schedule"].as_str().unwrap_or_default() {
        "" => causes.push(Cause::required("spec.schedule", "")),
        text if text.contains("TZ") => {
            let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            causes.push(Cause::invalid("spec.schedule", &spec["schedule"], why));
        }
        text => {
            if let Err(why) = Schedule::parse(text) {
                causes.push(Cause::invalid("spec.schedule", &spec["schedule"], &why));
            }
        }
    }
    if let Err(why) = cron_job::zone(object) {
        causes.push(Cause::invalid("spec.timeZone", &spec["timeZone"], &why));
    }
    for field in [
        "startingDeadlineSeconds",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    ] {
        not_negative(spec, field, &mut causes);
    }
    let policy = &spec["concurrencyPolicy"];
    if !matches!(policy.as_str(), None | Some("Allow" | "Forbid" | "Replace")) {
        let known = ["Allow", "Forbid", "Replace"];
        causes.push(Cause::not_supported("spec.concurrencyPolicy", policy, &known));
    }
    causes.extend(job(&spec["jobTemplate"]["spec"], "spec.jobTemplate.spec"));
    causes
}

/// The selector is for life.
pub(super) fn selector_is_kept(old: &Value, new: &Value) -> Option<Cause> {
    let (old, new) = (&old["spec"]["selector"], &new["spec"]["selector"]);
    (old != new).then(|| Cause::invalid("spec.selector", new, "field is immutable"))
}
