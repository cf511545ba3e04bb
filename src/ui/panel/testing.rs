//! For tests of panels and the console: what a drawing reads like.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::{Panel, Theme};

/// The rows of a buffer as text without blanks at the end; a wide character counts once.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut row = String::new();
            let mut x = area.left();
            while x < area.right() {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(symbol.width().max(1)).unwrap();
            }
            row.trim_end().to_owned()
        })
        .collect()
}

/// A panel's rows at a size, drawn with the plain theme and focused.
pub fn panel_rows(panel: &mut dyn Panel, width: u16, height: u16, now: jiff::Timestamp) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    panel.draw(area, &mut buffer, &Theme::plain(), true, now);
    rows(&buffer)
}
