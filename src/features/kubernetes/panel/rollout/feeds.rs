//! The feeds that the rollout panel looks at, and which deployments it turns to.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::parts::Parts;
use super::super::{state, step, urgency};
use super::traffic::{Measured, Own, measured};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::model::{DeploymentRow, ReplicaSetRow};
use crate::features::kubernetes::rollout::RolloutView;
use crate::features::traffic::model::{Sample, recent, samples};
use crate::feed::{Health, Hub, Subscription};
use crate::ui::panel::Tone;

/// Rollouts looked at closely at most; of more only the number is told.
pub const MOST: usize = 12;

/// The feeds.
pub struct Feeds {
    /// The deployments are of all namespaces.
    everywhere: bool,
    parts: Parts,
    samples: Subscription<Sample>,
}

/// A rollout as it is drawn.
pub struct One {
    /// What it is called among the others.
    pub label: String,
    /// Everything about it.
    pub view: RolloutView,
    /// Its state: tone and word.
    pub state: (Tone, SafeText),
}

/// The deployments to show, the one that wants attention most first; and how many more there are.
pub struct Picked {
    /// At most [`MOST`].
    pub rows: Vec<DeploymentRow>,
    /// Beyond those.
    pub more: usize,
}

impl Feeds {
    /// Of a context. Inside a Tokio runtime.
    pub fn open(hub: &Hub, clients: &Arc<Clients>, context: &Arc<Context>) -> Feeds {
        Feeds {
            everywhere: context.kubernetes.everywhere,
            parts: Parts::open(hub, clients, context),
            samples: samples(hub, context),
        }
    }

    /// Moves with any of them.
    pub fn version(&self) -> u64 {
        self.parts.version() + self.samples.source().version()
    }

    /// Of the deployments: why there is none.
    pub fn deployments_health(&self) -> Health {
        self.parts.deployments.source().health()
    }

    /// Of all that a rollout is read from.
    pub fn health(&self) -> [Health; 3] {
        self.parts.health()
    }

    /// What a deployment is called: by its name, with its namespace where those of all are shown.
    pub fn label(&self, row: &DeploymentRow) -> String {
        label(self.everywhere, &row.namespace, &row.name)
    }

    /// What the deployments are called.
    pub fn names(&self) -> Vec<String> {
        let name = |(_, row): (&str, &DeploymentRow)| self.label(row);
        self.parts
            .deployments
            .source()
            .read(|rows, _| rows.iter().map(name).collect())
    }

    /// The deployment that is called so alone; else all that roll out when there are several; else the one that was changed
    /// last, `followed`; else the most urgent, of equals the one that moved last.
    pub fn pick(&self, held: Option<&str>, followed: Option<&str>) -> Picked {
        self.parts.deployments.source().read(|rows, _| {
            self.parts.find_stuck(rows);
            let all = || rows.iter().map(|(_, row)| row);
            let named = |name: Option<&str>| name.and_then(|name| all().find(|row| self.label(row) == name));
            let one = |row: Option<&DeploymentRow>| Picked {
                rows: row.into_iter().cloned().collect(),
                more: 0,
            };
            if let Some(row) = named(held) {
                return one(Some(row));
            }
            let mut moving: Vec<&DeploymentRow> = all().filter(|row| is_moving(row)).collect();
            if moving.len() > 1 {
                moving.sort_by_key(|row| {
                    (
                        Some(self.label(row).as_str()) != followed,
                        std::cmp::Reverse(moved(row)),
                    )
                });
                return Picked {
                    more: moving.len().saturating_sub(MOST),
                    rows: moving.into_iter().take(MOST).cloned().collect(),
                };
            }
            one(named(followed).or_else(|| all().max_by_key(|row| (urgency(self.state(row).0), moved(row)))))
        })
    }

    /// Looks at each of these through its replica sets, pods and events.
    pub fn look(&self, rows: &[DeploymentRow], now: Timestamp) -> Vec<One> {
        let views = self.parts.look(&rows.iter().collect::<Vec<_>>(), now);
        let one = |(row, view): (&DeploymentRow, RolloutView)| One {
            label: self.label(row),
            state: state(row, view.stuck()),
            view,
        };
        rows.iter().zip(views).map(one).collect()
    }

    /// The state of one that was picked, and, where it can't go on, who serves meanwhile.
    pub fn state(&self, row: &DeploymentRow) -> (Tone, SafeText, Option<String>) {
        let stuck = self.parts.stuck(row);
        let (tone, word) = state(row, stuck.as_deref().map(|stuck| &stuck.cause));
        (tone, word, stuck.map(|stuck| stuck.serving.clone()))
    }

    /// What the requests of a running watch say about a deployment; none: no watch runs.
    pub fn traffic(&self, of: &RolloutView, now: Timestamp) -> Option<Measured> {
        // Most of the time nobody watches.
        self.samples
            .source()
            .read(|rows, health| recent(rows, health).map(|_| ()))?;
        let own = self.own(of);
        self.samples
            .source()
            .read(|rows, health| measured(rows, health, &own, now))
    }

    /// What tells a deployment's answers: its replica sets, and the versions that no other one here has.
    fn own(&self, of: &RolloutView) -> Own {
        let uid = self.parts.deployments.source().read(|rows, _| {
            let row = rows
                .iter()
                .find(|(_, row)| row.name == of.name && row.namespace == of.namespace);
            row.map(|(_, row)| row.uid.clone())
        });
        let Some(uid) = uid else { return Own::default() };
        self.parts.sets.source().read(|sets, _| {
            let (own, others): (Vec<_>, Vec<_>) = sets.iter().map(|(_, set)| set).partition(|set| set.owner_uid == uid);
            let others: BTreeSet<&str> = others.iter().map(|set| set.version.as_str()).collect();
            let only = |set: &&&ReplicaSetRow| !set.version.is_empty() && !others.contains(set.version.as_str());
            Own {
                sets: own.iter().map(|set| set.name.clone()).collect(),
                versions: own.iter().filter(only).map(|set| set.version.clone()).collect(),
            }
        })
    }
}

/// As [`Feeds::label`].
pub fn label(everywhere: bool, namespace: &str, name: &str) -> String {
    match everywhere {
        true => format!("{namespace}/{name}"),
        false => name.to_owned(),
    }
}

/// Whether a deployment is on its way to another state, or would be if it could.
fn is_moving(row: &DeploymentRow) -> bool {
    !row.deleting && step(row).0 == Tone::Progress
}

/// When it moved last.
fn moved(row: &DeploymentRow) -> Option<Timestamp> {
    let progressing = row.condition("Progressing").and_then(|c| c.last_update_time);
    progressing.or(row.created)
}
