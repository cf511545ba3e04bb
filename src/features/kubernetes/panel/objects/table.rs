//! Objects of any kind as the server's own table, and the nodes.

use std::sync::Arc;

use super::super::{COPY, DELETE, DESCRIBE, EDIT, LOGS, SHELL, YAML, about, common, has_no_pods, runs_pods, target};
use super::ID;
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::{SafeText, safe_line};
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::TableRow;
use crate::features::kubernetes::panel::allowed;
use crate::feed::{Hub, RowTable, Subscription};
use crate::ui::panel::list::{Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning};

/// The list of objects of one kind.
pub struct Objects {
    hub: Hub,
    clients: Arc<Clients>,
    /// What the server is asked for.
    word: String,
    id: &'static str,
    actions: &'static [Action],
}

const OPEN: Action = Action::new("open", 'o', "what it is made of");

const ACTIONS: [Action; 8] = [OPEN, DESCRIBE, LOGS, SHELL, YAML, EDIT, COPY, DELETE];

const NODE_ACTIONS: [Action; 9] = [
    OPEN,
    DESCRIBE,
    Action::new("cordon", 'c', "cordon"),
    Action::new("uncordon", 'u', "uncordon"),
    Action::new("drain", 'X', "drain"),
    YAML,
    EDIT,
    COPY,
    DELETE,
];

/// Kinds whose pods can be told: those name the object as their owner, or run on it.
pub fn has_pods(kind: &str) -> bool {
    matches!(kind, "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "Node")
}

impl Objects {
    /// Of the kind that a word means to the server.
    pub fn new(hub: &Hub, clients: &Arc<Clients>, word: &str) -> Self {
        Objects {
            hub: hub.clone(),
            clients: clients.clone(),
            word: word.to_owned(),
            id: ID,
            actions: &ACTIONS,
        }
    }

    /// The panel of nodes.
    pub fn nodes(hub: &Hub, clients: &Arc<Clients>) -> Self {
        Objects {
            id: "nodes",
            actions: &NODE_ACTIONS,
            ..Objects::new(hub, clients, "nodes")
        }
    }
}

impl Listing for Objects {
    type Row = TableRow;

    fn id(&self) -> &'static str {
        self.id
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<TableRow> {
        feed::table(&self.hub, &self.clients, context, &self.word)
    }

    fn columns(&self, any: Option<&TableRow>) -> Vec<Column> {
        let Some(row) = any else { return Vec::new() };
        let shown = row.head.columns.iter().enumerate().filter(|(_, column)| !column.wide);
        let column = |(at, column): (usize, &crate::features::kubernetes::model::TableColumn)| {
            let title = Column::new(safe_line(&column.name).to_uppercase());
            match (at, column.right) {
                (0, _) => title.shortening(14),
                (at, false) => title.expendable(rank(at)),
                (at, true) => title.right().expendable(rank(at)),
            }
        };
        shown.map(column).collect()
    }

    fn cells(&self, row: &TableRow, look: &RowLook<'_>) -> Vec<Cell> {
        let columns = row.head.columns.iter().enumerate().filter(|(_, column)| !column.wide);
        let cell = |at: usize| match at {
            0 => Cell::new(&row.cell(at, look.now)),
            _ => Cell::styled(&row.cell(at, look.now), Meaning::Text),
        };
        columns.map(|(at, _)| cell(at)).collect()
    }

    fn empty(&self) -> &'static str {
        "there is none in this namespace"
    }

    fn name(&self, rows: &RowTable<TableRow>) -> String {
        let any = rows.iter().next();
        any.map_or_else(|| self.word.clone(), |(_, row)| row.head.resource.clone())
    }

    fn empty_everywhere(&self) -> &'static str {
        "there is none in any namespace"
    }

    fn namespace_of<'r>(&'r self, row: &'r TableRow) -> Option<&'r str> {
        row.head.namespaced.then_some(&*row.namespace)
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        crate::features::kubernetes::panel::in_namespace(effect, namespace)
    }

    fn actions(&self) -> &'static [Action] {
        self.actions
    }

    fn denied(&self, context: &Arc<Context>, action: &str, any: Option<&TableRow>) -> Option<SafeText> {
        let head = &any?.head;
        let (plural, group) = head.resource.split_once('.').unwrap_or((&head.resource, ""));
        let action = match action {
            // The way down lists what is inside, which is another kind.
            "open" if has_inside(&head.kind) => return None,
            "open" => "describe",
            action => action,
        };
        allowed::denied(&self.clients, context, action, (group, plural), head.namespaced)
    }

    fn opens(&self) -> &'static str {
        "open"
    }

    fn act(&self, action: &str, rows: &[TableRow]) -> Vec<Effect> {
        let Some(row) = rows.first() else { return Vec::new() };
        let (kind, resource) = (row.head.kind.as_str(), row.head.resource.as_str());
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_ref()).collect();
        let nodes = |verb: &str| {
            let stage = crate::lang::Stage::new(verb);
            names.iter().fold(stage, |stage, name| stage.arg(name))
        };
        match action {
            "open" if has_inside(kind) => vec![Effect::Show {
                panel: ID,
                subject: target(kind, &row.namespace, &row.name).into(),
            }],
            "open" => vec![Effect::Run(
                about("kubectl:describe", resource, names.iter().copied()).into(),
            )],
            "logs" | "shell" if !runs_pods(kind) => has_no_pods(action, kind),
            "cordon" => vec![Effect::Run(nodes("kubectl:cordon").into())],
            "uncordon" => vec![Effect::Run(nodes("kubectl:uncordon").into())],
            "drain" => vec![Effect::Run(
                nodes("kubectl:drain").option("--ignore-daemonsets", None).into(),
            )],
            other => common(other, resource, &names),
        }
    }

    fn is(&self, row: &TableRow, subject: &Target) -> bool {
        row.head.kind == subject.kind && *row.namespace == *subject.scope && *row.name == *subject.name
    }

    fn subject(&self, row: &TableRow) -> Option<Target> {
        Some(target(&row.head.kind, &row.namespace, &row.name))
    }

    fn weight(&self) -> u16 {
        0
    }

    fn by_name_only(&self) -> bool {
        true
    }
}

/// Whether objects of a kind are made of others that can be listed.
pub fn has_inside(kind: &str) -> bool {
    kind == "Deployment" || kind == "Pod" || has_pods(kind)
}

/// Columns at the right leave first; the second one, which tells the state of most kinds, last.
fn rank(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}
