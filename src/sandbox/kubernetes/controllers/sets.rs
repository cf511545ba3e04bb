//! Stateful sets, daemon sets, jobs and disruption budgets: gathers what their controllers look at and carries out what they
//! want. Not for the rules.

use std::sync::Arc;

use serde_json::Value;

use super::recorder::{Severity, Source};
use super::{Controllers, Key, daemon_set, disruption, history, job, stateful_set};
use crate::sandbox::kubernetes::graceful;
use crate::sandbox::kubernetes::objects::{self, int, name, namespace, text, uid};
use crate::sandbox::kubernetes::store::Term;
use stateful_set::Action;

const STATEFUL_SET: Source = Source::Component("statefulset-controller");
const DAEMON_SET: Source = Source::Component("daemonset-controller");
const JOB: Source = Source::Component("job-controller");

impl Controllers {
    pub(super) fn look_at_stateful_set(&mut self, space: &str, own: &str) {
        let Some(set) = self.store.get("statefulsets", space, own) else {
            return;
        };
        let (pods, revisions) = (self.owned("pods", &set), self.owned("controllerrevisions", &set));
        let suffix = self.random.name_suffix(5);
        let actions = stateful_set::sync(&set, &pods, &revisions, &suffix, self.clock.now());
        self.act_on_all("statefulsets", &STATEFUL_SET, &set, actions);
    }

    pub(super) fn look_at_daemon_set(&mut self, space: &str, own: &str) {
        let Some(set) = self.store.get("daemonsets", space, own) else {
            return;
        };
        let (pods, revisions) = (self.owned("pods", &set), self.owned("controllerrevisions", &set));
        let nodes = self.store.list("nodes", None);
        let suffix = self.random.name_suffix(4);
        let actions = daemon_set::sync(&set, &pods, &revisions, &nodes, &suffix, self.clock.now());
        self.act_on_all("daemonsets", &DAEMON_SET, &set, actions);
    }

    /// The objects of a resource that a set controls.
    pub(super) fn owned(&self, resource: &str, set: &Value) -> Vec<Arc<Value>> {
        let mut found = self.store.find(resource, Some(namespace(set)), Term::Owner(uid(set)));
        found.retain(|object| objects::controller(object).is_some_and(|owner| text(owner, "/uid") == uid(set)));
        found
    }

    fn act_on_revision(&mut self, space: &str, step: history::Step) {
        use history::Step;
        // What exists already, or is gone already, is what is wanted: the next pass sees it.
        let _ = match step {
            Step::Create(revision) => self.store.create("controllerrevisions", revision),
            Step::Renumber(own, number) => self.store.modify("controllerrevisions", space, &own, |revision| {
                revision["revision"] = number.into();
            }),
            Step::Delete(own) => self.store.delete("controllerrevisions", space, &own),
        };
    }

    /// Carries out a pass. After a pod that could not be made no other one is tried: what refuses one refuses them all.
    fn act_on_all(&mut self, resource: &'static str, source: &Source, set: &Arc<Value>, actions: Vec<Action>) {
        let (space, own) = (namespace(set), name(set));
        let (key, stateful) = match resource {
            "statefulsets" => (Key::StatefulSet(space.into(), own.into()), true),
            _ => (Key::DaemonSet(space.into(), own.into()), false),
        };
        let mut failure = None;
        for action in actions {
            if !(failure.is_some() && matches!(action, Action::Create(_))) {
                failure = self.act_on_set(resource, source, set, action).or(failure);
            }
        }
        match failure {
            Some((pod, why)) if stateful => {
                let message = format!("create Pod {pod} in StatefulSet {own} failed error: {why}");
                self.creation_failed(set, source, &message, key);
            }
            Some((_, why)) => self.creation_failed(set, source, &format!("Error creating: {why}"), key),
            None => self.creation_succeeded(&key),
        }
    }

    /// Carries out one action; answers the pod that could not be made, and why.
    fn act_on_set(
        &mut self,
        resource: &'static str,
        source: &Source,
        set: &Arc<Value>,
        action: Action,
    ) -> Option<(String, String)> {
        let (space, own) = (namespace(set), name(set));
        let kind = if resource == "statefulsets" {
            "StatefulSet"
        } else {
            "DaemonSet"
        };
        let named = |pod: &str, doing: &str, done: &str| match kind {
            "StatefulSet" => format!("{doing} Pod {pod} in StatefulSet {own} successful"),
            _ => format!("{done} pod: {pod}"),
        };
        match action {
            Action::Revision(step) => self.act_on_revision(space, step),
            Action::Requeue(after) => {
                let key = if kind == "StatefulSet" {
                    Key::StatefulSet
                } else {
                    Key::DaemonSet
                };
                self.later(after, key(space.into(), own.into()));
            }
            Action::Create(pod) => {
                let given = name(&pod).to_owned();
                let message = match self.create_pod(pod) {
                    Ok(pod) => named(name(&pod), "create", "Created"),
                    Err(why) => return Some((given, why)),
                };
                self.recorder
                    .record(set, source, Severity::Normal, "SuccessfulCreate", &message);
            }
            Action::Delete(pod) => {
                if graceful::delete_pod(&self.store, &self.clock, space, &pod, None).is_ok() {
                    let message = named(&pod, "delete", "Deleted");
                    self.recorder
                        .record(set, source, Severity::Normal, "SuccessfulDelete", &message);
                }
            }
            Action::Status(status) => {
                let _ = self
                    .store
                    .modify(resource, space, own, |s| s["status"] = Value::Object(status.clone()));
            }
        }
        None
    }

    pub(super) fn look_at_job(&mut self, space: &str, own: &str) {
        let key = Key::Job(space.into(), own.into());
        let Some(job) = self.store.get("jobs", space, own) else {
            self.counted.remove(&key);
            return;
        };
        let pods = self.owned("pods", &job);
        let suffix = self.random.name_suffix(4);
        let (owner, mut counted) = self.counted.remove(&key).unwrap_or_default();
        // Another job of this name has pods of its own.
        if owner != uid(&job) {
            counted = job::counted_before(&job, &pods);
        }
        let mut failure = None;
        for action in job::sync(&job, &pods, &mut counted, &suffix, self.clock.now()) {
            match action {
                job::Action::Create(_) if failure.is_some() => {}
                job::Action::Create(pod) => match self.create_pod(pod) {
                    Ok(pod) => self.tell_job(
                        &job,
                        Severity::Normal,
                        "SuccessfulCreate",
                        &format!("Created pod: {}", name(&pod)),
                    ),
                    Err(why) => failure = Some(why),
                },
                job::Action::Delete(pod) => {
                    if graceful::delete_pod(&self.store, &self.clock, space, &pod, None).is_ok() {
                        self.tell_job(
                            &job,
                            Severity::Normal,
                            "SuccessfulDelete",
                            &format!("Deleted pod: {pod}"),
                        );
                    }
                }
                job::Action::Status(status) => {
                    let _ = self
                        .store
                        .modify("jobs", space, own, |job| job["status"] = Value::Object(status.clone()));
                }
                job::Action::Event(severity, reason, message) => self.tell_job(&job, severity, reason, &message),
                // Counted in real seconds at every speed, as the times in the job's status are.
                job::Action::Requeue(after) => self.later(after, key.clone()),
                job::Action::Remove => self.delete("jobs", &job),
            }
        }
        self.counted.insert(key.clone(), (uid(&job).to_owned(), counted));
        match failure {
            Some(why) => self.creation_failed(&job, &JOB, &format!("Error creating: {why}"), key),
            None => self.creation_succeeded(&key),
        }
    }

    fn tell_job(&self, job: &Value, severity: Severity, reason: &str, message: &str) {
        self.recorder.record(job, &JOB, severity, reason, message);
    }

    pub(super) fn look_at_budget(&mut self, space: &str, own: &str) {
        let Some(budget) = self.store.get("poddisruptionbudgets", space, own) else {
            return;
        };
        let pods = self.store.list("pods", Some(space));
        let mut owners = std::collections::BTreeMap::new();
        let mut expected = 0;
        for pod in pods.iter().filter(|pod| disruption::selects(&budget, pod)) {
            match objects::controller(pod) {
                None => expected += 1,
                Some(owner) => drop(owners.insert(text(owner, "/uid").to_owned(), owner.clone())),
            }
        }
        for owner in owners.values() {
            let resource = match text(owner, "/kind") {
                "ReplicaSet" => "replicasets",
                "StatefulSet" => "statefulsets",
                _ => continue,
            };
            if let Some(set) = self.store.get(resource, space, text(owner, "/name")) {
                expected += int(&set, "/spec/replicas", 1);
            }
        }
        let status = disruption::status(&budget, &pods, expected);
        if budget.get("status").and_then(Value::as_object) != Some(&status) {
            let _ = self.store.modify("poddisruptionbudgets", space, own, |b| {
                b["status"] = Value::Object(status.clone());
            });
        }
    }

    /// Queues what looks at the nodes.
    pub(super) fn queue_daemon_sets(&mut self) {
        for set in self.store.list("daemonsets", None) {
            self.queue
                .add(Key::DaemonSet(namespace(&set).into(), name(&set).into()));
        }
    }

    /// Queues the budgets of a namespace in which a pod changed.
    pub(super) fn queue_budgets(&mut self, space: &str) {
        for budget in self.store.list("poddisruptionbudgets", Some(space)) {
            self.queue.add(Key::Budget(space.into(), name(&budget).into()));
        }
    }
}
