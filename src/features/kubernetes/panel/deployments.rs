//! The panel `deployments`: what the namespace is made of, and how each of it stands.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{state, urgency};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::DeploymentRow;
use crate::feed::health::age;
use crate::feed::{Health, Hub, Subscription};
use crate::lang::Stage;
use crate::ui::panel::widgets::health::empty_reason;
use crate::ui::panel::widgets::message;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::{Action, Effect, Meaning, Panel, PanelKey, Theme};

/// The panel.
pub struct DeploymentsPanel {
    hub: Hub,
    clients: Arc<Clients>,
    feed: Option<Subscription<DeploymentRow>>,
    selection: Selection,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    /// What is drawn, and the feed's version it was taken at.
    rows: (u64, Vec<DeploymentRow>),
}

const ACTIONS: [Action; 6] = [
    Action {
        name: "rollout",
        key: 'r',
        word: "rollout",
    },
    Action {
        name: "describe",
        key: 'd',
        word: "describe",
    },
    Action {
        name: "logs",
        key: 'l',
        word: "logs",
    },
    Action {
        name: "scale",
        key: 's',
        word: "scale",
    },
    Action {
        name: "image",
        key: 'i',
        word: "set image",
    },
    Action {
        name: "undo",
        key: 'u',
        word: "undo rollout",
    },
];

impl DeploymentsPanel {
    /// Shows nothing until it is opened.
    pub fn new(hub: &Hub, clients: &Arc<Clients>) -> Self {
        DeploymentsPanel {
            hub: hub.clone(),
            clients: clients.clone(),
            feed: None,
            selection: Selection::default(),
            page: 1,
            moved: 0,
            rows: (u64::MAX, Vec::new()),
        }
    }

    /// Takes the feed's rows over, and keeps the selection on its row.
    fn refresh(&mut self) {
        let Some(feed) = &self.feed else {
            return self.rows.1.clear();
        };
        let version = feed.source().version();
        if version != self.rows.0 {
            self.rows = (
                version,
                feed.source()
                    .read(|rows, _| rows.iter().map(|(_, row)| row.clone()).collect()),
            );
        }
        let rows = &self.rows.1;
        self.selection.keep(
            rows.len(),
            |key| rows.iter().position(|row| row.name == key),
            |at| rows.get(at).map(|row| row.name.clone()),
        );
    }

    fn act(&self, action: &str) -> Vec<Effect> {
        let Some(row) = self.rows.1.get(self.selection.index()) else {
            return Vec::new();
        };
        let stage = |verb: &str| Stage::new(verb).arg("deploy").arg(&row.name);
        match action {
            "rollout" => {
                let subject = Target {
                    kind: "Deployment".to_owned(),
                    scope: row.namespace.clone(),
                    name: row.name.clone(),
                };
                vec![Effect::Show {
                    panel: super::rollout::ID,
                    subject,
                }]
            }
            "describe" => vec![Effect::Run(stage("kubectl:describe").into())],
            "logs" => vec![Effect::Run(
                Stage::new("kubectl:logs")
                    .arg(&format!("deploy/{}", row.name))
                    .option("--tail", Some("50"))
                    .into(),
            )],
            "scale" => vec![Effect::Compose(
                stage("kubectl:scale")
                    .option("--replicas", Some(&row.replicas.to_string()))
                    .into(),
            )],
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
            "undo" => vec![Effect::Run(stage("kubectl:rollout-undo").into())],
            _ => Vec::new(),
        }
    }

    fn counts(&self) -> (usize, usize) {
        self.feed.as_ref().map_or((0, 0), |feed| {
            feed.source()
                .read(|rows, _| (rows.len(), rows.iter().filter(|(_, row)| urgency(row) > 2).count()))
        })
    }
}

impl Panel for DeploymentsPanel {
    fn id(&self) -> &'static str {
        "deployments"
    }

    fn title(&self) -> SafeText {
        match self.counts().0 {
            0 => "deployments".into(),
            count => SafeText::line(&format!("deployments {count}")),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.feed = Some(feed::rows(&self.hub, &self.clients, context, false));
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
            .map(|feed| ("k8s".into(), feed.source().health()))
            .collect()
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        self.refresh();
        match key {
            PanelKey::Move(motion) => {
                self.selection.step(motion, self.rows.1.len(), self.page);
                self.selection
                    .settle(self.rows.1.get(self.selection.index()).map(|row| row.name.clone()));
                self.moved += 1;
                Vec::new()
            }
            PanelKey::Open => self.act("rollout"),
            PanelKey::Act(action) => self.act(action),
            PanelKey::Mark => Vec::new(),
        }
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        self.refresh();
        self.page = usize::from(area.height.saturating_sub(1)).max(1);
        let Some(feed) = &self.feed else { return };
        if self.rows.1.is_empty() {
            let reason = empty_reason(
                &feed.source().health(),
                "no deployment in this namespace: kubectl:run makes one",
            );
            return message(area, buffer, theme, &reason);
        }
        let columns = [
            Column::new("NAME").wrapping(12),
            Column::new("READY"),
            Column::new("UP-TO-DATE").right().expendable(3),
            Column::new("AVAILABLE").right().expendable(2),
            Column::new("VERSION"),
            Column::new("AGE").expendable(1),
            Column::new("STATE"),
        ];
        let rows = &self.rows.1;
        let table = Table {
            columns: &columns,
            count: rows.len(),
            row: &|at| rows.get(at).map_or_else(Vec::new, |row| cells(row, theme, now)),
            focused,
        };
        table.draw(area, buffer, theme, &mut self.selection);
    }

    fn folded(&self) -> SafeText {
        match self.counts() {
            (_, 0) => self.title(),
            (count, bad) => SafeText::line(&format!("deployments {count}  ! {bad}")),
        }
    }

    fn minimum(&self) -> (u16, u16) {
        (36, 3)
    }
}

fn cells(row: &DeploymentRow, theme: &Theme, now: Timestamp) -> Vec<Cell> {
    let (tone, word) = state(row);
    vec![
        Cell::new(&row.name),
        Cell::new(&format!("{}/{}", row.ready, row.replicas)),
        Cell::new(&row.updated.to_string()),
        Cell::new(&row.available.to_string()),
        Cell::new(&row.version),
        Cell::styled(
            &row.created.map_or_else(|| "-".to_owned(), |at| age(now, at)),
            Meaning::Dim,
        ),
        Cell::styled(&format!("{} {word}", theme.glyphs.of(tone)), tone.meaning()),
    ]
}
