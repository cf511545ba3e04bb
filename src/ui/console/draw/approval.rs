//! The box of a plan that waits for its answer. Not for what an answer takes: that is `approval`.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::ROOMY;
use crate::core::text::width;
use crate::ui::console::app::App;
use crate::ui::console::keymap::{Action, Part};
use crate::ui::console::layout::Layout;
use crate::ui::panel::{Meaning, widgets};

/// The plan, in a box over the lower part of the chat and the input: what it asks for is typed there.
pub(super) fn approval(app: &mut App, layout: &Layout, buffer: &mut Buffer) -> Option<Position> {
    let approval = app.approval()?;
    let theme = &app.theme;
    let chat = layout.panes.first().map_or(layout.input, |pane| pane.area);
    let columns = if chat.width >= ROOMY {
        chat.width
    } else {
        layout.input.width
    };
    let inner = columns.saturating_sub(4);
    let mut lines: Vec<(String, Meaning)> = Vec::new();
    for (text, meaning) in approval.lines() {
        lines.extend(
            widgets::wrap(text.as_str(), inner)
                .into_iter()
                .map(|line| (line, *meaning)),
        );
    }
    let [confirm, decline] = app.keys_of_approval();
    let (instruction, typed) = approval.prompt([&confirm, &decline]);
    let mut foot: Vec<(String, Meaning)> = widgets::wrap(instruction.as_str(), inner)
        .into_iter()
        .map(|line| (line, Meaning::Hint))
        .collect();
    if approval.wants_text() {
        foot.push((format!("{} {typed}", theme.glyphs.prompt), Meaning::Prompt));
    }
    let room = usize::from(layout.input.bottom().saturating_sub(chat.y).saturating_sub(2));
    let shown = lines.len().min(room.saturating_sub(foot.len() + 1));
    let all = lines.len();
    app.approval_shows(all, shown);
    let (approval, theme) = (app.approval()?, &app.theme);
    if shown < all {
        let above = approval.above();
        let below = all - above - shown;
        lines = lines.into_iter().skip(above).take(shown).collect();
        let hidden = |count: usize, where_to: &str, action: Action| {
            let key = app.keymap.key_of(Part::Input, action);
            let way = key.map_or_else(String::new, |key| format!(": {}", key.label()));
            (format!("… {count} {where_to}{way}"), Meaning::ChatMark)
        };
        if above > 0
            && shown > 2
            && let Some(first) = lines.first_mut()
        {
            *first = hidden(above + 1, "lines above", Action::ScrollUp);
        }
        if below > 0
            && let Some(last) = lines.last_mut()
        {
            *last = hidden(below + 1, "more lines", Action::ScrollDown);
        }
    }
    lines.push((String::new(), Meaning::Text));
    lines.extend(foot);
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(layout.input.bottom() - chat.y);
    let area = Rect {
        x: chat.x,
        y: layout.input.bottom() - height,
        width: columns,
        height,
    };
    let inside = widgets::popup::popup(area, buffer, theme, &approval.title());
    let inside = Rect {
        x: inside.x + 1,
        width: inside.width.saturating_sub(2),
        ..inside
    };
    let mut cursor = None;
    for (row, (text, meaning)) in lines.iter().enumerate().take(usize::from(inside.height)) {
        let y = u16::try_from(row).unwrap_or(0);
        widgets::line(
            inside,
            y,
            buffer,
            &Line::from(Span::styled(text.clone(), theme.style(*meaning))),
        );
        let x = u16::try_from(width(text))
            .unwrap_or(0)
            .min(inside.width.saturating_sub(1));
        cursor = Some(Position {
            x: inside.x + x,
            y: inside.y + y,
        });
    }
    cursor.filter(|_| approval.wants_text())
}
