//! The panel `dns`: the records of the account's zones. Values wrap rather than being cut.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{DnsRow, RecordSet, canonical_name, unescaped};
use super::{Service, feed};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, Subscription};
use crate::lang::ast::Stage;
use crate::ui::panel::widgets::health::empty_reason;
use crate::ui::panel::widgets::message;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::{Action, Effect, Meaning, Panel, PanelKey, Theme};

/// The panel.
pub struct DnsPanel {
    service: Service,
    feed: Option<Subscription<DnsRow>>,
    selection: Selection,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    /// What is drawn, and the feed's version it was taken at.
    rows: (u64, Vec<(String, DnsRow)>),
}

impl DnsPanel {
    /// Shows nothing until it is opened.
    pub(super) fn new(service: Service) -> Self {
        DnsPanel {
            service,
            feed: None,
            selection: Selection::default(),
            page: 1,
            moved: 0,
            rows: (0, Vec::new()),
        }
    }

    /// Takes the feed's rows over, and keeps the selection on its row. Zones are rows of their own only where there is
    /// something to say about them.
    fn refresh(&mut self) {
        let Some(feed) = &self.feed else {
            return self.rows.1.clear();
        };
        let version = feed.source().version();
        if version != self.rows.0 {
            let several = feed
                .source()
                .read(|rows, _| rows.iter().filter(|(_, row)| is_zone(row)).count() > 1);
            self.rows = (
                version,
                feed.source().read(|rows, _| {
                    let shown = rows
                        .iter()
                        .filter(|(_, row)| several || !is_zone(row) || remark(row).is_some());
                    shown.map(|(key, row)| (key.to_owned(), row.clone())).collect()
                }),
            );
        }
        let rows = &self.rows.1;
        self.selection.keep(
            rows.len(),
            |key| rows.iter().position(|(known, _)| known == key),
            |at| rows.get(at).map(|(key, _)| key.clone()),
        );
    }

    fn selected(&self) -> Option<(&str, &RecordSet)> {
        match self.rows.1.get(self.selection.index()) {
            Some((_, DnsRow::Record { zone, set, .. })) => Some((zone, set)),
            _ => None,
        }
    }

    fn headline(&self) -> String {
        let Some(feed) = &self.feed else {
            return "dns".to_owned();
        };
        feed.source().read(|rows, _| {
            let records = rows.iter().filter(|(_, row)| !is_zone(row)).count();
            let mut zones = rows.iter().filter_map(|(_, row)| match row {
                DnsRow::Zone { zone, .. } => Some(zone),
                DnsRow::Record { .. } => None,
            });
            match (zones.next(), zones.count()) {
                (None, _) => "dns".to_owned(),
                (Some(only), 0) => format!("dns {} {records}", only.name.trim_end_matches('.')),
                (Some(_), more) => format!("dns {} zones {records}", more + 1),
            }
        })
    }

    fn act(&self, action: &str) -> Vec<Effect> {
        let Some((zone, set)) = self.selected() else {
            return Vec::new();
        };
        let name = unescaped(&set.name);
        match action {
            "dig" => vec![Effect::Run(Stage::new("net:dig").arg(&name).arg(&set.kind).into())],
            "delete" => {
                let stage = Stage::new("r53:record-delete")
                    .arg_option("--zone", zone)
                    .arg_option("--type", &set.kind);
                vec![Effect::Compose(stage.arg(name.trim_end_matches('.')).into())]
            }
            "copy" => vec![Effect::Copy(SafeText::line(&match &set.alias {
                Some(alias) => alias.host.clone(),
                None => set.values.join("\n"),
            }))],
            _ => Vec::new(),
        }
    }
}

const ACTIONS: [Action; 3] = [
    Action {
        name: "dig",
        key: 'd',
        word: "dig",
    },
    Action {
        name: "delete",
        key: 'D',
        word: "delete",
    },
    Action {
        name: "copy",
        key: 'y',
        word: "copy value",
    },
];

impl Panel for DnsPanel {
    fn id(&self) -> &'static str {
        "dns"
    }

    fn title(&self) -> SafeText {
        SafeText::line(&self.headline())
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
            .map(|feed| ("route53".into(), feed.source().health()))
            .collect()
    }

    fn focus_on(&mut self, subject: &Target) {
        if subject.kind != "RecordSet" {
            return;
        }
        self.refresh();
        let wanted = canonical_name(&subject.name);
        let found = self.rows.1.iter().find(|(_, row)| {
            matches!(row, DnsRow::Record { zone, set, .. } if *zone == subject.scope && canonical_name(&set.name) == wanted)
        });
        if let Some((key, _)) = found {
            self.selection.select_key(key.clone());
            self.moved += 1;
        }
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
            PanelKey::Open => self.act("dig"),
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
            let reason = empty_reason(&feed.source().health(), "no hosted zone in this account");
            return message(area, buffer, theme, &reason);
        }
        let columns = [
            Column::new("NAME").wrapping(16),
            Column::new("TYPE"),
            Column::new("TTL").right().expendable(1),
            Column::new("VALUE").wrapping(16),
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

    fn minimum(&self) -> (u16, u16) {
        (30, 4)
    }
}

fn is_zone(row: &DnsRow) -> bool {
    matches!(row, DnsRow::Zone { .. })
}

/// What has to be said about a zone: why it is empty here, or that not all of it is.
fn remark(row: &DnsRow) -> Option<String> {
    match row {
        DnsRow::Zone { error: Some(error), .. } => Some(error.clone()),
        DnsRow::Zone { zone, kept, .. } => {
            let all = zone.count.and_then(|count| usize::try_from(count).ok())?;
            (all > *kept).then(|| format!("the first {kept} of {all} records"))
        }
        DnsRow::Record { .. } => None,
    }
}

fn cells(row: &DnsRow, theme: &Theme) -> Vec<Cell> {
    match row {
        DnsRow::Zone { zone, .. } => vec![
            Cell::styled(zone.name.trim_end_matches('.'), Meaning::Strong),
            Cell::styled(if zone.private { "private" } else { "public" }, Meaning::Dim),
            Cell::new(""),
            Cell::styled(&remark(row).unwrap_or_default(), Meaning::StateWarn),
        ],
        DnsRow::Record { set, pending, .. } => {
            let mark = theme.glyphs.of(crate::ui::panel::Tone::Progress);
            let (value, meaning) = match pending {
                true => (format!("{mark} pending {}", set.value_line()), Meaning::StateProgress),
                false => (set.value_line(), Meaning::Text),
            };
            vec![
                Cell::new(unescaped(&set.name).trim_end_matches('.')),
                Cell::new(&set.kind),
                Cell::new(&set.ttl.map_or_else(|| "-".to_owned(), |ttl| ttl.to_string())),
                Cell::styled(&value, meaning),
            ]
        }
    }
}

#[cfg(test)]
mod tests;
