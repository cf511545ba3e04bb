//! The deployment controller: one pass over a deployment and its replica sets, from objects to actions, without IO.
//! Not for applying the actions (the controller manager does), nor for pods (the replica set controller).
//!
//! The order of a pass is that of the Kubernetes controller: paused conditions, then scaling, then the strategy; each
//! successful scaling ends the pass, the next event starts the next one.

mod model;
mod revision;
mod rolling;
mod scale;
mod status;

pub(in crate::sandbox::kubernetes::controllers) use revision::template_hash;

use jiff::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

use crate::sandbox::kubernetes::objects::{pod, uid};
use model::{Deployment, ReplicaSet};

/// What a pass wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Create this replica set.
    CreateReplicaSet(Value),
    /// Set the size, the annotations and `minReadySeconds` of a replica set.
    UpdateReplicaSet {
        /// Its name.
        name: String,
        /// `spec.replicas`.
        replicas: i64,
        /// All annotations.
        annotations: Map<String, Value>,
        /// `spec.minReadySeconds`.
        min_ready_seconds: i64,
    },
    /// Delete a replica set that the history no longer needs.
    DeleteReplicaSet(String),
    /// Write the deployment's status, and its revision annotation when given.
    Status {
        /// The whole status.
        status: Map<String, Value>,
        /// The value of `deployment.kubernetes.io/revision`.
        revision: Option<String>,
    },
    /// A normal event on the deployment: reason and message.
    Event(&'static str, String),
    /// Look again after this time even if nothing happens (a progress deadline).
    Requeue(Duration),
}

/// One pass. `replica_sets` are those the deployment controls, `pods` those of these replica sets.
pub fn sync(deployment: &Value, replica_sets: &[Arc<Value>], pods: &[Arc<Value>], now: Timestamp) -> Vec<Action> {
    let sets = replica_sets.iter().map(|set| ReplicaSet::read(set)).collect();
    let mut pass = Pass {
        deployment: Deployment::read(deployment),
        sets,
        now,
        actions: Vec::new(),
    };
    pass.run(pods);
    pass.actions
}

/// The state of one pass: what was read, updated by what the pass already decided.
struct Pass {
    deployment: Deployment,
    sets: Vec<ReplicaSet>,
    now: Timestamp,
    actions: Vec<Action>,
}

impl Pass {
    fn run(&mut self, pods: &[Arc<Value>]) {
        // Oldest first everywhere; equal times are told apart by name, as in the controller.
        self.sets
            .sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        if self.deployment.deleting {
            let new = self.find_new();
            return self.write_status(new, false);
        }
        self.check_paused();
        if self.deployment.paused || self.is_scaling_event() {
            return self.sync_scale();
        }
        if self.deployment.recreate {
            self.roll_recreate(pods)
        } else {
            self.roll()
        }
    }

    /// Scaling only: a paused deployment, or one whose number of replicas was changed.
    fn sync_scale(&mut self) {
        let new = self.new_set(false);
        self.scale(new);
        if self.deployment.paused {
            self.clean_up(new);
        }
        self.write_status(new, false);
    }

    /// Whether an active replica set still carries another number of desired replicas than the spec.
    fn is_scaling_event(&mut self) -> bool {
        let _ = self.new_set(false);
        let wanted = self.deployment.replicas;
        self.sets.iter().filter(|set| set.replicas > 0).any(|set| {
            set.number(model::DESIRED_REPLICAS)
                .is_some_and(|desired| desired != wanted)
        })
    }

    fn roll_recreate(&mut self, pods: &[Arc<Value>]) {
        let new = self.new_set(false);
        let mut scaled = false;
        for index in self.old_sets(new) {
            if self.sets[index].replicas > 0 {
                scaled |= self.resize(index, 0);
            }
        }
        let new_uid = new.map(|index| self.sets[index].uid.clone());
        let old_runs = pods.iter().any(|p| {
            let owner = crate::sandbox::kubernetes::objects::controller(p)
                .map(uid_of)
                .unwrap_or("");
            Some(owner) != new_uid.as_deref() && !pod::is_finished(p)
        });
        if scaled || old_runs || self.old_sets(new).iter().any(|index| self.sets[*index].actual > 0) {
            return self.write_status(new, true);
        }
        let new = self.new_set(true);
        if let Some(index) = new {
            self.resize(index, self.deployment.replicas);
        }
        self.finish(new);
    }

    fn roll(&mut self) {
        let new = self.new_set(true);
        if self.reconcile_new(new) || self.reconcile_old(new) {
            return self.write_status(new, true);
        }
        self.finish(new);
    }

    fn finish(&mut self, new: Option<usize>) {
        if self.is_complete(&self.deployment.status) {
            self.clean_up(new);
        }
        self.write_status(new, true);
    }

    /// The indexes of all replica sets but the new one, oldest first.
    fn old_sets(&self, new: Option<usize>) -> Vec<usize> {
        (0..self.sets.len()).filter(|index| Some(*index) != new).collect()
    }

    /// Gives a replica set another size, with the annotations that belong to it and the event; false when it has it already.
    fn resize(&mut self, index: usize, replicas: i64) -> bool {
        let (wanted, max) = (self.deployment.replicas, self.deployment.max_total());
        let Some(set) = self.sets.get_mut(index) else {
            return false;
        };
        let old = set.replicas;
        if old == replicas {
            return false;
        }
        set.annotate(model::DESIRED_REPLICAS, &wanted.to_string());
        set.annotate(model::MAX_REPLICAS, &max.to_string());
        set.replicas = replicas;
        set.generation += 1;
        let direction = if replicas > old { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {} from {old} to {replicas}", set.name);
        self.update(index);
        self.actions.push(Action::Event("ScalingReplicaSet", message));
        true
    }

    fn update(&mut self, index: usize) {
        if let Some(set) = self.sets.get(index) {
            self.actions.push(Action::UpdateReplicaSet {
                name: set.name.clone(),
                replicas: set.replicas,
                annotations: set.annotations.clone(),
                min_ready_seconds: set.min_ready_seconds,
            });
        }
    }

    /// Deletes the oldest revisions beyond the history limit, those with pods never.
    fn clean_up(&mut self, new: Option<usize>) {
        let Some(limit) = self.deployment.history_limit else {
            return;
        };
        let mut old: Vec<&ReplicaSet> = self
            .old_sets(new)
            .into_iter()
            .map(|index| &self.sets[index])
            .filter(|set| !set.deleting)
            .collect();
        let surplus = old.len().saturating_sub(limit);
        old.sort_by_key(|set| set.revision());
        let gone: Vec<String> = old
            .into_iter()
            .take(surplus)
            .filter(|set| set.actual == 0 && set.replicas == 0 && set.generation <= set.observed_generation)
            .map(|set| set.name.clone())
            .collect();
        self.actions.extend(gone.into_iter().map(Action::DeleteReplicaSet));
    }
}

fn uid_of(owner: &Value) -> &str {
    owner.get("uid").and_then(Value::as_str).unwrap_or("")
}

/// Whether the object's controller is the deployment (or any owner) with this uid.
pub fn is_controlled_by(object: &Value, owner: &Value) -> bool {
    crate::sandbox::kubernetes::objects::controller(object).is_some_and(|reference| uid_of(reference) == uid(owner))
}

#[cfg(test)]
mod tests;
