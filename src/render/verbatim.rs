//! Verbatim text: SGR colours become styles, every other control becomes visible.

use super::document::{Line, Role, Span};
use crate::core::text::SafeText;

/// Attributes an SGR sequence set; colours are the terminal's 256-colour numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sgr {
    /// Foreground.
    pub foreground: Option<u8>,
    /// Background.
    pub background: Option<u8>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Underlined.
    pub underline: bool,
}

/// Splits text into lines of styled spans.
pub fn lines(text: &str) -> Vec<Line> {
    let mut state = Sgr::default();
    text.split('\n').map(|line| styled(line, &mut state)).collect()
}

fn styled(text: &str, state: &mut Sgr) -> Line {
    let mut line = Line::default();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let body = &rest[at + 2..];
        let end = body
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(body.len());
        if body[end..].starts_with('m') {
            push(&mut line, &rest[..at], *state);
            apply(state, &body[..end]);
            rest = &body[end + 1..];
        } else {
            push(&mut line, &rest[..at + 2], *state);
            rest = body;
        }
    }
    push(&mut line, rest, *state);
    line
}

fn push(line: &mut Line, text: &str, state: Sgr) {
    if !text.is_empty() {
        let role = if state == Sgr::default() {
            Role::Plain
        } else {
            Role::Styled(state)
        };
        line.spans.push(Span {
            text: SafeText::line(text),
            role,
        });
    }
}

fn apply(state: &mut Sgr, parameters: &str) {
    let mut numbers = parameters.split(';').map(|n| n.parse::<u16>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        match number {
            0 => *state = Sgr::default(),
            1 => state.bold = true,
            2 => state.dim = true,
            4 => state.underline = true,
            22 => (state.bold, state.dim) = (false, false),
            24 => state.underline = false,
            30..=37 => state.foreground = u8::try_from(number - 30).ok(),
            90..=97 => state.foreground = u8::try_from(number - 82).ok(),
            39 => state.foreground = None,
            40..=47 => state.background = u8::try_from(number - 40).ok(),
            100..=107 => state.background = u8::try_from(number - 92).ok(),
            49 => state.background = None,
            38 | 48 => {
                let colour = extended(&mut numbers);
                if number == 38 {
                    state.foreground = colour.or(state.foreground);
                } else {
                    state.background = colour.or(state.background);
                }
            }
            _ => {}
        }
    }
}

/// `5;N` is a palette number; `2;R;G;B` is read to its end and mapped to the 6×6×6 cube.
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match numbers.next()? {
        5 => u8::try_from(numbers.next()?).ok(),
        2 => {
            let mut cube = || numbers.next().map(|v| v.min(255) * 5 / 255);
            let (r, g, b) = (cube()?, cube()?, cube()?);
            u8::try_from(16 + 36 * r + 6 * g + b).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_and_nothing_else_does() {
        let lines = lines("a\u{1b}[1;31mred\u{1b}[0m\u{1b}]52;c;aGk=\u{7}\u{1b}[2Jz\nnext");
        assert_eq!(lines.len(), 2);
        let spans = &lines[0].spans;
        assert_eq!(spans[1].text.as_str(), "red");
        assert_eq!(
            spans[1].role,
            Role::Styled(Sgr {
                foreground: Some(1),
                bold: true,
                ..Sgr::default()
            })
        );
        assert!(!lines[0].text().contains(['\u{1b}', '\u{7}']));
        assert!(lines[0].text().ends_with('z'));
    }

    #[test]
    fn true_colour_is_consumed_whole() {
        let line = &lines("\u{1b}[38;2;255;0;0mx\u{1b}[39my")[0];
        assert_eq!(
            line.spans[0].role,
            Role::Styled(Sgr {
                foreground: Some(196),
                ..Sgr::default()
            })
        );
        assert_eq!(line.spans[1].role, Role::Plain);
    }
}
