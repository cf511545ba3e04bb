//! Which key means what, in which part of the screen. The table comes from a TOML preset; key hints and the help
//! overlay are made from it, so that they cannot lie.

mod action;
mod key;
mod row;
pub mod schema;

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use self::key::NAMED;
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, did_you_mean_one_of, nearest};

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
    /// In the order of the files, for help.
    order: Vec<(Part, Key, Action)>,
    /// A panel's own actions on other keys than theirs: (panel, action) to key.
    panels: HashMap<(String, String), Key>,
    /// Pipelines on the rows of a panel, in the order of the file.
    rows: Vec<RowKey>,
    /// The input line has vi's modes.
    vi: bool,
}

/// Key to action; the place of each keeps the order of the file.
type Table = HashMap<String, toml::Spanned<String>>;

/// Instead of an action: the key means nothing any more.
const UNBOUND: &str = "none";

/// Without a key for these the console can't be used, or not be left.
const NEEDED: [(Part, Action); 4] = [
    (Part::Global, Action::Interrupt),
    (Part::Input, Action::Submit),
    (Part::Input, Action::EndOfInput),
    (Part::Panel, Action::Prompt),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[allow(dead_code)]
    name: Option<String>,
    /// A preset whose keys count where this file says nothing.
    inherits: Option<String>,
    #[serde(default)]
    global: Table,
    #[serde(default)]
    input: Table,
    #[serde(default)]
    popup: Table,
    #[serde(default)]
    chat: Table,
    #[serde(default)]
    panel: Table,
    /// `[panels.deployments] describe = "D"`.
    #[serde(default)]
    panels: HashMap<String, HashMap<String, String>>,
    /// `[rows.pods] "ctrl-x" = "kubectl:delete po $name"`.
    #[serde(default)]
    rows: BTreeMap<String, Table>,
    /// vi's modes in the input line.
    vi: Option<bool>,
}

impl Keymap {
    /// The presets' names.
    pub const PRESETS: &'static [&'static str] = &["default", "vim"];

    /// A preset by name; unknown names are reported with the nearest one.
    pub fn preset(name: &str) -> Result<Self, Report> {
        let text = match name {
            "default" => include_str!("../../../../keymaps/default.toml"),
            "vim" => include_str!("../../../../keymaps/vim.toml"),
            _ => {
                return Err(Report::refused("E-KEYMAP-001", format!("unknown keymap {name}"))
                    .hint(did_you_mean_one_of(name, Self::PRESETS)));
            }
        };
        Self::read(text, |_| Ok(Keymap::default())).map(|(keymap, _)| keymap)
    }

    /// Reads an operator's keymap file: `key = "action"` in a table for each part, over the preset that it inherits, or
    /// else over `preset`; `none` takes a key away. What it names that does not exist comes back as remarks; the rest
    /// counts.
    pub fn parse(text: &str, preset: &str) -> Result<(Self, Vec<Report>), Report> {
        Self::read(text, |inherits| Self::preset(inherits.unwrap_or(preset)))
    }

    fn read(
        text: &str,
        base: impl FnOnce(Option<&str>) -> Result<Self, Report>,
    ) -> Result<(Self, Vec<Report>), Report> {
        let file: File = toml::from_str(text).map_err(|error| {
            let report = Report::refused(
                "E-KEYMAP-002",
                format!("the keymap cannot be read: {}", error.message()),
            );
            error.span().map_or(report.clone(), |span| report.at(text, span))
        })?;
        let base = base(file.inherits.as_deref())?;
        let mut keymap = base.clone();
        let mut remarks = Vec::new();
        let tables = [&file.global, &file.input, &file.popup, &file.chat, &file.panel];
        for (part, table) in Part::ALL.into_iter().zip(tables) {
            let mut rows: Vec<_> = table.iter().collect();
            rows.sort_by_key(|(_, action)| action.span().start);
            for (key_name, action) in rows {
                let name = action.get_ref().as_str();
                let found = Action::ALL.iter().find(|action| action.name() == name);
                let remark = match (Key::parse(key_name), found) {
                    (Some(key), Some(action)) => {
                        keymap.bind(part, key, *action);
                        continue;
                    }
                    (Some(key), None) if name == UNBOUND => {
                        keymap.unbind(part, key);
                        continue;
                    }
                    (None, _) => unknown_key(key_name),
                    (_, None) => unknown("action", name, Action::ALL.iter().map(|action| action.name())),
                };
                remarks.push(remark.at(text, action.span()));
            }
        }
        for (panel, table) in &file.panels {
            for (action, key_name) in table {
                match Key::parse(key_name) {
                    Some(key) => {
                        keymap.panels.insert((panel.clone(), action.clone()), key);
                    }
                    None => remarks.push(unknown_key(key_name)),
                }
            }
        }
        for (panel, table) in &file.rows {
            let mut keys: Vec<_> = table.iter().collect();
            keys.sort_by_key(|(_, pipeline)| pipeline.span().start);
            for (key_name, pipeline) in keys {
                let bound = match Key::parse(key_name) {
                    Some(key) => RowKey::read(panel, key, pipeline.get_ref()),
                    None => Err(unknown_key(key_name).at(text, pipeline.span())),
                };
                match bound {
                    Ok(bound) => {
                        keymap.rows.retain(|row| (&row.panel, row.key) != (&bound.panel, bound.key));
                        keymap.rows.push(bound);
                    }
                    Err(remark) => remarks.push(remark),
                }
            }
        }
        keymap.vi = file.vi.unwrap_or(base.vi);
        remarks.extend(keymap.keep_needed(&base));
        Ok((keymap, remarks))
    }

    /// Gives what [`NEEDED`] names and has lost its last key the keys of `base` again.
    fn keep_needed(&mut self, base: &Keymap) -> Vec<Report> {
        let mut remarks = Vec::new();
        for (part, action) in NEEDED {
            if self.key_of(part, action).is_some() {
                continue;
            }
            let keys = base.bindings().filter(|bound| (bound.0, bound.2) == (part, action));
            let mut labels = Vec::new();
            for (_, key, _) in keys {
                self.bind(part, key, action);
                labels.push(key.label());
            }
            let text = format!("{} needs a key: it keeps {}", action.name(), labels.join(" "));
            remarks.push(Report::refused("E-KEYMAP-003", text));
        }
        remarks
    }

    /// What names a panel or an action of one that does not exist; `panels`: those that do, with their actions.
    pub fn check_panels(&self, panels: &[(&str, Vec<crate::ui::panel::Action>)]) -> Vec<Report> {
        let ids = || panels.iter().map(|(id, _)| *id);
        let mut named: Vec<(&str, Option<&str>)> = self
            .panels
            .keys()
            .map(|(p, a)| (p.as_str(), Some(a.as_str())))
            .collect();
        named.extend(self.rows.iter().map(|row| (row.panel.as_str(), None)));
        named.sort_unstable();
        named.dedup();
        let wrong = |(panel, action): (&str, Option<&str>)| match (panels.iter().find(|(id, _)| *id == panel), action) {
            (None, _) => Some(unknown("panel", panel, ids())),
            (Some((_, actions)), Some(action)) if actions.iter().all(|known| known.name != action) => Some(unknown(
                &format!("action of {panel}"),
                action,
                actions.iter().map(|known| known.name),
            )),
            _ => None,
        };
        named.into_iter().filter_map(wrong).collect()
    }

    /// Whether the input line has vi's modes.
    pub fn has_vi(&self) -> bool {
        self.vi
    }

    /// The pipelines on the rows of a panel.
    pub fn rows<'a>(&'a self, panel: &'a str) -> impl Iterator<Item = &'a RowKey> {
        self.rows.iter().filter(move |row| row.panel == panel)
    }

    fn bind(&mut self, part: Part, key: Key, action: Action) {
        self.unbind(part, key);
        self.bindings.insert((part, key), action);
        self.order.push((part, key, action));
    }

    fn unbind(&mut self, part: Part, key: Key) {
        self.bindings.remove(&(part, key));
        self.order.retain(|(known, bound, _)| (*known, *bound) != (part, key));
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

    /// The key of a panel's own action.
    pub fn panel_key(&self, panel: &str, action: &crate::ui::panel::Action) -> Key {
        let named = self.panels.get(&(panel.to_owned(), action.name.to_owned())).copied();
        named.unwrap_or(Key::letter(action.key))
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
