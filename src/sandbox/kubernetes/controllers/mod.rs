//! The controller manager: deployments, replica sets, stateful and daemon sets, jobs, cron jobs, disruption budgets,
//! quotas, endpoints, load balancers, garbage collection, namespaces and the scheduler, in one task. Not for the rules
//! themselves (each controller's own module, without IO) nor for running pods.
//!
//! One task takes the store's events, turns them into keys of objects to look at, and looks at one after the other.
//! Before each look it takes in all events that wait, so a controller never acts on a view older than its own writes.

pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod disruption;
pub mod endpoints;
mod garbage;
pub mod history;
pub mod job;
mod namespaces;
mod queue;
mod quotas;
pub mod recorder;
pub mod replica_set;
mod scheduling;
mod services;
mod sets;
pub mod stateful_set;
mod workloads;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::network::Network;
use super::objects::{self, is_deleting, labels, name, namespace, pairs_match, text, uid};
use super::scheduler;
use super::store::{EventKind, Lagged, Store, StoreEvent};
use crate::sandbox::clock::Clock;
use crate::sandbox::cloud::LoadBalancers;
use crate::sandbox::random::Random;
use queue::Queue;
use recorder::Recorder;

/// Looks between two chances for other tasks of the same thread.
const BATCH: u32 = 64;

/// An object to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Deployment(String, String),
    ReplicaSet(String, String),
    StatefulSet(String, String),
    DaemonSet(String, String),
    Job(String, String),
    CronJob(String, String),
    /// A resource quota.
    Quota(String, String),
    /// A pod disruption budget.
    Budget(String, String),
    Endpoints(String, String),
    LoadBalancer(String, String),
    Namespace(String),
    /// A pod that waits for a node.
    Pod(String, String),
    /// What belonged to the object with this UID, which is gone.
    Dependents(String),
    /// An object whose deletion waits for a finalizer of the garbage collector: resource, namespace, name.
    Finalize(&'static str, String, String),
}

/// The controller manager.
pub struct Controllers {
    store: Store,
    clock: Clock,
    network: Network,
    balancers: LoadBalancers,
    recorder: Recorder,
    random: Random,
    queue: Queue<Key>,
    /// Pods that no node accepted, to be tried again when nodes or pods change.
    unschedulable: BTreeSet<(String, String)>,
    /// Pods per node, kept by events.
    load: HashMap<String, usize>,
    /// Per service, the times that endpoint changes are traced back to.
    triggers: HashMap<(String, String), services::Triggers>,
    /// When the cloud will have made the load balancer of a service, by UID.
    allocations: HashMap<String, jiff::Timestamp>,
    /// How often in a row an owner could not make its pods.
    failures: HashMap<Key, u32>,
    /// The UID of each job and what was counted of it.
    counted: HashMap<Key, (String, job::Counted)>,
}

impl Controllers {
    /// A manager for the objects of a store.
    pub fn new(
        store: Store,
        clock: Clock,
        network: Network,
        balancers: LoadBalancers,
        recorder: Recorder,
        seed: u64,
    ) -> Self {
        Self {
            store,
            clock,
            network,
            balancers,
            recorder,
            random: Random::new(seed).fork("controllers"),
            queue: Queue::default(),
            unschedulable: BTreeSet::new(),
            load: HashMap::new(),
            triggers: HashMap::new(),
            allocations: HashMap::new(),
            failures: HashMap::new(),
            counted: HashMap::new(),
        }
    }

    /// Works until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut events = self.store.subscribe();
        self.relist();
        let mut looks = 0_u32;
        loop {
            loop {
                match events.try_recv() {
                    Ok(Some(event)) => self.observe(&event),
                    Ok(None) => break,
                    Err(Lagged::Dropped(_)) => {
                        self.relist();
                        self.relist_after_loss();
                    }
                    Err(Lagged::Cut) => return,
                }
            }
            if stop.is_cancelled() {
                return;
            }
            if let Some(key) = self.queue.pop(Instant::now()) {
                self.look(key);
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(BATCH) {
                    tokio::task::yield_now().await;
                }
                continue;
            }
            let due = self
                .queue
                .next_due()
                .unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(due) => {}
                event = events.recv() => match event {
                    Ok(event) => self.observe(&event),
                    Err(Lagged::Dropped(_)) => {
                        self.relist();
                        self.relist_after_loss();
                    }
                    Err(Lagged::Cut) => return,
                },
            }
        }
    }

    fn look(&mut self, key: Key) {
        match key {
            Key::Deployment(namespace, name) => self.look_at_deployment(&namespace, &name),
            Key::ReplicaSet(namespace, name) => self.look_at_replica_set(&namespace, &name),
            Key::StatefulSet(namespace, name) => self.look_at_stateful_set(&namespace, &name),
            Key::DaemonSet(namespace, name) => self.look_at_daemon_set(&namespace, &name),
            Key::Job(namespace, name) => self.look_at_job(&namespace, &name),
            Key::CronJob(namespace, name) => self.look_at_cron_job(&namespace, &name),
            Key::Quota(namespace, name) => self.look_at_quota(&namespace, &name),
            Key::Budget(namespace, name) => self.look_at_budget(&namespace, &name),
            Key::Endpoints(namespace, name) => self.look_at_endpoints(&namespace, &name),
            Key::LoadBalancer(namespace, name) => self.look_at_load_balancer(&namespace, &name),
            Key::Namespace(name) => self.look_at_namespace(&name),
            Key::Pod(namespace, name) => self.schedule(&namespace, &name),
            Key::Dependents(uid) => self.delete_dependents(&uid),
            Key::Finalize(resource, namespace, name) => self.finalize(resource, &namespace, &name),
        }
    }

    /// Looks at everything: at the start, and when events were lost.
    fn relist(&mut self) {
        let pods = self.store.list("pods", None);
        self.load = scheduler::load(&pods);
        for pod in pods.iter().filter(|p| scheduler::is_waiting(p)) {
            self.queue.add(Key::Pod(namespace(pod).into(), name(pod).into()));
        }
        for object in self.store.list("namespaces", None) {
            self.queue.add(Key::Namespace(name(&object).into()));
        }
        for object in self.store.list("deployments", None) {
            self.queue
                .add(Key::Deployment(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("replicasets", None) {
            self.queue
                .add(Key::ReplicaSet(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("statefulsets", None) {
            self.queue
                .add(Key::StatefulSet(namespace(&object).into(), name(&object).into()));
        }
        self.queue_daemon_sets();
        for object in self.store.list("jobs", None) {
            self.queue
                .add(Key::Job(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("cronjobs", None) {
            self.queue
                .add(Key::CronJob(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("resourcequotas", None) {
            self.queue
                .add(Key::Quota(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("poddisruptionbudgets", None) {
            self.queue
                .add(Key::Budget(namespace(&object).into(), name(&object).into()));
        }
        for object in self.store.list("services", None) {
            self.queue
                .add(Key::Endpoints(namespace(&object).into(), name(&object).into()));
            self.queue
                .add(Key::LoadBalancer(namespace(&object).into(), name(&object).into()));
        }
    }

    /// Looks for what deletions left behind that nobody told of.
    fn relist_after_loss(&mut self) {
        for host in self.balancers.hosts() {
            if let Some(balancer) = self.balancers.find(&host) {
                self.queue.add(Key::LoadBalancer(balancer.namespace, balancer.service));
            }
        }
        for object in self.store.list("endpoints", None) {
            if self.store.get("services", namespace(&object), name(&object)).is_none() {
                self.queue
                    .add(Key::Endpoints(namespace(&object).into(), name(&object).into()));
            }
        }
        for resource in ["pods", "jobs", "replicasets", "controllerrevisions", "endpointslices"] {
            for object in self.store.list(resource, None) {
                for owner in objects::owners(&object) {
                    if !self.is_alive(owner, namespace(&object)) {
                        self.queue.add(Key::Dependents(text(owner, "/uid").to_owned()));
                    }
                }
            }
        }
    }

    fn observe(&mut self, event: &StoreEvent) {
        let object: &Value = &event.object;
        let own = || (namespace(object).to_owned(), name(object).to_owned());
        self.queue_quotas(event);
        match event.resource {
            "events" => return,
            "pods" => self.observe_pod(event),
            "deployments" => {
                let (space, name) = own();
                self.queue.add(Key::Deployment(space, name));
            }
            "replicasets" => {
                let (space, name) = own();
                self.queue_budgets(&space);
                self.queue.add(Key::ReplicaSet(space, name));
                self.queue_controller(object, "Deployment", Key::Deployment);
            }
            "statefulsets" => {
                let (space, name) = own();
                self.queue.add(Key::StatefulSet(space.clone(), name));
                self.queue_budgets(&space);
            }
            "daemonsets" => {
                let (space, name) = own();
                self.queue.add(Key::DaemonSet(space, name));
            }
            "jobs" => {
                let (space, name) = own();
                self.queue.add(Key::Job(space, name));
                self.queue_controller(object, "CronJob", Key::CronJob);
            }
            "cronjobs" => {
                let (space, name) = own();
                self.queue.add(Key::CronJob(space, name));
            }
            "poddisruptionbudgets" => {
                let (space, name) = own();
                self.queue.add(Key::Budget(space, name));
            }
            "services" => {
                let (space, name) = own();
                self.queue.add(Key::LoadBalancer(space.clone(), name.clone()));
                self.queue.add(Key::Endpoints(space, name));
            }
            "namespaces" => self.queue.add(Key::Namespace(name(object).into())),
            "nodes" => {
                self.retry_scheduling();
                self.queue_daemon_sets();
            }
            _ => {}
        }
        if event.kind == EventKind::Deleted {
            self.queue.add(Key::Dependents(uid(object).to_owned()));
            self.queue_waiting_owners(object);
            if event.resource != "pods" && !namespace(object).is_empty() {
                self.queue_ending_namespace(namespace(object));
            }
        } else if is_deleting(object) && garbage::is_ours(object) {
            let (space, name) = own();
            self.queue.add(Key::Finalize(event.resource, space, name));
        }
    }

    fn observe_pod(&mut self, event: &StoreEvent) {
        let object: &Value = &event.object;
        self.count_pod(event);
        for owner in [Some(object), event.previous.as_deref()].into_iter().flatten() {
            self.queue_controller(owner, "ReplicaSet", Key::ReplicaSet);
            self.queue_controller(owner, "StatefulSet", Key::StatefulSet);
            self.queue_controller(owner, "DaemonSet", Key::DaemonSet);
            self.queue_controller(owner, "Job", Key::Job);
        }
        self.queue_budgets(namespace(object));
        if objects::controller(object).is_none() && event.kind != EventKind::Deleted {
            self.queue_adopters(object);
        }
        let space = namespace(object);
        for service in self.store.list("services", Some(space)) {
            let Some(selector) = service.pointer("/spec/selector").and_then(Value::as_object) else {
                continue;
            };
            let before = event.previous.as_deref().and_then(labels);
            if pairs_match(selector, labels(object)) || pairs_match(selector, before) {
                self.queue.add(Key::Endpoints(space.into(), name(&service).into()));
            }
        }
        if event.kind != EventKind::Deleted && scheduler::is_waiting(object) {
            if !self
                .unschedulable
                .contains(&(space.to_owned(), name(object).to_owned()))
            {
                self.queue.add(Key::Pod(space.into(), name(object).into()));
            }
        } else {
            self.unschedulable.remove(&(space.to_owned(), name(object).to_owned()));
        }
        if event.kind == EventKind::Deleted {
            self.retry_scheduling();
            self.queue_ending_namespace(space);
        }
    }

    /// Keeps the number of pods per node.
    fn count_pod(&mut self, event: &StoreEvent) {
        let node = |object: &Value| {
            let node = text(object, "/spec/nodeName");
            (!node.is_empty() && !objects::pod::is_finished(object)).then(|| node.to_owned())
        };
        let before = event.previous.as_deref().and_then(node);
        let after = if event.kind == EventKind::Deleted {
            None
        } else {
            node(&event.object)
        };
        if before == after {
            return;
        }
        if let Some(count) = before.and_then(|n| self.load.get_mut(&n)) {
            *count = count.saturating_sub(1);
        }
        if let Some(node) = after {
            *self.load.entry(node).or_default() += 1;
        }
    }

    fn queue_controller(&mut self, object: &Value, kind: &str, key: fn(String, String) -> Key) {
        if let Some(owner) = objects::controller(object).filter(|owner| text(owner, "/kind") == kind) {
            self.queue
                .add(key(namespace(object).into(), text(owner, "/name").into()));
        }
    }

    fn queue_ending_namespace(&mut self, space: &str) {
        if self.store.get("namespaces", "", space).is_some_and(|n| is_deleting(&n)) {
            self.queue.add(Key::Namespace(space.into()));
        }
    }

    fn retry_scheduling(&mut self) {
        for (space, name) in std::mem::take(&mut self.unschedulable) {
            self.queue.add(Key::Pod(space, name));
        }
    }

    fn later(&mut self, after: Duration, key: Key) {
        self.queue.add_at(Instant::now() + after, key);
    }
}
