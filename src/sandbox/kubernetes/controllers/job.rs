//! The job controller: one pass over a job and its pods, from objects to actions, without IO. Not for cron jobs, and not
//! for which index a pod has (`indexes`).

mod indexes;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::indexes::Indexes;
use super::recorder::Severity;
use super::replica_set::pod_of;
use crate::sandbox::kubernetes::objects::{self, int, is_deleting, name, pod, rfc3339, text, time};

/// Wait after a failed pod; it doubles with each, up to [`LONGEST`].
const FIRST: i64 = 10;
const LONGEST: i64 = 600;
/// At most so many pods are made in one pass.
const BURST: i64 = 500;

/// What a pass wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Create this pod.
    Create(Value),
    /// Delete this pod gracefully.
    Delete(String),
    /// Write this status.
    Status(Map<String, Value>),
    /// An event on the job.
    Event(Severity, &'static str, String),
    /// Look again after this time.
    Requeue(Duration),
    /// Delete the job: it has been finished for long enough.
    Remove,
}

/// How a job ends.
struct End {
    /// Condition that says so first, and the one that says it is over.
    kinds: [&'static str; 2],
    reason: &'static str,
    message: &'static str,
}

const DONE: End = End {
    kinds: ["SuccessCriteriaMet", "Complete"],
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
};
const TOO_MANY: End = End {
    kinds: ["FailureTarget", "Failed"],
    reason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
};
const TOO_LONG: End = End {
    kinds: ["FailureTarget", "Failed"],
    reason: "DeadlineExceeded",
    message: "Job was active longer than specified deadline",
};

/// One pass. `pods` are all pods the job controls; `suffix` names a new pod's volume, followed by its place in the pass.
pub fn sync(job: &Value, pods: &[Arc<Value>], suffix: &str, now: Timestamp) -> Vec<Action> {
    if is_deleting(job) {
        return Vec::new();
    }
    if let Some(ended) = finished(job) {
        return after_end(job, ended, now);
    }
    let mut pass = Pass {
        job,
        active: pods.iter().map(|p| &**p).filter(|p| pod::is_active(p)).collect(),
        terminating: pods.iter().filter(|p| is_deleting(p) && !pod::is_finished(p)).count(),
        succeeded: counted(job, pods, "Succeeded", "succeeded"),
        indexes: Indexes::of(job, pods),
        failed: counted(job, pods, "Failed", "failed"),
        status: job
            .get("status")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        actions: Vec::new(),
        now,
    };
    if let Some(indexes) = &pass.indexes {
        // Each index counts once, however many of its pods succeeded.
        pass.succeeded = indexes.completed();
        if pass.succeeded > 0 {
            pass.status.insert("completedIndexes".into(), indexes.text().into());
        }
    }
    pass.run(pods, suffix);
    pass.actions
}

/// The condition that says a job is over.
fn finished(job: &Value) -> Option<&Value> {
    let over = |kind| objects::condition(job, kind).filter(|c| text(c, "/status") == "True");
    over("Complete").or_else(|| over("Failed"))
}

fn after_end(job: &Value, ended: &Value, now: Timestamp) -> Vec<Action> {
    let ttl = job.pointer("/spec/ttlSecondsAfterFinished").and_then(Value::as_i64);
    let (Some(ttl), Some(at)) = (ttl, time(ended, "/lastTransitionTime")) else {
        return Vec::new();
    };
    match at.as_second() + ttl - now.as_second() {
        left if left > 0 => vec![Action::Requeue(seconds(left))],
        _ => vec![Action::Remove],
    }
}

/// Pods that ended so; those that were counted before and are gone since stay counted.
fn counted(job: &Value, pods: &[Arc<Value>], phase: &str, field: &str) -> i64 {
    let there = pods.iter().filter(|p| text(p, "/status/phase") == phase).count();
    let known = int(job, &format!("/status/{field}"), 0);
    known.max(i64::try_from(there).unwrap_or(i64::MAX))
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0).max(1))
}

struct Pass<'a> {
    job: &'a Value,
    active: Vec<&'a Value>,
    terminating: usize,
    succeeded: i64,
    /// Of an indexed job.
    indexes: Option<Indexes>,
    failed: i64,
    status: Map<String, Value>,
    actions: Vec<Action>,
    now: Timestamp,
}

impl Pass<'_> {
    fn run(&mut self, pods: &[Arc<Value>], suffix: &str) {
        let suspended = self.job.pointer("/spec/suspend") == Some(&json!(true));
        self.suspension(suspended);
        if let Some(end) = self.end() {
            self.finish(&end);
        } else if suspended {
            self.delete(self.active.len());
        } else {
            self.start();
            self.size(pods, suffix);
        }
        self.write();
    }

    fn start(&mut self) {
        let now = rfc3339(self.now);
        let start = self.status.entry("startTime").or_insert_with(|| now.into()).clone();
        let deadline = self.job.pointer("/spec/activeDeadlineSeconds").and_then(Value::as_i64);
        if let (Some(deadline), Some(start)) = (deadline, start.as_str().and_then(|at| at.parse::<Timestamp>().ok())) {
            let left = start.as_second() + deadline - self.now.as_second();
            self.actions.push(Action::Requeue(seconds(left)));
        }
    }

    /// How the job ends, if it does.
    fn end(&self) -> Option<End> {
        let completions = self.job.pointer("/spec/completions").and_then(Value::as_i64);
        let done = match completions {
            Some(wanted) => self.succeeded >= wanted,
            None => self.succeeded > 0 && self.active.is_empty(),
        };
        if done {
            return Some(DONE);
        }
        let limit = int(self.job, "/spec/backoffLimit", 6);
        // With `OnFailure` the pods stay, and their restarts count.
        let restarts: i64 = self.active.iter().map(|pod| restarts(pod)).sum();
        let again = text(self.job, "/spec/template/spec/restartPolicy") == "OnFailure";
        if self.failed > limit || (again && restarts > 0 && restarts >= limit) {
            return Some(TOO_MANY);
        }
        let deadline = self
            .job
            .pointer("/spec/activeDeadlineSeconds")
            .and_then(Value::as_i64)?;
        let start = time(self.job, "/status/startTime")?;
        (start.as_second() + deadline <= self.now.as_second()).then_some(TOO_LONG)
    }

    /// Says how it ends; it is over once no pod runs any more.
    fn finish(&mut self, end: &End) {
        self.condition(end.kinds[0], "True", end.reason, end.message);
        let running = self.active.len();
        self.delete(running);
        if end.kinds[1] == "Failed" {
            self.failed += i64::try_from(running).unwrap_or(0);
        }
        if running + self.terminating > 0 {
            return;
        }
        self.condition(end.kinds[1], "True", end.reason, end.message);
        if end.kinds[1] == "Complete" {
            self.status.insert("completionTime".into(), rfc3339(self.now).into());
            self.actions
                .push(Action::Event(Severity::Normal, "Completed", "Job completed".into()));
        } else {
            self.actions
                .push(Action::Event(Severity::Warning, end.reason, end.message.into()));
        }
    }

    /// Makes or deletes pods until as many run as shall.
    fn size(&mut self, pods: &[Arc<Value>], suffix: &str) {
        let parallelism = int(self.job, "/spec/parallelism", 1).max(0);
        let running = i64::try_from(self.active.len()).unwrap_or(i64::MAX);
        let wanted = match self.job.pointer("/spec/completions").and_then(Value::as_i64) {
            Some(completions) => parallelism.min(completions - self.succeeded),
            None if self.succeeded > 0 => running.min(parallelism),
            None => parallelism,
        };
        if running > wanted {
            self.delete(usize::try_from(running - wanted).unwrap_or(0));
        }
        if running >= wanted {
            return;
        }
        let left = self.back_off(pods);
        if left > 0 {
            return self.actions.push(Action::Requeue(seconds(left)));
        }
        let mut missing = self.indexes.as_ref().map(|indexes| indexes.missing(&self.active));
        for place in 0..(wanted - running).min(BURST) {
            let mut pod = pod_of(self.job, "batch/v1", "Job", &format!("{suffix}{place}"));
            match missing.as_mut().map(Iterator::next) {
                None => {}
                Some(Some(index)) => indexes::give(&mut pod, self.job, index),
                Some(None) => break,
            }
            self.actions.push(Action::Create(pod));
        }
    }

    /// Seconds until the next pod may follow those that failed.
    fn back_off(&self, pods: &[Arc<Value>]) -> i64 {
        let ended = |pod: &Arc<Value>| {
            let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array)?;
            containers
                .iter()
                .filter_map(|c| time(c, "/state/terminated/finishedAt"))
                .max()
        };
        let failed = pods.iter().filter(|p| text(p, "/status/phase") == "Failed");
        let Some(last) = failed.filter_map(ended).max() else {
            return 0;
        };
        let doubled = u32::try_from(self.failed - 1)
            .ok()
            .and_then(|n| FIRST.checked_shl(n.min(32)));
        last.as_second() + doubled.unwrap_or(LONGEST).min(LONGEST) - self.now.as_second()
    }

    fn delete(&mut self, count: usize) {
        // Those that serve least go first.
        let mut order = self.active.clone();
        order.sort_by_key(|pod| (pod::is_ready(pod), name(pod).to_owned()));
        let names = order.into_iter().take(count).map(|pod| name(pod).to_owned());
        self.actions.extend(names.map(Action::Delete));
    }

    fn suspension(&mut self, suspended: bool) {
        let known = objects::condition(self.job, "Suspended").map(|c| text(c, "/status") == "True");
        let (status, reason, event, message) = match (known, suspended) {
            (None | Some(false), true) => ("True", "JobSuspended", "Suspended", "Job suspended"),
            (Some(true), false) => ("False", "JobResumed", "Resumed", "Job resumed"),
            _ => return,
        };
        self.condition("Suspended", status, reason, message);
        self.status.shift_remove("startTime");
        self.actions
            .push(Action::Event(Severity::Normal, event, message.into()));
    }

    fn condition(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let now = rfc3339(self.now);
        let list = self.status.entry("conditions").or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { return };
        if list
            .iter()
            .any(|c| text(c, "/type") == kind && text(c, "/status") == status)
        {
            return;
        }
        list.retain(|c| text(c, "/type") != kind);
        list.push(json!({"type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now, "reason": reason, "message": message}));
    }

    fn write(&mut self) {
        let ending = self.status.get("conditions").is_some_and(|list| {
            let list = list.as_array().into_iter().flatten();
            list.into_iter()
                .any(|c| matches!(text(c, "/type"), "Complete" | "Failed"))
        });
        let deleted = self.actions.iter().filter(|a| matches!(a, Action::Delete(_))).count();
        let active = if ending {
            0
        } else {
            self.active.len().saturating_sub(deleted)
        };
        let ready = self.active.iter().filter(|pod| pod::is_ready(pod)).count();
        let ready = ready.min(active);
        for (field, value) in [
            ("active", i64::try_from(active).unwrap_or(0)),
            ("succeeded", self.succeeded),
            ("failed", self.failed),
        ] {
            if value > 0 {
                self.status.insert(field.into(), value.into());
            } else {
                self.status.shift_remove(field);
            }
        }
        self.status.insert("ready".into(), ready.into());
        self.status.insert("terminating".into(), self.terminating.into());
        self.status.insert("uncountedTerminatedPods".into(), json!({}));
        if self.job.get("status").and_then(Value::as_object) != Some(&self.status) {
            self.actions.push(Action::Status(self.status.clone()));
        }
    }
}

fn restarts(pod: &Value) -> i64 {
    let list = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    list.into_iter().flatten().map(|c| int(c, "/restartCount", 0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

    fn job(spec: Value) -> Value {
        let mut job = json!({"metadata": {"name": "j", "namespace": "default", "uid": "u"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c"}]}}}, "status": {}});
        for (key, value) in spec.as_object().into_iter().flatten() {
            job["spec"][key] = value.clone();
        }
        job
    }

    fn pod(own: &str, phase: &str, ended_ago: i64) -> Arc<Value> {
        let at = rfc3339(NOW - jiff::SignedDuration::from_secs(ended_ago));
        Arc::new(json!({"metadata": {"name": own}, "status": {"phase": phase,
            "containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}}))
    }

    /// What happens, as words, and the status after it.
    fn acts(job: &mut Value, pods: &[Arc<Value>]) -> Vec<String> {
        let mut said = Vec::new();
        for action in sync(job, pods, "x", NOW) {
            match action {
                Action::Create(_) => said.push("+".to_owned()),
                Action::Delete(own) => said.push(format!("-{own}")),
                Action::Event(_, reason, _) => said.push(reason.to_owned()),
                Action::Requeue(after) => said.push(format!("{}s", after.as_secs())),
                Action::Remove => said.push("gone".to_owned()),
                Action::Status(status) => job["status"] = Value::Object(status),
            }
        }
        said
    }

    fn is(job: &Value, kind: &str) -> bool {
        objects::condition(job, kind).is_some_and(|c| c["status"] == "True")
    }

    #[test]
    fn as_many_run_at_once_as_shall_and_no_more_than_are_missing() {
        let mut three = job(json!({"completions": 3, "parallelism": 2}));
        assert_eq!(acts(&mut three, &[]), ["+", "+"]);
        let running = [pod("a", "Running", 0), pod("b", "Running", 0)];
        assert!(acts(&mut three, &running).is_empty());
        assert_eq!(three["status"]["active"], 2);
        let last = [pod("a", "Succeeded", 0), pod("b", "Succeeded", 0)];
        assert_eq!(acts(&mut three, &last), ["+"]);
        // One that was counted may be gone.
        let all = [
            pod("b", "Succeeded", 0),
            pod("c", "Succeeded", 0),
            pod("d", "Succeeded", 0),
        ];
        assert_eq!(acts(&mut three, &all), ["Completed"]);
        assert!(is(&three, "Complete") && is(&three, "SuccessCriteriaMet"));
        assert_eq!(
            (&three["status"]["succeeded"], three["status"].get("active")),
            (&json!(3), None)
        );
        assert!(acts(&mut three, &all).is_empty(), "over is over");
    }

    #[test]
    fn failures_are_retried_later_and_later_until_the_limit() {
        let mut one = job(json!({"completions": 1, "backoffLimit": 1}));
        assert_eq!(acts(&mut one, &[pod("a", "Failed", 4)]), ["6s"]);
        assert_eq!(acts(&mut one, &[pod("a", "Failed", 10)]), ["+"]);
        let both = [pod("a", "Failed", 30), pod("b", "Failed", 0)];
        assert_eq!(acts(&mut one, &both), ["BackoffLimitExceeded"]);
        assert!(is(&one, "Failed"));
        assert_eq!(one["status"]["failed"], 2);
    }

    #[test]
    fn an_indexed_job_has_a_pod_for_each_index_until_all_have_succeeded() {
        let mut three = job(json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed"}));
        let made = |job: &Value, pods: &[Arc<Value>]| -> Vec<String> {
            let actions = sync(job, pods, "x", NOW).into_iter();
            let made = actions.filter_map(|action| match action {
                Action::Create(pod) => Some(text(&pod, "/metadata/generateName").to_owned()),
                _ => None,
            });
            made.collect()
        };
        let indexed = |phase: &str, index: i64| {
            let mut one = (*pod(&format!("p{index}"), phase, 60)).clone();
            one["metadata"]["annotations"] = json!({"batch.kubernetes.io/job-completion-index": index.to_string()});
            Arc::new(one)
        };
        assert_eq!(made(&three, &[]), ["j-0-", "j-1-"]);
        let some = [indexed("Running", 0), indexed("Succeeded", 1)];
        assert_eq!(made(&three, &some), ["j-2-"]);
        acts(&mut three, &some);
        assert_eq!(three["status"]["completedIndexes"], "1");
        // One that failed is tried again; one that succeeded twice counts once, and stays counted when it is gone.
        let twice = [indexed("Failed", 0), indexed("Succeeded", 2), indexed("Succeeded", 2)];
        assert_eq!(made(&three, &twice), ["j-0-"]);
        acts(&mut three, &twice);
        assert_eq!(
            (&three["status"]["completedIndexes"], &three["status"]["succeeded"]),
            (&json!("1,2"), &json!(2))
        );
        let all = [indexed("Succeeded", 0), indexed("Succeeded", 2)];
        assert_eq!(acts(&mut three, &all), ["Completed"]);
        assert_eq!(three["status"]["completedIndexes"], "0-2");
    }

    #[test]
    fn a_deadline_ends_what_runs_before_the_job_is_over() {
        let mut slow = job(json!({"completions": 1, "activeDeadlineSeconds": 5}));
        slow["status"]["startTime"] = rfc3339(NOW - jiff::SignedDuration::from_secs(5)).into();
        assert_eq!(acts(&mut slow, &[pod("a", "Running", 0)]), ["-a"]);
        assert!(is(&slow, "FailureTarget") && !is(&slow, "Failed"));
        assert_eq!(acts(&mut slow, &[]), ["DeadlineExceeded"]);
        assert!(is(&slow, "Failed"));
    }

    #[test]
    fn a_suspended_job_runs_nothing_and_a_finished_one_goes_in_time() {
        let mut held = job(json!({"completions": 1, "suspend": true}));
        assert_eq!(acts(&mut held, &[pod("a", "Running", 0)]), ["Suspended", "-a"]);
        assert!(is(&held, "Suspended"));
        held["spec"]["suspend"] = false.into();
        assert_eq!(acts(&mut held, &[]), ["Resumed", "+"]);
        let mut done = job(json!({"completions": 1, "ttlSecondsAfterFinished": 0}));
        acts(&mut done, &[pod("a", "Succeeded", 0)]);
        assert_eq!(acts(&mut done, &[]), ["gone"]);
    }
}
