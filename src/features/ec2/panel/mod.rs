//! The panel `instances`: what runs in the context's region.

use std::sync::Arc;

use super::model::InstanceRow;
use super::{Service, feed};
use crate::core::change::Target;
use crate::core::context::{Cloud, Context};
use crate::core::text::{SafeText, safe_line};
use crate::feed::{RowTable, Subscription};
use crate::lang::ast::Stage;
use crate::ui::panel::list::{ListPanel, Listing, RowLook, apart_by};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Tone};

/// The list of instances.
pub struct Instances {
    service: Service,
}

/// The panel, which shows nothing until it is opened.
pub(super) fn panel(service: Service) -> ListPanel<Instances> {
    ListPanel::new(Instances { service })
}

const ACTIONS: [Action; 3] = [
    Action::new("show", 'd', "show"),
    Action::new("copy", 'y', "copy address"),
    Action::new("copy-id", 'Y', "copy id"),
];

impl Listing for Instances {
    type Row = InstanceRow;

    fn id(&self) -> &'static str {
        "instances"
    }

    fn source(&self) -> &'static str {
        "ec2"
    }

    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        apart_by(contexts, |context| &context.aws)
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<InstanceRow> {
        feed::subscribe(&self.service, context)
    }

    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        self.service.clients.cloud(context)
    }

    fn columns(&self, _: Option<&InstanceRow>) -> Vec<Column> {
        vec![
            Column::new("NAME").shortening(12),
            Column::new("STATE"),
            Column::new("TYPE").expendable(2),
            Column::new("ZONE").expendable(3),
            Column::new("PRIVATE-IP").expendable(1),
            Column::new("PUBLIC-IP"),
        ]
    }

    fn cells(&self, row: &InstanceRow, look: &RowLook<'_>) -> Vec<Cell> {
        let tone = tone(&row.state);
        let or_dash = |text: &str| Cell::new(if text.is_empty() { "-" } else { text });
        vec![
            or_dash(if row.name.is_empty() { &row.id } else { &row.name }),
            Cell::state(tone, &row.state, look.theme),
            or_dash(&row.kind),
            or_dash(&row.zone),
            or_dash(&row.private_ip),
            or_dash(&row.public_ip),
        ]
    }

    fn empty(&self) -> &'static str {
        "no instance in this region"
    }

    fn title(&self, rows: &RowTable<InstanceRow>) -> String {
        match rows.len() {
            0 => "instances".to_owned(),
            feed::MOST.. => format!("instances, the first {}", feed::MOST),
            count => format!("instances {count}"),
        }
    }

    fn folded(&self, rows: &RowTable<InstanceRow>) -> String {
        let running = rows.iter().filter(|(_, row)| row.state == "running").count();
        format!("{}  running {running}", self.title(rows))
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn subject(&self, row: &InstanceRow) -> Option<Target> {
        Some(Target {
            kind: "Instance".to_owned(),
            scope: String::new(),
            name: row.id.clone(),
        })
    }

    fn opens(&self) -> &'static str {
        "show"
    }

    fn act(&self, action: &str, rows: &[InstanceRow]) -> Vec<Effect> {
        let address = |row: &InstanceRow| {
            let known = [&row.public_ip, &row.private_ip]
                .into_iter()
                .find(|text| !text.is_empty());
            safe_line(known.unwrap_or(&row.id))
        };
        let copied: Vec<String> = match action {
            "show" => {
                // The same filter several times means any of its values.
                let stage = rows.iter().fold(Stage::new("ec2:instance-search"), |stage, row| {
                    stage.arg(&format!("instance-id={}", row.id))
                });
                return vec![Effect::Run(stage.into())];
            }
            "copy" => rows.iter().map(address).collect(),
            "copy-id" => rows.iter().map(|row| safe_line(&row.id)).collect(),
            _ => return Vec::new(),
        };
        vec![Effect::Copy(SafeText::new(&copied.join("\n")))]
    }

    fn weight(&self) -> u16 {
        1
    }
}

/// The states of EC2's life cycle (InstanceState, EC2 API reference).
fn tone(state: &str) -> Tone {
    match state {
        "running" => Tone::Ok,
        "pending" | "stopping" | "shutting-down" => Tone::Progress,
        "stopped" => Tone::Warn,
        "terminated" => Tone::Bad,
        _ => Tone::Neutral,
    }
}

#[cfg(test)]
mod tests;
