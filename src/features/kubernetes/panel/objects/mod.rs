//! The panel `objects`: any kind the cluster knows, and the way down from an object to what it is made of: deployment,
//! replica sets, pods, containers, logs, and back. Each level is a list of its own, so that going back finds the
//! selection where it was.

mod containers;
mod sets;
mod table;

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pods, target};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::feed::{Health, Hub};
use crate::ui::panel::grid::NO_TABLE;
use crate::ui::panel::list::ListPanel;
use crate::ui::panel::widgets::message;
use crate::ui::panel::{Action, Effect, Grid, Motion, Panel, PanelKey, Theme, Which};

/// The panel's id, for those that turn it to a subject.
pub const ID: &str = "objects";

/// The panel `nodes`.
pub fn nodes(hub: &Hub, clients: &Arc<Clients>) -> impl Panel + use<> {
    ListPanel::new(table::Objects::nodes(hub, clients))
}

/// The panel.
pub struct Objects {
    hub: Hub,
    clients: Arc<Clients>,
    context: Option<Arc<Context>>,
    /// The context it was closed in: who comes back to it finds the levels as they were.
    left: Option<Arc<Context>>,
    /// From where it began to what is shown.
    levels: Vec<Box<dyn Panel>>,
    moved: u64,
}

impl Objects {
    /// Shows nothing until a kind is named.
    pub fn new(hub: &Hub, clients: &Arc<Clients>) -> Self {
        Objects {
            hub: hub.clone(),
            clients: clients.clone(),
            context: None,
            left: None,
            levels: Vec::new(),
            moved: 0,
        }
    }

    fn top(&self) -> Option<&dyn Panel> {
        self.levels.last().map(AsRef::as_ref)
    }

    /// What an object is made of, as a list; none: nothing that could be listed.
    fn below(&self, subject: &Target) -> Option<Box<dyn Panel>> {
        let (hub, clients) = (&self.hub, &self.clients);
        Some(match subject.kind.as_str() {
            "Deployment" => Box::new(ListPanel::new(sets::Sets::of(hub, clients, subject))),
            "Pod" => Box::new(ListPanel::new(containers::Containers::of(hub, clients, subject))),
            kind if table::has_pods(kind) => Box::new(pods::panel_of(hub, clients, subject)),
            _ => return None,
        })
    }

    /// One level down. What it shows replaces nothing: going back finds the level above as it was.
    fn descend(&mut self, mut level: Box<dyn Panel>) {
        if let Some(context) = &self.context {
            level.open(context);
        }
        self.levels.push(level);
        self.moved += 1;
    }

    /// The versions of the levels only ever add up while levels stay: a level that goes must not take the sum back.
    fn leave(&mut self, levels: usize) {
        let before = self.version();
        self.levels.truncate(levels);
        self.moved += before + 1;
    }
}

impl Panel for Objects {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> SafeText {
        let Some(top) = self.top() else { return ID.into() };
        match self.levels.len() {
            1 => top.title(),
            _ => SafeText::line(&format!("< {}", top.title())),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.context = Some(context.clone());
        if self.left.take().as_ref() != Some(context) {
            self.leave(1);
        }
        self.levels.iter_mut().for_each(|level| level.open(context));
    }

    fn close(&mut self) {
        self.left = self.context.take().or(self.left.take());
        self.levels.iter_mut().for_each(|level| level.close());
    }

    fn version(&self) -> u64 {
        self.moved + self.levels.iter().map(|level| level.version()).sum::<u64>()
    }

    fn health(&self) -> Vec<(SafeText, Health)> {
        self.top().map(Panel::health).unwrap_or_default()
    }

    /// A change made somewhere does not turn it: it shows what the operator chose.
    fn focus_on(&mut self, subject: &Target) -> bool {
        self.levels.last_mut().is_some_and(|top| top.focus_on(subject))
    }

    fn show(&mut self, subject: &Target) {
        if let Some(level) = self.below(subject) {
            self.leave(0);
            self.descend(level);
        }
    }

    fn visit(&mut self, word: &str) -> bool {
        let level = ListPanel::new(table::Objects::new(&self.hub, &self.clients, word));
        self.leave(0);
        self.descend(Box::new(level));
        true
    }

    fn back(&mut self) -> bool {
        if self.levels.last_mut().is_some_and(|top| top.back()) {
            return true;
        }
        let deep = self.levels.len() > 1;
        if deep {
            self.leave(self.levels.len() - 1);
        }
        deep
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        if key == PanelKey::Move(Motion::Left) {
            self.back();
            return Vec::new();
        }
        let effects = self.levels.last_mut().map(|top| top.key(key)).unwrap_or_default();
        let mut others = Vec::new();
        for effect in effects {
            match effect {
                Effect::Show { panel: ID, subject } => {
                    if let Some(level) = self.below(&subject) {
                        self.descend(level);
                    }
                }
                other => others.push(other),
            }
        }
        others
    }

    fn subjects(&self) -> Result<Vec<Target>, SafeText> {
        self.top().map_or(Ok(Vec::new()), Panel::subjects)
    }

    fn actions(&self) -> &'static [Action] {
        self.top().map_or(&[], Panel::actions)
    }

    fn grid(&self, which: Which, now: Timestamp) -> Result<Grid, SafeText> {
        self.top().ok_or(NO_TABLE)?.grid(which, now)
    }

    fn denied(&self, action: &str) -> Option<SafeText> {
        self.top().and_then(|top| top.denied(action))
    }

    /// Those of every level, whichever is shown.
    fn all_actions(&self) -> Vec<Action> {
        let table = ListPanel::new(table::Objects::new(&self.hub, &self.clients, ""));
        let below = ["Deployment", "ReplicaSet", "Pod"].map(|kind| self.below(&target(kind, "", "")));
        let below = below.iter().flatten().flat_map(|level| level.actions());
        table.actions().iter().chain(below).copied().collect()
    }

    fn filter(&mut self, text: &str) -> bool {
        self.levels.last_mut().is_some_and(|top| top.filter(text))
    }

    fn filter_text(&self) -> &str {
        self.top().map_or("", Panel::filter_text)
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        match self.levels.last_mut() {
            Some(top) => top.draw(area, buffer, theme, focused, now),
            None => message(
                area,
                buffer,
                theme,
                &"any kind by its name: :nodes, :configmaps, :cronjobs".into(),
            ),
        }
    }

    fn window(&self) -> Option<(usize, usize, usize)> {
        self.top().and_then(Panel::window)
    }

    fn weight(&self) -> u16 {
        0
    }

    fn by_name_only(&self) -> bool {
        true
    }
}
