//! What is copied of a panel or block by rows and cells: a panel's whole table, or one cell that is chosen, of a block
//! after its row.

use std::sync::Arc;

use super::blocks::copied;
use super::overlay::{Of, Overlay};
use super::{App, Effect, Focus};
use crate::core::text::SafeText;
use crate::ui::console::chat::block::Block;
use crate::ui::panel::grid::{Grid, NO_TABLE, Which};
use crate::ui::panel::widgets::popup::Choice;
use crate::ui::panel::{Meaning, Tone};

/// Rows offered at most, the newest.
const ROWS: usize = 500;
/// A column's name takes this many columns at most.
const NAME: usize = 24;

/// The rows a cell is chosen from.
#[derive(Clone, Debug)]
pub struct Picker {
    /// The rows; one only: its cells are chosen from.
    rows: Arc<Vec<Picked>>,
    /// The row whose cells are chosen from.
    row: Option<usize>,
    /// How many rows there are, where not all of them are offered.
    of: Option<usize>,
}

/// A row with its columns' names.
#[derive(Clone, Debug)]
struct Picked {
    columns: Arc<Vec<String>>,
    cells: Vec<String>,
}

impl Picker {
    /// Opened on the newest row, of one row on its first cell; none: there is nothing to choose.
    fn open(mut rows: Vec<Picked>) -> Option<Overlay> {
        let all = rows.len();
        let of = (all > ROWS).then_some(all);
        rows.drain(..all.saturating_sub(ROWS));
        let (row, selected) = match rows.len() {
            0 => return None,
            1 => (Some(0), 0),
            rows => (None, rows - 1),
        };
        let rows = Arc::new(rows);
        Some(Overlay::new(Of::Cells(Picker { rows, row, of }), selected))
    }

    /// The row whose cells are chosen from.
    fn chosen(&self) -> Option<&Picked> {
        self.row.and_then(|row| self.rows.get(row))
    }

    /// How many choices there are.
    pub(super) fn length(&self) -> usize {
        self.chosen().map_or(self.rows.len(), |row| row.cells.len())
    }

    /// What is asked.
    pub(super) fn title(&self) -> SafeText {
        match (self.row, self.of) {
            (Some(_), _) => "copy a cell: Enter does it".into(),
            (None, None) => "copy a cell: of which row?".into(),
            (None, Some(all)) => format!("copy a cell: of which row? the newest {ROWS} of {all}").into(),
        }
    }

    /// The choices as they are drawn.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let choice = |name: &str, text: &str| Choice {
            name: SafeText::line(name).fit(NAME),
            name_meaning: Meaning::Key,
            text: SafeText::line(text),
            text_meaning: Meaning::Text,
        };
        match self.chosen() {
            Some(row) => {
                let name = |at: usize| row.columns.get(at).map_or("", String::as_str);
                let cells = row.cells.iter().enumerate();
                cells.map(|(at, cell)| choice(name(at), cell)).collect()
            }
            None => self.rows.iter().map(|row| choice("", &row.cells.join("  "))).collect(),
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
        self.overlay = Picker::open(rows);
        if self.overlay.is_none() {
            self.tell("there is no cell to copy here", Tone::Neutral);
        }
    }

    /// The focused panel's table onto the clipboard.
    pub(super) fn copy_table(&mut self, json: bool) -> Vec<Effect> {
        let grid = match self.grid(Which::All) {
            Ok(grid) if !grid.rows.is_empty() => grid,
            Ok(_) => {
                self.tell(NO_TABLE, Tone::Neutral);
                return Vec::new();
            }
            Err(reason) => {
                self.tell(reason.as_str(), Tone::Neutral);
                return Vec::new();
            }
        };
        let (text, form) = match json {
            true => (grid.to_json(), "JSON"),
            false => (grid.to_text(), "a table"),
        };
        let told = format!("{} rows copied as {form}", grid.rows.len());
        vec![Effect::Copy(text, told)]
    }

    /// What the focused panel's table holds, or why there is nothing to copy.
    fn grid(&self, which: Which) -> Result<Grid, SafeText> {
        let pane = match self.focus {
            Focus::Pane(pane) => pane.checked_sub(1),
            Focus::Input => None,
        };
        let panel = pane.and_then(|at| self.panels.get(at)).ok_or(NO_TABLE)?;
        panel.grid(which, self.clock.now())
    }

    /// Enter: on to the cells of the row, or the cell onto the clipboard.
    pub(super) fn choose_cell(&mut self, picker: Picker, at: usize) -> Vec<Effect> {
        let cells = picker.chosen().or_else(|| picker.rows.get(at)).map(|row| &row.cells);
        let text = match (picker.row, cells) {
            (_, None) => None,
            (Some(_), Some(cells)) => cells.get(at).cloned(),
            (None, Some(cells)) if cells.len() > 1 => {
                let row = Some(at);
                self.overlay = Some(Overlay::new(Of::Cells(Picker { row, ..picker }), 0));
                None
            }
            (None, Some(cells)) => cells.first().cloned(),
        };
        text.map(|text| copied(&text)).into_iter().collect()
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
    block.rows(usize::MAX).into_iter().map(row).collect()
}
