//! How the input line looks: prompt, text in the language's colours, the suggestion behind it, and where the cursor is.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_segmentation::UnicodeSegmentation;

use super::Input;
use super::history::Search;
use crate::core::text::{SafeText, fit, safe_line, width};
use crate::ui::console::syntax;
use crate::ui::panel::{Meaning, Theme};

/// Columns of what is typed that a label leaves at least.
const TYPED: usize = 10;

/// One row of cells: pieces of text with their meanings.
type Row = Vec<(String, Meaning)>;

/// The laid-out input.
pub struct View {
    rows: Vec<Row>,
    cursor: (usize, usize),
}

impl View {
    /// Lays the input out for this width. `empty` is shown dim while nothing is typed; `suggest`: what history would go
    /// on with is shown dim behind the end; `wrong`: what is marked as an error, in bytes of the text.
    pub fn new(
        input: &Input,
        theme: &Theme,
        columns: u16,
        empty: &str,
        suggest: bool,
        wrong: Option<Range<usize>>,
    ) -> Self {
        let columns = usize::from(columns.max(4));
        if let Some(search) = input.search() {
            return Self::of_search(search, search.found(&input.history), columns);
        }
        let mut layout = Layout {
            rows: Vec::new(),
            columns,
            used: 0,
            cursor: None,
        };
        layout.prompt(theme.glyphs.prompt);
        if input.is_empty() {
            layout.mark();
            layout.piece(empty, Meaning::Dim);
            return layout.done();
        }
        let (text, cursor) = (input.text(), input.cursor());
        let mut at = 0;
        for (range, meaning) in coloured(&text, wrong) {
            for piece in [at..range.start, range.clone()] {
                let meaning = if piece == range { meaning } else { Meaning::Text };
                layout.source(&text, piece.clone(), meaning, cursor);
            }
            at = range.end;
        }
        layout.source(&text, at..text.len(), Meaning::Text, cursor);
        if cursor >= text.len() {
            layout.mark();
        }
        if let Some(rest) = input.suggestion().filter(|_| suggest) {
            let room = layout.columns.saturating_sub(layout.used);
            layout.piece(SafeText::line(&rest).fit(room).as_str(), Meaning::Dim);
        }
        layout.done()
    }

    /// The prompt warns: what is typed here acts on production.
    #[must_use]
    pub fn warning(mut self) -> Self {
        let prompt = self.rows.first_mut().and_then(|row| row.first_mut());
        if let Some((_, meaning)) = prompt.filter(|(_, meaning)| *meaning == Meaning::Prompt) {
            *meaning = Meaning::Production;
        }
        self
    }

    /// The keys go elsewhere: the prompt is another sign, which is seen without colour too, and behind what was typed
    /// stands how to get here.
    #[must_use]
    pub fn elsewhere(mut self, theme: &Theme, way: &str, columns: u16) -> Self {
        let prompt = self.rows.first_mut().and_then(|row| row.first_mut());
        match prompt {
            Some((text, meaning @ Meaning::Prompt)) => {
                (*text, *meaning) = (format!("{} ", theme.glyphs.neutral), Meaning::Dim);
            }
            Some((text, Meaning::Production)) => *text = format!("{} ", theme.glyphs.neutral),
            _ => {}
        }
        if let Some(row) = self.rows.last_mut() {
            let used: usize = row.iter().map(|(text, _)| width(text)).sum();
            let gap = if used > 2 { "  " } else { "" };
            let way = SafeText::line(way).fit(usize::from(columns).saturating_sub(used + gap.len()));
            row.push((format!("{gap}{way}"), Meaning::Dim));
        }
        self
    }

    /// A line for something else than a pipeline: what it is for, and what was typed.
    pub fn of_prompt(label: &str, text: &str, columns: u16) -> Self {
        let mut layout = Layout {
            rows: vec![Row::new()],
            columns: usize::from(columns.max(4)),
            used: 0,
            cursor: None,
        };
        layout.question(label, text);
        layout.done()
    }

    fn of_search(search: &Search, found: Option<&str>, columns: usize) -> Self {
        let mut layout = Layout {
            rows: vec![Row::new()],
            columns,
            used: 0,
            cursor: None,
        };
        layout.question(&format!("{}: ", search.among.word()), &search.text);
        layout.piece("  ", Meaning::Text);
        match found {
            Some(line) => layout.piece(&safe_line(line), Meaning::Text),
            None => layout.piece("nothing found", Meaning::StateWarn),
        }
        layout.done()
    }

    /// Rows it takes.
    pub fn height(&self) -> u16 {
        u16::try_from(self.rows.len()).unwrap_or(u16::MAX)
    }

    /// Draws the rows around the cursor; where the cursor is on the screen.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) -> Option<Position> {
        let room = usize::from(area.height);
        if room == 0 {
            return None;
        }
        let first = (self.cursor.0 + 1).saturating_sub(room);
        for (y, row) in (area.y..area.bottom()).zip(self.rows.iter().skip(first)) {
            let mut x = area.x;
            for (text, meaning) in row {
                let room = usize::from(area.right().saturating_sub(x));
                x = buffer.set_stringn(x, y, text, room, theme.style(*meaning)).0;
            }
        }
        let x = area.x.saturating_add(u16::try_from(self.cursor.1).unwrap_or(u16::MAX));
        let y = area.y + u16::try_from(self.cursor.0 - first).unwrap_or(0);
        Some(Position {
            x: x.min(area.right().saturating_sub(1)),
            y,
        })
    }
}

/// As much of the end of a text as fits; `…` stands for what is before it.
fn end_of(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let fits = |grapheme: &&str| match room.checked_sub(width(grapheme)) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    let end: usize = text.graphemes(true).rev().take_while(fits).map(str::len).sum();
    format!("…{}", text.get(text.len() - end..).unwrap_or_default())
}

/// The language's meanings as ranges, in their order; those in what is wrong give way to the mark.
fn coloured(text: &str, wrong: Option<Range<usize>>) -> Vec<(Range<usize>, Meaning)> {
    let wrong = wrong.unwrap_or_default();
    let parts = |range: Range<usize>, meaning: Option<Meaning>| {
        let before = range.start..range.end.min(wrong.start);
        let behind = range.start.max(wrong.end)..range.end;
        let whole = range.end <= wrong.start || range.start >= wrong.end;
        let parts = if whole { [range.clone(), 0..0] } else { [before, behind] };
        parts.map(|part| (part, meaning.unwrap_or(Meaning::Text)))
    };
    let meanings = syntax::meanings(text).into_iter();
    let mut ranges: Vec<_> = meanings.flat_map(|(range, meaning)| parts(range, meaning)).collect();
    ranges.push((wrong, Meaning::SyntaxError));
    ranges.retain(|(range, _)| range.start < range.end);
    ranges.sort_by_key(|(range, _)| range.start);
    ranges
}

struct Layout {
    rows: Vec<Row>,
    columns: usize,
    used: usize,
    cursor: Option<(usize, usize)>,
}

impl Layout {
    fn prompt(&mut self, glyph: &str) {
        self.rows.push(vec![(format!("{glyph} "), Meaning::Prompt)]);
        self.used = width(glyph) + 1;
    }

    fn next_row(&mut self) {
        self.rows.push(vec![("  ".to_owned(), Meaning::Text)]);
        self.used = 2;
    }

    /// The cursor is here.
    fn mark(&mut self) {
        if self.used >= self.columns {
            self.next_row();
        }
        self.cursor = Some((self.rows.len().saturating_sub(1), self.used));
    }

    /// What is asked for and what was typed of that, on one row: of a long text its end, which is where the cursor is.
    fn question(&mut self, label: &str, text: &str) {
        let label = fit(label, self.columns.saturating_sub(TYPED));
        let room = self.columns.saturating_sub(width(&label) + 1);
        self.piece(&label, Meaning::Hint);
        self.piece(&end_of(&safe_line(text), room), Meaning::Match);
        self.mark();
    }

    /// A part of the source text, grapheme by grapheme.
    fn source(&mut self, text: &str, range: std::ops::Range<usize>, meaning: Meaning, cursor: usize) {
        let start = range.start;
        for (at, grapheme) in text.get(range).unwrap_or_default().grapheme_indices(true) {
            let (from, to) = (start + at, start + at + grapheme.len());
            if from <= cursor && cursor < to && self.cursor.is_none() {
                self.mark();
            }
            if grapheme == "\n" || grapheme == "\r\n" {
                self.next_row();
            } else {
                self.piece(&safe_line(grapheme), meaning);
            }
        }
    }

    fn piece(&mut self, text: &str, meaning: Meaning) {
        for grapheme in text.graphemes(true) {
            let next = width(grapheme);
            if self.used + next > self.columns {
                self.next_row();
            }
            self.used += next;
            let Some(row) = self.rows.last_mut() else { return };
            match row.last_mut() {
                Some((known, same)) if *same == meaning => known.push_str(grapheme),
                _ => row.push((grapheme.to_owned(), meaning)),
            }
        }
    }

    fn done(mut self) -> View {
        if self.cursor.is_none() {
            self.mark();
        }
        View {
            rows: self.rows,
            cursor: self.cursor.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::console::keymap::Action;

    fn draw(input: &Input, columns: u16, rows: u16) -> (Vec<String>, Option<Position>) {
        let theme = Theme::plain();
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        let cursor = View::new(input, &theme, columns, "type help", true, None).draw(area, &mut buffer, &theme);
        let text = crate::ui::panel::testing::rows(&buffer);
        (text, cursor)
    }

    #[test]
    fn nothing_typed_shows_what_could_be() {
        assert_eq!(
            draw(&Input::default(), 20, 1),
            (vec!["❯ type help".into()], Some(Position::new(2, 0)))
        );
    }

    #[test]
    fn long_lines_wrap_and_the_cursor_is_where_it_types() {
        let mut input = Input::default();
        input.insert("echo 世界 abcdefghij").unwrap();
        let (text, cursor) = draw(&input, 12, 3);
        assert_eq!(text, ["❯ echo 世界", "  abcdefghij", ""]);
        assert_eq!(cursor, Some(Position::new(2, 2)), "behind a full row it is in the next");
        input.edit(Action::LineStart);
        assert_eq!(draw(&input, 12, 3).1, Some(Position::new(2, 0)));
    }

    #[test]
    fn only_the_rows_around_the_cursor_are_shown() {
        let mut input = Input::default();
        input.insert("a\nb\nc\nd").unwrap();
        assert_eq!(
            draw(&input, 12, 2),
            (vec!["  c".into(), "  d".into()], Some(Position::new(3, 1)))
        );
    }

    #[test]
    fn what_is_asked_for_stays_in_sight_however_much_is_typed() {
        let theme = Theme::plain();
        let shown = |text: &str| {
            let area = Rect::new(0, 0, 24, 3);
            let mut buffer = Buffer::empty(area);
            let cursor = View::of_prompt("filter pods: /", text, 24).draw(area, &mut buffer, &theme);
            (crate::ui::panel::testing::rows(&buffer).join("\n"), cursor)
        };
        assert_eq!(
            shown("web"),
            ("filter pods: /web\n\n".into(), Some(Position::new(17, 0)))
        );
        let long = format!("{}世界-end", "x".repeat(500));
        assert_eq!(
            shown(&long),
            ("filter pods: /…世界-end\n\n".into(), Some(Position::new(23, 0)))
        );
    }

    #[test]
    fn controls_that_were_pasted_are_visible_and_harmless() {
        let mut input = Input::default();
        input.insert("echo \u{1b}[31m\u{202e}x").unwrap();
        let (text, _) = draw(&input, 40, 1);
        assert!(text[0].contains("␛[31m") && !text[0].contains('\u{202e}'), "{text:?}");
    }
}
