//! Which key means what, in which part of the screen. The table comes from a TOML preset; key hints and the help
//! overlay are made from it, so that they cannot lie.

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $word:literal;)*) => {
        /// What a key can mean.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])* $variant,)* }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// The name in keymap files.
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }

            /// What it does, for help.
            pub fn word(self) -> &'static str {
                match self { $(Action::$variant => $word,)* }
            }
        }
    };
}

actions! {
    /// The help overlay.
    Help = "help", "help";
    /// Help, but only while nothing is typed.
    HelpWhenEmpty = "help-when-empty", "help (on an empty line)";
    /// Ctrl-C.
    Interrupt = "interrupt", "stop the running block; twice on an empty line: quit";
    /// Ctrl-D.
    EndOfInput = "end-of-input", "quit on an empty line, else delete under the cursor";
    /// Draws everything anew.
    Redraw = "redraw", "redraw";
    /// Ctrl-Z.
    Suspend = "suspend", "suspend to the shell";
    /// To the input line.
    ToInput = "to-input", "back to the input line";
    /// To the next pane.
    NextPane = "next-pane", "next pane";
    /// To the pane before.
    PreviousPane = "previous-pane", "pane before";
    /// Pane 1.
    Pane1 = "pane-1", "pane 1 (chat)";
    /// Pane 2.
    Pane2 = "pane-2", "pane 2";
    /// Pane 3.
    Pane3 = "pane-3", "pane 3";
    /// Pane 4.
    Pane4 = "pane-4", "pane 4";
    /// Pane 5.
    Pane5 = "pane-5", "pane 5";
    /// Pane 6.
    Pane6 = "pane-6", "pane 6";
    /// Pane 7.
    Pane7 = "pane-7", "pane 7";
    /// Pane 8.
    Pane8 = "pane-8", "pane 8";
    /// Pane 9.
    Pane9 = "pane-9", "pane 9";
    /// The focused pane alone.
    Zoom = "zoom", "zoom the pane";
    /// Up.
    Up = "up", "up";
    /// Down.
    Down = "down", "down";
    /// Left.
    Left = "left", "left";
    /// Right.
    Right = "right", "right";
    /// Half a page up.
    PageUp = "page-up", "half a page up";
    /// Half a page down.
    PageDown = "page-down", "half a page down";
    /// To the first.
    First = "first", "to the first";
    /// To the last.
    Last = "last", "to the last; follow again";
    /// Opens.
    Open = "open", "open";
    /// Marks.
    Mark = "mark", "mark";
    /// Copies.
    Copy = "copy", "copy the block";
    /// Runs a block again.
    Rerun = "rerun", "run the block again";
    /// Puts a block's line into the input.
    Edit = "edit", "edit the block's line";
    /// Stops the selected block.
    Stop = "stop", "stop the block";
    /// Scrolls the chat half a page up.
    ScrollUp = "scroll-up", "scroll the chat up";
    /// Scrolls the chat half a page down.
    ScrollDown = "scroll-down", "scroll the chat down";
    /// Sends the line.
    Submit = "submit", "run the line";
    /// A line break in the input.
    NewLine = "new-line", "line break";
    /// Completes, or the next pane on an empty line.
    Complete = "complete", "complete; next pane on an empty line";
    /// All that could stand here.
    Commands = "commands", "everything that can stand here";
    /// The line before.
    HistoryPrevious = "history-previous", "earlier line with this beginning";
    /// The line after.
    HistoryNext = "history-next", "later line with this beginning";
    /// Searches the history.
    HistorySearch = "history-search", "search the history";
    /// Takes what is suggested, else one to the right.
    AcceptRight = "right-or-accept", "right; take the suggestion at the end";
    /// Takes what is suggested, else to the end.
    AcceptEnd = "line-end", "end of the line; take the suggestion";
    /// Start of the line.
    LineStart = "line-start", "start of the line";
    /// A word to the left.
    WordLeft = "word-left", "a word to the left";
    /// A word to the right.
    WordRight = "word-right", "a word to the right";
    /// Deletes to the left.
    DeleteLeft = "delete-left", "delete to the left";
    /// Deletes to the right.
    DeleteRight = "delete-right", "delete to the right";
    /// Deletes a word to the left.
    DeleteWordLeft = "delete-word-left", "delete a word to the left";
    /// Deletes a word to the right.
    DeleteWordRight = "delete-word-right", "delete a word to the right";
    /// Deletes to the start.
    DeleteToStart = "delete-to-start", "delete to the start";
    /// Deletes to the end.
    DeleteToEnd = "delete-to-end", "delete to the end";
    /// Inserts what was deleted.
    InsertDeleted = "insert-deleted", "insert what was deleted last";
    /// Takes the last edit back.
    UndoEdit = "undo-edit", "take the last edit back";
    /// Closes.
    Cancel = "cancel", "close, give up";
    /// Takes the selected candidate.
    Accept = "accept", "take the candidate";
    /// The next candidate.
    NextCandidate = "next-candidate", "next candidate";
    /// The candidate before.
    PreviousCandidate = "previous-candidate", "candidate before";
}

impl Action {
    /// The pane an action names, from 0.
    pub fn pane(self) -> Option<usize> {
        const PANES: [Action; 9] = [
            Action::Pane1,
            Action::Pane2,
            Action::Pane3,
            Action::Pane4,
            Action::Pane5,
            Action::Pane6,
            Action::Pane7,
            Action::Pane8,
            Action::Pane9,
        ];
        PANES.iter().position(|pane| *pane == self)
    }
}

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

/// A key with its modifiers, in one normal form: a letter carries no Shift, Shift-Tab is a Tab with Shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Key::new(event.code, event.modifiers)
    }
}

const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("tab", KeyCode::Tab),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Key {
                code: KeyCode::Tab,
                modifiers: kept | KeyModifiers::SHIFT,
            },
            // Ctrl-Space arrives as NUL on most terminals.
            KeyCode::Null => Key {
                code: KeyCode::Char(' '),
                modifiers: KeyModifiers::CONTROL,
            },
            KeyCode::Char(symbol) => {
                let control = kept.contains(KeyModifiers::CONTROL);
                let symbol = if control { symbol.to_ascii_lowercase() } else { symbol };
                Key {
                    code: KeyCode::Char(symbol),
                    modifiers: kept - KeyModifiers::SHIFT,
                }
            }
            other => Key {
                code: other,
                modifiers: kept,
            },
        }
    }

    /// The character it types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(symbol) if self.modifiers.is_empty() => Some(symbol),
            _ => None,
        }
    }

    /// Reads `ctrl-c`, `alt-enter`, `shift-tab`, `f1`, `?`.
    pub fn parse(text: &str) -> Option<Key> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            let (flag, tail) = match rest {
                _ if rest.len() > 5 && rest.starts_with("ctrl-") => (KeyModifiers::CONTROL, &rest[5..]),
                _ if rest.len() > 4 && rest.starts_with("alt-") => (KeyModifiers::ALT, &rest[4..]),
                _ if rest.len() > 6 && rest.starts_with("shift-") => (KeyModifiers::SHIFT, &rest[6..]),
                _ => break,
            };
            modifiers |= flag;
            rest = tail;
        }
        let mut symbols = rest.chars();
        let code = match (symbols.next(), symbols.next()) {
            (Some(symbol), None) => KeyCode::Char(symbol),
            (Some('f'), Some(_)) if rest[1..].chars().all(|c| c.is_ascii_digit()) => {
                KeyCode::F(rest[1..].parse().ok()?)
            }
            _ => NAMED.iter().find(|(name, _)| *name == rest)?.1,
        };
        Some(Key::new(code, modifiers))
    }

    /// As people write it: `^C`, `Alt-1`, `Enter`, `?`.
    pub fn label(self) -> String {
        let mut label = String::new();
        let control = self.modifiers.contains(KeyModifiers::CONTROL);
        if self.modifiers.contains(KeyModifiers::ALT) {
            label.push_str("Alt-");
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            label.push_str("Shift-");
        }
        match self.code {
            KeyCode::Char(' ') if control => label.push_str("^Space"),
            KeyCode::Char(symbol) if control => {
                label.push('^');
                label.push(symbol.to_ascii_uppercase());
            }
            KeyCode::Char(' ') => label.push_str("Space"),
            KeyCode::Char(symbol) => label.push(symbol),
            KeyCode::F(number) => label.push_str(&format!("F{number}")),
            KeyCode::PageUp => label.push_str("PgUp"),
            KeyCode::PageDown => label.push_str("PgDn"),
            code => {
                let name = NAMED
                    .iter()
                    .find(|(_, known)| *known == code)
                    .map_or("?", |(name, _)| name);
                if control {
                    label.push_str("Ctrl-");
                }
                let mut symbols = name.chars();
                label.extend(symbols.next().map(|first| first.to_ascii_uppercase()));
                label.push_str(symbols.as_str());
            }
        }
        label
    }
}

/// Keys to actions for each part of the screen.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    bindings: HashMap<(Part, Key), Action>,
    /// In the order of the file, for help.
    order: Vec<(Part, Key, Action)>,
    /// A panel's own actions on other keys than theirs: (panel, action) to key.
    panels: HashMap<(String, String), Key>,
}

/// Key to action; the place of each keeps the order of the file.
type Table = HashMap<String, toml::Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[allow(dead_code)]
    name: String,
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
}

impl Keymap {
    /// The presets' names.
    pub const PRESETS: &'static [&'static str] = &["default"];

    /// A preset by name; unknown names are reported with the nearest one.
    pub fn preset(name: &str) -> Result<Self, Report> {
        match name {
            "default" => Self::parse(include_str!("../../../keymaps/default.toml")).map(|(keymap, _)| keymap),
            _ => Err(unknown("keymap", name, Self::PRESETS.iter().copied())),
        }
    }

    /// Reads a keymap file: `key = "action"` in a table for each part. What it names that does not exist comes back as
    /// remarks; the rest counts.
    pub fn parse(text: &str) -> Result<(Self, Vec<Report>), Report> {
        let file: File = toml::from_str(text).map_err(|error| {
            let report = Report::refused(
                "E-KEYMAP-002",
                format!("the keymap cannot be read: {}", error.message()),
            );
            error.span().map_or(report.clone(), |span| report.at(text, span))
        })?;
        let mut keymap = Keymap::default();
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
        Ok((keymap, remarks))
    }

    fn bind(&mut self, part: Part, key: Key, action: Action) {
        self.bindings.insert((part, key), action);
        self.order.push((part, key, action));
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

    /// The key of a panel's own action.
    pub fn panel_key(&self, panel: &str, action: &crate::ui::panel::Action) -> Key {
        let named = self.panels.get(&(panel.to_owned(), action.name.to_owned())).copied();
        named.unwrap_or(Key::new(KeyCode::Char(action.key), KeyModifiers::NONE))
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

fn unknown(what: &str, name: &str, known: impl IntoIterator<Item = &'static str>) -> Report {
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
mod tests {
    use super::*;

    #[test]
    fn the_preset_has_no_remarks_and_every_part() {
        let (keymap, remarks) = Keymap::parse(include_str!("../../../keymaps/default.toml")).unwrap();
        assert_eq!(remarks, vec![]);
        for part in Part::ALL {
            assert!(!keymap.help(part).is_empty(), "{part:?}");
        }
    }

    #[test]
    fn keys_read_and_print() {
        let cases = [
            ("ctrl-c", "^C"),
            ("alt-1", "Alt-1"),
            ("shift-tab", "Shift-Tab"),
            ("f1", "F1"),
            ("?", "?"),
            ("ctrl-space", "^Space"),
            ("pageup", "PgUp"),
            ("alt-enter", "Alt-Enter"),
            ("G", "G"),
            ("-", "-"),
        ];
        for (text, label) in cases {
            assert_eq!(Key::parse(text).map(Key::label).as_deref(), Some(label));
        }
        for text in ["", "hyper-x", "ctrl-", "ff", "f999"] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }

    #[test]
    fn terminals_that_send_other_codes_mean_the_same_key() {
        let key = |code, modifiers| Key::from(KeyEvent::new(code, modifiers));
        assert_eq!(
            Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            Key::parse("shift-tab")
        );
        assert_eq!(Some(key(KeyCode::Null, KeyModifiers::NONE)), Key::parse("ctrl-space"));
        assert_eq!(Some(key(KeyCode::Char('G'), KeyModifiers::SHIFT)), Key::parse("G"));
        assert_eq!(key(KeyCode::Char('G'), KeyModifiers::SHIFT).typed(), Some('G'));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL).typed(), None);
    }

    #[test]
    fn unknown_names_are_reported_with_the_nearest_and_the_rest_counts() {
        let (keymap, remarks) = Keymap::parse(
            "name = 'mine'\n[global]\n'ctrl-q' = 'interupt'\n'ctrl-x' = 'help'\n'hyper-x' = 'help'\n[panels.dns]\ncheck = 'K'",
        )
        .unwrap();
        assert_eq!(remarks.len(), 2);
        assert_eq!(remarks[0].hint.as_deref(), Some("did you mean interrupt?"));
        assert_eq!(
            keymap.action(Part::Panel, Key::parse("ctrl-x").unwrap()),
            Some(Action::Help)
        );
        let check = crate::ui::panel::Action {
            name: "check",
            key: 'c',
            word: "check",
        };
        assert_eq!(keymap.panel_key("dns", &check).label(), "K");
        assert_eq!(keymap.panel_key("ec2", &check).label(), "c");
    }
}
