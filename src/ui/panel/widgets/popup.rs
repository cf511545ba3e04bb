//! A box over everything else: clears what is below it, draws a border and a title, and gives the room inside; and a
//! list in it to choose from.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::super::theme::{Meaning, Theme};
use super::line;
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

/// One line of a list to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What stands in the first column: a key, a name; empty in all lines: there is no such column.
    pub name: SafeText,
    /// How the name looks.
    pub name_meaning: Meaning,
    /// What it is.
    pub text: SafeText,
    /// How the text looks.
    pub text_meaning: Meaning,
}

/// A list to choose from, in two columns.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a> {
    /// The lines.
    pub rows: &'a [Choice],
    /// The one that is chosen so far.
    pub selected: Option<usize>,
}

/// Blanks between the columns.
const GAP: usize = 2;

impl Choices<'_> {
    /// Columns that the box around them takes when nothing is cut.
    pub fn width(&self) -> u16 {
        let texts = self.rows.iter().map(|row| row.text.width()).max().unwrap_or(0);
        u16::try_from(self.names() + texts + 6).unwrap_or(u16::MAX)
    }

    /// The line at the top of so many rows: the selected one is in sight.
    pub fn first(&self, room: u16) -> usize {
        self.selected.map_or(0, |at| (at + 1).saturating_sub(usize::from(room)))
    }

    /// Draws those around the selected one that fit into the box.
    pub fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        let columns = usize::from(inside.width);
        let names = self.names().min(columns.saturating_sub(GAP));
        let behind = 1 + names + if names > 0 { GAP } else { 0 };
        let room = usize::from(inside.height);
        let first = self.first(inside.height);
        let shown = self.rows.iter().enumerate().skip(first).take(room);
        for (row, (at, choice)) in (0..inside.height).zip(shown) {
            let name = choice.name.fit(names);
            let pad = " ".repeat((behind - 1).saturating_sub(name.width()));
            let text = choice.text.fit(columns.saturating_sub(behind));
            let drawn = Line::from(vec![
                Span::raw(" "),
                theme.span(&name, choice.name_meaning),
                Span::raw(pad),
                theme.span(&text, choice.text_meaning),
            ]);
            line(inside, row, buffer, &drawn);
            if self.selected == Some(at) {
                let place = Rect {
                    y: inside.y + row,
                    height: 1,
                    ..inside
                };
                buffer.set_style(place, theme.style(Meaning::PopupSelected));
            }
        }
    }

    fn names(&self) -> usize {
        self.rows.iter().map(|row| row.name.width()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panel::testing::rows;

    fn choices(names: &[&str]) -> Vec<Choice> {
        let choice = |name: &&str| Choice {
            name: (*name).into(),
            name_meaning: Meaning::Key,
            text: "what it does".into(),
            text_meaning: Meaning::Text,
        };
        names.iter().map(choice).collect()
    }

    #[test]
    fn the_chosen_line_is_always_in_sight_and_nothing_leaves_the_box() {
        let list = choices(&["a", "世界", "c", "d"]);
        let inside = Rect::new(1, 1, 14, 2);
        for (selected, wanted) in [
            (None, [" a     what i…", " 世界  what i…"]),
            (Some(1), [" a     what i…", " 世界  what i…"]),
            (Some(3), [" c     what i…", " d     what i…"]),
        ] {
            let mut buffer = Buffer::with_lines(["................"; 4]);
            let list = Choices { rows: &list, selected };
            list.draw(inside, &mut buffer, &Theme::plain());
            let drawn = rows(&buffer);
            assert_eq!(drawn[0], "................");
            assert_eq!(drawn[3], "................");
            for (row, wanted) in drawn[1..3].iter().zip(wanted) {
                assert_eq!(*row, format!(".{wanted}."), "{selected:?}");
            }
        }
        assert_eq!(
            Choices {
                rows: &list,
                selected: None
            }
            .width(),
            4 + 12 + 6
        );
        let mut nothing = Buffer::empty(Rect::new(0, 0, 1, 1));
        Choices {
            rows: &list,
            selected: Some(2),
        }
        .draw(nothing.area, &mut nothing, &Theme::plain());
    }

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
