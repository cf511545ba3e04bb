//! What panels are drawn with: table, bar, sparkline, health cell, popup. Each draws from values it is given and keeps
//! no data. Not for layout of panes: that is the console's.

pub mod bar;
pub mod health;
pub mod popup;
pub mod sparkline;
pub mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::theme::{Meaning, Theme};
use crate::core::text::SafeText;

pub use crate::core::wrap::{CUT_BEHIND, wrap};

/// Draws one line at row `row` of `area`, cut at its right edge; rows outside are ignored.
pub fn line(area: Rect, row: u16, buffer: &mut Buffer, line: &Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Marks what is drawn in `place` as selected. Nothing in it stays dim: of bold and dim at once terminals make anything.
pub fn select(place: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
    let style = theme.style(match focused {
        true => Meaning::RowSelected,
        false => Meaning::RowSelectedIdle,
    });
    let style = match style.add_modifier.contains(Modifier::DIM) {
        true => style,
        false => style.remove_modifier(Modifier::DIM),
    };
    buffer.set_style(place, style);
}

/// A message in place of rows: an empty table always says why it is empty. Wraps; draws what fits.
pub fn message(area: Rect, buffer: &mut Buffer, theme: &Theme, text: &SafeText) {
    let rows = wrap(text.as_str(), area.width);
    for (row, text) in rows.into_iter().enumerate().take(usize::from(area.height)) {
        let row = u16::try_from(row).unwrap_or(u16::MAX);
        line(
            area,
            row,
            buffer,
            &Line::from(Span::styled(text, theme.style(Meaning::Dim))),
        );
    }
}
