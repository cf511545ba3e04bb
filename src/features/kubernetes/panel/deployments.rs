//! The panel `deployments`: what the namespace is made of, and how each of it stands.

use std::sync::Arc;

use super::parts::Parts;
use super::{LOGS, about, age_cell, state, target};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::DeploymentRow;
use crate::feed::{Hub, RowTable, Subscription};
use crate::ui::panel::list::{ListPanel, Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Tone};

/// The list of deployments.
pub struct Deployments {
    hub: Hub,
    clients: Arc<Clients>,
    /// What tells why one of them does not go on, one a context.
    parts: Vec<Parts>,
}

/// The panel, which shows nothing until it is opened.
pub fn panel(hub: &Hub, clients: &Arc<Clients>) -> ListPanel<Deployments> {
    ListPanel::new(Deployments {
        hub: hub.clone(),
        clients: clients.clone(),
        parts: Vec::new(),
    })
}

impl Deployments {
    fn state(&self, row: &DeploymentRow) -> (Tone, SafeText) {
        let stuck = self.parts.iter().find_map(|parts| parts.stuck(row));
        state(row, stuck.as_deref().map(|stuck| &stuck.cause))
    }
}

const ACTIONS: [Action; 14] = [
    Action::new("rollout", 'r', "rollout"),
    Action::new("hold", 'p', "pin to the rollout panel, or let go"),
    super::DESCRIBE,
    Action::new("sets", 'o', "replica sets"),
    LOGS,
    super::SHELL,
    Action::new("scale", 'S', "scale"),
    Action::new("image", 'I', "set image"),
    Action::new("expose", 'x', "expose"),
    Action::new("undo", 'u', "undo rollout"),
    super::YAML,
    super::EDIT,
    super::COPY,
    super::DELETE,
];

impl Listing for Deployments {
    type Row = DeploymentRow;

    fn id(&self) -> &'static str {
        "deployments"
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn look_beside(&mut self, _: &Arc<Context>) {
        self.parts.clear();
    }

    fn leave_beside(&mut self) {
        self.parts.clear();
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<DeploymentRow> {
        self.parts.push(Parts::open(&self.hub, &self.clients, context));
        feed::rows(&self.hub, &self.clients, context)
    }

    fn columns(&self, _: Option<&DeploymentRow>) -> Vec<Column> {
        vec![
            Column::new("NAME").shortening(12),
            Column::new("READY"),
            Column::new("UP-TO-DATE").right().expendable(3),
            Column::new("AVAILABLE").right().expendable(2),
            Column::new("VERSION"),
            Column::new("AGE").expendable(1),
            Column::new("STATE"),
        ]
    }

    fn cells(&self, row: &DeploymentRow, look: &RowLook<'_>) -> Vec<Cell> {
        let (tone, word) = self.state(row);
        vec![
            Cell::new(&row.name),
            Cell::new(&format!("{}/{}", row.ready, row.replicas)),
            Cell::new(&row.updated.to_string()),
            Cell::new(&row.available.to_string()),
            Cell::new(&row.version),
            age_cell(row.created, look.now),
            Cell::state(tone, word.as_str(), look.theme),
        ]
    }

    fn empty(&self) -> &'static str {
        "no deployment in this namespace: kubectl:run makes one"
    }

    fn folded(&self, rows: &RowTable<DeploymentRow>) -> String {
        let bad = |row: &DeploymentRow| self.state(row).0 >= Tone::Warn;
        match rows.iter().filter(|(_, row)| bad(row)).count() {
            0 => self.title(rows),
            bad => format!("{}  ! {bad}", self.title(rows)),
        }
    }

    fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        self.clients.namespace(context)
    }

    fn mark(&self, rows: &RowTable<DeploymentRow>) -> Option<Tone> {
        let worst = rows.iter().map(|(_, row)| self.state(row).0).max()?;
        (worst >= Tone::Warn).then_some(worst)
    }

    fn empty_everywhere(&self) -> &'static str {
        "no deployment in any namespace: kubectl:run makes one"
    }

    fn namespace_of<'r>(&'r self, row: &'r DeploymentRow) -> Option<&'r str> {
        Some(&row.namespace)
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        super::in_namespace(effect, namespace)
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&Self::Row>) -> Option<SafeText> {
        super::allowed::denied(&self.clients, context, action, ("apps", "deployments"), true)
    }

    /// The way down; the rollout has a key of its own.
    fn opens(&self) -> &'static str {
        "sets"
    }

    fn version(&self) -> u64 {
        self.parts.iter().map(Parts::stuck_version).sum()
    }

    /// Finds out which of them can't go on.
    fn look(&self, place: usize, rows: &RowTable<DeploymentRow>) {
        if let Some(parts) = self.parts.get(place) {
            parts.find_stuck(rows);
        }
    }

    fn act(&self, action: &str, rows: &[DeploymentRow]) -> Vec<Effect> {
        let Some(row) = rows.first() else { return Vec::new() };
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let stage = |verb: &str| about(verb, "deploy", names.iter().copied());
        match action {
            "rollout" => vec![Effect::Show {
                panel: super::rollout::ID,
                subject: target("Deployment", &row.namespace, &row.name).into(),
            }],
            "hold" => vec![Effect::Hold {
                panel: super::rollout::ID,
                subject: target("Deployment", &row.namespace, &row.name).into(),
            }],
            "sets" => vec![Effect::Show {
                panel: super::objects::ID,
                subject: target("Deployment", &row.namespace, &row.name).into(),
            }],
            "scale" => vec![Effect::Compose(
                stage("kubectl:scale")
                    .option("--replicas", Some(&row.replicas.to_string()))
                    .into(),
            )],
            "image" if rows.iter().any(|other| other.containers != row.containers) => {
                vec![Effect::Toast(
                    "the marked deployments run different images: set them one by one".into(),
                )]
            }
            "image" => {
                let pairs = row
                    .containers
                    .iter()
                    .map(|container| format!("{}={}", container.name, container.image));
                vec![Effect::Compose(
                    pairs
                        .fold(stage("kubectl:set-image"), |stage, pair| stage.arg(&pair))
                        .into(),
                )]
            }
            "expose" => vec![Effect::Compose(
                stage("kubectl:expose").option("--type", Some("LoadBalancer")).into(),
            )],
            "undo" => vec![Effect::Run(stage("kubectl:rollout-undo").into())],
            other => super::common(other, "deploy", &names),
        }
    }

    fn subject(&self, row: &DeploymentRow) -> Option<Target> {
        Some(target("Deployment", &row.namespace, &row.name))
    }

    fn is(&self, row: &DeploymentRow, subject: &Target) -> bool {
        *subject == target("Deployment", &row.namespace, &row.name)
    }

    fn minimum(&self) -> (u16, u16) {
        (36, 3)
    }
}
