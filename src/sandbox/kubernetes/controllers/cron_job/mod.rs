//! The cron job controller: one pass over a cron job and its jobs, from objects to actions, without IO. When it is time
//! is the schedule's to say, what becomes of a job the job controller's.

mod act;
pub mod schedule;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use self::schedule::Schedule;
use super::recorder::Severity;
use crate::sandbox::kubernetes::objects::{self, int, is_deleting, name, namespace, rfc3339, text, time, uid};

/// What a pass wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
enum Action {
    /// Make this job, and note it as active.
    Create(Value),
    /// Delete this job of its own.
    Delete(String),
    /// Write this status.
    Status(Map<String, Value>),
    /// An event on the cron job.
    Event(Severity, &'static str, String),
    /// Look again after this time.
    Requeue(Duration),
}

/// One pass. `jobs` are all jobs the cron job controls.
fn sync(cron: &Value, jobs: &[Arc<Value>], now: Timestamp) -> Vec<Action> {
    if is_deleting(cron) {
        return Vec::new();
    }
    let status = cron.get("status").and_then(Value::as_object).cloned();
    let mut pass = Pass {
        cron,
        jobs,
        status: status.unwrap_or_default(),
        actions: Vec::new(),
        now,
    };
    pass.take_stock();
    pass.forget_old("Complete", "successfulJobsHistoryLimit", 3);
    pass.forget_old("Failed", "failedJobsHistoryLimit", 1);
    if cron.pointer("/spec/suspend") != Some(&json!(true)) {
        pass.start();
    }
    pass.write();
    pass.actions
}

/// How a job ended, if it did.
fn ended(job: &Value) -> Option<&'static str> {
    let over = |kind: &str| objects::condition(job, kind).is_some_and(|c| text(c, "/status") == "True");
    ["Complete", "Failed"].into_iter().find(|kind| over(kind))
}

struct Pass<'a> {
    cron: &'a Value,
    jobs: &'a [Arc<Value>],
    status: Map<String, Value>,
    actions: Vec<Action>,
    now: Timestamp,
}

impl Pass<'_> {
    fn event(&mut self, severity: Severity, reason: &'static str, message: String) {
        self.actions.push(Action::Event(severity, reason, message));
    }

    fn active(&self) -> Vec<Value> {
        self.status
            .get("active")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    }

    /// Takes jobs that ended or went off the list of active ones.
    fn take_stock(&mut self) {
        let mut left = Vec::new();
        for known in self.active() {
            let own = text(&known, "/name").to_owned();
            let job = self.jobs.iter().find(|job| uid(job) == text(&known, "/uid"));
            match job.map(|job| (job, ended(job))) {
                Some((_, None)) => left.push(known),
                Some((job, Some(how))) => {
                    let message = format!("Saw completed job: {own}, condition: {how}");
                    self.event(Severity::Normal, "SawCompletedJob", message);
                    if how == "Complete" {
                        self.succeeded(text(job, "/status/completionTime").to_owned());
                    }
                }
                None => self.event(
                    Severity::Normal,
                    "MissingJob",
                    format!("Active job went missing: {own}"),
                ),
            }
        }
        self.status.insert("active".into(), left.into());
    }

    fn succeeded(&mut self, at: String) {
        let known = self
            .status
            .get("lastSuccessfulTime")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if at.as_str() > known {
            self.status.insert("lastSuccessfulTime".into(), at.into());
        }
    }

    /// Deletes the oldest of the jobs that ended so, above a limit.
    fn forget_old(&mut self, how: &str, limit: &str, default: i64) {
        let limit = int(self.cron, &format!("/spec/{limit}"), default);
        let mut old: Vec<&Value> = self
            .jobs
            .iter()
            .map(|job| &**job)
            .filter(|job| ended(job) == Some(how))
            .collect();
        old.sort_by_key(|job| (text(job, "/status/startTime"), name(job)));
        let many = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let names: Vec<String> = old.into_iter().take(many).map(|job| name(job).to_owned()).collect();
        names.into_iter().for_each(|own| self.delete(own));
    }

    fn delete(&mut self, own: String) {
        self.event(Severity::Normal, "SuccessfulDelete", format!("Deleted job {own}"));
        self.actions.push(Action::Delete(own));
    }

    /// Makes the job whose time has come.
    fn start(&mut self) {
        // What is stored has passed the API server: an unreadable schedule is none.
        let Ok(schedule) = Schedule::parse(text(self.cron, "/spec/schedule")) else {
            return;
        };
        let zone = zone(self.cron).unwrap_or(TimeZone::UTC);
        if let Some(next) = schedule.next(self.now, &zone) {
            let wait = Duration::try_from(next.duration_since(self.now)).unwrap_or_default();
            self.actions
                .push(Action::Requeue(wait.saturating_add(Duration::from_millis(100))));
        }
        let Some(due) = self.due(&schedule, &zone) else { return };
        let own = format!("{}-{}", name(self.cron), due.as_second() / 60);
        if self.jobs.iter().any(|job| name(job) == own) {
            self.status.insert("lastScheduleTime".into(), rfc3339(due).into());
            return;
        }
        let active = self.active();
        match text(self.cron, "/spec/concurrencyPolicy") {
            "Forbid" if !active.is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                return self.event(Severity::Normal, "JobAlreadyActive", message.to_owned());
            }
            "Replace" => {
                active.iter().for_each(|job| self.delete(text(job, "/name").to_owned()));
                self.status.insert("active".into(), json!([]));
            }
            _ => {}
        }
        self.status.insert("lastScheduleTime".into(), rfc3339(due).into());
        self.actions.push(Action::Create(self.job(&own, due)));
    }

    /// The last time that has passed without a job.
    fn due(&mut self, schedule: &Schedule, zone: &TimeZone) -> Option<Timestamp> {
        let last = self
            .status
            .get("lastScheduleTime")
            .and_then(Value::as_str)
            .and_then(|at| at.parse().ok());
        let mut after: Timestamp = last.or_else(|| time(self.cron, "/metadata/creationTimestamp"))?;
        if let Some(deadline) = self
            .cron
            .pointer("/spec/startingDeadlineSeconds")
            .and_then(Value::as_i64)
        {
            after = after.max(Timestamp::from_second(self.now.as_second().saturating_sub(deadline)).ok()?);
        }
        let (due, many) = schedule.last(after, self.now, zone)?;
        if many {
            let message =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.event(Severity::Warning, "TooManyMissedTimes", message.to_owned());
        }
        Some(due)
    }

    /// The job of a time.
    fn job(&self, own: &str, due: Timestamp) -> Value {
        let template = self.cron.pointer("/spec/jobTemplate").unwrap_or(&Value::Null);
        let mut metadata = json!({"name": own, "namespace": namespace(self.cron)});
        for field in ["labels", "annotations"] {
            if let Some(value) = template
                .pointer(&format!("/metadata/{field}"))
                .filter(|value| value.is_object())
            {
                metadata[field] = value.clone();
            }
        }
        metadata["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] = rfc3339(due).into();
        metadata["ownerReferences"] = json!([objects::owner_reference(self.cron, "batch/v1", "CronJob")]);
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]})
    }

    fn write(&mut self) {
        if self.active().is_empty() {
            self.status.shift_remove("active");
        }
        if self.cron.get("status").and_then(Value::as_object) != Some(&self.status) {
            self.actions.push(Action::Status(self.status.clone()));
        }
    }
}

/// The zone whose clock a schedule follows; the cluster's, which is UTC, when none is named.
///
/// # Errors
/// Why there is no such zone, as the real server says it.
pub fn zone(cron: &Value) -> Result<TimeZone, String> {
    match text(cron, "/spec/timeZone") {
        "" => Ok(TimeZone::UTC),
        zone => TimeZone::get(zone).map_err(|_| format!("unknown time zone {zone}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_767_225_605, 0);

    fn cron(spec: Value, status: Value) -> Value {
        let mut cron = json!({"metadata": {"name": "c", "namespace": "n", "uid": "u", "creationTimestamp": "2025-12-31T23:58:30Z"},
            "spec": {"schedule": "* * * * *", "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"completions": 2}}}, "status": status});
        for (key, value) in spec.as_object().into_iter().flatten() {
            cron["spec"][key] = value.clone();
        }
        cron
    }

    fn job(own: &str, ended: &str) -> Arc<Value> {
        let conditions = if ended.is_empty() {
            json!([])
        } else {
            json!([{"type": ended, "status": "True"}])
        };
        Arc::new(
            json!({"metadata": {"name": own, "uid": own}, "status": {"startTime": own, "completionTime": own, "conditions": conditions}}),
        )
    }

    /// What happens, as words, and the status after it.
    fn acts(cron: &mut Value, jobs: &[Arc<Value>]) -> Vec<String> {
        let mut said = Vec::new();
        for action in sync(cron, jobs, NOW) {
            match action {
                Action::Create(job) => said.push(format!("+{}", name(&job))),
                Action::Delete(own) => said.push(format!("-{own}")),
                Action::Event(_, reason, _) if reason != "SuccessfulDelete" => said.push(reason.to_owned()),
                Action::Event(..) => {}
                Action::Requeue(after) => assert_eq!(after.as_millis(), 55_100),
                Action::Status(status) => cron["status"] = Value::Object(status),
            }
        }
        said
    }

    #[test]
    fn a_job_is_made_once_for_the_last_time_that_passed() {
        let mut every = cron(json!({}), json!({}));
        assert_eq!(
            acts(&mut every, &[]),
            ["+c-29453760"],
            "not one for each time that was missed"
        );
        assert_eq!(every["status"]["lastScheduleTime"], "2026-01-01T00:00:00Z");
        assert!(acts(&mut every, &[job("c-29453760", "")]).is_empty());
        let made = sync(&cron(json!({}), json!({})), &[], NOW);
        let made = made.into_iter().find_map(|action| match action {
            Action::Create(job) => Some(job),
            _ => None,
        });
        let made = made.unwrap_or_default();
        assert_eq!(
            (
                &made["spec"],
                &made["metadata"]["labels"],
                &made["metadata"]["ownerReferences"][0]["kind"]
            ),
            (&json!({"completions": 2}), &json!({"a": "b"}), &json!("CronJob"))
        );
        let mut held = cron(json!({"suspend": true}), json!({}));
        assert!(acts(&mut held, &[]).is_empty());
        let mut late = cron(json!({"startingDeadlineSeconds": 3}), json!({}));
        assert!(acts(&mut late, &[]).is_empty(), "five seconds ago is too long ago");
    }

    #[test]
    fn what_runs_still_decides_by_the_policy() {
        let active = json!({"active": [{"name": "old", "uid": "old"}], "lastScheduleTime": "2025-12-31T23:59:00Z"});
        let running = [job("old", "")];
        let of = |policy: &str| {
            acts(
                &mut cron(json!({"concurrencyPolicy": policy}), active.clone()),
                &running,
            )
        };
        assert_eq!(of("Allow"), ["+c-29453760"]);
        assert_eq!(of("Forbid"), ["JobAlreadyActive"]);
        assert_eq!(of("Replace"), ["-old", "+c-29453760"]);
    }

    #[test]
    fn what_ended_is_told_and_later_forgotten() {
        let active = json!([{"name": "5", "uid": "5"}, {"name": "gone", "uid": "gone"}]);
        let mut old = cron(
            json!({"suspend": true, "successfulJobsHistoryLimit": 2}),
            json!({"active": active}),
        );
        let jobs = [
            job("5", "Complete"),
            job("3", "Complete"),
            job("4", "Complete"),
            job("1", "Failed"),
            job("2", "Failed"),
        ];
        assert_eq!(acts(&mut old, &jobs), ["SawCompletedJob", "MissingJob", "-3", "-1"]);
        assert_eq!(old["status"], json!({"lastSuccessfulTime": "5"}));
    }
}
