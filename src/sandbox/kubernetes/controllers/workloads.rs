//! Deployments and replica sets: gathers what their controllers look at and carries out what they want.

use std::sync::Arc;

use serde_json::{Value, json};

use super::recorder::{Severity, Source};
use super::{Controllers, Key, deployment, replica_set};
use crate::sandbox::kubernetes::graceful;
use crate::sandbox::kubernetes::objects::{self, labels, name, namespace, selector_matches, text, uid};
use crate::sandbox::kubernetes::store::{StoreError, Term};

const DEPLOYMENT: Source = Source::Component("deployment-controller");
const REPLICA_SET: Source = Source::Component("replicaset-controller");

impl Controllers {
    pub(super) fn look_at_deployment(&mut self, space: &str, own: &str) {
        let Some(object) = self.store.get("deployments", space, own) else {
            return;
        };
        let sets: Vec<Arc<Value>> = self
            .store
            .find("replicasets", Some(space), Term::Owner(uid(&object)))
            .into_iter()
            .filter(|set| deployment::is_controlled_by(set, &object))
            .collect();
        // Only the strategy `Recreate` looks at pods.
        let pods = if text(&object, "/spec/strategy/type") == "Recreate" {
            sets.iter()
                .flat_map(|set| self.store.find("pods", Some(space), Term::Owner(uid(set))))
                .collect()
        } else {
            Vec::new()
        };
        for action in deployment::sync(&object, &sets, &pods, self.clock.now()) {
            if !self.act_on_deployment(&object, action) {
                return;
            }
        }
    }

    /// Carries out one action; false when it failed and the rest of the pass makes no sense.
    fn act_on_deployment(&mut self, object: &Arc<Value>, action: deployment::Action) -> bool {
        use deployment::Action;
        let (space, own) = (namespace(object), name(object));
        match action {
            Action::CreateReplicaSet(set) => {
                if self.store.create("replicasets", set) == Err(StoreError::AlreadyExists) {
                    // Another template has the same hash, or somebody else's set has the name: the next pass hashes anew.
                    let _ = self.store.modify("deployments", space, own, |d| {
                        d["status"]["collisionCount"] = (objects::int(d, "/status/collisionCount", 0) + 1).into();
                    });
                    return false;
                }
            }
            Action::UpdateReplicaSet {
                name,
                replicas,
                annotations,
                min_ready_seconds,
            } => {
                let _ = self.store.modify("replicasets", space, &name, |set| {
                    set["spec"]["replicas"] = replicas.into();
                    set["metadata"]["annotations"] = Value::Object(annotations.clone());
                    if min_ready_seconds > 0 || set.pointer("/spec/minReadySeconds").is_some() {
                        set["spec"]["minReadySeconds"] = min_ready_seconds.into();
                    }
                });
            }
            Action::DeleteReplicaSet(name) => {
                let _ = self.store.delete("replicasets", space, &name);
            }
            Action::Status { status, revision } => {
                let _ = self.store.modify("deployments", space, own, |d| {
                    d["status"] = Value::Object(status.clone());
                    if let Some(revision) = &revision {
                        let annotations = &mut d["metadata"]["annotations"];
                        annotations["deployment.kubernetes.io/revision"] = revision.as_str().into();
                        if let Some(map) = annotations.as_object_mut() {
                            map.sort_keys();
                        }
                    }
                });
            }
            Action::Event(reason, message) => {
                self.recorder
                    .record(object, &DEPLOYMENT, Severity::Normal, reason, &message)
            }
            // A progress deadline is counted in real seconds at every speed: that is what its timestamps say.
            Action::Requeue(after) => self.later(after, Key::Deployment(space.into(), own.into())),
        }
        true
    }

    pub(super) fn look_at_replica_set(&mut self, space: &str, own: &str) {
        let Some(set) = self.store.get("replicasets", space, own) else {
            return;
        };
        let pods = self.claim_pods(&set);
        let mut failure = None;
        for action in replica_set::sync(&set, &pods, self.clock.now()) {
            failure = failure.or(self.act_on_replica_set(&set, action));
        }
        let key = Key::ReplicaSet(space.into(), own.into());
        match &failure {
            Some(why) => self.creation_failed(&set, &REPLICA_SET, &format!("Error creating: {why}"), key),
            None => self.creation_succeeded(&key),
        }
        self.tell_failure(&set, failure);
    }

    /// The pods of a replica set: those it controls, less those whose labels no longer fit (released), plus orphans
    /// that fit (adopted).
    fn claim_pods(&mut self, set: &Arc<Value>) -> Vec<Arc<Value>> {
        let space = namespace(set);
        let selector = set.pointer("/spec/selector").cloned().unwrap_or_default();
        let mut pods = Vec::new();
        for pod in self.store.find("pods", Some(space), Term::Owner(uid(set))) {
            if selector_matches(&selector, labels(&pod)) || objects::is_deleting(&pod) {
                pods.push(pod);
            } else {
                let _ = self.store.modify("pods", space, name(&pod), |p| {
                    if let Some(owners) = p["metadata"]["ownerReferences"].as_array_mut() {
                        owners.retain(|o| text(o, "/uid") != uid(set));
                    }
                });
            }
        }
        let first = selector
            .get("matchLabels")
            .and_then(Value::as_object)
            .and_then(|pairs| pairs.iter().next());
        if let Some((key, value)) = first.filter(|_| !objects::is_deleting(set)) {
            let value = value.as_str().unwrap_or("");
            for pod in self.store.find("pods", Some(space), Term::Label(key, value)) {
                let fits = objects::controller(&pod).is_none()
                    && objects::pod::is_active(&pod)
                    && selector_matches(&selector, labels(&pod));
                if fits && let Ok(pod) = self.store.modify("pods", space, name(&pod), |p| adopt(p, set)) {
                    pods.push(pod);
                }
            }
        }
        pods
    }

    /// A pod without a controller may fit a replica set.
    pub(super) fn queue_adopters(&mut self, pod: &Value) {
        for set in self.store.list("replicasets", Some(namespace(pod))) {
            if set
                .pointer("/spec/selector")
                .is_some_and(|s| selector_matches(s, labels(pod)))
            {
                self.queue
                    .add(Key::ReplicaSet(namespace(pod).into(), name(&set).into()));
            }
        }
    }

    /// Carries out one action; answers why a pod could not be made.
    fn act_on_replica_set(&mut self, set: &Arc<Value>, action: replica_set::Action) -> Option<String> {
        use replica_set::Action;
        let (space, own) = (namespace(set), name(set));
        match action {
            Action::CreatePods(count) => {
                for _ in 0..count {
                    let pod = replica_set::new_pod(set, &self.random.name_suffix(5));
                    let made = match self.create_pod(pod) {
                        Ok(pod) => format!("Created pod: {}", name(&pod)),
                        // What refuses one refuses the others too.
                        Err(why) => return Some(why),
                    };
                    self.recorder
                        .record(set, &REPLICA_SET, Severity::Normal, "SuccessfulCreate", &made);
                }
            }
            Action::DeletePods(names) => {
                for pod in names {
                    if graceful::delete_pod(&self.store, &self.clock, space, &pod, None).is_ok() {
                        self.recorder.record(
                            set,
                            &REPLICA_SET,
                            Severity::Normal,
                            "SuccessfulDelete",
                            &format!("Deleted pod: {pod}"),
                        );
                    }
                }
            }
            Action::Status(status) => {
                let _ = self.store.modify("replicasets", space, own, |s| {
                    s["status"] = Value::Object(status.clone())
                });
            }
            Action::Requeue(after) => self.later(after, Key::ReplicaSet(space.into(), own.into())),
        }
        None
    }
}

fn adopt(pod: &mut Value, set: &Value) {
    let reference = objects::owner_reference(set, "apps/v1", "ReplicaSet");
    match pod["metadata"]["ownerReferences"].as_array_mut() {
        Some(owners) => owners.push(reference),
        None => pod["metadata"]["ownerReferences"] = json!([reference]),
    }
}
