//! A table with a fixed header and a selection that stays on its row while rows come and go. Only the visible rows are
//! asked for. A cell is never cut without a mark; names are cut in the middle, and the cells that matter (host names)
//! wrap instead.

mod columns;

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::columns::widths;
use super::super::Motion;
use super::super::theme::{Meaning, Theme, Tone};
use super::{select, wrap};
use crate::core::text::{SafeText, differ_at_end, width};

/// Blank columns between two cells.
const GAP: u16 = 2;
/// A wrapped cell takes this many lines at most; what is left ends in `…`.
const WRAPPED_LINES: usize = 6;

/// What becomes of a cell that is wider than its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Its end goes, when nothing else can give way.
    CutEnd,
    /// Its middle goes; such columns give way before others leave.
    CutMiddle,
    /// It goes on below; such columns give way before others leave.
    Wrap,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the header.
    pub title: Cow<'static, str>,
    /// Right-aligned (numbers).
    pub right: bool,
    /// What becomes of cells that are wider than the column.
    pub overflow: Overflow,
    /// Narrowest useful width.
    pub minimum: u16,
    /// Left out when there is no room, highest number first; 0 is never left out.
    pub expendable: u8,
}

impl Column {
    /// A column that is always there and is cut with `…` if need be.
    pub fn new(title: impl Into<Cow<'static, str>>) -> Self {
        Column {
            title: title.into(),
            right: false,
            overflow: Overflow::CutEnd,
            minimum: 4,
            expendable: 0,
        }
    }

    /// Right-aligned.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// As narrow as its cells are.
    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.minimum = 1;
        self
    }

    /// Wraps rather than being cut; not narrower than `minimum`.
    #[must_use]
    pub fn wrapping(mut self, minimum: u16) -> Self {
        self.overflow = Overflow::Wrap;
        self.minimum = minimum;
        self
    }

    /// Loses the middle of its cells when there is no room: for names; not narrower than `minimum`.
    #[must_use]
    pub fn shortening(mut self, minimum: u16) -> Self {
        self.overflow = Overflow::CutMiddle;
        self.minimum = minimum;
        self
    }

    /// Left out when there is no room, highest number first.
    #[must_use]
    pub fn expendable(mut self, rank: u8) -> Self {
        self.expendable = rank;
        self
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its text: one line, or several in a column that wraps.
    pub text: SafeText,
    /// Its style.
    pub meaning: Meaning,
    /// It stays one line even in a column that wraps.
    pub single: bool,
}

impl Cell {
    /// One line even in a column that wraps: the end of a sentence goes instead, the middle of a name.
    #[must_use]
    pub fn single(mut self) -> Self {
        self.single = true;
        self
    }

    /// Running text. Remote text becomes safe here.
    pub fn new(text: &str) -> Self {
        Cell {
            text: SafeText::line(text),
            meaning: Meaning::Text,
            single: false,
        }
    }

    /// Several lines, for a column that wraps. A line break inside of one becomes visible.
    pub fn lines<'t>(lines: impl IntoIterator<Item = &'t str>, meaning: Meaning) -> Self {
        let safe: Vec<String> = lines.into_iter().map(crate::core::text::safe_line).collect();
        Cell {
            text: SafeText::new(&safe.join("\n")),
            meaning,
            single: false,
        }
    }

    /// Columns of its widest line.
    pub fn width(&self) -> usize {
        self.text.as_str().split('\n').map(width).max().unwrap_or(0)
    }

    /// A state as it is always shown: glyph and word in the tone's style.
    pub fn state(tone: Tone, word: &str, theme: &Theme) -> Self {
        Cell::styled(&format!("{} {word}", theme.glyphs.of(tone)), tone.meaning())
    }

    /// Text with a meaning.
    pub fn styled(text: &str, meaning: Meaning) -> Self {
        Cell {
            text: SafeText::line(text),
            meaning,
            single: false,
        }
    }
}

/// Which row is selected and what is scrolled to, by keys that rows keep. Kept by the panel between frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<K = String> {
    selected: usize,
    key: Option<K>,
    offset: usize,
    /// Of the last drawing: the row below the table's top where each shown row ends, and its index.
    ends: Vec<(u16, usize)>,
    /// How wide cells of each column have been, where columns are not to become narrower again.
    widest: Option<Vec<u16>>,
}

impl<K> Default for Selection<K> {
    fn default() -> Self {
        Selection {
            selected: 0,
            key: None,
            offset: 0,
            ends: Vec::new(),
            widest: None,
        }
    }
}

impl<K> Selection<K> {
    /// The index of the selected row.
    pub fn index(&self) -> usize {
        self.selected
    }

    /// The key of the selected row, if one was ever [`Selection::keep`]-ed.
    pub fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    /// From now on columns have room for what was the widest in them, so that they do not move with every change. What
    /// was the widest until now is forgotten.
    pub fn hold_widths(&mut self) {
        self.widest = Some(Vec::new());
    }

    /// Selects the row with this key at the next [`Selection::keep`].
    pub fn select_key(&mut self, key: impl Into<K>) {
        self.key = Some(key.into());
    }

    /// After rows changed: stays on the row with the same key, or on the same place when that row is gone.
    /// `position` finds a key's index, `key_at` an index's key.
    pub fn keep(
        &mut self,
        count: usize,
        position: impl FnOnce(&K) -> Option<usize>,
        key_at: impl FnOnce(usize) -> Option<K>,
    ) {
        if let Some(at) = self.key.as_ref().and_then(position) {
            self.selected = at;
        }
        self.selected = self.selected.min(count.saturating_sub(1));
        self.key = if count == 0 {
            self.key.take()
        } else {
            key_at(self.selected)
        };
    }

    /// The index of what was drawn at this row below the table's top.
    pub fn at(&self, row: u16) -> Option<usize> {
        let below = |(end, _): &&(u16, usize)| row < *end;
        (row > 0)
            .then(|| self.ends.iter().find(below).map(|(_, index)| *index))
            .flatten()
    }

    /// Which of `count` rows were drawn last, the first and the last counted from 1; none: all of them.
    pub fn window(&self, count: usize) -> Option<(usize, usize, usize)> {
        let ((_, first), (_, last)) = (self.ends.first()?, self.ends.last()?);
        (*last < count && last - first + 1 < count).then_some((first + 1, last + 1, count))
    }

    /// Selects by index, until the next [`Selection::keep`] or [`Selection::settle`].
    pub fn select(&mut self, index: usize) {
        self.selected = index;
    }

    /// Moves in a table of `count` rows shown `page` at a time. Call [`Selection::keep`]'s `key_at` part through
    /// [`Selection::settle`] afterwards.
    pub fn step(&mut self, motion: Motion, count: usize, page: usize) {
        let last = count.saturating_sub(1);
        let half = (page / 2).max(1);
        self.selected = match motion {
            Motion::Up => self.selected.saturating_sub(1),
            Motion::Down => self.selected + 1,
            Motion::PageUp => self.selected.saturating_sub(half),
            Motion::PageDown => self.selected + half,
            Motion::First => 0,
            Motion::Last => last,
            Motion::Left | Motion::Right => self.selected,
        }
        .min(last);
    }

    /// Remembers the key of the row just moved to.
    pub fn settle(&mut self, key: Option<K>) {
        self.key = key;
    }
}

/// How a table is drawn.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// Number of rows.
    pub count: usize,
    /// The cells of one row, one a column. Asked for visible rows only.
    pub row: &'a dyn Fn(usize) -> Vec<Cell>,
    /// Whether the pane has the focus.
    pub focused: bool,
}

impl Table<'_> {
    /// Draws header and rows into `area` and scrolls so that the selected row is visible.
    pub fn draw<K>(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, selection: &mut Selection<K>) {
        let room = usize::from(area.height.saturating_sub(1));
        if area.width == 0 || room == 0 {
            return;
        }
        selection.selected = selection.selected.min(self.count.saturating_sub(1));
        selection.offset = selection.offset.min(selection.selected);
        let from = selection.offset.min(self.count.saturating_sub(room));
        let from = from.max((selection.selected + 1).saturating_sub(room));
        let shown: Vec<Vec<Cell>> = (from..self.count.min(from + room)).map(self.row).collect();
        let widths = widths(self.columns, &shown, area.width, selection.widest.as_mut());
        self.header(area, buffer, theme, &widths);

        // Wrapped rows are taller: while somebody moves in it, the first row shown moves down until the selected fits.
        let ends: Vec<bool> = (0..self.columns.len())
            .map(|at| {
                differ_at_end(
                    shown
                        .iter()
                        .filter_map(|row| row.get(at))
                        .map(|cell| cell.text.as_str()),
                )
            })
            .collect();
        let lines: Vec<Vec<Vec<String>>> = shown.iter().map(|cells| self.lay_out(cells, &widths, &ends)).collect();
        let chosen = selection.selected - from.min(selection.selected);
        let mut first = 0;
        while self.focused && first < chosen && heights(lines.get(first..=chosen).unwrap_or_default()) > room {
            first += 1;
        }
        selection.offset = from + first;
        selection.ends.clear();

        let mut top = 1;
        for (index, (cells, laid)) in shown.iter().zip(&lines).enumerate().skip(first) {
            if top >= area.height {
                break;
            }
            let height = u16::try_from(height(laid)).unwrap_or(u16::MAX).min(area.height - top);
            let place = Rect {
                y: area.y + top,
                height,
                ..area
            };
            self.draw_row(place, buffer, theme, cells, laid, &widths);
            if from + index == selection.selected {
                select(place, buffer, theme, self.focused);
            }
            top += height;
            selection.ends.push((top, from + index));
        }
    }

    fn header(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, widths: &[Option<u16>]) {
        let style = theme.style(Meaning::Header);
        self.each_cell(area, widths, |index, x, columns| {
            let Some(column) = self.columns.get(index) else { return };
            put(buffer, x, area.y, &column.title, columns, column.right, style);
        });
    }

    fn draw_row(
        &self,
        place: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
        cells: &[Cell],
        laid: &[Vec<String>],
        widths: &[Option<u16>],
    ) {
        self.each_cell(place, widths, |index, x, columns| {
            let (Some(column), Some(cell), Some(lines)) = (self.columns.get(index), cells.get(index), laid.get(index))
            else {
                return;
            };
            for (row, text) in (place.y..place.bottom()).zip(lines) {
                put(buffer, x, row, text, columns, column.right, theme.style(cell.meaning));
            }
        });
    }

    fn each_cell(&self, area: Rect, widths: &[Option<u16>], mut draw: impl FnMut(usize, u16, u16)) {
        let mut x = area.x;
        for (index, columns) in widths.iter().enumerate().filter_map(|(index, w)| w.map(|w| (index, w))) {
            let room = columns.min(area.right().saturating_sub(x));
            draw(index, x, room);
            x = x.saturating_add(columns + GAP).min(area.right());
        }
    }

    /// The lines of each cell at these widths; `ends`: the column's cells are told apart by how they end.
    fn lay_out(&self, cells: &[Cell], widths: &[Option<u16>], ends: &[bool]) -> Vec<Vec<String>> {
        let lay = |(((cell, column), columns), at_end): (((&Cell, &Column), &Option<u16>), &bool)| match columns {
            None => Vec::new(),
            Some(columns) if column.overflow == Overflow::Wrap && !cell.single => {
                let mut lines = wrap(cell.text.as_str(), *columns);
                if lines.len() > WRAPPED_LINES {
                    lines.truncate(WRAPPED_LINES);
                    if let Some(last) = lines.last_mut() {
                        *last = SafeText::line(&format!("{last}……"))
                            .fit(usize::from(*columns))
                            .as_str()
                            .to_owned();
                    }
                }
                lines
            }
            Some(columns) => {
                let columns = usize::from(*columns);
                let text = match column.overflow {
                    Overflow::CutMiddle if *at_end => cell.text.fit_middle(columns),
                    Overflow::Wrap if !cell.text.as_str().contains(' ') => cell.text.fit_middle(columns),
                    _ => cell.text.fit(columns),
                };
                vec![text.as_str().to_owned()]
            }
        };
        cells.iter().zip(self.columns).zip(widths).zip(ends).map(lay).collect()
    }
}

fn height(laid: &[Vec<String>]) -> usize {
    laid.iter().map(Vec::len).max().unwrap_or(1).max(1)
}

fn heights(rows: &[Vec<Vec<String>>]) -> usize {
    rows.iter().map(|row| height(row)).sum()
}

fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, columns: u16, right: bool, style: Style) {
    let used = u16::try_from(width(text)).unwrap_or(u16::MAX).min(columns);
    let shift = if right { columns - used } else { 0 };
    buffer.set_stringn(x + shift, y, text, usize::from(columns - shift), style);
}

#[cfg(test)]
mod tests;
