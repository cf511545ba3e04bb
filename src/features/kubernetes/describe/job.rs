//! Jobs, and cron jobs that make them.

use serde_json::Value;

use super::Related;
use super::events::events;
use super::template::write_template;
use super::text::{Text, plain, time, yes};
use crate::features::kubernetes::object::{self, list, number, text};
use crate::feed::health::age;

/// Completed indexes are told up to the comma after so many letters.
const INDEXES: usize = 50;

/// A job.
pub fn job(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    let (spec, status) = (&live["spec"], &live["status"]);
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.field(0, "Selector", object::selector_query(&spec["selector"]));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    if let Some(owner) = object::controller(live) {
        let owner = format!("{}/{}", text(owner, "/kind"), text(owner, "/name"));
        out.field(0, "Controlled By", owner);
    }
    out.field_unless_empty(0, "Parallelism", &plain(&spec["parallelism"]));
    out.field(0, "Completions", or_unset(&spec["completions"]));
    out.field_unless_empty(0, "Completion Mode", text(spec, "/completionMode"));
    out.field_unless_empty(0, "Suspend", &plain(&spec["suspend"]));
    out.field_unless_empty(0, "Backoff Limit", &plain(&spec["backoffLimit"]));
    out.field_unless_empty(
        0,
        "TTL Seconds After Finished",
        &plain(&spec["ttlSecondsAfterFinished"]),
    );
    for (title, field) in [("Start Time", "startTime"), ("Completed At", "completionTime")] {
        if !status[field].is_null() {
            out.field(0, title, time(&status[field]));
        }
    }
    let at = |field: &str| text(status, field).parse().ok();
    if let (Some(begin), Some(end)) = (at("/startTime"), at("/completionTime")) {
        out.field(0, "Duration", age(end, begin));
    }
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64() {
        out.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    let ready = status["ready"]
        .as_i64()
        .map_or(String::new(), |ready| format!(" ({ready} Ready)"));
    let count = |field: &str| number(status, field);
    out.field(
        0,
        "Pods Statuses",
        format!(
            "{} Active{ready} / {} Succeeded / {} Failed",
            count("/active"),
            count("/succeeded"),
            count("/failed")
        ),
    );
    if text(spec, "/completionMode") == "Indexed" {
        out.field_or_none(
            0,
            "Completed Indexes",
            &first_indexes(text(status, "/completedIndexes")),
        );
    }
    write_template(&mut out, &spec["template"]);
    events(&mut out, related);
    out.finish()
}

/// A cron job.
pub fn cron_job(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    let (spec, status) = (&live["spec"], &live["status"]);
    let of_jobs = &spec["jobTemplate"]["spec"];
    let seconds = |value: &Value| value.as_i64().map(|seconds| format!("{seconds}s"));
    let unset = || "<unset>".to_owned();
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    out.field(0, "Schedule", text(spec, "/schedule"));
    out.field(0, "Concurrency Policy", text(spec, "/concurrencyPolicy"));
    out.field(
        0,
        "Suspend",
        if spec["suspend"].is_null() {
            "<unset>"
        } else {
            yes(&spec["suspend"])
        },
    );
    out.field(
        0,
        "Successful Job History Limit",
        or_unset(&spec["successfulJobsHistoryLimit"]),
    );
    out.field(0, "Failed Job History Limit", or_unset(&spec["failedJobsHistoryLimit"]));
    out.field(
        0,
        "Starting Deadline Seconds",
        seconds(&spec["startingDeadlineSeconds"]).unwrap_or_else(unset),
    );
    let selector = &of_jobs["selector"];
    out.field(
        0,
        "Selector",
        if selector.is_null() {
            unset()
        } else {
            object::selector_query(selector)
        },
    );
    out.field(0, "Parallelism", or_unset(&of_jobs["parallelism"]));
    out.field(0, "Completions", or_unset(&of_jobs["completions"]));
    if let Some(deadline) = seconds(&of_jobs["activeDeadlineSeconds"]) {
        out.field(0, "Active Deadline Seconds", deadline);
    }
    write_template(&mut out, &of_jobs["template"]);
    let last = &status["lastScheduleTime"];
    out.field(
        0,
        "Last Schedule Time",
        if last.is_null() { unset() } else { time(last) },
    );
    let active: Vec<&str> = list(status, "/active").iter().map(|job| text(job, "/name")).collect();
    out.field_or_none(0, "Active Jobs", &active.join(", "));
    events(&mut out, related);
    out.finish()
}

fn or_unset(value: &Value) -> String {
    if value.is_null() {
        "<unset>".to_owned()
    } else {
        plain(value)
    }
}

fn first_indexes(indexes: &str) -> String {
    let end = indexes
        .bytes()
        .enumerate()
        .skip(INDEXES)
        .find(|(_, byte)| *byte == b',');
    match end.and_then(|(at, _)| indexes.get(..=at)) {
        Some(first) => format!("{first}..."),
        None => indexes.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn many_indexes_are_cut_at_a_comma() {
        assert_eq!(first_indexes("0-3,7"), "0-3,7");
        let many: Vec<String> = (0..40).map(|index| (index * 2).to_string()).collect();
        let cut = first_indexes(&many.join(","));
        assert!(cut.ends_with(",...") && (51..57).contains(&cut.len()), "{cut}");
    }

    #[test]
    fn a_job_that_ended_tells_how_long_it_took() {
        let live = json!({"kind": "Job", "metadata": {"name": "j"}, "spec": {"completionMode": "Indexed", "activeDeadlineSeconds": 9},
            "status": {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:05Z", "succeeded": 1}});
        let text = job(&live, &Related::default());
        for line in ["Completions:", "Duration:", "Active Deadline Seconds:"] {
            assert!(text.contains(line), "{text}");
        }
        assert!(
            text.contains("65s") && text.contains("0 Active / 1 Succeeded / 0 Failed"),
            "{text}"
        );
    }
}
