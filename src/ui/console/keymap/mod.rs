//! Which key means what, in which part of the screen. The table comes from a TOML preset and the operator's file over it;
//! key hints and the help overlay are made from it, so that they cannot lie.

mod action;
mod file;
mod key;
mod row;
pub mod schema;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use self::key::NAMED;
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

pub use action::Action;
pub use key::Key;
pub use row::RowKey;

/// Part of the screen that has the keys. A key that a part does not bind is looked for in [`Part::Global`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Everywhere.
    Global,
    /// The input line.
    Input,
    /// The completion popup.
    Popup,
    /// The chat pane.
    Chat,
    /// A live panel.
    Panel,
}

impl Part {
    const ALL: [Part; 5] = [Part::Global, Part::Input, Part::Popup, Part::Chat, Part::Panel];

    /// The table's name in keymap files, and the heading in help.
    pub fn name(self) -> &'static str {
        match self {
            Part::Global => "global",
            Part::Input => "input",
            Part::Popup => "popup",
            Part::Chat => "chat",
            Part::Panel => "panel",
        }
    }
}

/// Keys to actions for each part of the screen.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    bindings: HashMap<(Part, Key), Action>,
    /// In the order of the file, for help.
    order: Vec<(Part, Key, Action)>,
    /// A panel's own actions on other keys than theirs, or on none: (panel, action) to key.
    panels: HashMap<(String, String), Option<Key>>,
    /// Keys that the operator's file itself binds in every panel, and where.
    of_panels: Vec<(Key, Range<usize>)>,
    /// The panels that the file names, in its order.
    named: Vec<Named>,
    /// The file's text, for remarks that can only be made once the panels are known.
    source: String,
    /// Pipelines on the rows of a panel, in the order of the file.
    rows: Vec<RowKey>,
    /// The input line has vi's modes.
    vi: bool,
}

/// A panel that the operator's file names.
#[derive(Clone, Debug)]
struct Named {
    panel: String,
    /// Its action; none: a pipeline is bound on its rows.
    action: Option<String>,
    /// Where in the file.
    span: Range<usize>,
}

impl Keymap {
    /// The presets' names.
    pub const PRESETS: &'static [&'static str] = &["default", "vim"];

    /// The preset where nothing is named.
    pub const STANDARD: &'static str = "default";

    /// A preset by name; unknown names are reported with the nearest one.
    pub fn preset(name: &str) -> Result<Self, Report> {
        let none = || Err(unknown("keymap", name, Self::PRESETS.iter().copied()));
        file::preset(name).unwrap_or_else(none)
    }

    /// Reads a keymap file: `key = "action"` in a table for each part, laid over the preset that it inherits from
    /// (`default` where it names none); the action `none` takes a key its meaning. What it names that does not exist
    /// comes back as remarks, and so does what cannot be taken away (to interrupt, to leave, to run a line, to get to
    /// the line); the rest counts.
    pub fn parse(text: &str) -> Result<(Self, Vec<Report>), Report> {
        Self::over(Self::STANDARD, text)
    }

    /// As [`Keymap::parse`], over the preset `standard` where the file names none.
    pub fn over(standard: &str, text: &str) -> Result<(Self, Vec<Report>), Report> {
        file::parse(text, standard)
    }

    /// What names a panel or an action of one that does not exist; `panels`: those that do, with their actions.
    pub fn check_panels(&self, panels: &[(&str, Vec<crate::ui::panel::Action>)]) -> Vec<Report> {
        let ids = || panels.iter().map(|(id, _)| *id);
        let mut told = BTreeSet::new();
        let mut wrong = |named: &Named| {
            let panel = named.panel.as_str();
            let Some((_, actions)) = panels.iter().find(|(id, _)| *id == panel) else {
                return told.insert(panel.to_owned()).then(|| unknown("panel", panel, ids()));
            };
            let action = named.action.as_deref()?;
            let known = || actions.iter().map(|known| known.name);
            (!known().any(|known| known == action)).then(|| unknown(&format!("action of {panel}"), action, known()))
        };
        let named = self.named.iter();
        let mut remarks: Vec<Report> = named
            .filter_map(|named| Some(wrong(named)?.at(&self.source, named.span.clone())))
            .collect();
        remarks.extend(self.overlaps(panels));
        remarks
    }

    /// Keys that the file gives two meanings in a panel: which of both is not reached.
    fn overlaps(&self, panels: &[(&str, Vec<crate::ui::panel::Action>)]) -> Vec<Report> {
        let mut remarks = Vec::new();
        for (panel, actions) in panels {
            let moved = |name: &str| self.panels.contains_key(&((*panel).to_owned(), name.to_owned()));
            for action in actions.iter().filter(|action| moved(action.name)) {
                let Some(key) = self.panel_key(panel, action) else {
                    continue;
                };
                let same = |other: &&crate::ui::panel::Action| {
                    other.name != action.name && self.panel_key(panel, other) == Some(key)
                };
                let other = actions.iter().find(same).map(|other| other.name);
                let other = other.or_else(|| self.own(Part::Panel, key).map(Action::name));
                if let Some(other) = other {
                    let message = format!("{} in {panel} is both {} and {other}", key.label(), action.name);
                    let report = Report::refused("E-KEYMAP-006", message)
                        .hint("only one of them is reached: bind one elsewhere");
                    let is = |named: &&Named| named.panel == *panel && named.action.as_deref() == Some(action.name);
                    remarks.push(match self.named.iter().find(is) {
                        Some(named) => report.at(&self.source, named.span.clone()),
                        None => report,
                    });
                }
            }
        }
        for (key, span) in &self.of_panels {
            let Some(meant) = self.own(Part::Panel, *key) else {
                continue;
            };
            let own = panels.iter().filter_map(|(panel, actions)| {
                let taken = actions
                    .iter()
                    .find(|action| self.panel_key(panel, action) == Some(*key))?;
                let moved = self.panels.contains_key(&((*panel).to_owned(), taken.name.to_owned()));
                (!moved).then(|| format!("{} in {panel}", taken.name))
            });
            let own: Vec<String> = own.collect();
            if !own.is_empty() {
                let message = format!(
                    "{} is not {} everywhere: it is {}",
                    key.label(),
                    meant.name(),
                    own.join(", ")
                );
                let report = Report::refused("E-KEYMAP-006", message).at(&self.source, span.clone());
                remarks.push(report.hint("a panel's own keys come first; [panels.NAME] action = \"KEY\" moves them"));
            }
        }
        remarks
    }

    /// Whether the input line has vi's modes.
    pub fn has_vi(&self) -> bool {
        self.vi
    }

    /// The pipelines on the rows of a panel.
    pub fn rows<'a>(&'a self, panel: &'a str) -> impl Iterator<Item = &'a RowKey> {
        self.rows.iter().filter(move |row| row.panel == panel)
    }

    /// A key that is bound already keeps its place.
    fn bind(&mut self, part: Part, key: Key, action: Action) {
        if self.bindings.insert((part, key), action).is_none() {
            self.order.push((part, key, action));
            return;
        }
        let known = self
            .order
            .iter_mut()
            .filter(|(at, bound, _)| (*at, *bound) == (part, key));
        known.for_each(|(_, _, meant)| *meant = action);
    }

    /// False when the part does not bind the key.
    fn unbind(&mut self, part: Part, key: Key) -> bool {
        self.order.retain(|(at, bound, _)| (*at, *bound) != (part, key));
        self.bindings.remove(&(part, key)).is_some()
    }

    /// Whether some key means an action in a part, and is not taken before the part is asked.
    fn reaches(&self, part: Part, action: Action) -> bool {
        let first = |key| self.own(Part::Global, key).filter(|taken| taken.comes_first());
        self.bindings().any(|(at, key, meant)| {
            let here = at == part || (at == Part::Global && self.own(part, key).is_none());
            meant == action && here && first(key).is_none_or(|taken| taken == action)
        })
    }

    /// What a key means in a part of the screen.
    pub fn action(&self, part: Part, key: Key) -> Option<Action> {
        self.bindings
            .get(&(part, key))
            .or_else(|| self.bindings.get(&(Part::Global, key)))
            .copied()
    }

    /// What a part itself binds a key to.
    pub fn own(&self, part: Part, key: Key) -> Option<Action> {
        self.bindings.get(&(part, key)).copied()
    }

    /// Every key of the file with its part and action, in its order.
    pub fn bindings(&self) -> impl Iterator<Item = (Part, Key, Action)> {
        self.order.iter().copied()
    }

    /// The key of a panel's own action; none: it was taken away.
    pub fn panel_key(&self, panel: &str, action: &crate::ui::panel::Action) -> Option<Key> {
        let named = self.panels.get(&(panel.to_owned(), action.name.to_owned())).copied();
        named.unwrap_or(Some(Key::letter(action.key)))
    }

    /// The first key bound to an action in a part, for hints.
    pub fn key_of(&self, part: Part, action: Action) -> Option<Key> {
        let bound = |wanted: Part| {
            self.order
                .iter()
                .find(|(part, _, known)| *part == wanted && *known == action)
                .map(|(_, key, _)| *key)
        };
        bound(part).or_else(|| bound(Part::Global))
    }

    /// Keys and words of one part, keys of the same action together, in the order of the file.
    pub fn help(&self, part: Part) -> Vec<(String, &'static str)> {
        let mut rows: Vec<(Action, String)> = Vec::new();
        for (_, key, action) in self.order.iter().filter(|(known, _, _)| *known == part) {
            match rows.iter_mut().find(|(known, _)| known == action) {
                Some((_, keys)) => {
                    keys.push_str("  ");
                    keys.push_str(&key.label());
                }
                None => rows.push((*action, key.label())),
            }
        }
        rows.into_iter().map(|(action, keys)| (keys, action.word())).collect()
    }
}

fn unknown<'k>(what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Report {
    let near = nearest(name, known.into_iter().map(str::to_owned));
    let report = Report::refused("E-KEYMAP-001", format!("unknown {what} {name}"));
    match did_you_mean(&near) {
        Some(hint) => report.hint(hint),
        None => report,
    }
}

fn unknown_key(name: &str) -> Report {
    unknown("key", name, NAMED.iter().map(|(name, _)| *name))
        .hint("write keys as ctrl-c, alt-1, shift-tab, f1, pageup, ?")
}

#[cfg(test)]
mod tests;
