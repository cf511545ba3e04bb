//! The replica sets of one deployment, the newest first.

use std::sync::Arc;

use super::super::{COPY, DELETE, DESCRIBE, EDIT, LOGS, SHELL, YAML, age_cell, common, target};
use super::ID;
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::{DeploymentRow, ReplicaSetRow};
use crate::feed::{Hub, RowTable, Subscription};
use crate::ui::panel::list::{Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect};

/// The list.
pub struct Sets {
    hub: Hub,
    clients: Arc<Clients>,
    of: Target,
    /// Sets name their deployment by its unique id only.
    deployments: Option<Subscription<DeploymentRow>>,
}

impl Sets {
    /// The sets of this deployment.
    pub fn of(hub: &Hub, clients: &Arc<Clients>, deployment: &Target) -> Self {
        Sets {
            hub: hub.clone(),
            clients: clients.clone(),
            of: deployment.clone(),
            deployments: None,
        }
    }

    fn uid(&self) -> Option<String> {
        let key = format!("{}/{}", self.of.scope, self.of.name);
        let deployments = self.deployments.as_ref()?;
        deployments
            .source()
            .read(|rows, _| rows.get(&key).map(|row| row.uid.clone()))
    }
}

const ACTIONS: [Action; 8] = [
    Action::new("pods", 'o', "pods"),
    DESCRIBE,
    LOGS,
    SHELL,
    YAML,
    EDIT,
    COPY,
    DELETE,
];

impl Listing for Sets {
    type Row = ReplicaSetRow;

    fn id(&self) -> &'static str {
        ID
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<ReplicaSetRow> {
        self.deployments = Some(feed::rows(&self.hub, &self.clients, context));
        feed::rows(&self.hub, &self.clients, context)
    }

    fn columns(&self, _: Option<&ReplicaSetRow>) -> Vec<Column> {
        vec![
            Column::new("NAME").shortening(14),
            Column::new("REVISION").right(),
            Column::new("VERSION"),
            Column::new("READY"),
            Column::new("AGE").expendable(1),
            Column::new("CAUSE").expendable(2),
        ]
    }

    fn cells(&self, row: &ReplicaSetRow, look: &RowLook<'_>) -> Vec<Cell> {
        vec![
            Cell::new(&row.name),
            Cell::new(
                &row.revision
                    .map_or_else(|| "-".to_owned(), |revision| revision.to_string()),
            ),
            Cell::new(&row.version),
            Cell::new(&format!("{}/{}", row.ready, row.desired)),
            age_cell(row.created, look.now),
            Cell::new(row.change_cause.as_deref().unwrap_or("-")),
        ]
    }

    fn empty(&self) -> &'static str {
        "it has no replica set"
    }

    fn name(&self, _: &RowTable<ReplicaSetRow>) -> String {
        "replica sets".to_owned()
    }

    fn title(&self, rows: &RowTable<ReplicaSetRow>) -> String {
        format!("{} of {}", self.name(rows), self.of.name)
    }

    fn shown<'a>(&self, rows: &'a RowTable<ReplicaSetRow>) -> Vec<&'a str> {
        let Some(uid) = self.uid() else { return Vec::new() };
        let mut sets: Vec<(&str, &ReplicaSetRow)> = rows.iter().filter(|(_, set)| set.owner_uid == uid).collect();
        sets.sort_by_key(|(_, set)| std::cmp::Reverse(set.revision));
        sets.into_iter().map(|(key, _)| key).collect()
    }

    fn version(&self) -> u64 {
        self.deployments.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn namespace_of<'r>(&'r self, row: &'r ReplicaSetRow) -> Option<&'r str> {
        Some(&row.namespace)
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        crate::features::kubernetes::panel::in_namespace(effect, namespace)
    }

    fn is_of_one_namespace(&self) -> bool {
        true
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&Self::Row>) -> Option<SafeText> {
        crate::features::kubernetes::panel::allowed::denied(
            &self.clients,
            context,
            action,
            ("apps", "replicasets"),
            true,
        )
    }

    fn opens(&self) -> &'static str {
        "pods"
    }

    fn subject(&self, row: &ReplicaSetRow) -> Option<Target> {
        Some(target("ReplicaSet", &row.namespace, &row.name))
    }

    fn act(&self, action: &str, rows: &[ReplicaSetRow]) -> Vec<Effect> {
        let Some(row) = rows.first() else { return Vec::new() };
        match action {
            "pods" => vec![Effect::Show {
                panel: ID,
                subject: target("ReplicaSet", &row.namespace, &row.name).into(),
            }],
            other => {
                let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
                common(other, "rs", &names)
            }
        }
    }
}
