//! The actions menu of a panel: all that can be done with the selected row, by arrow and Enter or by its own key. Made
//! from the panel's actions and the keymap, like the hints.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{App, Effect, Focus};
use crate::core::text::{SafeText, width};
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::{Meaning, PanelKey, widgets};

/// An open menu.
#[derive(Clone, Copy, Debug, Default)]
pub struct Menu {
    selected: usize,
}

impl App {
    fn menu_panel(&self) -> Option<usize> {
        match self.focus {
            Focus::Pane(pane) => pane.checked_sub(1).filter(|at| *at < self.panels.len()),
            Focus::Input => None,
        }
    }

    /// Name, key and word of each action of the focused panel.
    fn menu_rows(&self) -> Vec<(&'static str, Key, &'static str)> {
        let Some(panel) = self.menu_panel().and_then(|at| self.panels.get(at)) else {
            return Vec::new();
        };
        let row = |action| {
            let key = self.keymap.panel_key(panel.id(), action);
            (action.name, key, action.word)
        };
        panel.actions().iter().map(row).collect()
    }

    pub(super) fn open_menu(&mut self) {
        self.menu = (!self.menu_rows().is_empty()).then(Menu::default);
        if self.menu.is_none() {
            self.tell(
                "there is nothing to do with these rows",
                crate::ui::panel::Tone::Neutral,
            );
        }
    }

    /// A key while it is open; none: it is closed.
    pub(super) fn menu_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let selected = self.menu?.selected;
        let (panel, rows) = (self.menu_panel(), self.menu_rows());
        let last = rows.len().saturating_sub(1);
        let chosen = match self.keymap.action(Part::Panel, key) {
            _ if rows.iter().any(|(_, own, _)| *own == key) => rows.iter().position(|(_, own, _)| *own == key),
            Some(Action::Up) => {
                self.menu = Some(Menu {
                    selected: selected.saturating_sub(1),
                });
                return Some(Vec::new());
            }
            Some(Action::Down) => {
                self.menu = Some(Menu {
                    selected: (selected + 1).min(last),
                });
                return Some(Vec::new());
            }
            Some(Action::Open) => Some(selected),
            _ => None,
        };
        self.menu = None;
        let chosen = chosen.and_then(|at| rows.get(at)).map(|(name, ..)| *name);
        let effects = match (chosen, panel.and_then(|at| self.panels.get_mut(at))) {
            (Some(name), Some(panel)) => panel.key(PanelKey::Act(name)),
            _ => Vec::new(),
        };
        Some(self.panel_effects(effects))
    }

    /// Draws it over the middle of the screen.
    pub fn draw_menu(&self, screen: Rect, buffer: &mut Buffer) {
        let Some(menu) = self.menu else { return };
        let rows = self.menu_rows();
        let keys = rows.iter().map(|(_, key, _)| width(&key.label())).max().unwrap_or(0);
        let words = rows.iter().map(|(.., word)| width(word)).max().unwrap_or(0);
        let columns = u16::try_from(keys + words + 8).unwrap_or(u16::MAX).max(28);
        let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
        let area = widgets::popup::middle(screen, columns, height);
        let inside = widgets::popup::popup(area, buffer, &self.theme, &SafeText::from("actions: Enter does it"));
        let first = menu
            .selected
            .saturating_sub(usize::from(inside.height).saturating_sub(1));
        for (row, (at, (_, key, word))) in rows.iter().enumerate().skip(first).enumerate() {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            let label = key.label();
            let pad = " ".repeat(keys.saturating_sub(width(&label)) + 2);
            let line = Line::from(vec![
                Span::styled(format!(" {label}{pad}"), self.theme.style(Meaning::Key)),
                Span::styled(*word, self.theme.style(Meaning::Text)),
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
