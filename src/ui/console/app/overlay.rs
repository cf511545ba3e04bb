//! What lies over the panes and has the keys, one at a time: a menu, or the choice of a cell to copy. Arrows move in it,
//! Enter takes what is chosen, any other key, a click and a paste close it. What its lines do is said in `menu` and
//! `picker`.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::menu::Menu;
use super::picker::Picker;
use super::{App, Effect};
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::widgets::popup::{Choices, middle, popup};

/// Half a page of lines.
const PAGE: usize = 8;
/// No box is narrower.
const NARROWEST: u16 = 36;

/// What lies over the panes.
#[derive(Clone, Debug)]
pub struct Overlay {
    of: Of,
    selected: usize,
}

/// What can be chosen.
#[derive(Clone, Debug)]
pub enum Of {
    /// An action.
    Menu(Menu),
    /// A cell, of a block first its row.
    Cells(Picker),
}

impl Overlay {
    /// Opened on this line.
    pub fn new(of: Of, selected: usize) -> Self {
        Overlay { of, selected }
    }
}

impl App {
    /// A key while one is open; none: none is.
    pub(super) fn overlay_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let mut overlay = self.overlay.take()?;
        if let Of::Menu(menu) = overlay.of
            && let Some(line) = self.menu_line(menu, key)
        {
            return Some(self.choose_line(menu, line));
        }
        let last = match &overlay.of {
            Of::Menu(menu) => self.menu_length(*menu),
            Of::Cells(picker) => picker.length(),
        }
        .saturating_sub(1);
        let at = overlay.selected.min(last);
        overlay.selected = match (self.keymap.action(Part::Panel, key), overlay.of) {
            (Some(Action::Open), Of::Menu(menu)) => return Some(self.choose_line(menu, at)),
            (Some(Action::Open), Of::Cells(picker)) => return Some(self.choose_cell(picker, at)),
            (action, of) => {
                overlay.of = of;
                match action {
                    Some(Action::Up) => at.saturating_sub(1),
                    Some(Action::Down) => (at + 1).min(last),
                    Some(Action::PageUp) => at.saturating_sub(PAGE),
                    Some(Action::PageDown) => (at + PAGE).min(last),
                    Some(Action::First) => 0,
                    Some(Action::Last) => last,
                    _ => return Some(Vec::new()),
                }
            }
        };
        self.overlay = Some(overlay);
        Some(Vec::new())
    }

    /// Draws it over the middle of the screen.
    pub fn draw_overlay(&self, screen: Rect, buffer: &mut Buffer) {
        let Some(overlay) = &self.overlay else { return };
        let (title, rows) = match &overlay.of {
            Of::Menu(menu) => (self.menu_title(*menu), self.menu_choices(*menu)),
            Of::Cells(picker) => (picker.title().into(), picker.choices()),
        };
        let choices = Choices {
            rows: &rows,
            selected: Some(overlay.selected),
        };
        let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
        let area = middle(screen, choices.width().max(NARROWEST), height);
        let inside = popup(area, buffer, &self.theme, &title);
        choices.draw(inside, buffer, &self.theme);
    }
}
