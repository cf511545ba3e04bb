//! The containers of one pod.

use std::sync::Arc;

use super::super::{COPY, LOGS, SHELL, age_cell, allowed, common, copied, shell};
use super::ID;
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed::containers::{ContainerRow, containers};
use crate::feed::{Hub, RowTable, Subscription};
use crate::lang::Stage;
use crate::ui::panel::list::{Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Tone};

/// The list.
pub struct Containers {
    hub: Hub,
    clients: Arc<Clients>,
    of: Target,
}

impl Containers {
    /// The containers of this pod.
    pub fn of(hub: &Hub, clients: &Arc<Clients>, pod: &Target) -> Self {
        Containers {
            hub: hub.clone(),
            clients: clients.clone(),
            of: pod.clone(),
        }
    }

    fn logs(&self, row: &ContainerRow, previous: bool) -> Stage {
        let stage = Stage::new("kubectl:logs")
            .arg(&self.of.name)
            .arg_option("--container", &row.name)
            .option("--tail", Some("50"));
        if previous {
            stage.option("--previous", None)
        } else {
            stage
        }
    }
}

const ACTIONS: [Action; 7] = [
    LOGS,
    Action::new("previous", 'p', "logs of the run before"),
    SHELL,
    Action::new("describe", 'd', "describe its pod"),
    Action::new("yaml", 'v', "YAML of its pod"),
    Action::new("edit", 'e', "edit its pod"),
    COPY,
];

impl Listing for Containers {
    type Row = ContainerRow;

    fn id(&self) -> &'static str {
        ID
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<ContainerRow> {
        containers(&self.hub, &self.clients, context, &self.of)
    }

    fn columns(&self, _: Option<&ContainerRow>) -> Vec<Column> {
        vec![
            Column::new("CONTAINER").shortening(10),
            Column::new("STATE"),
            Column::new("READY").expendable(2),
            Column::new("RESTARTS").right().expendable(3),
            Column::new("SINCE").expendable(4),
            Column::new("IMAGE").shortening(16),
        ]
    }

    fn cells(&self, row: &ContainerRow, look: &RowLook<'_>) -> Vec<Cell> {
        let (tone, word) = match row.state.as_str() {
            "Running" if row.ready => (Tone::Ok, "Running"),
            "" => (Tone::Waiting, "not started"),
            word @ ("Running" | "ContainerCreating" | "PodInitializing") => (Tone::Progress, word),
            word @ "Completed" => (Tone::Neutral, word),
            word => (Tone::Bad, word),
        };
        let name = match row.init {
            true => format!("{} (init)", row.name),
            false => row.name.clone(),
        };
        vec![
            Cell::new(&name),
            Cell::state(tone, word, look.theme),
            Cell::new(if row.ready { "yes" } else { "no" }),
            Cell::new(&row.restarts.to_string()),
            age_cell(row.since, look.now),
            Cell::new(&row.image),
        ]
    }

    fn empty(&self) -> &'static str {
        "the pod has no container"
    }

    fn name(&self, _: &RowTable<ContainerRow>) -> String {
        "containers".to_owned()
    }

    fn title(&self, rows: &RowTable<ContainerRow>) -> String {
        format!("{} of {}", self.name(rows), self.of.name)
    }

    fn namespace_of<'r>(&'r self, _: &'r ContainerRow) -> Option<&'r str> {
        Some(&self.of.scope)
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

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&ContainerRow>) -> Option<SafeText> {
        allowed::denied(&self.clients, context, action, ("", "pods"), true)
    }

    fn opens(&self) -> &'static str {
        "logs"
    }

    fn act(&self, action: &str, rows: &[ContainerRow]) -> Vec<Effect> {
        match action {
            // A container's output is a block of its own.
            "logs" | "previous" => rows
                .iter()
                .map(|row| Effect::Run(self.logs(row, action == "previous").into()))
                .collect(),
            "shell" => match rows {
                [row] if !row.state.is_empty() && row.state != "Running" => {
                    let text = format!("no shell in {}: it is not running but {}", row.name, row.state);
                    vec![Effect::Toast(SafeText::line(&text))]
                }
                [row] => shell(&[self.of.name.as_str()], Some(&row.name)),
                several => shell(&vec![self.of.name.as_str(); several.len()], None),
            },
            "copy" => vec![copied(&rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>())],
            // A container is a part of its pod, of which there is one however many are marked.
            of_pod => common(of_pod, "po", &[self.of.name.as_str()]),
        }
    }
}
