//! The panel `rollout`: one deployment's way from the old template to the new one: what it has to pass, two bars, its
//! pods, what it waits for. It stays on what was pinned to it; else several rollouts that go on are one bar each; else
//! it follows the last change made here, else what wants attention most.

mod acts;
mod feeds;
mod head;
mod one;
mod pods;
mod several;
#[cfg(test)]
mod tests;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::acts::{ACTIONS, FAILING};
use self::feeds::{Feeds, One, Picked};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::rollout::PodView;
use crate::feed::Hub;
use crate::ui::panel::grid::{NO_TABLE, plain};
use crate::ui::panel::widgets::health::{empty_reason, explained, trouble};
use crate::ui::panel::widgets::message;
use crate::ui::panel::widgets::table::{Cell, Selection};
use crate::ui::panel::{Action, Effect, Grid, Panel, PanelKey, Scope, Sourced, Subject, Theme, Tone, Which};
use crate::verb::catalogue::{did_you_mean, nearest};

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
    /// The deployment among whose pods the operator has chosen; until then the pod that fails is selected, or the first.
    chosen: Option<String>,
    /// What the columns keep their widths for: the deployment, and whether old pods are gone from it.
    widths_of: Option<(String, bool)>,
    page: usize,
    /// Row of the content at which the pods begin.
    table_top: u16,
    /// Of several: the row below each, and which it is.
    ends: Vec<(u16, usize)>,
    moved: u64,
}

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
            chosen: None,
            widths_of: None,
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
        if let Some(pod) = self.leading_pod().map(str::to_owned) {
            self.selection.select_key(pod);
        }
        let state = self.one().map(|one| (one.label.clone(), one.view.old.is_empty()));
        if self.widths_of != state {
            self.widths_of = state;
            self.selection.hold_widths();
        }
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
        self.chosen = None;
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

    /// What a deployment is called here.
    fn label(&self, namespace: &str, name: &str) -> String {
        let everywhere = self
            .context
            .as_ref()
            .is_some_and(|context| context.kubernetes.everywhere);
        feeds::label(everywhere, namespace, name)
    }

    /// What a subject is called here.
    fn label_of(&self, subject: &Subject) -> String {
        self.label(&subject.target.scope, &subject.target.name)
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

    /// The pod that the cause is about, else the first, which is a new one, so that what comes is in sight; unless the
    /// operator chose another one.
    fn leading_pod(&self) -> Option<&str> {
        let one = self.one()?;
        let view = &one.view;
        let failing = view.cause.as_ref().map(|cause| cause.pod.as_str());
        let leading = failing.filter(|pod| !pod.is_empty());
        let leading = leading.or_else(|| view.pods.first().map(|pod| pod.name.as_str()));
        leading.filter(|_| self.chosen.as_ref() != Some(&one.label))
    }

    /// Whether what is shown has a reason to be taken back.
    fn is_failing(&self) -> bool {
        self.one()
            .is_some_and(|one| one.view.cause.is_some() || one.state.0 == Tone::Bad)
    }

    /// What is selected among: pods of one, or several rollouts.
    fn names(&self) -> Vec<String> {
        match self.one() {
            Some(one) => one.view.pods.iter().map(|pod| pod.name.clone()).collect(),
            None => self.seen.all.iter().map(|one| one.label.clone()).collect(),
        }
    }

    fn select(&mut self, at: usize) {
        self.chosen = self.one().map(|one| one.label.clone());
        self.selection.select(at);
        self.selection.settle(self.names().get(at).cloned());
        self.moved += 1;
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
            [row] => {
                let label = self.label(&row.namespace, &row.name);
                let pinned = held.is_some_and(|held| held.name == label);
                format!("rollout {label}{place}{}", if pinned { "  pinned" } else { "" })
            }
            several => format!("rollouts {}{place}", several.len() + picked.more),
        })
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.open_in(&Scope::one(context));
    }

    /// One context: that of the deployment shown last, and what it stays on, while the contexts stay the same.
    fn open_in(&mut self, scope: &Scope) {
        let same = self.scope.as_ref() == Some(scope);
        let known = self.context.take().filter(|_| same);
        let held = self.held.take().filter(|_| known.is_some());
        self.followed = self.followed.take().filter(|_| same);
        self.scope = Some(scope.clone());
        self.look_at(&known.unwrap_or_else(|| scope.own().clone()));
        self.held = held;
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
        let pinned = self.held.as_ref().is_some_and(|held| !held.opened);
        let there = self.scope.as_ref().and_then(|scope| scope.of(subject));
        // What is pinned stays, and with it the context.
        if subject.target.kind != "Deployment" || (pinned && there != self.context.as_ref()) {
            return false;
        }
        if !self.go_over(subject) {
            return false;
        }
        self.held = self.held.take().filter(|held| !held.opened);
        let name = self.label_of(subject);
        self.followed = Some(name.clone());
        self.moved += 1;
        matches!(self.pick().rows.as_slice(), [row] if self.label(&row.namespace, &row.name) == name)
    }

    fn turn_to(&mut self, name: &str) -> Option<Result<(), SafeText>> {
        let names = self.feeds.as_ref().map(Feeds::names).unwrap_or_default();
        // Before the first rows come nothing is known.
        if !names.is_empty() && !names.iter().any(|known| known == name) {
            let hint = did_you_mean(&nearest(name, names)).unwrap_or_default();
            return Some(Err(SafeText::line(&format!("no deployment {name} here  {hint}"))));
        }
        self.held = Some(Held {
            name: name.to_owned(),
            opened: true,
        });
        self.moved += 1;
        Some(Ok(()))
    }

    /// Chosen in another panel: shown now, until something else is changed here or it is gone back from.
    fn show(&mut self, subject: &Subject) {
        if subject.target.kind == "Deployment" && self.go_over(subject) {
            self.held = Some(Held {
                name: self.label_of(subject),
                opened: true,
            });
            self.moved += 1;
        }
    }

    fn hold(&mut self, subject: &Subject) -> Option<SafeText> {
        let can = subject.target.kind == "Deployment" && self.go_over(subject);
        can.then(|| self.hold_or_let_go(&self.label_of(subject)))
    }

    fn back(&mut self) -> bool {
        let opened = self.held.as_ref().is_some_and(|held| held.opened);
        if opened {
            self.held = None;
            self.moved += 1;
        }
        opened
    }

    fn is_on_stage(&self) -> bool {
        true
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
        match self.is_failing() {
            true => &FAILING,
            false => &ACTIONS,
        }
    }

    fn window(&self) -> Option<(usize, usize, usize)> {
        self.one().and_then(|one| self.selection.window(one.view.pods.len()))
    }

    fn mark(&self) -> Option<Tone> {
        let (feeds, rows) = (self.feeds.as_ref()?, self.pick().rows);
        let tone = rows.iter().map(|row| feeds.state(row).0).max()?;
        (tone > Tone::Ok).then_some(tone)
    }

    fn denied(&self, action: &str) -> Option<SafeText> {
        let of = match (action, self.pods().is_empty()) {
            ("describe" | "yaml" | "edit", false) => ("", "pods"),
            _ => ("apps", "deployments"),
        };
        super::allowed::denied(&self.clients, self.context.as_ref()?, action, of, true)
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        self.refresh(now);
        let Some(feeds) = &self.feeds else { return };
        let health = feeds.health();
        let worst = health.iter().max_by_key(|health| health.rank());
        let area = match worst.and_then(trouble) {
            // It has use for all its lines.
            Some(reason) if !self.seen.all.is_empty() => {
                explained(area, buffer, theme, &reason, usize::from(area.height), focused)
            }
            _ => area,
        };
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
            self.label(&row.namespace, &row.name),
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
