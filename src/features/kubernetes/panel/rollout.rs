//! The panel `rollout`: one deployment's way from the old template to the new one: two bars, its pods, what it waits
//! for and how long that may last. It follows the last change made here, else what wants attention most.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{age_cell, pod_tone, state, urgency};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, ReplicaSetRow};
use crate::features::kubernetes::rollout::{PodView, RolloutView, SetView, view};
use crate::feed::health::human_duration;
use crate::feed::{Health, Hub, Subscription};
use crate::lang::Stage;
use crate::ui::panel::widgets::bar::{Fill, Part, bar};
use crate::ui::panel::widgets::health::empty_reason;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::widgets::{line, message, wrap};
use crate::ui::panel::{Action, Effect, Meaning, Panel, PanelKey, Theme, Tone};

/// The panel's id, for those that turn it to a subject.
pub const ID: &str = "rollout";
/// Width of a bar's label: `new 2.0.0`.
const LABEL: usize = 16;
/// Earlier templates shown, the newest of them.
const OLD_SHOWN: usize = 3;
/// Lines a cause may take.
const CAUSE_LINES: usize = 3;

/// The feeds it looks at.
struct Feeds {
    deployments: Subscription<DeploymentRow>,
    sets: Subscription<ReplicaSetRow>,
    pods: Subscription<PodRow>,
    /// They tell causes that no condition and no pod does.
    events: Subscription<EventRow>,
}

impl Feeds {
    fn version(&self) -> u64 {
        self.deployments.source().version()
            + self.sets.source().version()
            + self.pods.source().version()
            + self.events.source().version()
    }
}

/// What is drawn, as it was when the feeds were at a version.
struct Seen {
    version: u64,
    at: Timestamp,
    view: Option<RolloutView>,
    state: (Tone, &'static str),
}

/// The panel.
pub struct RolloutPanel {
    hub: Hub,
    clients: Arc<Clients>,
    feeds: Option<Feeds>,
    context: Option<Arc<Context>>,
    /// The deployment that was changed or chosen last.
    subject: Option<String>,
    seen: Seen,
    selection: Selection,
    page: usize,
    /// Row of the content at which the pods begin.
    table_top: u16,
    moved: u64,
}

const ACTIONS: [Action; 4] = [
    Action {
        name: "describe",
        key: 'd',
        word: "describe pod",
    },
    Action {
        name: "logs",
        key: 'l',
        word: "logs",
    },
    Action {
        name: "history",
        key: 'h',
        word: "history",
    },
    Action {
        name: "undo",
        key: 'u',
        word: "undo rollout",
    },
];

impl RolloutPanel {
    /// Shows nothing until it is opened.
    pub fn new(hub: &Hub, clients: &Arc<Clients>) -> Self {
        RolloutPanel {
            hub: hub.clone(),
            clients: clients.clone(),
            feeds: None,
            context: None,
            subject: None,
            seen: Seen {
                version: u64::MAX,
                at: Timestamp::UNIX_EPOCH,
                view: None,
                state: (Tone::Neutral, ""),
            },
            selection: Selection::default(),
            page: 1,
            table_top: 0,
            moved: 0,
        }
    }

    /// Looks at the feeds anew when they moved.
    fn refresh(&mut self, now: Timestamp) {
        let Some(feeds) = &self.feeds else {
            self.seen.view = None;
            return;
        };
        let version = feeds.version().wrapping_add(self.moved);
        if version == self.seen.version {
            return;
        }
        let row = self.pick();
        let state = row.as_ref().map_or((Tone::Neutral, ""), state);
        let view = row.map(|row| {
            feeds.sets.source().read(|sets, _| {
                feeds.pods.source().read(|pods, _| {
                    view(
                        &row,
                        sets.iter().map(|(_, set)| set),
                        pods.iter().map(|(_, pod)| pod),
                        now,
                    )
                })
            })
        });
        let view = view.map(|mut view| {
            feeds.events.source().read(|events, _| {
                let events: Vec<&EventRow> = events.iter().map(|(_, event)| event).collect();
                view.explain(events);
            });
            view
        });
        self.seen = Seen {
            version,
            at: now,
            view,
            state,
        };
        let pods = self.pods();
        let (count, names): (usize, Vec<String>) = (pods.len(), pods.iter().map(|pod| pod.name.clone()).collect());
        self.selection.keep(
            count,
            |key| names.iter().position(|name| name == key),
            |at| names.get(at).cloned(),
        );
    }

    /// The deployment to show: the subject while it exists, else the most urgent, the one that moved last first.
    fn pick(&self) -> Option<DeploymentRow> {
        let feeds = self.feeds.as_ref()?;
        feeds.deployments.source().read(|rows, _| {
            let all = || rows.iter().map(|(_, row)| row);
            let moved = |row: &DeploymentRow| {
                row.condition("Progressing")
                    .and_then(|c| c.last_update_time)
                    .or(row.created)
            };
            let chosen = self
                .subject
                .as_ref()
                .and_then(|name| all().find(|row| row.name == *name));
            chosen
                .or_else(|| all().max_by_key(|row| (urgency(row), moved(row))))
                .cloned()
        })
    }

    fn pods(&self) -> &[PodView] {
        self.seen.view.as_ref().map_or(&[], |view| view.pods.as_slice())
    }

    fn act(&self, action: &str) -> Vec<Effect> {
        let Some(view) = &self.seen.view else { return Vec::new() };
        let pod = view.pods.get(self.selection.index());
        let on_deployment = |verb: &str| Effect::Run(Stage::new(verb).arg("deploy").arg(&view.name).into());
        match (action, pod) {
            ("describe", Some(pod)) => vec![Effect::Run(
                Stage::new("kubectl:describe").arg("po").arg(&pod.name).into(),
            )],
            ("logs", Some(pod)) => {
                vec![Effect::Run(
                    Stage::new("kubectl:logs")
                        .arg(&pod.name)
                        .option("--tail", Some("50"))
                        .into(),
                )]
            }
            ("describe", None) => vec![on_deployment("kubectl:describe")],
            ("history", _) => vec![on_deployment("kubectl:rollout-history")],
            ("undo", _) => vec![on_deployment("kubectl:rollout-undo")],
            _ => Vec::new(),
        }
    }
}

impl Panel for RolloutPanel {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> SafeText {
        match self.pick() {
            Some(row) => SafeText::line(&format!("rollout {}", row.name)),
            None => "rollout".into(),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.feeds = Some(Feeds {
            deployments: feed::rows(&self.hub, &self.clients, context, false),
            sets: feed::rows(&self.hub, &self.clients, context, false),
            pods: feed::rows(&self.hub, &self.clients, context, false),
            events: feed::rows(&self.hub, &self.clients, context, false),
        });
        self.context = Some(context.clone());
        self.seen.version = u64::MAX;
        self.moved += 1;
    }

    fn close(&mut self) {
        self.feeds = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.feeds.as_ref().map_or(0, Feeds::version)
    }

    fn health(&self) -> Vec<(SafeText, Health)> {
        let Some(feeds) = &self.feeds else { return Vec::new() };
        let all = [
            feeds.deployments.source().health(),
            feeds.sets.source().health(),
            feeds.pods.source().health(),
        ];
        all.into_iter().map(|health| ("k8s".into(), health)).collect()
    }

    fn focus_on(&mut self, subject: &Target) {
        if subject.kind == "Deployment" {
            self.subject = Some(subject.name.clone());
            self.moved += 1;
        }
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        match key {
            PanelKey::Move(motion) => {
                self.selection.step(motion, self.pods().len(), self.page);
                self.selection
                    .settle(self.pods().get(self.selection.index()).map(|pod| pod.name.clone()));
                self.moved += 1;
                Vec::new()
            }
            PanelKey::Open => self.act("describe"),
            PanelKey::Act(action) => match self.denied(action) {
                Some(denied) => vec![Effect::Toast(denied)],
                None => self.act(action),
            },
            PanelKey::At(row) => {
                let at = row.checked_sub(self.table_top).and_then(|row| self.selection.at(row));
                match at.and_then(|at| self.pods().get(at).map(|pod| (at, pod.name.clone()))) {
                    Some((at, _)) if at == self.selection.index() => return self.act("describe"),
                    Some((at, name)) => {
                        self.selection.select(at);
                        self.selection.settle(Some(name));
                        self.moved += 1;
                    }
                    None => {}
                }
                Vec::new()
            }
            PanelKey::Mark => Vec::new(),
        }
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, action: &str) -> Option<SafeText> {
        let (context, of) = match action {
            "describe" => (self.context.as_ref()?, ("", "pods")),
            _ => (self.context.as_ref()?, ("apps", "deployments")),
        };
        super::allowed::denied(&self.clients, context, action, of, true)
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        self.refresh(now);
        let Some(feeds) = &self.feeds else { return };
        let Some(view) = &self.seen.view else {
            let reason = empty_reason(
                &feeds.deployments.source().health(),
                "nothing rolls out: there is no deployment",
            );
            return message(area, buffer, theme, &reason);
        };
        let left = view
            .deadline_left
            .map(|left| left.saturating_sub(since(now, self.seen.at)));
        let mut lines = head(view, self.seen.state, left, theme, area.width);
        lines.extend(cause(view, theme, area.width));
        let mut row = 0;
        for text in &lines {
            line(area, row, buffer, text);
            row = row.saturating_add(1);
        }
        let rest = area.height.saturating_sub(row);
        // Conditions stand below the pods when there is room for both.
        let wanted = u16::try_from(view.pods.len() + 1).unwrap_or(u16::MAX);
        let conditions = u16::try_from(view.conditions.len()).unwrap_or(0);
        let below = if rest > wanted.saturating_add(conditions) {
            conditions
        } else {
            0
        };
        let place = Rect {
            y: area.y + row,
            height: rest - below,
            ..area
        };
        self.table_top = row;
        self.page = usize::from(place.height.saturating_sub(1)).max(1);
        let columns = [
            Column::new("POD").shortening(12),
            Column::new("VERSION"),
            Column::new("STATUS"),
            Column::new("READY").expendable(2),
            Column::new("RESTARTS").right().expendable(4),
            Column::new("IP").expendable(3),
            Column::new("AGE").expendable(1),
        ];
        let table = Table {
            columns: &columns,
            count: view.pods.len(),
            row: &|at| view.pods.get(at).map_or_else(Vec::new, |pod| cells(pod, theme, now)),
            focused,
        };
        table.draw(place, buffer, theme, &mut self.selection);
        for (at, condition) in view.conditions.iter().take(usize::from(below)).enumerate() {
            let text = SafeText::line(&format!(
                "{} {}  {}",
                condition.kind, condition.status, condition.reason
            ));
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            line(
                area,
                area.height - below + at,
                buffer,
                &Line::from(theme.span(&text, Meaning::Dim)),
            );
        }
    }

    fn folded(&self) -> SafeText {
        match self.pick() {
            Some(row) => SafeText::line(&format!(
                "rollout {}  {} {}/{}",
                row.name,
                state(&row).1,
                row.updated,
                row.replicas
            )),
            None => self.title(),
        }
    }

    fn minimum(&self) -> (u16, u16) {
        (40, 6)
    }

    fn weight(&self) -> u16 {
        3
    }
}

fn since(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

/// State and sentence, the plan in numbers, the two bars.
fn head(
    view: &RolloutView,
    (tone, word): (Tone, &'static str),
    left: Option<Duration>,
    theme: &Theme,
    columns: u16,
) -> Vec<Line<'static>> {
    let deadline = left
        .map(|left| format!("  fails in {}", human_duration(left)))
        .unwrap_or_default();
    let state = theme.state(tone, &word.into());
    let room = usize::from(columns).saturating_sub(state.width());
    let sentence = SafeText::line(&format!("  {}", sentence(view))).fit(room);
    let mut lines = vec![Line::from(vec![state, theme.span(&sentence, Meaning::Text)])];
    let plan = format!(
        "{} wanted  +{} surge  -{} unavailable{deadline}",
        view.replicas, view.surge, view.unavailable
    );
    lines.push(Line::from(theme.span(&SafeText::line(&plan), Meaning::Dim)));
    let whole = u64::try_from(view.replicas + view.surge).unwrap_or(0);
    let nothing = SetView {
        version: "-".to_owned(),
        ..SetView::default()
    };
    lines.push(set_line(
        "new",
        view.new.as_ref().unwrap_or(&nothing),
        whole,
        Meaning::StateNew,
        theme,
        columns,
    ));
    let skipped = view.old.len().saturating_sub(OLD_SHOWN);
    for set in view.old.iter().skip(skipped) {
        lines.push(set_line("old", set, whole, Meaning::StateOld, theme, columns));
    }
    if view.old.is_empty() {
        lines.push(set_line("old", &nothing, whole, Meaning::StateOld, theme, columns));
    }
    lines
}

/// kubectl's sentence without the deployment's name, which the title has already.
fn sentence(view: &RolloutView) -> &str {
    let whole = view.progress.sentence();
    whole.split_once(" rollout to finish: ").map_or(whole, |(_, rest)| rest)
}

/// `new 2.0.0       [████▒▒····] 2/3 ready`.
fn set_line(name: &str, set: &SetView, whole: u64, meaning: Meaning, theme: &Theme, columns: u16) -> Line<'static> {
    let amount = |number: i64| u64::try_from(number).unwrap_or(0);
    let ready = amount(set.ready);
    let parts = [
        Part {
            amount: ready,
            fill: Fill::Full,
            meaning,
        },
        Part {
            amount: amount(set.current).saturating_sub(ready),
            fill: Fill::Part,
            meaning,
        },
    ];
    let counts = format!(" {}/{} ready", set.ready, set.desired);
    let label = SafeText::line(&format!("{name} {}", set.version)).fit(LABEL - 1);
    let label = format!("{label}{}", " ".repeat(LABEL.saturating_sub(label.width())));
    let room = usize::from(columns).saturating_sub(LABEL + counts.len()).min(40);
    let mut spans = vec![Span::styled(label, theme.style(meaning))];
    spans.extend(bar(theme, u16::try_from(room).unwrap_or(0), whole, &parts).spans);
    spans.push(Span::styled(counts, theme.style(Meaning::Text)));
    Line::from(spans)
}

fn cause(view: &RolloutView, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let Some(cause) = &view.cause else { return Vec::new() };
    let place = if cause.pod.is_empty() {
        String::new()
    } else {
        format!(" {}", cause.pod)
    };
    let message = if cause.message.is_empty() {
        String::new()
    } else {
        format!(": {}", cause.message)
    };
    let text = SafeText::line(&format!(
        "{} {}{place}{message}",
        theme.glyphs.of(Tone::Bad),
        cause.reason
    ));
    let serving = still_serving(view, theme);
    // What still works has its line within those of the cause, so that a low panel shows both.
    let room = CAUSE_LINES - usize::from(serving.is_some());
    let pieces = wrap(text.as_str(), columns).into_iter().take(room);
    let pieces = pieces.map(|piece| Line::from(Span::styled(piece, theme.style(Meaning::StateBad))));
    pieces.chain(serving).collect()
}

/// What a failed change did not break, so that nobody acts in a hurry: `the old 3/3 still serve`.
fn still_serving(view: &RolloutView, theme: &Theme) -> Option<Line<'static>> {
    let sum = |count: fn(&SetView) -> i64| view.old.iter().map(count).sum::<i64>();
    let (ready, desired) = (sum(|set| set.ready), sum(|set| set.desired));
    let text = SafeText::line(&format!("the old {ready}/{desired} still serve"));
    (ready > 0).then(|| Line::from(theme.state(Tone::Ok, &text)))
}

fn cells(pod: &PodView, theme: &Theme, now: Timestamp) -> Vec<Cell> {
    let tone = pod_tone(&pod.status, pod.is_ready);
    let version = if pod.is_new {
        Meaning::StateNew
    } else {
        Meaning::StateOld
    };
    vec![
        Cell::new(&pod.name),
        Cell::styled(&pod.version, version),
        Cell::state(tone, &pod.status, theme),
        Cell::new(if pod.is_ready { "yes" } else { "no" }),
        Cell::new(&pod.restarts.to_string()),
        Cell::new(if pod.ip.is_empty() { "-" } else { &pod.ip }),
        age_cell(pod.created, now),
    ]
}
