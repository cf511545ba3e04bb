//! Markdown inside a line: bold, italics, code, links. Only markup is read; data goes through as it is.

use super::expand::Mark;
use crate::core::text::SafeText;
use crate::render::document::{Line, Role, Span};
use crate::render::verbatim::Sgr;

/// How far a closing mark is looked for; a mark without one is text.
const REACH: usize = 1000;

/// What a part of a line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    italics: bool,
    code: bool,
}

impl Style {
    fn role(self, plain: Role) -> Role {
        match (self.code, self.bold, self.italics) {
            (true, ..) => Role::String,
            (false, false, false) => plain,
            // A terminal's italics are rarely there; a line below always is.
            (false, bold, underline) => Role::Styled(Sgr {
                bold,
                underline,
                ..Sgr::default()
            }),
        }
    }
}

/// The lines of a piece of running text: one, and one more for each line break that data brings.
pub fn text(marks: &[Mark], plain: Role) -> Vec<Line> {
    let mut writer = Writer {
        lines: vec![Line::default()],
        pending: String::new(),
        style: Style::default(),
        plain,
    };
    let mut at = 0;
    while at < marks.len() {
        at += writer.step(marks, at);
    }
    writer.flush();
    writer.lines
}

/// The same on one line: a line break becomes a mark.
pub fn cell(marks: &[Mark], plain: Role) -> Line {
    let flat: Vec<Mark> = marks
        .iter()
        .map(|(symbol, data)| (if *symbol == '\n' { '⏎' } else { *symbol }, *data))
        .collect();
    text(&flat, plain).into_iter().next().unwrap_or_default()
}

struct Writer {
    lines: Vec<Line>,
    pending: String,
    style: Style,
    plain: Role,
}

impl Writer {
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let text = SafeText::line(self.pending.trim_end_matches('\r'));
        self.pending.clear();
        let role = self.style.role(self.plain);
        if let Some(line) = self.lines.last_mut() {
            line.spans.push(Span { text, role });
        }
    }

    fn restyle(&mut self, change: impl FnOnce(&mut Style)) {
        self.flush();
        change(&mut self.style);
    }

    /// Reads what stands at `at`; how many characters that was.
    fn step(&mut self, marks: &[Mark], at: usize) -> usize {
        let Some((symbol, data)) = marks.get(at).copied() else {
            return 1;
        };
        if symbol == '\n' {
            self.flush();
            self.lines.push(Line::default());
            return 1;
        }
        if data {
            self.pending.push(symbol);
            return 1;
        }
        let is = |offset: usize, wanted: char| marks.get(at + offset) == Some(&(wanted, false));
        if self.style.code {
            match symbol {
                '`' => self.restyle(|style| style.code = false),
                _ => self.pending.push(symbol),
            }
            return 1;
        }
        match symbol {
            '\\' => match marks.get(at + 1) {
                Some((next, false)) if next.is_ascii_punctuation() => {
                    self.pending.push(*next);
                    2
                }
                _ => self.plain(symbol),
            },
            '`' if closes(marks, at + 1, "`") => {
                self.restyle(|style| style.code = true);
                1
            }
            '*' | '_' if is(1, symbol) => {
                let sign: String = [symbol, symbol].iter().collect();
                if self.style.bold || closes(marks, at + 2, &sign) {
                    self.restyle(|style| style.bold = !style.bold);
                } else {
                    self.pending.push_str(&sign);
                }
                2
            }
            '*' | '_' if !within_word(marks, at) => {
                if self.style.italics || (is_start(marks, at) && closes(marks, at + 1, &symbol.to_string())) {
                    self.restyle(|style| style.italics = !style.italics);
                } else {
                    self.pending.push(symbol);
                }
                1
            }
            '[' => self.link(marks, at).unwrap_or_else(|| self.plain(symbol)),
            _ => self.plain(symbol),
        }
    }

    fn plain(&mut self, symbol: char) -> usize {
        self.pending.push(symbol);
        1
    }

    /// `[text](url)`: the text, and behind it the URL, so that nothing hides where a link leads.
    fn link(&mut self, marks: &[Mark], at: usize) -> Option<usize> {
        let close = find(marks, at + 1, "](")?;
        let end = find(marks, close + 2, ")")?;
        let inside = |from: usize, to: usize| marks[from..to].iter().map(|(symbol, _)| *symbol).collect::<String>();
        let (text, url) = (inside(at + 1, close), inside(close + 2, end));
        self.pending.push_str(&text.replace('\n', "⏎"));
        if url != text {
            self.flush();
            let span = Span {
                text: SafeText::line(&format!(" ({url})")),
                role: Role::Dim,
            };
            if let Some(line) = self.lines.last_mut() {
                line.spans.push(span);
            }
        }
        Some(end + 1 - at)
    }
}

/// Where `sign` stands as markup, from `from` on.
fn find(marks: &[Mark], from: usize, sign: &str) -> Option<usize> {
    let sign: Vec<Mark> = sign.chars().map(|symbol| (symbol, false)).collect();
    let end = marks.len().min(from + REACH);
    let window = marks.get(from..end)?;
    window
        .windows(sign.len())
        .position(|found| found == sign)
        .map(|at| from + at)
}

fn closes(marks: &[Mark], from: usize, sign: &str) -> bool {
    find(marks, from, sign).is_some_and(|at| at > from)
}

/// `snake_case` and `2*3*4` are words.
fn within_word(marks: &[Mark], at: usize) -> bool {
    let letter = |index: Option<usize>| {
        let found = index.and_then(|index| marks.get(index));
        found.is_some_and(|(found, data)| !data && found.is_alphanumeric())
    };
    letter(at.checked_sub(1)) && letter(Some(at + 1))
}

/// An opening mark has something behind it.
fn is_start(marks: &[Mark], at: usize) -> bool {
    marks
        .get(at + 1)
        .is_some_and(|(next, data)| *data || !next.is_whitespace())
}
