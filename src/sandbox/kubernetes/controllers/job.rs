//! The job controller: one pass over a job and its pods, from objects to actions, without IO. Not for cron jobs, and not
//! for which index a pod has (`indexes`).

mod indexes;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
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

/// The pods of a job that its status has counted, by name: what is removed stays counted, and nothing counts twice.
/// Bounded by the pods the job has.
pub type Counted = HashSet<String>;

/// Those that were counted by a status that is found: the first that ended, as many as it says.
pub fn counted_before(job: &Value, pods: &[Arc<Value>]) -> Counted {
    let of = |phase: &str, field: &str| {
        let mut ended: Vec<&Arc<Value>> = pods.iter().filter(|p| text(p, "/status/phase") == phase).collect();
        ended.sort_by_key(|pod| ended_at(pod));
        let known = usize::try_from(int(job, &format!("/status/{field}"), 0)).unwrap_or(0);
        let names = ended.into_iter().take(known).map(|pod| name(pod).to_owned());
        names.collect::<Vec<_>>()
    };
    [of("Succeeded", "succeeded"), of("Failed", "failed")]
        .into_iter()
        .flatten()
        .collect()
}

/// One pass. `pods` are all pods the job controls; `suffix` names a new pod's volume, followed by its place in the pass.
pub fn sync(job: &Value, pods: &[Arc<Value>], counted: &mut Counted, suffix: &str, now: Timestamp) -> Vec<Action> {
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
        succeeded: count(job, pods, counted, ("Succeeded", "succeeded")),
        indexes: Indexes::of(job, pods),
        failed: count(job, pods, counted, ("Failed", "failed")),
        counted,
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

/// Pods that ended so: those that the status counts, and those that ended since.
fn count(job: &Value, pods: &[Arc<Value>], counted: &mut Counted, (phase, field): (&str, &str)) -> i64 {
    let ended = pods.iter().filter(|p| text(p, "/status/phase") == phase);
    let fresh = ended.filter(|pod| counted.insert(name(pod).to_owned())).count();
    int(job, &format!("/status/{field}"), 0).saturating_add(i64::try_from(fresh).unwrap_or(i64::MAX))
}

/// When the last of a pod's containers ended.
fn ended_at(pod: &Value) -> Option<Timestamp> {
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array)?;
    containers
        .iter()
        .filter_map(|c| time(c, "/state/terminated/finishedAt"))
        .max()
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
    counted: &'a mut Counted,
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
            let ended = self.active.iter().map(|pod| name(pod).to_owned());
            self.counted.extend(ended);
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
        let failed = pods.iter().filter(|p| text(p, "/status/phase") == "Failed");
        let Some(last) = failed.filter_map(|pod| ended_at(pod)).max() else {
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
