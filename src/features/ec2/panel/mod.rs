//! The panel `instances`: what runs in the context's region.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::InstanceRow;
use super::{Service, feed};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, Subscription};
use crate::lang::ast::Stage;
use crate::ui::panel::widgets::health::empty_reason;
use crate::ui::panel::widgets::message;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::{Action, Effect, Panel, PanelKey, Theme, Tone};

/// The panel.
pub struct InstancesPanel {
    service: Service,
    feed: Option<Subscription<InstanceRow>>,
    selection: Selection,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    /// What is drawn, and the feed's version it was taken at.
    rows: (u64, Vec<(String, InstanceRow)>),
}

impl InstancesPanel {
    /// Shows nothing until it is opened.
    pub(super) fn new(service: Service) -> Self {
        InstancesPanel {
            service,
            feed: None,
            selection: Selection::default(),
            page: 1,
            moved: 0,
            rows: (0, Vec::new()),
        }
    }

    /// Takes the feed's rows over, and keeps the selection on its row.
    fn refresh(&mut self) {
        let Some(feed) = &self.feed else {
            return self.rows.1.clear();
        };
        let version = feed.source().version();
        if version != self.rows.0 {
            let rows = feed
                .source()
                .read(|rows, _| rows.iter().map(|(key, row)| (key.to_owned(), row.clone())).collect());
            self.rows = (version, rows);
        }
        let rows = &self.rows.1;
        self.selection.keep(
            rows.len(),
            |key| rows.iter().position(|(known, _)| known == key),
            |at| rows.get(at).map(|(key, _)| key.clone()),
        );
    }

    fn act(&self, action: &str) -> Vec<Effect> {
        let Some((_, row)) = self.rows.1.get(self.selection.index()) else {
            return Vec::new();
        };
        match action {
            "show" => {
                let filter = format!("instance-id={}", row.id);
                vec![Effect::Run(Stage::new("ec2:instance-search").arg(&filter).into())]
            }
            "copy" => {
                let address = [&row.public_ip, &row.private_ip, &row.id]
                    .into_iter()
                    .find(|text| !text.is_empty());
                address
                    .map(|text| Effect::Copy(SafeText::line(text)))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

const ACTIONS: [Action; 2] = [
    Action {
        name: "show",
        key: 'd',
        word: "show",
    },
    Action {
        name: "copy",
        key: 'y',
        word: "copy address",
    },
];

impl Panel for InstancesPanel {
    fn id(&self) -> &'static str {
        "instances"
    }

    fn title(&self) -> SafeText {
        let Some(feed) = &self.feed else {
            return "instances".into();
        };
        match feed.source().read(|rows, _| rows.len()) {
            0 => "instances".into(),
            feed::MOST.. => SafeText::line(&format!("instances, the first {}", feed::MOST)),
            count => SafeText::line(&format!("instances {count}")),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.feed = Some(feed::subscribe(&self.service, context));
        self.rows = (u64::MAX, Vec::new());
        self.moved += 1;
    }

    fn close(&mut self) {
        self.feed = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.feed.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn health(&self) -> Vec<(SafeText, Health)> {
        self.feed
            .iter()
            .map(|feed| ("ec2".into(), feed.source().health()))
            .collect()
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        self.refresh();
        match key {
            PanelKey::Move(motion) => {
                self.selection.step(motion, self.rows.1.len(), self.page);
                self.selection
                    .settle(self.rows.1.get(self.selection.index()).map(|(key, _)| key.clone()));
                self.moved += 1;
                Vec::new()
            }
            PanelKey::Open => self.act("show"),
            PanelKey::Act(action) => self.act(action),
            PanelKey::Mark => Vec::new(),
        }
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, _now: Timestamp) {
        self.refresh();
        self.page = usize::from(area.height.saturating_sub(1)).max(1);
        let Some(feed) = &self.feed else { return };
        if self.rows.1.is_empty() {
            let reason = empty_reason(&feed.source().health(), "no instance in this region");
            return message(area, buffer, theme, &reason);
        }
        let columns = [
            Column::new("NAME").wrapping(12),
            Column::new("STATE"),
            Column::new("TYPE").expendable(2),
            Column::new("ZONE").expendable(3),
            Column::new("PRIVATE-IP").expendable(1),
            Column::new("PUBLIC-IP"),
        ];
        let rows = &self.rows.1;
        let table = Table {
            columns: &columns,
            count: rows.len(),
            row: &|at| rows.get(at).map_or_else(Vec::new, |(_, row)| cells(row, theme)),
            focused,
        };
        table.draw(area, buffer, theme, &mut self.selection);
    }

    fn folded(&self) -> SafeText {
        let Some(feed) = &self.feed else { return self.title() };
        let running = feed
            .source()
            .read(|rows, _| rows.iter().filter(|(_, row)| row.state == "running").count());
        SafeText::line(&format!("{}  running {running}", self.title()))
    }

    fn minimum(&self) -> (u16, u16) {
        (34, 4)
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

fn cells(row: &InstanceRow, theme: &Theme) -> Vec<Cell> {
    let tone = tone(&row.state);
    let or_dash = |text: &str| Cell::new(if text.is_empty() { "-" } else { text });
    vec![
        or_dash(if row.name.is_empty() { &row.id } else { &row.name }),
        Cell::styled(&format!("{} {}", theme.glyphs.of(tone), row.state), tone.meaning()),
        or_dash(&row.kind),
        or_dash(&row.zone),
        or_dash(&row.private_ip),
        or_dash(&row.public_ip),
    ]
}

#[cfg(test)]
mod tests;
