//! Resource quotas and the pods they refuse: keeps the quotas' counts, makes pods as the API server would let their owners
//! make them, and has owners try again later. Not for the rules (`kubernetes::quota`).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::recorder::{Severity, Source};
use super::{Controllers, Key};
use crate::sandbox::kubernetes::objects::{self, name, namespace, pod, text};
use crate::sandbox::kubernetes::quota;
use crate::sandbox::kubernetes::store::{EventKind, Object, StoreEvent};

/// The first wait before an owner tries again; it doubles up to the longest, as client-go's rate limiter does.
const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1_000);

impl Controllers {
    pub(super) fn look_at_quota(&mut self, space: &str, own: &str) {
        let Some(found) = self.store.get("resourcequotas", space, own) else {
            return;
        };
        let status = quota::status(&self.store, &found);
        if found.get("status") != Some(&status) {
            let _ = self
                .store
                .modify("resourcequotas", space, own, |q| q["status"] = status.clone());
        }
    }

    /// Queues the quotas that have to count anew: their own limits moved, or an object came, went, or ended.
    pub(super) fn queue_quotas(&mut self, event: &StoreEvent) {
        let object: &Value = &event.object;
        let ended = |object: &Value| event.resource == "pods" && pod::is_finished(object);
        let moved = match event.kind {
            EventKind::Modified => {
                let before = event.previous.as_deref();
                event.resource == "resourcequotas" || before.is_some_and(|before| ended(before) != ended(object))
            }
            EventKind::Added | EventKind::Deleted => true,
        };
        if !moved || namespace(object).is_empty() {
            return;
        }
        for quota in self.store.list("resourcequotas", Some(namespace(object))) {
            self.queue
                .add(Key::Quota(namespace(object).into(), name(&quota).into()));
        }
    }

    /// Makes a pod for its owner. It gets its name before it is judged, so that a refusal can name it.
    ///
    /// The error is the API server's sentence.
    pub(super) fn create_pod(&mut self, mut pod: Value) -> Result<Object, String> {
        if name(&pod).is_empty() {
            let prefix = text(&pod, "/metadata/generateName").to_owned();
            let own = self.store.draw(|random| format!("{prefix}{}", random.name_suffix(5)));
            pod["metadata"]["name"] = own.into();
        }
        let own = name(&pod).to_owned();
        quota::admit(&self.store, "pods", &pod).map_err(|why| format!("pods \"{own}\" is forbidden: {why}"))?;
        self.store
            .create("pods", pod)
            .map_err(|error| format!("pods \"{own}\" cannot be created: {error}"))
    }

    /// Tells that an owner could not make a pod, and has it try again, each time later.
    pub(super) fn creation_failed(&mut self, owner: &Value, source: &Source, message: &str, key: Key) {
        self.recorder
            .record(owner, source, Severity::Warning, "FailedCreate", message);
        let times = self.failures.get(&key).copied().unwrap_or_default();
        let wait = FIRST.saturating_mul(1 << times.min(30)).min(LONGEST);
        // Something else brought the owner up: the next attempt is arranged for already.
        if self.queue.comes_back_by(Instant::now() + wait, &key) {
            return;
        }
        self.failures.insert(key.clone(), times.saturating_add(1));
        self.later(wait, key);
    }

    /// The owner made what it wanted: the next failure starts over.
    pub(super) fn creation_succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// Puts a replica set's failure into its status, or takes it out again.
    pub(super) fn tell_failure(&mut self, set: &Arc<Value>, failure: Option<String>) {
        let (space, own) = (namespace(set), name(set));
        let known = objects::condition(set, "ReplicaFailure").is_some();
        let now = self.clock.rfc3339();
        if known == failure.is_some() {
            return;
        }
        let _ = self.store.modify("replicasets", space, own, |set| {
            let mut list = set.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
            list.retain(|condition| text(condition, "/type") != "ReplicaFailure");
            if let Some(message) = &failure {
                list.push(json!({"type": "ReplicaFailure", "status": "True", "lastTransitionTime": now, "reason": "FailedCreate", "message": message}));
            }
            let Some(status) = set["status"].as_object_mut() else { return };
            if list.is_empty() {
                status.shift_remove("conditions");
            } else {
                status.insert("conditions".into(), list.into());
            }
        });
    }
}
