//! A box over everything else: clears what is below it, draws a border and a title, and gives the room inside.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::super::theme::{Meaning, Theme};
use crate::core::text::SafeText;

/// The frame of a pane or popup in the theme's style; ASCII themes draw `+-|`.
pub fn frame(theme: &Theme, focused: bool) -> Block<'static> {
    let meaning = if focused {
        Meaning::BorderFocused
    } else {
        Meaning::Border
    };
    let block = Block::bordered().border_style(theme.style(meaning));
    if theme.glyphs.boxes {
        block.border_type(BorderType::Rounded)
    } else {
        block.border_set(ASCII_BORDER)
    }
}

const ASCII_BORDER: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// The middle of `screen`, at most `columns` by `rows`.
pub fn middle(screen: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(screen.width), rows.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// Draws the box; the room inside it.
pub fn popup(area: Rect, buffer: &mut Buffer, theme: &Theme, title: &SafeText) -> Rect {
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Meaning::Text));
    let title = format!(" {} ", title.fit(usize::from(area.width.saturating_sub(4))));
    let block = frame(theme, true).title(Span::styled(title, theme.style(Meaning::Title)));
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_popup_never_leaves_the_screen() {
        let screen = Rect::new(0, 0, 40, 12);
        assert_eq!(middle(screen, 100, 100), screen);
        assert_eq!(middle(screen, 20, 4), Rect::new(10, 4, 20, 4));
    }

    #[test]
    fn it_hides_what_is_below() {
        let area = Rect::new(0, 0, 12, 3);
        let mut buffer = Buffer::with_lines(["xxxxxxxxxxxx"; 3]);
        let inside = popup(area, &mut buffer, &Theme::plain(), &"help".into());
        assert_eq!(inside, Rect::new(1, 1, 10, 1));
        let shown: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
        assert_eq!(shown, "╭ help ────╮│          │╰──────────╯");
    }
}
