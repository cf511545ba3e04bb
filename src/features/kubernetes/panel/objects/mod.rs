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

pub use self::table::has_inside;
use super::{pods, target};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::feed::Hub;
use crate::ui::panel::grid::NO_TABLE;
use crate::ui::panel::list::ListPanel;
use crate::ui::panel::widgets::message;
use crate::ui::panel::{Action, Effect, Grid, Motion, Panel, PanelKey, Scope, Sourced, Subject, Theme, Which};

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
    scope: Option<Scope>,
    /// What it showed when it was closed: who comes back to it finds the levels as they were.
    left: Option<Scope>,
    /// From where it began to what is shown.
    levels: Vec<Level>,
    moved: u64,
}

/// One list on the way down.
struct Level {
    panel: Box<dyn Panel>,
    /// What an object is made of is in its own context; none: in all that are shown.
    of: Option<Arc<Context>>,
}

impl Level {
    fn open(&mut self, scope: &Scope) {
        match &self.of {
            Some(context) => self.panel.open_in(&scope.only(context)),
            None => self.panel.open_in(scope),
        }
    }
}

impl Objects {
    /// Shows nothing until a kind is named.
    pub fn new(hub: &Hub, clients: &Arc<Clients>) -> Self {
        Objects {
            hub: hub.clone(),
            clients: clients.clone(),
            scope: None,
            left: None,
            levels: Vec::new(),
            moved: 0,
        }
    }

    fn top(&self) -> Option<&dyn Panel> {
        self.levels.last().map(|level| level.panel.as_ref())
    }

    /// What an object is made of, as a list; none: nothing that could be listed.
    fn below(&self, subject: &Subject) -> Option<Level> {
        let (hub, clients, target) = (&self.hub, &self.clients, &subject.target);
        let panel: Box<dyn Panel> = match target.kind.as_str() {
            "Deployment" => Box::new(ListPanel::new(sets::Sets::of(hub, clients, target))),
            "Pod" => Box::new(ListPanel::new(containers::Containers::of(hub, clients, target))),
            kind if table::has_pods(kind) => Box::new(pods::panel_of(hub, clients, target)),
            _ => return None,
        };
        let of = self.scope.as_ref().and_then(|scope| scope.of(subject)).cloned();
        Some(Level { panel, of })
    }

    /// One level down. What it shows replaces nothing: going back finds the level above as it was.
    fn descend(&mut self, mut level: Level) {
        if let Some(scope) = &self.scope {
            level.open(scope);
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

    fn name(&self) -> SafeText {
        self.top().map_or_else(|| ID.into(), |top| top.name())
    }

    fn title(&self) -> SafeText {
        let Some(top) = self.top() else { return ID.into() };
        match self.levels.len() {
            1 => top.title(),
            _ => SafeText::line(&format!("< {}", top.title())),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.open_in(&Scope::one(context));
    }

    fn open_in(&mut self, scope: &Scope) {
        if self.left.take().as_ref() != Some(scope) {
            self.leave(1);
            // Where the first list is about an object of a context that is gone, it is about one of that name here; a
            // context of the same name may have another namespace by now.
            for level in &mut self.levels {
                let here = |of: Arc<Context>| {
                    let same = scope.contexts().iter().find(|context| context.name == of.name);
                    same.unwrap_or_else(|| scope.own()).clone()
                };
                level.of = level.of.take().map(here);
            }
        }
        self.levels.iter_mut().for_each(|level| level.open(scope));
        self.scope = Some(scope.clone());
    }

    fn close(&mut self) {
        self.left = self.scope.take().or(self.left.take());
        self.levels.iter_mut().for_each(|level| level.panel.close());
    }

    fn version(&self) -> u64 {
        self.moved + self.levels.iter().map(|level| level.panel.version()).sum::<u64>()
    }

    fn health(&self) -> Vec<Sourced> {
        self.top().map(Panel::health).unwrap_or_default()
    }

    /// A change made somewhere does not turn it: it shows what the operator chose.
    fn focus_on(&mut self, subject: &Subject) -> bool {
        self.levels.last_mut().is_some_and(|top| top.panel.focus_on(subject))
    }

    fn show(&mut self, subject: &Subject) {
        if let Some(level) = self.below(subject) {
            self.leave(0);
            self.descend(level);
        }
    }

    fn visit(&mut self, word: &str) -> bool {
        let list = ListPanel::new(table::Objects::new(&self.hub, &self.clients, word));
        self.leave(0);
        self.descend(Level {
            panel: Box::new(list),
            of: None,
        });
        true
    }

    fn lacks(&self, word: &str, context: &Arc<Context>) -> Option<Vec<String>> {
        let discovery = self.clients.discovered(context)?;
        discovery.find_all(word).is_err().then(|| discovery.words())
    }

    fn back(&mut self) -> bool {
        if self.levels.last_mut().is_some_and(|top| top.panel.back()) {
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
        let effects = self.levels.last_mut().map(|top| top.panel.key(key)).unwrap_or_default();
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

    fn subjects(&self) -> Result<Vec<Subject>, SafeText> {
        self.top().map_or(Ok(Vec::new()), Panel::subjects)
    }

    fn actions(&self) -> &'static [Action] {
        self.top().map_or(&[], Panel::actions)
    }

    fn can_mark(&self) -> bool {
        self.top().is_some_and(Panel::can_mark)
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
        let below = ["Deployment", "ReplicaSet", "Pod"].map(|kind| self.below(&target(kind, "", "").into()));
        let below = below.iter().flatten().flat_map(|level| level.panel.actions());
        table.actions().iter().chain(below).copied().collect()
    }

    fn filter(&mut self, text: &str) -> bool {
        self.levels.last_mut().is_some_and(|top| top.panel.filter(text))
    }

    fn filter_text(&self) -> &str {
        self.top().map_or("", Panel::filter_text)
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        match self.levels.last_mut() {
            Some(top) => top.panel.draw(area, buffer, theme, focused, now),
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
