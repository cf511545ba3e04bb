//! Markdown's blocks to lines: headings, lists, tables, fenced blocks, paragraphs; and attachments. A line begins and a
//! block is recognised by markup alone.

use super::expand::Mark;
use super::inline;
use crate::core::text::{SafeText, width};
use crate::render::document::{Line, Role, Span};
use crate::render::verbatim::{self, Sgr};

/// Blanks between the columns of a table.
const GAP: usize = 3;

/// The lines of a piece of Markdown.
pub fn lines(marks: &[Mark]) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut rows: Vec<&[Mark]> = Vec::new();
    let mut fence: Option<String> = None;
    let mut number = 0_usize;
    for line in marks.split(|mark| *mark == ('\n', false)) {
        let line = trimmed(line);
        let text = unindented(line);
        if let Some(content) = &mut fence {
            if is_fence(text) {
                found.extend(verbatim::lines(content.strip_suffix('\n').unwrap_or(content)));
                fence = None;
            } else {
                content.extend(line.iter().map(|(symbol, _)| *symbol));
                content.push('\n');
            }
            continue;
        }
        if starts(text, "|") {
            rows.push(text);
            continue;
        }
        found.extend(table(&std::mem::take(&mut rows)));
        if is_fence(text) {
            fence = Some(String::new());
            continue;
        }
        let indent = " ".repeat(line.len() - text.len());
        let bullet = ["* ", "- ", "+ "].iter().any(|sign| starts(text, sign));
        let ordered = ordered(text);
        if ordered.is_none() && !text.is_empty() {
            number = 0;
        }
        if text.is_empty() {
            // One empty line is enough, and none at the beginning.
            if found.last().is_some_and(|last| !last.spans.is_empty()) {
                found.push(Line::default());
            }
        } else if let Some(length) = heading(text) {
            found.extend(inline::text(&text[length..], Role::Header));
        } else if bullet {
            found.extend(led(&format!("{indent}• "), inline::text(&text[2..], Role::Plain)));
        } else if let Some(length) = ordered {
            number += 1;
            found.extend(led(
                &format!("{indent}{number}. "),
                inline::text(&text[length..], Role::Plain),
            ));
        } else {
            found.extend(led(&indent, inline::text(text, Role::Plain)));
        }
    }
    found.extend(table(&rows));
    if let Some(content) = fence {
        found.extend(verbatim::lines(content.trim_end_matches('\n')));
    }
    while found.last().is_some_and(|last| last.spans.is_empty()) {
        found.pop();
    }
    found
}

/// An attachment: its texts and its content behind a bar of its colour. What is no known attribute is a field.
pub fn attachment(attributes: &[(&str, String)], content: Vec<Line>) -> Vec<Line> {
    let of = |name: &str| {
        attributes
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text.as_str())
    };
    let bold = Role::Styled(Sgr {
        bold: true,
        ..Sgr::default()
    });
    let mut inside: Vec<Line> = Vec::new();
    let mut say = |text: Option<&str>, role: Role| {
        let text = text.unwrap_or_default();
        inside.extend(text.lines().map(|line| Line::new(line, role)));
    };
    say(of("pretext"), Role::Plain);
    say(of("author"), Role::Dim);
    say(of("author_link"), Role::Dim);
    say(of("title"), bold);
    say(of("title_url"), Role::Dim);
    inside.extend(content);
    for (name, text) in attributes.iter().filter(|(name, _)| !KNOWN.contains(name)) {
        let label = format!("{}: ", name.strip_suffix("-short").unwrap_or(name));
        let mut first = Line::new(&label, bold);
        let mut rest = text.lines();
        first.spans.push(Span {
            text: SafeText::line(rest.next().unwrap_or_default()),
            role: Role::Plain,
        });
        inside.push(first);
        inside.extend(rest.map(Line::plain));
    }
    for name in ["image_url", "thumb_url", "footer", "ts"] {
        inside.extend(
            of(name)
                .unwrap_or_default()
                .lines()
                .map(|line| Line::new(line, Role::Dim)),
        );
    }
    let bar = Role::Styled(Sgr {
        foreground: of("color").and_then(colour),
        ..Sgr::default()
    });
    let barred = |mut line: Line| {
        line.spans.insert(
            0,
            Span {
                text: SafeText::line("▌ "),
                role: bar,
            },
        );
        line
    };
    inside.into_iter().map(barred).collect()
}

const KNOWN: [&str; 12] = [
    "title",
    "title_url",
    "color",
    "image_url",
    "thumb_url",
    "author",
    "author_link",
    "author_icon",
    "pretext",
    "fallback",
    "footer",
    "ts",
];

/// A colour's name, or `#rrggbb`, as a terminal's number.
fn colour(name: &str) -> Option<u8> {
    let number = match name.trim().to_ascii_lowercase().as_str() {
        "red" | "danger" => 1,
        "green" | "good" => 2,
        "yellow" | "orange" | "warning" => 3,
        "blue" => 4,
        "magenta" | "purple" => 5,
        "cyan" => 6,
        "white" => 7,
        "gray" | "grey" => 8,
        hex => return cube(hex.strip_prefix('#')?),
    };
    Some(number)
}

fn cube(hex: &str) -> Option<u8> {
    let part = |at: usize| {
        u16::from_str_radix(hex.get(at..at + 2)?, 16)
            .ok()
            .map(|value| value * 5 / 255)
    };
    let (red, green, blue) = (part(0)?, part(2)?, part(4)?);
    u8::try_from(16 + 36 * red + 6 * green + blue)
        .ok()
        .filter(|_| hex.len() == 6)
}

/// Rows of a table; the first is its header if a line of dashes follows.
fn table(rows: &[&[Mark]]) -> Vec<Line> {
    let headed = rows.get(1).is_some_and(|row| is_rule(row));
    let cells: Vec<Vec<Line>> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| !is_rule(row))
        .map(|(index, row)| {
            let role = if headed && index == 0 {
                Role::Header
            } else {
                Role::Plain
            };
            split(row).iter().map(|cell| inline::cell(cell, role)).collect()
        })
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &cells {
        widths.resize(widths.len().max(row.len()), 0);
        for (known, cell) in widths.iter_mut().zip(row) {
            *known = (*known).max(width(&cell.text()));
        }
    }
    let laid = cells.into_iter().map(|row| {
        let last = row.len().saturating_sub(1);
        let mut line = Line::default();
        for (index, cell) in row.into_iter().enumerate() {
            let used = width(&cell.text());
            line.spans.extend(cell.spans);
            if index < last {
                let blanks = widths.get(index).map_or(0, |wide| wide.saturating_sub(used)) + GAP;
                line.spans.push(Span {
                    text: SafeText::line(&" ".repeat(blanks)),
                    role: Role::Plain,
                });
            }
        }
        line
    });
    laid.collect()
}

/// The cells of a row, its outer bars left out.
fn split(row: &[Mark]) -> Vec<&[Mark]> {
    let inner = row.strip_prefix(&[('|', false)]).unwrap_or(row);
    let inner = trimmed(inner);
    let inner = inner.strip_suffix(&[('|', false)]).unwrap_or(inner);
    let mut cells = Vec::new();
    let mut begun = 0;
    for (at, mark) in inner.iter().enumerate() {
        let escaped = at.checked_sub(1).and_then(|before| inner.get(before)) == Some(&('\\', false));
        if *mark == ('|', false) && !escaped {
            cells.push(trimmed(unindented(&inner[begun..at])));
            begun = at + 1;
        }
    }
    cells.push(trimmed(unindented(&inner[begun..])));
    cells
}

fn is_rule(row: &[Mark]) -> bool {
    row.contains(&('-', false)) && row.iter().all(|(symbol, data)| !data && "|-: ".contains(*symbol))
}

/// `first` before the first line, blanks of its width before the others.
fn led(first: &str, lines: Vec<Line>) -> Vec<Line> {
    let blanks = " ".repeat(width(first));
    let leading = lines.into_iter().enumerate().map(|(index, mut line)| {
        let lead = if index == 0 { first } else { &blanks };
        if !lead.is_empty() {
            line.spans.insert(
                0,
                Span {
                    text: SafeText::line(lead),
                    role: Role::Plain,
                },
            );
        }
        line
    });
    leading.collect()
}

fn starts(text: &[Mark], sign: &str) -> bool {
    text.len() >= sign.len() && sign.chars().zip(text).all(|(wanted, mark)| *mark == (wanted, false))
}

fn is_fence(text: &[Mark]) -> bool {
    starts(text, "```")
}

/// `# ` to `###### `: how long that is.
fn heading(text: &[Mark]) -> Option<usize> {
    let level = text.iter().take_while(|mark| **mark == ('#', false)).count();
    let blank = text.get(level) == Some(&(' ', false));
    ((1..=6).contains(&level) && blank).then_some(level + 1)
}

/// `1. `: how long that is.
fn ordered(text: &[Mark]) -> Option<usize> {
    let digits = text
        .iter()
        .take_while(|(symbol, data)| !data && symbol.is_ascii_digit())
        .count();
    (digits > 0 && digits < 10 && starts(&text[digits..], ". ")).then_some(digits + 2)
}

fn unindented(line: &[Mark]) -> &[Mark] {
    let blanks = line
        .iter()
        .take_while(|mark| **mark == (' ', false) || **mark == ('\t', false))
        .count();
    &line[blanks..]
}

fn trimmed(line: &[Mark]) -> &[Mark] {
    let blank = |mark: &&Mark| matches!(mark, (' ' | '\t' | '\r', false));
    let blanks = line.iter().rev().take_while(blank).count();
    &line[..line.len() - blanks]
}
