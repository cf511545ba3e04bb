//! Menus: all that can be done with the selected row or block, by arrow and Enter or by its own key, made from the
//! actions and the keymap, like the hints; and what becomes of what runs when the console is left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{App, Effect, Focus};
use crate::core::text::{SafeText, safe_line, width};
use crate::ui::console::keymap::{Action, Key, Part, RowKey};
use crate::ui::panel::{Meaning, PanelKey, widgets};

/// An open menu.
#[derive(Clone, Copy, Debug)]
pub struct Menu {
    of: Of,
    selected: usize,
}

/// What a menu is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
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

    /// What each line does, its key and its word.
    fn menu_rows(&self, of: Of) -> Vec<(Choice, Key, String)> {
        match of {
            Of::Row => {
                let panel = self.menu_panel().and_then(|at| self.panels.get(at));
                let rows = panel.into_iter().flat_map(|panel| {
                    let row = |action: &'static crate::ui::panel::Action| {
                        let key = self.keymap.panel_key(panel.id(), action);
                        (Choice::Row(action.name), key, action.word.to_owned())
                    };
                    let bound = |row: &RowKey| (Choice::Bound(row.key), row.key, safe_line(&row.text));
                    panel
                        .actions()
                        .iter()
                        .map(row)
                        .chain(self.keymap.rows(panel.id()).map(bound))
                });
                let any = |action: &Action| {
                    let key = self.keymap.key_of(Part::Panel, *action)?;
                    Some((Choice::Any(*action), key, action.word().to_owned()))
                };
                rows.chain(OF_A_ROW.iter().filter_map(any)).collect()
            }
            Of::Block => {
                let row = |action: &Action| {
                    let key = self.keymap.key_of(Part::Chat, *action)?;
                    Some((Choice::Block(*action), key, action.word().to_owned()))
                };
                OF_A_BLOCK.iter().filter_map(row).collect()
            }
            Of::Leaving => vec![
                (Choice::Stay, Key::letter('c'), "stay here".to_owned()),
                (
                    Choice::Detach,
                    Key::letter('d'),
                    "detach: leave the screen, end when all is done".to_owned(),
                ),
                (Choice::Stop, Key::letter('s'), "stop what runs, and leave".to_owned()),
            ],
        }
    }

    pub(super) fn open_menu(&mut self) {
        let of = match self.focus {
            Focus::Pane(0) => Of::Block,
            _ => Of::Row,
        };
        let nothing = match of {
            Of::Block => self.chat.selected().is_none(),
            _ => self.menu_rows(of).is_empty(),
        };
        self.menu = (!nothing).then_some(Menu { of, selected: 0 });
        if nothing {
            self.tell(
                "there is nothing to do with these rows",
                crate::ui::panel::Tone::Neutral,
            );
        }
    }

    /// Asks what is to become of what runs.
    pub(super) fn ask_before_leaving(&mut self) {
        self.popup = None;
        self.menu = Some(Menu {
            of: Of::Leaving,
            selected: 0,
        });
    }

    /// A key while it is open; none: it is closed.
    pub(super) fn menu_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let Menu { of, selected } = self.menu?;
        let rows = self.menu_rows(of);
        let last = rows.len().saturating_sub(1);
        let at = match self.keymap.action(Part::Panel, key) {
            _ if rows.iter().any(|(_, own, _)| *own == key) => rows.iter().position(|(_, own, _)| *own == key),
            // The key that wants to leave, again.
            _ if of == Of::Leaving && self.keymap.own(Part::Input, key) == Some(Action::EndOfInput) => Some(last),
            Some(Action::Up) => {
                self.menu = Some(Menu {
                    of,
                    selected: selected.saturating_sub(1),
                });
                return Some(Vec::new());
            }
            Some(Action::Down) => {
                self.menu = Some(Menu {
                    of,
                    selected: (selected + 1).min(last),
                });
                return Some(Vec::new());
            }
            Some(Action::Open) => Some(selected),
            _ => None,
        };
        self.menu = None;
        let chosen = at.and_then(|at| rows.get(at)).map(|(choice, ..)| *choice);
        Some(match chosen {
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
        })
    }

    /// The title of its box.
    fn menu_title(&self, of: Of) -> SafeText {
        if of != Of::Leaving {
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

    /// Draws it over the middle of the screen.
    pub fn draw_menu(&self, screen: Rect, buffer: &mut Buffer) {
        let Some(menu) = self.menu else { return };
        let rows = self.menu_rows(menu.of);
        // What is not allowed says why, as far as there is room.
        let denied: Vec<Option<SafeText>> = rows.iter().map(|(choice, ..)| self.menu_denied(*choice)).collect();
        let mark = self.theme.glyphs.warn;
        let rows: Vec<(Key, String)> = rows
            .into_iter()
            .zip(&denied)
            .map(|((_, key, word), denied)| match denied {
                None => (key, word),
                Some(why) => (key, format!("{word}  {mark} {why}")),
            })
            .collect();
        let words = rows.iter().map(|(_, word)| width(word)).max().unwrap_or(0);
        let keys = rows.iter().map(|(key, _)| width(&key.label())).max().unwrap_or(0);
        let columns = u16::try_from(keys + words + 8).unwrap_or(u16::MAX).max(28);
        let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
        let area = widgets::popup::middle(screen, columns, height);
        let inside = widgets::popup::popup(area, buffer, &self.theme, &self.menu_title(menu.of));
        let first = menu
            .selected
            .saturating_sub(usize::from(inside.height).saturating_sub(1));
        for (row, (at, (key, word))) in rows.iter().enumerate().skip(first).enumerate() {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            let label = key.label();
            let pad = " ".repeat(keys.saturating_sub(width(&label)) + 2);
            let (key, text) = match denied.get(at) {
                Some(Some(_)) => (Meaning::Dim, Meaning::Dim),
                _ => (Meaning::Key, Meaning::Text),
            };
            let line = Line::from(vec![
                Span::styled(format!(" {label}{pad}"), self.theme.style(key)),
                Span::styled(word.clone(), self.theme.style(text)),
            ]);
            widgets::line(inside, row, buffer, &line);
            if at == menu.selected && row < inside.height {
                let place = Rect {
                    y: inside.y + row,
                    height: 1,
                    ..inside
                };
                buffer.set_style(place, self.theme.style(Meaning::PopupSelected));
            }
        }
    }
}
