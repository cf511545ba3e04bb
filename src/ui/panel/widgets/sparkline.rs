//! A line of levels: shape only, so the caller prints the number and the scale beside it. Gaps stay gaps.

use ratatui::text::Span;

use super::super::theme::{Meaning, Theme};

/// The newest `columns` values, newest at the right, against a fixed `max`. `None` is a gap and drawn as a blank;
/// zero has the lowest level. Shorter series are padded on the left.
pub fn sparkline(theme: &Theme, values: &[Option<f64>], max: f64, columns: u16, meaning: Meaning) -> Span<'static> {
    let columns = usize::from(columns);
    let shown = values.get(values.len().saturating_sub(columns)..).unwrap_or_default();
    let mut text = " ".repeat(columns - shown.len());
    for value in shown {
        match value {
            Some(value) => text.push_str(theme.glyphs.ramp.get(level(*value, max)).copied().unwrap_or(" ")),
            None => text.push(' '),
        }
    }
    Span::styled(text, theme.style(meaning))
}

fn level(value: f64, max: f64) -> usize {
    if !(value > 0.0 && max > 0.0) {
        return 0;
    }
    // At most 7 whatever the value: the cast saturates.
    ((value / max * 7.0).ceil() as usize).min(7)
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Glyphs;
    use super::*;

    #[test]
    fn levels_gaps_and_padding() {
        let theme = Theme::plain().with_glyphs(Glyphs::ASCII);
        let values = [
            Some(9.0),
            Some(0.0),
            None,
            Some(7.0),
            Some(0.1),
            Some(f64::INFINITY),
            Some(f64::NAN),
        ];
        assert_eq!(sparkline(&theme, &values, 7.0, 6, Meaning::Text).content, ". #_#.");
        assert_eq!(sparkline(&theme, &values[..2], 7.0, 4, Meaning::Text).content, "  #.");
        assert_eq!(sparkline(&theme, &[Some(1.0)], 0.0, 1, Meaning::Text).content, ".");
    }
}
