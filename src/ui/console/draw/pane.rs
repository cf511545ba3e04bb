//! One pane with its frame and title; a panel's cells are kept, and copied while they hold. Not for what is inside.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::{KEYS, content};
use crate::core::text::SafeText;
use crate::feed::HealthState;
use crate::ui::console::app::{App, Focus};
use crate::ui::console::layout::Pane;
use crate::ui::console::painted;
use crate::ui::panel::widgets::health::{tone, words};
use crate::ui::panel::widgets::popup::frame;
use crate::ui::panel::{Meaning, Tone};

/// Columns of a title that what is not well leaves it at least.
const TITLE: usize = 12;

/// A pane: a panel's as it was painted last, while that holds.
pub(super) fn draw_pane(app: &mut App, pane: Pane, borders: bool, buffer: &mut Buffer, now: Timestamp) {
    let version = pane.index.checked_sub(1).and_then(|at| app.panels.get(at));
    let Some(version) = version.map(|panel| panel.version()) else {
        paint_pane(app, pane, borders, buffer, now);
        return;
    };
    let look = painted::Look {
        area: pane.area,
        epoch: app.epoch,
        second: now.as_second(),
    };
    if let Some(inside) = app.painted.copy(pane.index, look, version, buffer) {
        app.places.panes.push((pane.index, pane.area, inside));
        return;
    }
    let before = app.places.panes.len();
    paint_pane(app, pane, borders, buffer, now);
    if let Some((_, _, inside)) = app.places.panes.get(before).copied() {
        app.painted.keep(pane.index, look, version, inside, buffer);
    }
}

fn paint_pane(app: &mut App, pane: Pane, borders: bool, buffer: &mut Buffer, now: Timestamp) {
    let focused = app.focus == Focus::Pane(pane.index);
    if pane.folded {
        let text = app
            .panels
            .get(pane.index - 1)
            .map(|panel| panel.folded())
            .unwrap_or_default();
        // A count of what cannot be read is none: what is not well stands beside it.
        let (_, note, meaning) = caption(app, pane.index, now);
        let note = if meaning == Meaning::Dim {
            SafeText::default()
        } else {
            note
        };
        rule(
            app,
            pane.area,
            focused,
            &numbered(pane.index, &text),
            &note,
            meaning,
            buffer,
        );
        app.places.panes.push((pane.index, pane.area, Rect::default()));
        return;
    }
    // The captions come last: they tell which rows were drawn.
    let (inside, line) = if borders {
        let block = frame(&app.theme, focused);
        let inside = block.inner(pane.area);
        block.render(pane.area, buffer);
        (inside, pane.area)
    } else {
        let line = Rect {
            height: pane.area.height.min(1),
            ..pane.area
        };
        let inside = Rect {
            y: pane.area.y + line.height,
            height: pane.area.height - line.height,
            ..pane.area
        };
        (inside, line)
    };
    if !inside.is_empty() {
        let sides = u16::from(borders || pane.index == 0);
        let inside = Rect {
            x: inside.x + sides,
            width: inside.width.saturating_sub(2 * sides),
            ..inside
        };
        content(app, pane, inside, focused, buffer, now);
    }
    let (title, note, meaning) = caption(app, pane.index, now);
    match borders {
        true => captions_on_border(app, line, &title, &note, meaning, buffer),
        false => rule(app, line, focused, &title, &note, meaning, buffer),
    }
}

/// Title, what stands at the right end of the title line, and how that feels.
fn caption(app: &App, index: usize, now: Timestamp) -> (SafeText, SafeText, Meaning) {
    let Some(panel) = index.checked_sub(1).and_then(|at| app.panels.get(at)) else {
        let meaning = if app.chat.follows() {
            Meaning::Dim
        } else {
            Meaning::ChatMark
        };
        return (numbered(index, &"chat".into()), app.chat.title(), meaning);
    };
    let sources = panel.health();
    let worst = sources
        .iter()
        .map(|source| (tone(source.health.state), source))
        .max_by_key(|(tone, _)| *tone);
    let (note, meaning) = match worst {
        None => (SafeText::default(), Meaning::Dim),
        Some((tone, source)) => {
            // Of several contexts the worst is named, and how many others are not well either.
            let context = source.context.as_ref().filter(|_| tone != Tone::Ok);
            let place = context.map_or(String::new(), |name| format!("{name} "));
            let mut ill: Vec<_> = sources
                .iter()
                .filter(|other| other.health.state != HealthState::Live)
                .collect();
            ill.dedup_by_key(|other| &other.context);
            let more = match ill.len() {
                0 | 1 => String::new(),
                _ if context.is_none() => String::new(),
                count => format!(" +{}", count - 1),
            };
            let glyph = app.theme.glyphs.of(tone);
            let text = format!("{glyph} {place}{}{more}", words(&source.health, now));
            (
                text.into(),
                if tone == Tone::Ok { Meaning::Dim } else { tone.meaning() },
            )
        }
    };
    let title = match panel.window() {
        Some((first, last, all)) => format!("{}  {first}-{last}/{all}", panel.title()).into(),
        None => panel.title(),
    };
    (numbered(index, &title), note, meaning)
}

/// The title behind the number; a number is a key, and what has none is called by its name.
fn numbered(index: usize, title: &SafeText) -> SafeText {
    match index < KEYS {
        true => format!("{} {title}", index + 1).into(),
        false => title.clone(),
    }
}

fn captions_on_border(app: &App, area: Rect, title: &SafeText, note: &SafeText, meaning: Meaning, buffer: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(4));
    // That all is well gives way to a long title; what is not well does not.
    let wanted = match meaning {
        Meaning::Dim => title.width(),
        _ => title.width().min(TITLE),
    };
    let note_room = if note.width() > 0 && wanted + note.width() + 4 <= room {
        note.width() + 2
    } else {
        0
    };
    let title = title.fit(room.saturating_sub(note_room + 2));
    let span = Span::styled(format!(" {title} "), app.theme.style(Meaning::Title));
    buffer.set_span(area.x + 2, area.y, &span, area.width.saturating_sub(4));
    if note_room > 0 {
        let wide = u16::try_from(note.width() + 2).unwrap_or(0);
        let span = Span::styled(format!(" {note} "), app.theme.style(meaning));
        buffer.set_span(area.right().saturating_sub(wide + 2), area.y, &span, wide);
    }
}

/// A title line where there is no room for borders: `── 2 deployments 41 ────────── ✓ live 2s ──`.
pub(super) fn rule(
    app: &App,
    area: Rect,
    focused: bool,
    title: &SafeText,
    note: &SafeText,
    meaning: Meaning,
    buffer: &mut Buffer,
) {
    if area.is_empty() {
        return;
    }
    let style = app.theme.style(if focused {
        Meaning::BorderFocused
    } else {
        Meaning::Border
    });
    let sign = if app.theme.glyphs.boxes { "─" } else { "-" };
    buffer.set_stringn(
        area.x,
        area.y,
        sign.repeat(usize::from(area.width)),
        usize::from(area.width),
        style,
    );
    if !title.as_str().is_empty() {
        captions_on_border(app, area, title, note, meaning, buffer);
    }
}
