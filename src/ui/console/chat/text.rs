//! Lines of a document as lines of cells: roles become styles, and what is too long wraps so that nothing is lost.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::core::text::width;
use crate::render::{self, Role};
use crate::ui::panel::widgets::CUT_BEHIND;
use crate::ui::panel::{Meaning, Theme};

/// The style of a role. Colours of verbatim output are kept only while the theme has colours.
pub fn style(theme: &Theme, role: Role) -> Style {
    match role {
        Role::Plain => theme.style(Meaning::Text),
        Role::Header => theme.style(Meaning::Header),
        Role::Key => theme.style(Meaning::SyntaxOption),
        Role::String => theme.style(Meaning::SyntaxString),
        Role::Number => theme.style(Meaning::SyntaxVariable),
        Role::Dim => theme.style(Meaning::Dim),
        Role::Styled(sgr) => {
            let mut style = Style::new();
            if theme.has_color() {
                style.fg = sgr.foreground.map(Color::Indexed);
                style.bg = sgr.background.map(Color::Indexed);
            }
            let on = [
                (sgr.bold, Modifier::BOLD),
                (sgr.dim, Modifier::DIM),
                (sgr.underline, Modifier::UNDERLINED),
            ];
            on.iter()
                .filter(|(set, _)| *set)
                .fold(style, |style, (_, modifier)| style.add_modifier(*modifier))
        }
    }
}

/// A document's line in cells.
pub fn document_line(theme: &Theme, line: &render::Line) -> Line<'static> {
    let span = |span: &render::Span| Span::styled(span.text.as_str().to_owned(), style(theme, span.role));
    Line::from(line.spans.iter().map(span).collect::<Vec<_>>())
}

/// Cuts a styled line into lines of at most `columns`: at the last blank of each where there is one, otherwise behind a
/// sign such as `.`, otherwise between graphemes. Continuations are indented by `indent` blanks.
pub fn wrap(line: Line<'static>, columns: u16, indent: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns.max(1));
    let indent = usize::from(indent).min(columns / 2);
    if line.spans.iter().map(|span| width(&span.content)).sum::<usize>() <= columns {
        return vec![line];
    }
    let cells: Vec<(&str, Style, usize)> = line
        .spans
        .iter()
        .flat_map(|span| span.content.graphemes(true).map(|g| (g, span.style, width(g))))
        .collect();
    let mut lines = Vec::new();
    let mut start = 0;
    while start < cells.len() {
        let room = if lines.is_empty() { columns } else { columns - indent };
        let mut used = 0;
        let mut end = start;
        while let Some((_, _, next)) = cells.get(end) {
            if used + next > room && end > start {
                break;
            }
            used += next;
            end += 1;
        }
        let mut next = end;
        if end < cells.len() {
            let blank = |at: &usize| cells.get(*at).is_some_and(|cell| cell.0 == " ");
            let solid = |at: &usize| !blank(at);
            // A break must leave something on this line besides its indentation.
            let first_word = (start..end).find(solid).unwrap_or(end);
            let sign = |at: &usize| cells.get(*at).is_some_and(|cell| cell.0.starts_with(CUT_BEHIND));
            if let Some(at) = (first_word..=end).rev().find(blank) {
                end = at;
                next = (at..cells.len()).find(solid).unwrap_or(cells.len());
            } else if let Some(at) = (start + (end - start) / 2..end).rev().find(sign) {
                end = at + 1;
                next = end;
            }
        }
        lines.push(join(
            cells.get(start..end).unwrap_or_default(),
            if lines.is_empty() { 0 } else { indent },
        ));
        start = next;
    }
    lines
}

fn join(cells: &[(&str, Style, usize)], indent: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    if indent > 0 {
        spans.push(Span::raw(" ".repeat(indent)));
    }
    for (text, style, _) in cells {
        match spans.last_mut() {
            Some(last) if last.style == *style => last.content.to_mut().push_str(text),
            _ => spans.push(Span::styled((*text).to_owned(), *style)),
        }
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_host_name_moves_to_its_own_line_whole() {
        let host = "a1b2c3-123.ap-southeast-2.elb.amazonaws.com";
        let line = Line::from(format!("inspector   LoadBalancer   100.66.1.2   {host}   80/TCP"));
        let lines = text(&wrap(line, 50, 2));
        assert_eq!(lines[0], "inspector   LoadBalancer   100.66.1.2  ");
        assert_eq!(lines[1], format!("  {host}  "));
        assert_eq!(lines[2], "  80/TCP");
    }

    #[test]
    fn a_word_longer_than_the_line_is_cut_and_nothing_is_lost() {
        let word: String = (0..95).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        let lines = text(&wrap(Line::from(word.clone()), 20, 2));
        assert!(lines.iter().all(|line| width(line) <= 20));
        assert_eq!(lines.iter().map(|line| line.trim()).collect::<String>(), word);
    }

    #[test]
    fn styles_survive_the_cut() {
        let red = Style::new().fg(Color::Red);
        let line = Line::from(vec![Span::raw("ab "), Span::styled("cdef", red)]);
        let lines = wrap(line, 4, 0);
        assert_eq!(lines[1].spans[0].style, red);
    }

    #[test]
    fn a_megabyte_on_one_line_takes_no_time() {
        let started = std::time::Instant::now();
        let lines = wrap(Line::from("x".repeat(1 << 20)), 80, 2);
        assert!(lines.len() > 13_000);
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }
}
