//! A bar of parts against a whole: `[████▒▒····]`. Old and new replica sets are two of them, never one percentage.

use ratatui::text::{Line, Span};

use super::super::theme::{Meaning, Theme};

/// How a part of a bar is filled; the fill alone tells the parts apart, colour repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// There and ready.
    Full,
    /// On its way.
    Part,
}

/// A part of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// How much of the whole.
    pub amount: u64,
    /// How it is filled.
    pub fill: Fill,
    /// Its style.
    pub meaning: Meaning,
}

/// A bar `columns` wide, brackets included. Parts that are more than the whole stretch the whole; a part that is not
/// zero has at least one cell while there are cells.
pub fn bar(theme: &Theme, columns: u16, whole: u64, parts: &[Part]) -> Line<'static> {
    let cells = u64::from(columns.saturating_sub(2));
    let total = whole.max(parts.iter().map(|part| part.amount).sum()).max(1);
    let mut spans = vec![Span::styled("[", theme.style(Meaning::Dim))];
    let (mut before, mut drawn) = (0u64, 0u64);
    for part in parts {
        before += part.amount;
        let end = (before * cells + total / 2) / total;
        let at_least = drawn + u64::from(part.amount > 0);
        let end = end.max(at_least).min(cells);
        let glyph = match part.fill {
            Fill::Full => theme.glyphs.bar_full,
            Fill::Part => theme.glyphs.bar_part,
        };
        spans.push(Span::styled(repeat(glyph, end - drawn), theme.style(part.meaning)));
        drawn = end;
    }
    spans.push(Span::styled(
        repeat(theme.glyphs.bar_empty, cells - drawn),
        theme.style(Meaning::Dim),
    ));
    spans.push(Span::styled("]", theme.style(Meaning::Dim)));
    Line::from(spans)
}

fn repeat(glyph: &str, times: u64) -> String {
    glyph.repeat(usize::try_from(times).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Glyphs;
    use super::*;

    fn text(columns: u16, whole: u64, parts: &[(u64, Fill)]) -> String {
        let theme = Theme::plain().with_glyphs(Glyphs::ASCII);
        let parts: Vec<Part> = parts
            .iter()
            .map(|(amount, fill)| Part {
                amount: *amount,
                fill: *fill,
                meaning: Meaning::StateNew,
            })
            .collect();
        bar(&theme, columns, whole, &parts)
            .spans
            .iter()
            .map(|span| span.content.as_ref())
            .collect()
    }

    #[test]
    fn parts_fill_their_share() {
        let cases = [
            (12, 10, vec![], "[----------]"),
            (12, 10, vec![(3, Fill::Full), (2, Fill::Part)], "[###~~-----]"),
            (12, 5, vec![(5, Fill::Full)], "[##########]"),
            (12, 3, vec![(4, Fill::Full)], "[##########]"),
            (12, 0, vec![(0, Fill::Full)], "[----------]"),
            (12, 1000, vec![(1, Fill::Full)], "[#---------]"),
            (2, 10, vec![(3, Fill::Full)], "[]"),
        ];
        for (columns, whole, parts, wanted) in cases {
            assert_eq!(text(columns, whole, &parts), wanted);
        }
    }
}
