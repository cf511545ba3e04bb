//! Choosing one cell to copy: of the selected row of a panel at once, of a block first its row. Arrows and Enter, like a
//! menu.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{App, Effect, Focus};
use crate::core::text::{SafeText, width};
use crate::ui::console::chat::block::Block;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::grid::{Grid, Which};
use crate::ui::panel::{Meaning, Tone, widgets};

/// Rows of a block offered at most, its newest.
const ROWS: usize = 500;
/// Half a page of choices.
const PAGE: usize = 8;
/// A column's name takes this many columns at most.
const NAME: usize = 24;

/// The choice that is open.
#[derive(Clone, Debug)]
pub struct Picker {
    /// The rows; one only: its cells are chosen from.
    rows: Arc<Vec<Picked>>,
    /// The row whose cells are chosen from.
    row: Option<usize>,
    selected: usize,
}

/// A row with its columns' names.
#[derive(Clone, Debug)]
struct Picked {
    columns: Arc<Vec<String>>,
    cells: Vec<String>,
}

impl Picker {
    fn of(rows: Vec<Picked>) -> Option<Picker> {
        let only = match rows.as_slice() {
            [] => return None,
            [_] => Some(0),
            _ => None,
        };
        Some(Picker {
            selected: only.map_or(rows.len().saturating_sub(1), |_| 0),
            rows: Arc::new(rows),
            row: only,
        })
    }

    /// Name and text of each choice.
    fn choices(&self) -> Vec<(&str, String)> {
        match self.row.and_then(|row| self.rows.get(row)) {
            Some(row) => {
                let name = |at: usize| row.columns.get(at).map_or("", String::as_str);
                let cells = row.cells.iter().enumerate();
                cells.map(|(at, cell)| (name(at), cell.clone())).collect()
            }
            None => self.rows.iter().map(|row| ("", row.cells.join("  "))).collect(),
        }
    }
}

impl App {
    /// Opens the choice for what has the focus.
    pub(super) fn open_picker(&mut self) {
        let rows = match self.focus {
            Focus::Pane(0) => self.chat.selected().map(block_rows).unwrap_or_default(),
            _ => self.grid(Which::Selected).map(grid_rows).unwrap_or_default(),
        };
        self.picker = Picker::of(rows);
        if self.picker.is_none() {
            self.tell("there is no cell to copy here", Tone::Neutral);
        }
    }

    /// The focused panel's table onto the clipboard.
    pub(super) fn copy_table(&mut self, json: bool) -> Vec<Effect> {
        let Some(grid) = self.grid(Which::All).filter(|grid| !grid.rows.is_empty()) else {
            self.tell("there is no table to copy here", Tone::Neutral);
            return Vec::new();
        };
        let (text, form) = match json {
            true => (grid.to_json(), "JSON"),
            false => (grid.to_text(), "a table"),
        };
        self.tell(&format!("{} rows copied as {form}", grid.rows.len()), Tone::Ok);
        vec![Effect::Copy(text)]
    }

    fn grid(&self, which: Which) -> Option<Grid> {
        let Focus::Pane(pane) = self.focus else { return None };
        let panel = pane.checked_sub(1).and_then(|at| self.panels.get(at))?;
        panel.grid(which, self.clock.now())
    }

    /// A key while it is open; none: it is closed.
    pub(super) fn picker_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let picker = self.picker.as_mut()?;
        let choices = picker.choices();
        let last = choices.len().saturating_sub(1);
        picker.selected = match self.keymap.action(Part::Panel, key) {
            Some(Action::Up) => picker.selected.saturating_sub(1),
            Some(Action::Down) => (picker.selected + 1).min(last),
            Some(Action::PageUp) => picker.selected.saturating_sub(PAGE),
            Some(Action::PageDown) => (picker.selected + PAGE).min(last),
            Some(Action::First) => 0,
            Some(Action::Last) => last,
            Some(Action::Open) => return Some(self.pick()),
            _ => {
                self.picker = None;
                return Some(Vec::new());
            }
        };
        Some(Vec::new())
    }

    /// Enter: on to the cells of the row, or the cell onto the clipboard.
    fn pick(&mut self) -> Vec<Effect> {
        let Some(mut picker) = self.picker.take() else {
            return Vec::new();
        };
        if picker.row.is_none() && picker.rows.get(picker.selected).is_some_and(|row| row.cells.len() > 1) {
            picker.row = Some(picker.selected);
            picker.selected = 0;
            self.picker = Some(picker);
            return Vec::new();
        }
        let chosen = picker.choices().into_iter().nth(picker.selected);
        let Some((_, text)) = chosen else { return Vec::new() };
        let shown = SafeText::line(&text).fit(30);
        self.tell(&format!("copied: {shown}"), Tone::Ok);
        vec![Effect::Copy(text)]
    }

    /// Draws it over the middle of the screen.
    pub fn draw_picker(&self, screen: Rect, buffer: &mut Buffer) {
        let Some(picker) = &self.picker else { return };
        let choices = picker.choices();
        let names = choices.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(NAME);
        let texts = choices.iter().map(|(_, text)| width(text)).max().unwrap_or(0);
        let columns = u16::try_from(names + texts + 6).unwrap_or(u16::MAX).max(36);
        let height = u16::try_from(choices.len() + 2).unwrap_or(u16::MAX);
        let area = widgets::popup::middle(screen, columns, height);
        let title = match picker.row {
            Some(_) => "copy a cell: Enter does it",
            None => "copy a cell: of which row?",
        };
        let inside = widgets::popup::popup(area, buffer, &self.theme, &title.into());
        let room = usize::from(inside.height);
        let first = picker.selected.saturating_sub(room.saturating_sub(1));
        let text_room = usize::from(inside.width).saturating_sub(names + 3);
        for (row, (at, (name, text))) in choices.iter().enumerate().skip(first).take(room).enumerate() {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            let name = SafeText::line(name).fit(names);
            let pad = " ".repeat(names.saturating_sub(name.width()) + usize::from(names > 0) * 2);
            let text = SafeText::line(text).fit(text_room);
            let line = Line::from(vec![
                Span::styled(format!(" {name}{pad}"), self.theme.style(Meaning::Key)),
                Span::styled(text.as_str().to_owned(), self.theme.style(Meaning::Text)),
            ]);
            widgets::line(inside, row, buffer, &line);
            if at == picker.selected {
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

fn grid_rows(grid: Grid) -> Vec<Picked> {
    let columns = Arc::new(grid.columns);
    let row = |cells| Picked {
        columns: columns.clone(),
        cells,
    };
    grid.rows.into_iter().map(row).collect()
}

/// The rows of a block, those of tables with their columns' names.
fn block_rows(block: &Block) -> Vec<Picked> {
    let none = Arc::new(Vec::new());
    let row = |row: crate::render::document::Row| Picked {
        columns: row
            .header
            .map_or_else(|| none.clone(), |header| Arc::new(header.columns.clone())),
        cells: row.cells.iter().map(|cell| cell.as_str().to_owned()).collect(),
    };
    block.rows(ROWS).into_iter().map(row).collect()
}
