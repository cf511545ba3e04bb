//! The panel `events`: what the cluster says about the namespace's objects, the latest first.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{age_cell, copied, has_no_pods, logs_of, runs_pods};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::EventRow;
use crate::feed::{Hub, RowTable, Subscription};
use crate::lang::Stage;
use crate::ui::panel::list::{ListPanel, Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning};

/// The list of events.
pub struct Events {
    hub: Hub,
    clients: Arc<Clients>,
}

/// The panel, which shows nothing until it is opened.
pub fn panel(hub: &Hub, clients: &Arc<Clients>) -> ListPanel<Events> {
    ListPanel::new(Events {
        hub: hub.clone(),
        clients: clients.clone(),
    })
}

const ACTIONS: [Action; 4] = [
    Action::new("describe", 'd', "describe its object"),
    Action::new("logs", 'l', "logs of its object"),
    Action::new("edit", 'e', "edit its object"),
    Action::new("copy", 'y', "copy message"),
];

impl Listing for Events {
    type Row = EventRow;

    fn id(&self) -> &'static str {
        "events"
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<EventRow> {
        feed::rows(&self.hub, &self.clients, context)
    }

    fn columns(&self, _: Option<&EventRow>) -> Vec<Column> {
        vec![
            Column::new("AGE"),
            Column::new("REASON"),
            Column::new("OBJECT").shortening(12),
            Column::new("N").right().expendable(1),
            Column::new("MESSAGE").wrapping(20),
        ]
    }

    fn cells(&self, row: &EventRow, look: &RowLook<'_>) -> Vec<Cell> {
        let (mark, meaning) = match row.kind.as_str() {
            "Normal" => ("", Meaning::Text),
            _ => (look.theme.glyphs.warn, Meaning::StateWarn),
        };
        let message = Cell::new(&row.message);
        vec![
            age_cell(row.at, look.now),
            Cell::styled(format!("{mark} {}", row.reason).trim_start(), meaning),
            Cell::new(&format!("{}/{}", row.object_kind.to_lowercase(), row.object)),
            Cell::new(&row.count.to_string()),
            if look.open { message } else { message.single() },
        ]
    }

    fn empty(&self) -> &'static str {
        "nothing happened in this namespace lately"
    }

    fn folded(&self, rows: &RowTable<EventRow>) -> String {
        let warnings = rows.iter().filter(|(_, row)| row.kind != "Normal").count();
        format!("{}  ! {warnings}", self.title(rows))
    }

    fn shown<'a>(&self, rows: &'a RowTable<EventRow>) -> Vec<&'a str> {
        let mut newest: Vec<_> = rows.iter().map(|(key, row)| (row.at, key)).collect();
        newest.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        newest.into_iter().map(|(_, key)| key).collect()
    }

    fn newest_first(&self, _: &RowTable<EventRow>) -> bool {
        true
    }

    fn order(&self, (key, event): (&str, &EventRow), (other_key, other): (&str, &EventRow)) -> Ordering {
        other.at.cmp(&event.at).then_with(|| key.cmp(other_key))
    }

    fn empty_everywhere(&self) -> &'static str {
        "nothing happened in any namespace lately"
    }

    fn namespace_of<'r>(&'r self, row: &'r EventRow) -> Option<&'r str> {
        Some(&row.namespace)
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        super::in_namespace(effect, namespace)
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn opens(&self) -> &'static str {
        "describe"
    }

    fn act(&self, action: &str, rows: &[EventRow]) -> Vec<Effect> {
        match action {
            "describe" | "logs" | "edit" => {
                // Events are about objects of any kind, several of them about the same one.
                let objects: BTreeSet<String> = rows
                    .iter()
                    .map(|row| format!("{}/{}", row.object_kind.to_lowercase(), row.object))
                    .collect();
                let about = |verb: &str| {
                    let stage = objects.iter().fold(Stage::new(verb), |stage, object| stage.arg(object));
                    vec![Effect::Run(stage.into())]
                };
                match (action, objects.len()) {
                    ("describe", _) => about("kubectl:describe"),
                    (_, 2..) => {
                        let text = format!("they are about {} objects: mark those of one", objects.len());
                        vec![Effect::Toast(SafeText::line(&text))]
                    }
                    ("edit", _) => about("kubectl:edit"),
                    _ if rows.iter().any(|row| !runs_pods(&row.object_kind)) => {
                        has_no_pods(action, rows.first().map_or("", |row| row.object_kind.as_str()))
                    }
                    _ => objects.iter().map(|object| Effect::Run(logs_of(object))).collect(),
                }
            }
            "copy" => vec![copied(&rows.iter().map(|row| row.message.as_str()).collect::<Vec<_>>())],
            _ => Vec::new(),
        }
    }

    fn weight(&self) -> u16 {
        0
    }
}
