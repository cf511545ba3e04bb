//! One rollout drawn: its head, its pods, and its conditions where there is room for them.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{RolloutPanel, head, pods, since};
use crate::core::text::SafeText;
use crate::ui::panel::widgets::line;
use crate::ui::panel::widgets::table::Table;
use crate::ui::panel::{Meaning, Theme};

impl RolloutPanel {
    pub(super) fn draw_one(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        let Some(one) = self.one() else { return };
        let look = head::Look {
            theme,
            columns: area.width,
            rows: area.height,
            passed: since(now, self.seen.at),
            traffic: self.feeds.as_ref().and_then(|feeds| feeds.traffic(&one.view, now)),
        };
        let mut row = 0;
        for text in &head::lines(one, &look) {
            line(area, row, buffer, text);
            row = row.saturating_add(1);
        }
        let view = &one.view;
        let rest = area.height.saturating_sub(row);
        // Conditions stand below the pods when there is room for both.
        let wanted = u16::try_from(view.pods.len() + 1).unwrap_or(u16::MAX);
        let conditions = u16::try_from(view.conditions.len()).unwrap_or(0);
        let below = if rest > wanted.saturating_add(conditions) {
            conditions
        } else {
            0
        };
        let place = Rect {
            y: area.y + row.min(area.height),
            height: rest - below,
            ..area
        };
        let table = Table {
            columns: &pods::columns(),
            count: view.pods.len(),
            row: &|at| {
                view.pods
                    .get(at)
                    .map_or_else(Vec::new, |pod| pods::cells(pod, theme, now))
            },
            focused,
        };
        let mut selection = self.selection.clone();
        table.draw(place, buffer, theme, &mut selection);
        for (at, condition) in view.conditions.iter().take(usize::from(below)).enumerate() {
            let text = SafeText::line(&format!(
                "{} {}  {}",
                condition.kind, condition.status, condition.reason
            ));
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            let text = Line::from(theme.span(&text, Meaning::Dim));
            line(area, area.height - below + at, buffer, &text);
        }
        self.selection = selection;
        self.table_top = row;
        self.page = usize::from(place.height.saturating_sub(1)).max(1);
    }
}
