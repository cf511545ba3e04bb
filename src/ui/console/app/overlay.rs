//! What lies over the panes and has the keys, one at a time: a menu, or the choice of a cell to copy. Arrows move in it,
//! Enter and a click take what is chosen, any other key, a click beside it and a paste close it. What its lines do is said in `menu` and
//! `picker`.

use crossterm::event::MouseEventKind;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::menu::Menu;
use super::picker::Picker;
use super::{App, Effect};
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::widgets::popup::{Choices, middle, popup};

/// Half a page of lines.
const PAGE: usize = 8;
/// No box is narrower.
const NARROWEST: u16 = 36;
/// Columns that a box has beside its title.
const TITLE: usize = 4;

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

    /// Whether it asks what is to become of what runs.
    pub(super) fn asks_before_leaving(&self) -> bool {
        matches!(self.of, Of::Menu(Menu::Leaving))
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
        let last = self.last_line(&overlay);
        let at = overlay.selected.min(last);
        overlay.selected = match (self.keymap.action(Part::Panel, key), overlay.of) {
            (Some(Action::Open), of) => return Some(self.choose(of, at)),
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

    fn last_line(&self, overlay: &Overlay) -> usize {
        let length = match &overlay.of {
            Of::Menu(menu) => self.menu_length(*menu),
            Of::Cells(picker) => picker.length(),
        };
        length.saturating_sub(1)
    }

    fn choose(&mut self, of: Of, line: usize) -> Vec<Effect> {
        match of {
            Of::Menu(menu) => self.choose_line(menu, line),
            Of::Cells(picker) => self.choose_cell(picker, line),
        }
    }

    /// The mouse while one is open: a click on a line chooses it, one beside them closes it; the wheel goes through them.
    pub(super) fn overlay_mouse(&mut self, kind: MouseEventKind, at: Position) -> Vec<Effect> {
        let line = self.line_at(at);
        let Some(mut overlay) = self.overlay.take() else {
            return Vec::new();
        };
        let last = self.last_line(&overlay);
        match (kind, line) {
            (MouseEventKind::Down(_), Some(line)) if line <= last => return self.choose(overlay.of, line),
            (MouseEventKind::Down(_), _) => return Vec::new(),
            (MouseEventKind::ScrollUp, _) => overlay.selected = overlay.selected.saturating_sub(1),
            (MouseEventKind::ScrollDown, _) => overlay.selected = (overlay.selected + 1).min(last),
            _ => {}
        }
        self.overlay = Some(overlay);
        Vec::new()
    }

    /// Draws it over the middle of the screen.
    pub fn draw_overlay(&mut self, screen: Rect, buffer: &mut Buffer) {
        let Some(overlay) = &self.overlay else { return };
        let (title, rows) = match &overlay.of {
            Of::Menu(menu) => (self.menu_title(*menu), self.menu_choices(*menu)),
            Of::Cells(picker) => (picker.title(), picker.choices()),
        };
        let choices = Choices {
            rows: &rows,
            selected: Some(overlay.selected),
        };
        let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
        let wide = u16::try_from(title.width() + TITLE).unwrap_or(u16::MAX);
        let area = middle(screen, choices.width().max(NARROWEST).max(wide), height);
        let inside = popup(area, buffer, &self.theme, &title);
        choices.draw(inside, buffer, &self.theme);
        self.places.list = Some((inside, choices.first(inside.height)));
    }
}
