//! Several rollouts at once: one bar below the other, each with its state and, where something is wrong, its cause.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::feeds::One;
use super::head::{cause_text, parts, whole};
use crate::core::text::{SafeText, differ_at_end};
use crate::ui::panel::widgets::bar::bar;
use crate::ui::panel::widgets::{line, select};
use crate::ui::panel::{Meaning, Theme};

/// A name takes this many columns at most.
const NAME: usize = 24;
/// A bar takes this many.
const BAR: u16 = 30;

/// How the bars are drawn.
pub struct Look<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// Whether the pane has the focus.
    pub focused: bool,
    /// The selected one.
    pub selected: usize,
    /// How many more there are than are drawn.
    pub more: usize,
}

/// Draws them; for each drawn one the row below its last, and its place in `all`.
pub fn draw(area: Rect, buffer: &mut Buffer, all: &[One], look: &Look<'_>) -> Vec<(u16, usize)> {
    let theme = look.theme;
    let count = all.len() + look.more;
    let title = SafeText::line(&format!("{count} rollouts go on; Enter shows one alone")).fit(usize::from(area.width));
    line(area, 0, buffer, &Line::from(theme.span(&title, Meaning::Header)));
    let names = || all.iter().map(|one| one.label.as_str());
    let at_end = differ_at_end(names());
    let widest = names().map(|name| SafeText::line(name).width()).max().unwrap_or(0);
    let name_columns = widest.min(NAME).min(usize::from(area.width) / 3);
    let entries: Vec<Vec<Line<'static>>> = all
        .iter()
        .map(|one| {
            let name = SafeText::line(&one.label);
            let name = match at_end {
                true => name.fit_middle(name_columns),
                false => name.fit(name_columns),
            };
            entry(one, &name, name_columns, theme, area.width)
        })
        .collect();
    let room = usize::from(area.height.saturating_sub(1));
    let height = |range: &[Vec<Line<'static>>]| range.iter().map(Vec::len).sum::<usize>();
    let selected = look.selected.min(entries.len().saturating_sub(1));
    let mut first = 0;
    while first < selected && entries.get(first..=selected).map_or(0, height) > room {
        first += 1;
    }
    let (mut top, mut ends) = (1, Vec::new());
    for (at, lines) in entries.iter().enumerate().skip(first) {
        if top >= area.height {
            break;
        }
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height - top);
        for (row, text) in (top..top + rows).zip(lines) {
            line(area, row, buffer, text);
        }
        if at == selected {
            let place = Rect {
                y: area.y + top,
                height: rows,
                ..area
            };
            select(place, buffer, theme, look.focused);
        }
        top += rows;
        ends.push((top, at));
    }
    if look.more > 0 && top < area.height {
        let text = SafeText::line(&format!("… and {} more", look.more));
        line(area, top, buffer, &Line::from(theme.span(&text, Meaning::Dim)));
    }
    ends
}

/// `web    [████▒▒····] 2/3 of 2.0.0  ~ updating`, and below it why it does not go on.
fn entry(one: &One, name: &SafeText, columns: usize, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let view = &one.view;
    let new = view.new.clone().unwrap_or_default();
    let pad = " ".repeat((columns + 2).saturating_sub(name.width()));
    let (tone, word) = &one.state;
    let state = theme.state(*tone, word);
    let counts = SafeText::line(&format!(" {}/{} of {}  ", new.ready, view.replicas, new.version)).fit(24);
    let used = columns + 2 + counts.width() + state.width();
    let room = u16::try_from(usize::from(width).saturating_sub(used))
        .unwrap_or(0)
        .min(BAR);
    let mut spans = vec![Span::styled(format!("{name}{pad}"), theme.style(Meaning::Text))];
    if room > 4 {
        spans.extend(bar(theme, room, whole(view), &parts(&new, Meaning::StateNew)).spans);
    }
    spans.push(Span::styled(counts.as_str().to_owned(), theme.style(Meaning::Text)));
    spans.push(state);
    let cause = view.cause.as_ref().map(|cause| {
        let room = usize::from(width).saturating_sub(2);
        let text = cause_text(cause, theme).fit(room);
        Line::from(vec![
            Span::raw("  "),
            Span::styled(text.as_str().to_owned(), theme.style(Meaning::StateBad)),
        ])
    });
    std::iter::once(Line::from(spans)).chain(cause).collect()
}
