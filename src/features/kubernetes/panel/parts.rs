//! Deployments and what they are made of, as the panels look at them: replica sets, pods, and the events that tell what no
//! condition and no pod does. Not for choosing among them.

use std::cell::{Ref, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::own_pods::OwnPods;
use crate::core::context::Context;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, ReplicaSetRow};
use crate::features::kubernetes::rollout::{Cause, RolloutView, Stage, stage, view};
use crate::feed::{Health, Hub, RowTable, Subscription};

/// The feeds.
pub struct Parts {
    /// The deployments.
    pub deployments: Subscription<DeploymentRow>,
    /// Their replica sets, and those of others.
    pub sets: Subscription<ReplicaSetRow>,
    pods: Subscription<PodRow>,
    events: Subscription<EventRow>,
    /// The pods of those that are shown.
    shown: RefCell<OwnPods>,
    /// The pods of those that are on their way.
    moving: RefCell<OwnPods>,
    /// A frame asks in several places.
    found: RefCell<Found>,
}

/// What was found out of the deployments that can't go on.
struct Found {
    /// Of which version of the feeds.
    of: u64,
    /// How often it was something else than before.
    changes: u64,
    /// By unique id.
    stuck: HashMap<String, Stuck>,
}

/// Why a deployment does not go on, and who serves meanwhile.
#[derive(PartialEq)]
pub struct Stuck {
    /// Why.
    pub cause: Cause,
    /// `new 0/1, old 3/3 serve`.
    pub serving: String,
}

impl Parts {
    /// Of a context. Inside a Tokio runtime.
    pub fn open(hub: &Hub, clients: &Arc<Clients>, context: &Arc<Context>) -> Self {
        Parts {
            deployments: feed::rows(hub, clients, context),
            sets: feed::rows(hub, clients, context),
            pods: feed::rows(hub, clients, context),
            events: feed::rows(hub, clients, context),
            shown: RefCell::default(),
            moving: RefCell::default(),
            found: RefCell::new(Found {
                of: u64::MAX,
                changes: 0,
                stuck: HashMap::new(),
            }),
        }
    }

    /// Moves with any of them.
    pub fn version(&self) -> u64 {
        let below = self.sets.source().version() + self.pods.source().version() + self.events.source().version();
        self.deployments.source().version() + below
    }

    /// Moves when another deployment can't go on, or for another reason: not with every pod, since of most nothing is
    /// shown but that.
    pub fn stuck_version(&self) -> u64 {
        self.deployments.source().read(|rows, _| self.find_stuck(rows));
        self.found.borrow().changes
    }

    /// Of all that a rollout can't be read without.
    pub fn health(&self) -> [Health; 3] {
        [
            self.deployments.source().health(),
            self.sets.source().health(),
            self.pods.source().health(),
        ]
    }

    /// Looks at each of these through its replica sets, pods and events.
    pub fn look(&self, rows: &[&DeploymentRow], now: Timestamp) -> Vec<RolloutView> {
        self.look_at(rows, &mut self.shown.borrow_mut(), now)
    }

    fn look_at(&self, rows: &[&DeploymentRow], own_pods: &mut OwnPods, now: Timestamp) -> Vec<RolloutView> {
        self.sets.source().read(|sets, _| {
            self.pods.source().read(|pods, _| {
                let mut own: HashMap<&str, (Vec<&ReplicaSetRow>, Vec<&PodRow>)> =
                    rows.iter().map(|row| (row.uid.as_str(), Default::default())).collect();
                let mut owners: HashMap<&str, &str> = HashMap::new();
                for (_, set) in sets.iter() {
                    if let Some((known, _)) = own.get_mut(set.owner_uid.as_str()) {
                        known.push(set);
                        owners.insert(&set.uid, &set.owner_uid);
                    }
                }
                let own_sets: BTreeSet<&str> = owners.keys().copied().collect();
                for pod in own_pods.find(&own_sets, pods) {
                    let deployment = owners.get(&*pod.owner_uid);
                    if let Some((_, known)) = deployment.and_then(|uid| own.get_mut(uid)) {
                        known.push(pod);
                    }
                }
                self.events.source().read(|events, _| {
                    let mut about: HashMap<(&str, &str), Vec<&EventRow>> = HashMap::new();
                    for (_, event) in events.iter() {
                        about.entry((&event.namespace, &event.object)).or_default().push(event);
                    }
                    let one = |row: &&DeploymentRow| {
                        let (sets, pods) = own.remove(row.uid.as_str()).unwrap_or_default();
                        let mut view = view(row, sets, pods, now);
                        let names = view.new.iter().map(|set| set.name.as_str());
                        let names = names.chain(view.pods.iter().map(|pod| pod.name.as_str()));
                        let own: Vec<&EventRow> = names
                            .filter_map(|name| about.get(&(row.namespace.as_str(), name)))
                            .flatten()
                            .copied()
                            .collect();
                        view.explain(own);
                        view
                    };
                    rows.iter().map(one).collect()
                })
            })
        })
    }

    /// Finds out which of the deployments can't go on. `rows`: all of them, which the caller reads already.
    pub fn find_stuck(&self, rows: &RowTable<DeploymentRow>) {
        let version = self.version();
        if self.found.borrow().of == version {
            return;
        }
        // What rests is not looked at: most of them, most of the time.
        let on_its_way = |row: &&DeploymentRow| !matches!(stage(row), Stage::Complete | Stage::Paused);
        let rows: Vec<&DeploymentRow> = rows.iter().map(|(_, row)| row).filter(on_its_way).collect();
        let views = match rows.is_empty() {
            true => Vec::new(),
            false => self.look_at(&rows, &mut self.moving.borrow_mut(), self.deployments.source().now()),
        };
        let stuck = |(row, view): (&&DeploymentRow, RolloutView)| {
            let cause = view.stuck()?.clone();
            let serving = view.serving();
            Some((row.uid.clone(), Stuck { cause, serving }))
        };
        let stuck: HashMap<String, Stuck> = rows.iter().zip(views).filter_map(stuck).collect();
        let mut found = self.found.borrow_mut();
        found.of = version;
        if found.stuck != stuck {
            found.changes += 1;
            found.stuck = stuck;
        }
    }

    /// Why this one can't go on, as it was found out last; none: it goes on.
    pub fn stuck(&self, row: &DeploymentRow) -> Option<Ref<'_, Stuck>> {
        Ref::filter_map(self.found.borrow(), |found| found.stuck.get(&row.uid)).ok()
    }
}
