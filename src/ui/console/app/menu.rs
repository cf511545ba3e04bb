//! Menus: all that can be done with the selected row or block, by arrow and Enter or by its own key, made from the
//! actions and the keymap, like the hints; and what becomes of what runs when the console is left.

use super::overlay::{Of, Overlay};
use super::{App, Effect, Focus};
use crate::core::text::{SafeText, safe_line};
use crate::ui::console::keymap::{Action, Key, Part, RowKey};
use crate::ui::panel::widgets::popup;
use crate::ui::panel::{Meaning, PanelKey, Tone};

/// What a menu is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// The focused panel's row.
    Row,
    /// The selected block of the chat.
    Block,
    /// Leaving while something runs.
    Leaving,
}

/// What a line of a menu does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Row(&'static str),
    /// A pipeline of the keymap file, by its key.
    Bound(Key),
    Block(Action),
    /// Of every panel.
    Any(Action),
    Stay,
    Detach,
    Stop,
}

/// What can be done with every row and table, beside the panel's own actions.
const OF_A_ROW: [Action; 3] = [Action::CopyCell, Action::CopyTable, Action::CopyJson];

/// What can be done with a block, as the menu lists it.
const OF_A_BLOCK: [Action; 12] = [
    Action::Open,
    Action::Rerun,
    Action::Live,
    Action::Edit,
    Action::Copy,
    Action::CopyCell,
    Action::CopyJson,
    Action::CopyLine,
    Action::Page,
    Action::Save,
    Action::FilterBlock,
    Action::Stop,
];

impl App {
    fn menu_panel(&self) -> Option<usize> {
        match self.focus {
            Focus::Pane(pane) => pane.checked_sub(1).filter(|at| *at < self.panels.len()),
            Focus::Input => None,
        }
    }

    /// Why a line of the menu is not allowed to the operator; none: it is.
    fn menu_denied(&self, choice: Choice) -> Option<SafeText> {
        let Choice::Row(name) = choice else { return None };
        self.menu_panel().and_then(|at| self.panels.get(at))?.denied(name)
    }

    /// What each line does, its key, if it has one, and its word.
    fn menu_rows(&self, menu: Menu) -> Vec<(Choice, Option<Key>, String)> {
        match menu {
            Menu::Row => {
                let panel = self.menu_panel().and_then(|at| self.panels.get(at));
                let rows = panel.into_iter().flat_map(|panel| {
                    let row = |action: &'static crate::ui::panel::Action| {
                        let key = self.keymap.panel_key(panel.id(), action);
                        (Choice::Row(action.name), key, action.word.to_owned())
                    };
                    let bound = |row: &RowKey| (Choice::Bound(row.key), Some(row.key), safe_line(&row.text));
                    panel
                        .actions()
                        .iter()
                        .map(row)
                        .chain(self.keymap.rows(panel.id()).map(bound))
                });
                let any = |action: &Action| {
                    let key = self.keymap.key_of(Part::Panel, *action)?;
                    Some((Choice::Any(*action), Some(key), action.word().to_owned()))
                };
                rows.chain(OF_A_ROW.iter().filter_map(any)).collect()
            }
            Menu::Block => {
                let row = |action: &Action| {
                    let key = self.keymap.key_of(Part::Chat, *action)?;
                    Some((Choice::Block(*action), Some(key), action.word().to_owned()))
                };
                OF_A_BLOCK.iter().filter_map(row).collect()
            }
            Menu::Leaving => vec![
                (Choice::Stay, Some(Key::letter('c')), "stay here".to_owned()),
                (
                    Choice::Detach,
                    Some(Key::letter('d')),
                    "detach: leave the screen, end when all is done".to_owned(),
                ),
                (
                    Choice::Stop,
                    Some(Key::letter('s')),
                    "stop what runs, and leave".to_owned(),
                ),
            ],
        }
    }

    pub(super) fn open_menu(&mut self) {
        let menu = match self.focus {
            Focus::Pane(0) => Menu::Block,
            _ => Menu::Row,
        };
        let nothing = match menu {
            Menu::Block => self.chat.selected().is_none(),
            _ => self.menu_rows(menu).is_empty(),
        };
        self.overlay = (!nothing).then(|| Overlay::new(Of::Menu(menu), 0));
        if nothing {
            self.tell("there is nothing to do with these rows", Tone::Neutral);
        }
    }

    /// Asks what is to become of what runs.
    pub(super) fn ask_before_leaving(&mut self) {
        self.popup = None;
        self.overlay = Some(Overlay::new(Of::Menu(Menu::Leaving), 0));
    }

    /// Something has ended: what asks about what runs goes when nothing does any more.
    pub(super) fn something_ended(&mut self) {
        let asks = self.overlay.as_ref().is_some_and(Overlay::asks_before_leaving);
        if asks && !self.chat.is_busy() {
            self.overlay = None;
            let key = self.keymap.key_of(Part::Input, Action::EndOfInput);
            let quits = key.map_or_else(String::new, |key| format!(": {} quits", key.label()));
            self.tell(&format!("nothing runs any more{quits}"), Tone::Neutral);
        }
    }

    /// The line that a key is for by itself; none: it is for none.
    pub(super) fn menu_line(&self, menu: Menu, key: Key) -> Option<usize> {
        let rows = self.menu_rows(menu);
        let own = rows.iter().position(|(_, own, _)| *own == Some(key));
        // The key that wants to leave, again.
        let leaves = || menu == Menu::Leaving && self.keymap.action(Part::Input, key) == Some(Action::EndOfInput);
        own.or_else(|| leaves().then(|| rows.len().saturating_sub(1)))
    }

    /// How many lines it has.
    pub(super) fn menu_length(&self, menu: Menu) -> usize {
        self.menu_rows(menu).len()
    }

    /// Does what a line says.
    pub(super) fn choose_line(&mut self, menu: Menu, line: usize) -> Vec<Effect> {
        match self.menu_rows(menu).get(line).map(|(choice, ..)| *choice) {
            Some(Choice::Row(name)) => {
                let panel = self.menu_panel().and_then(|at| self.panels.get_mut(at));
                let effects = panel.map_or_else(Vec::new, |panel| panel.key(PanelKey::Act(name)));
                self.panel_effects(effects)
            }
            Some(Choice::Bound(key)) => self.menu_panel().map_or_else(Vec::new, |at| self.row_key(at, key)),
            Some(Choice::Block(action)) => self.chat_action(action),
            Some(Choice::Any(action)) => self.shared(action),
            Some(Choice::Detach) => vec![Effect::Detach],
            Some(Choice::Stop) => vec![Effect::Quit(0)],
            Some(Choice::Stay) | None => Vec::new(),
        }
    }

    /// The title of its box.
    pub(super) fn menu_title(&self, menu: Menu) -> SafeText {
        if menu != Menu::Leaving {
            return "actions: Enter does it".into();
        }
        let what = match self.chat.blocks().filter(|block| block.state.is_live()).count() {
            1 => "1 block runs".to_owned(),
            many => format!("{many} blocks run"),
        };
        let key = self.keymap.key_of(Part::Input, Action::EndOfInput);
        let again = key.map_or_else(String::new, |key| format!(": {} again stops and quits", key.label()));
        SafeText::line(&format!("{what}{again}"))
    }

    /// Its lines as they are drawn. What is not allowed says why, as far as there is room.
    pub(super) fn menu_choices(&self, menu: Menu) -> Vec<popup::Choice> {
        let line = |(choice, key, word): (Choice, Option<Key>, String)| {
            let denied = self.menu_denied(choice);
            let (name_meaning, text_meaning) = match denied {
                Some(_) => (Meaning::Dim, Meaning::Dim),
                None => (Meaning::Key, Meaning::Text),
            };
            let text = match denied {
                Some(why) => format!("{word}  {} {why}", self.theme.glyphs.warn),
                None => word,
            };
            popup::Choice {
                name: SafeText::line(&key.map_or_else(String::new, Key::label)),
                name_meaning,
                text: SafeText::line(&text),
                text_meaning,
            }
        };
        self.menu_rows(menu).into_iter().map(line).collect()
    }
}
