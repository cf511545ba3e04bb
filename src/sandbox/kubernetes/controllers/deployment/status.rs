//! The deployment's status: counts, the conditions `Available`, `Progressing` and `ReplicaFailure`, and the progress
//! deadline. Not for deciding sizes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Action, Pass};
use crate::sandbox::kubernetes::objects::{rfc3339, text, time};

type Status = Map<String, Value>;

impl Pass {
    /// Notes in the conditions that a rollout was paused or resumed. A rollout that missed its deadline stays so.
    pub(super) fn check_paused(&mut self) {
        if self.deployment.deadline.is_none() {
            return;
        }
        let reason = self
            .deployment
            .condition("Progressing")
            .map_or("", |c| text(c, "/reason"))
            .to_owned();
        let (reason, message) = match (self.deployment.paused, reason.as_str()) {
            (_, "ProgressDeadlineExceeded") => return,
            (true, current) if current != "DeploymentPaused" => ("DeploymentPaused", "Deployment is paused"),
            (false, "DeploymentPaused") => ("DeploymentResumed", "Deployment is resumed"),
            _ => return,
        };
        self.set_condition("Progressing", "Unknown", reason, message.to_owned());
        self.actions.push(Action::Status {
            status: self.deployment.status.clone(),
            revision: None,
        });
    }

    /// Sets a condition in the status that this pass works on.
    pub(super) fn set_condition(&mut self, kind: &str, status: &str, reason: &str, message: String) {
        let mut own = std::mem::take(&mut self.deployment.status);
        put_condition(&mut own, self.condition_value(kind, status, reason, message));
        self.deployment.status = own;
    }

    fn condition_value(&self, kind: &str, status: &str, reason: &str, message: String) -> Value {
        let now = rfc3339(self.now);
        json!({"type": kind, "status": status, "lastUpdateTime": now, "lastTransitionTime": now, "reason": reason, "message": message})
    }

    /// Whether a status says that the rollout is done.
    pub(super) fn is_complete(&self, status: &Status) -> bool {
        let wanted = self.deployment.replicas;
        let is = |field| count(status, field) == wanted;
        is("updatedReplicas")
            && is("replicas")
            && is("availableReplicas")
            && count(status, "observedGeneration") >= self.deployment.generation
    }

    /// Computes the status and writes it when it differs; `progress` is false for passes that only scale.
    pub(super) fn write_status(&mut self, new: Option<usize>, progress: bool) {
        let mut status = self.counts(new);
        if progress {
            self.judge_progress(new, &mut status);
        }
        self.copy_failure(new, &mut status);
        if status != self.deployment.status {
            self.actions.push(Action::Status { status, revision: None });
        } else if progress {
            self.requeue_at_deadline(&status);
        }
    }

    fn counts(&self, new: Option<usize>) -> Status {
        let sum = |field: fn(&super::ReplicaSet) -> i64| self.sets.iter().map(field).sum::<i64>();
        let available = sum(|set| set.available);
        let mut status = Status::new();
        let mut put = |field: &str, value: i64, always: bool| {
            if always || value != 0 {
                status.insert(field.into(), value.into());
            }
        };
        put("observedGeneration", self.deployment.generation, false);
        put("replicas", sum(|set| set.actual), false);
        put("updatedReplicas", new.map_or(0, |index| self.sets[index].actual), false);
        put("readyReplicas", sum(|set| set.ready), false);
        put("availableReplicas", available, false);
        put(
            "unavailableReplicas",
            (sum(|set| set.replicas) - available).max(0),
            false,
        );
        put("terminatingReplicas", sum(|set| set.terminating), true);
        if let Some(conditions) = self.deployment.status.get("conditions") {
            status.insert("conditions".into(), conditions.clone());
        }
        put_collisions(&mut status, self.deployment.collision_count);
        let (state, reason, message) = if available >= self.deployment.replicas - self.deployment.max_unavailable {
            (
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
            )
        } else {
            (
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        };
        put_condition(
            &mut status,
            self.condition_value("Available", state, reason, message.into()),
        );
        status
    }

    fn judge_progress(&mut self, new: Option<usize>, status: &mut Status) {
        let Some(deadline) = self.deployment.deadline else {
            drop_condition(status, "Progressing");
            return;
        };
        let current = self.deployment.condition("Progressing").cloned();
        let reason = current.as_ref().map_or("", |c| text(c, "/reason"));
        if count(status, "replicas") == count(status, "updatedReplicas") && reason == "NewReplicaSetAvailable" {
            return;
        }
        let subject = match new {
            Some(index) => format!("ReplicaSet \"{}\"", self.sets[index].name),
            None => format!("Deployment \"{}\"", self.deployment.name),
        };
        if self.is_complete(status) {
            let condition = self.condition_value(
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                format!("{subject} has successfully progressed."),
            );
            put_condition(status, condition);
        } else if self.has_progressed(status) {
            let mut condition = self.condition_value(
                "Progressing",
                "True",
                "ReplicaSetUpdated",
                format!("{subject} is progressing."),
            );
            if let Some(since) = current
                .as_ref()
                .filter(|c| text(c, "/status") == "True")
                .and_then(|c| c.get("lastTransitionTime"))
            {
                condition["lastTransitionTime"] = since.clone();
            }
            // Replaced even when the reason stays: its update time is what the deadline counts from.
            drop_condition(status, "Progressing");
            put_condition(status, condition);
        } else if timed_out(current.as_ref(), deadline, self.now) {
            let condition = self.condition_value(
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                format!("{subject} has timed out progressing."),
            );
            put_condition(status, condition);
        }
    }

    fn has_progressed(&self, status: &Status) -> bool {
        let (old, old_of) = (&self.deployment.status, |s: &Status| {
            count(s, "replicas") - count(s, "updatedReplicas")
        });
        let more = |field| count(status, field) > count(old, field);
        more("updatedReplicas") || old_of(status) < old_of(old) || more("readyReplicas") || more("availableReplicas")
    }

    /// A replica set's trouble (quota, a refused pod) shows on the deployment.
    fn copy_failure(&self, new: Option<usize>, status: &mut Status) {
        let failure = new
            .and_then(|index| self.sets[index].failure.as_ref())
            .or_else(|| self.sets.iter().find_map(|set| set.failure.as_ref()));
        match failure {
            Some(failure) => {
                let condition = self.condition_value(
                    "ReplicaFailure",
                    text(failure, "/status"),
                    text(failure, "/reason"),
                    text(failure, "/message").to_owned(),
                );
                put_condition(status, condition);
            }
            None => drop_condition(status, "ReplicaFailure"),
        }
    }

    fn requeue_at_deadline(&mut self, status: &Status) {
        let (Some(deadline), Some(condition)) = (self.deployment.deadline, self.deployment.condition("Progressing"))
        else {
            return;
        };
        if self.is_complete(status)
            || matches!(
                text(condition, "/reason"),
                "ProgressDeadlineExceeded" | "NewReplicaSetAvailable"
            )
            || self.deployment.paused
        {
            return;
        }
        if let Some(since) = time(condition, "/lastUpdateTime") {
            let left = since.as_second() + deadline + 1 - self.now.as_second();
            self.actions.push(Action::Requeue(Duration::from_secs(
                u64::try_from(left).unwrap_or(0).max(1),
            )));
        }
    }
}

fn timed_out(condition: Option<&Value>, deadline: i64, now: jiff::Timestamp) -> bool {
    let Some(condition) = condition else { return false };
    match text(condition, "/reason") {
        "NewReplicaSetAvailable" => false,
        "ProgressDeadlineExceeded" => true,
        _ => time(condition, "/lastUpdateTime").is_some_and(|since| since.as_second() + deadline < now.as_second()),
    }
}

fn count(status: &Status, field: &str) -> i64 {
    status.get(field).and_then(Value::as_i64).unwrap_or(0)
}

fn put_collisions(status: &mut Status, collisions: i64) {
    if collisions > 0 {
        status.insert("collisionCount".into(), collisions.into());
    }
}

/// Adds or replaces a condition. The same status and reason change nothing; the same status keeps its transition time.
fn put_condition(status: &mut Status, mut condition: Value) {
    let list = status.entry("conditions").or_insert_with(|| Value::Array(Vec::new()));
    let Some(list) = list.as_array_mut() else { return };
    let kind = text(&condition, "/type").to_owned();
    if let Some(old) = list.iter().find(|c| text(c, "/type") == kind)
        && old.get("status") == condition.get("status")
    {
        if old.get("reason") == condition.get("reason") {
            return;
        }
        condition["lastTransitionTime"] = old.get("lastTransitionTime").cloned().unwrap_or_default();
    }
    list.retain(|c| text(c, "/type") != kind);
    list.push(condition);
}

fn drop_condition(status: &mut Status, kind: &str) {
    if let Some(list) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        list.retain(|c| text(c, "/type") != kind);
    }
}
