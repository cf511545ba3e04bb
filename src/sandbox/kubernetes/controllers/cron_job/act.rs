//! Carries out what a pass over a cron job wants.

use serde_json::{Value, json};

use super::{Action, sync};
use crate::sandbox::kubernetes::api::defaults;
use crate::sandbox::kubernetes::controllers::recorder::{Severity, Source};
use crate::sandbox::kubernetes::controllers::{Controllers, Key};
use crate::sandbox::kubernetes::objects::{name, uid};
use crate::sandbox::kubernetes::{kinds, quota};

const CRON_JOB: Source = Source::Component("cronjob-controller");

impl Controllers {
    pub(in crate::sandbox::kubernetes::controllers) fn look_at_cron_job(&mut self, space: &str, own: &str) {
        let Some(cron) = self.store.get("cronjobs", space, own) else {
            return;
        };
        let jobs = self.owned("jobs", &cron);
        let key = Key::CronJob(space.into(), own.into());
        let (mut made, mut failure) = (None, None);
        for action in sync(&cron, &jobs, self.clock.now()) {
            match action {
                Action::Create(job) => match self.create_job(job) {
                    Ok(job) => {
                        let message = format!("Created job {}", name(&job));
                        self.recorder
                            .record(&cron, &CRON_JOB, Severity::Normal, "SuccessfulCreate", &message);
                        made = Some(job);
                    }
                    Err(why) => failure = Some(why),
                },
                Action::Delete(job) => {
                    if let Some(job) = self.store.get("jobs", space, &job) {
                        self.delete("jobs", &job);
                    }
                }
                // Its time has not been used: the next look tries again.
                Action::Status(_) if failure.is_some() => {}
                Action::Status(mut status) => {
                    if let Some(job) = &made {
                        let list = status.entry("active").or_insert_with(|| json!([]));
                        if let Some(list) = list.as_array_mut() {
                            list.push(reference(job));
                        }
                    }
                    let status = Value::Object(status);
                    let _ = self
                        .store
                        .modify("cronjobs", space, own, |cron| cron["status"] = status.clone());
                }
                Action::Event(severity, reason, message) => {
                    self.recorder.record(&cron, &CRON_JOB, severity, reason, &message);
                }
                // Schedules follow the wall clock at every speed.
                Action::Requeue(after) => self.later(after, key.clone()),
            }
        }
        match failure {
            Some(why) => self.creation_failed(&cron, &CRON_JOB, &format!("Error creating job: {why}"), key),
            None => self.creation_succeeded(&key),
        }
    }

    /// Makes a job as the API server would for its owner.
    fn create_job(&mut self, mut job: Value) -> Result<Value, String> {
        let own = name(&job).to_owned();
        if let Some(kind) = kinds::by_resource("jobs") {
            self.store.draw(|random| defaults::create(kind, &mut job, random));
        }
        quota::admit(&self.store, "jobs", &job).map_err(|why| format!("jobs.batch \"{own}\" is forbidden: {why}"))?;
        let made = self.store.create("jobs", job);
        made.map(|job| (*job).clone())
            .map_err(|error| format!("jobs.batch \"{own}\" cannot be created: {error}"))
    }
}

/// How a cron job names a job of its own.
fn reference(job: &Value) -> Value {
    json!({
        "kind": "Job", "namespace": job["metadata"]["namespace"], "name": name(job), "uid": uid(job),
        "apiVersion": "batch/v1", "resourceVersion": job["metadata"]["resourceVersion"],
    })
}
