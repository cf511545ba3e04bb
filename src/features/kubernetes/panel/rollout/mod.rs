//! The panel `rollout`: one deployment's way from the old template to the new one: what it has to pass, two bars, its
//! pods, what it waits for. It stays on what was pinned to it; else several rollouts that go on are one bar each; else
//! it follows the last change made here, else what wants attention most.

mod feeds;
mod head;
mod pods;
mod several;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use self::feeds::{Feeds, One, Picked};
use super::{objects, target};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::rollout::PodView;
use crate::feed::Hub;
use crate::lang::Stage;
use crate::ui::panel::grid::{NO_TABLE, plain};
use crate::ui::panel::widgets::health::empty_reason;
use crate::ui::panel::widgets::table::{Cell, Selection, Table};
use crate::ui::panel::widgets::{line, message};
use crate::ui::panel::{Action, Effect, Grid, Meaning, Panel, PanelKey, Scope, Sourced, Subject, Theme, Which};

/// The panel's id, for those that turn it to a subject.
pub const ID: &str = "rollout";

/// What is drawn, as it was when the feeds were at a version.
struct Seen {
    version: u64,
    at: Timestamp,
    all: Vec<One>,
    more: usize,
}

/// A deployment that the panel stays on.
struct Held {
    name: String,
    /// Opened out of several: going back lets go of it.
    opened: bool,
}

/// The panel.
pub struct RolloutPanel {
    hub: Hub,
    clients: Arc<Clients>,
    feeds: Option<Feeds>,
    /// What it was opened for, of which it shows one context at a time.
    scope: Option<Scope>,
    context: Option<Arc<Context>>,
    /// The deployment that was changed here last.
    followed: Option<String>,
    held: Option<Held>,
    seen: Seen,
    /// Of the pods of one, or of several rollouts.
    selection: Selection,
    page: usize,
    /// Row of the content at which the pods begin.
    table_top: u16,
    /// Of several: the row below each, and which it is.
    ends: Vec<(u16, usize)>,
    moved: u64,
}

const ACTIONS: [Action; 5] = [
    super::DESCRIBE,
    super::LOGS,
    Action {
        name: "history",
        key: 'H',
        word: "history",
    },
    Action {
        name: "undo",
        key: 'u',
        word: "undo rollout",
    },
    Action {
        name: "hold",
        key: 'p',
        word: "pin, or let go",
    },
];

impl RolloutPanel {
    /// Shows nothing until it is opened.
    pub fn new(hub: &Hub, clients: &Arc<Clients>) -> Self {
        RolloutPanel {
            hub: hub.clone(),
            clients: clients.clone(),
            feeds: None,
            scope: None,
            context: None,
            followed: None,
            held: None,
            seen: Seen {
                version: u64::MAX,
                at: Timestamp::UNIX_EPOCH,
                all: Vec::new(),
                more: 0,
            },
            selection: Selection::default(),
            page: 1,
            table_top: 0,
            ends: Vec::new(),
            moved: 0,
        }
    }

    /// Looks at the feeds anew when they moved.
    fn refresh(&mut self, now: Timestamp) {
        let Some(feeds) = &self.feeds else {
            self.seen.all.clear();
            return;
        };
        let version = feeds.version().wrapping_add(self.moved);
        if version == self.seen.version {
            return;
        }
        let picked = self.pick();
        self.seen = Seen {
            version,
            at: now,
            all: feeds.look(&picked.rows, now),
            more: picked.more,
        };
        let names = self.names();
        self.selection.keep(
            names.len(),
            |key| names.iter().position(|name| name == key),
            |at| names.get(at).cloned(),
        );
    }

    fn pick(&self) -> Picked {
        let held = self.held.as_ref().map(|held| held.name.as_str());
        let nothing = || Picked {
            rows: Vec::new(),
            more: 0,
        };
        let feeds = self.feeds.as_ref();
        feeds.map_or_else(nothing, |feeds| feeds.pick(held, self.followed.as_deref()))
    }

    /// Shows this context from now on.
    fn look_at(&mut self, context: &Arc<Context>) {
        self.feeds = Some(Feeds::open(&self.hub, &self.clients, context));
        self.context = Some(context.clone());
        // A name means another deployment in another place.
        self.held = None;
        self.seen.version = u64::MAX;
        // A key that comes before the next frame must not meet what was seen in the context before.
        self.seen.all.clear();
        self.moved += 1;
    }

    /// Goes over to the context of a subject; false: that is none of those it was opened for.
    fn go_over(&mut self, subject: &Subject) -> bool {
        let Some(context) = self.scope.as_ref().and_then(|scope| scope.of(subject)).cloned() else {
            return false;
        };
        if self.context.as_ref() != Some(&context) && self.feeds.is_some() {
            self.followed = None;
            self.look_at(&context);
        }
        true
    }

    /// The context, where it has to be said.
    fn place(&self) -> Option<&str> {
        let (scope, context) = (self.scope.as_ref()?, self.context.as_ref()?);
        (scope.is_several() || scope.away(context).is_some()).then_some(context.name.as_str())
    }

    /// The rollout, when there is one to show.
    fn one(&self) -> Option<&One> {
        match self.seen.all.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    fn pods(&self) -> &[PodView] {
        self.one().map_or(&[], |one| one.view.pods.as_slice())
    }

    /// What is selected among: pods of one, or several rollouts.
    fn names(&self) -> Vec<String> {
        match self.one() {
            Some(one) => one.view.pods.iter().map(|pod| pod.name.clone()).collect(),
            None => self.seen.all.iter().map(|one| one.view.name.clone()).collect(),
        }
    }

    fn select(&mut self, at: usize) {
        self.selection.select(at);
        self.selection.settle(self.names().get(at).cloned());
        self.moved += 1;
    }

    /// Enter: goes down to the pod's containers, or shows the selected rollout alone.
    fn open_selected(&mut self) -> Vec<Effect> {
        if let Some(one) = self.one() {
            let pod = one.view.pods.get(self.selection.index());
            let below = pod.map(|pod| Effect::Show {
                panel: objects::ID,
                subject: target("Pod", &one.view.namespace, &pod.name).into(),
            });
            return below.into_iter().map(|effect| self.within(effect)).collect();
        }
        if let Some(one) = self.seen.all.get(self.selection.index()) {
            self.held = Some(Held {
                name: one.view.name.clone(),
                opened: true,
            });
            self.moved += 1;
        }
        Vec::new()
    }

    fn act_if_allowed(&mut self, action: &str) -> Vec<Effect> {
        match self.denied(action) {
            Some(denied) => vec![Effect::Toast(denied)],
            None => {
                let effects = self.act(action).into_iter();
                effects.map(|effect| self.within(effect)).collect()
            }
        }
    }

    /// What is wanted of what is shown, in its context.
    fn within(&self, effect: Effect) -> Effect {
        match (&self.scope, &self.context) {
            (Some(scope), Some(context)) => effect.within(scope, context),
            _ => effect,
        }
    }

    fn act(&mut self, action: &str) -> Vec<Effect> {
        let at = self.selection.index();
        let Some(one) = self.one().or_else(|| self.seen.all.get(at)) else {
            return Vec::new();
        };
        let view = &one.view;
        let pod = self.pods().get(at);
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
            ("logs", None) => vec![Effect::Run(super::logs("deploy", &[view.name.as_str()]))],
            ("history", _) => vec![on_deployment("kubectl:rollout-history")],
            ("undo", _) => vec![on_deployment("kubectl:rollout-undo")],
            ("hold", _) => {
                let name = view.name.clone();
                vec![Effect::Toast(self.hold_or_let_go(&name))]
            }
            _ => Vec::new(),
        }
    }

    /// Stays on this deployment, or lets go of it when it is pinned already; what was done.
    fn hold_or_let_go(&mut self, name: &str) -> SafeText {
        self.moved += 1;
        let known = self.held.take();
        if known.is_some_and(|held| held.name == name && !held.opened) {
            return "the rollout panel follows the last change again".into();
        }
        self.held = Some(Held {
            name: name.to_owned(),
            opened: false,
        });
        SafeText::line(&format!("the rollout panel stays on {name}"))
    }

    fn draw_one(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        let Some(one) = self.one() else { return };
        let look = head::Look {
            theme,
            columns: area.width,
            rows: area.height,
            passed: since(now, self.seen.at),
            traffic: self.feeds.as_ref().and_then(|feeds| feeds.traffic(now)),
        };
        let mut row = 0;
        for text in &head::lines(one, &look) {
            line(area, row, buffer, text);
            row = row.saturating_add(1);
        }
        let view = &one.view;
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
            y: area.y + row.min(area.height),
            height: rest - below,
            ..area
        };
        let table = Table {
            columns: &pods::columns(),
            count: view.pods.len(),
            row: &|at| {
                view.pods
                    .get(at)
                    .map_or_else(Vec::new, |pod| pods::cells(pod, theme, now))
            },
            focused,
        };
        let mut selection = self.selection.clone();
        table.draw(place, buffer, theme, &mut selection);
        for (at, condition) in view.conditions.iter().take(usize::from(below)).enumerate() {
            let text = SafeText::line(&format!(
                "{} {}  {}",
                condition.kind, condition.status, condition.reason
            ));
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            let text = Line::from(theme.span(&text, Meaning::Dim));
            line(area, area.height - below + at, buffer, &text);
        }
        self.selection = selection;
        self.table_top = row;
        self.page = usize::from(place.height.saturating_sub(1)).max(1);
    }
}

impl Panel for RolloutPanel {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> SafeText {
        let picked = self.pick();
        let held = self.held.as_ref().filter(|held| !held.opened);
        let place = self.place().map_or(String::new(), |name| format!(" @{name}"));
        SafeText::line(&match picked.rows.as_slice() {
            [] => format!("{ID}{place}"),
            [row] if held.is_some_and(|held| held.name == row.name) => format!("rollout {}{place}  pinned", row.name),
            [row] => format!("rollout {}{place}", row.name),
            several => format!("rollouts {}{place}", several.len() + picked.more),
        })
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.open_in(&Scope::one(context));
    }

    /// One context: that of the deployment shown last, while the contexts stay the same.
    fn open_in(&mut self, scope: &Scope) {
        let known = self.context.take().filter(|_| self.scope.as_ref() == Some(scope));
        self.scope = Some(scope.clone());
        self.look_at(&known.unwrap_or_else(|| scope.own().clone()));
    }

    fn close(&mut self) {
        self.feeds = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.feeds.as_ref().map_or(0, Feeds::version)
    }

    fn health(&self) -> Vec<Sourced> {
        let Some(feeds) = &self.feeds else { return Vec::new() };
        let source = |health| Sourced::new("k8s", health).of(self.place());
        feeds.health().into_iter().map(source).collect()
    }

    fn focus_on(&mut self, subject: &Subject) -> bool {
        let name = &subject.target.name;
        let pinned = self.held.as_ref().is_some_and(|held| !held.opened);
        let there = self.scope.as_ref().and_then(|scope| scope.of(subject));
        // What is pinned stays, and with it the context.
        if subject.target.kind != "Deployment" || (pinned && there != self.context.as_ref()) {
            return false;
        }
        let shows_it = |panel: &Self| {
            let place = panel.context.as_ref().map(|context| context.name.clone());
            matches!(panel.pick().rows.as_slice(), [row] if row.name == *name).then_some(place)
        };
        let before = shows_it(self);
        if !self.go_over(subject) {
            return false;
        }
        self.held = self.held.take().filter(|held| !held.opened);
        self.followed = Some(name.clone());
        self.moved += 1;
        let now = shows_it(self);
        now.is_some() && now != before
    }

    /// Chosen in another panel: shown now, until something else is changed here or it is gone back from.
    fn show(&mut self, subject: &Subject) {
        if subject.target.kind == "Deployment" && self.go_over(subject) {
            self.held = Some(Held {
                name: subject.target.name.clone(),
                opened: true,
            });
            self.moved += 1;
        }
    }

    fn hold(&mut self, subject: &Subject) -> Option<SafeText> {
        let can = subject.target.kind == "Deployment" && self.go_over(subject);
        can.then(|| self.hold_or_let_go(&subject.target.name))
    }

    fn back(&mut self) -> bool {
        let opened = self.held.as_ref().is_some_and(|held| held.opened);
        if opened {
            self.held = None;
            self.moved += 1;
        }
        opened
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        match key {
            PanelKey::Move(motion) => {
                self.selection.step(motion, self.names().len(), self.page);
                self.select(self.selection.index());
                Vec::new()
            }
            PanelKey::Open => self.open_selected(),
            PanelKey::Act(action) => self.act_if_allowed(action),
            PanelKey::At(row) => {
                let at = match self.one() {
                    Some(_) => row.checked_sub(self.table_top).and_then(|row| self.selection.at(row)),
                    None => {
                        let below = |(end, _): &&(u16, usize)| row > 0 && row < *end;
                        self.ends.iter().find(below).map(|(_, at)| *at)
                    }
                };
                match at.filter(|at| *at < self.names().len()) {
                    Some(at) if at == self.selection.index() => return self.open_selected(),
                    Some(at) => self.select(at),
                    None => {}
                }
                Vec::new()
            }
            PanelKey::Mark => Vec::new(),
        }
    }

    fn grid(&self, which: Which, now: Timestamp) -> Result<Grid, SafeText> {
        let theme = Theme::plain();
        let texts = |cells: Vec<Cell>| cells.iter().map(|cell| plain(cell, &theme)).collect();
        let all = Grid {
            columns: pods::columns().map(|column| column.title.into_owned()).to_vec(),
            rows: self
                .pods()
                .iter()
                .map(|pod| texts(pods::cells(pod, &theme, now)))
                .collect(),
        };
        Ok(match (self.one(), which) {
            (None, _) => return Err(NO_TABLE.into()),
            (Some(_), Which::All) => all,
            (Some(_), Which::Selected) => Grid {
                rows: all.rows.into_iter().skip(self.selection.index()).take(1).collect(),
                ..all
            },
        })
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, action: &str) -> Option<SafeText> {
        let of = match (action, self.pods().is_empty()) {
            ("describe", false) => ("", "pods"),
            _ => ("apps", "deployments"),
        };
        super::allowed::denied(&self.clients, self.context.as_ref()?, action, of, true)
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        self.refresh(now);
        let Some(feeds) = &self.feeds else { return };
        match self.seen.all.as_slice() {
            [] => {
                let empty = "nothing rolls out: there is no deployment";
                message(area, buffer, theme, &empty_reason(&feeds.deployments_health(), empty));
            }
            [_] => self.draw_one(area, buffer, theme, focused, now),
            several => {
                let look = several::Look {
                    theme,
                    focused,
                    selected: self.selection.index(),
                    more: self.seen.more,
                };
                self.ends = several::draw(area, buffer, several, &look);
                self.page = usize::from(area.height.saturating_sub(1)).max(1);
            }
        }
    }

    fn folded(&self) -> SafeText {
        let picked = self.pick();
        let (Some(feeds), [row]) = (&self.feeds, picked.rows.as_slice()) else {
            return self.title();
        };
        let name = format!(
            "{}{}",
            row.name,
            self.place().map_or(String::new(), |place| format!(" @{place}"))
        );
        let text = match feeds.state(row) {
            (_, word, Some(serving)) => format!("rollout {name}  ! {word}: {serving}"),
            (_, word, None) => format!("rollout {name}  {word} {}/{}", row.updated, row.replicas),
        };
        SafeText::line(&text)
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
