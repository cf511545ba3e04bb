//! How a list over one or several contexts looks: its head, its columns, why there are no rows and why those that are
//! there are not live. Not for what a row shows: its listing says that.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::rows::{Feed, RowKey};
use super::{CONTEXT, ListPanel, Listing};
use crate::core::text::SafeText;
use crate::feed::{Health, HealthState};
use crate::ui::panel::widgets::health::{empty_reason, tone};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::widgets::{line, wrap};
use crate::ui::panel::{Meaning, Theme};

impl<L: Listing> ListPanel<L> {
    /// What can be said of all rows: of one context in the listing's own words.
    pub(super) fn head(&self) -> String {
        let listing = &self.listing;
        self.feeds.tables(|tables| match tables {
            [] => listing.id().to_owned(),
            [only] => listing.title(only),
            several => {
                let filled = several.iter().find(|rows| !rows.is_empty());
                let name = filled.map_or_else(|| listing.id().to_owned(), |rows| listing.name(rows));
                match several.iter().map(|rows| rows.len()).sum::<usize>() {
                    0 => name,
                    count => format!("{name} {count}"),
                }
            }
        })
    }

    /// `@green` behind what is about one context that is not the session's own.
    pub(super) fn elsewhere(&self) -> String {
        match (self.feeds.0.as_slice(), &self.scope) {
            ([only], Some(scope)) => scope
                .away(&only.context)
                .map_or(String::new(), |name| format!(" @{name}")),
            _ => String::new(),
        }
    }

    /// The listing's own columns, for a table that has this row.
    pub(super) fn columns(&self, any: Option<&RowKey>) -> Vec<Column> {
        let row = any.and_then(|key| self.feeds.row(key, |row| self.listing.columns(Some(row))));
        row.unwrap_or_else(|| self.listing.columns(None))
    }

    /// It may leave a narrow table only where the rows that are shown are all of one context: else two of them could
    /// read alike.
    pub(super) fn context_column(&self) -> Column {
        let column = Column::new(CONTEXT).shortening(8);
        let keys = &self.keys.1;
        match keys
            .iter()
            .all(|key| Some(key.context) == keys.first().map(|first| first.context))
        {
            true => column.expendable(u8::MAX),
            false => column,
        }
    }

    /// The name of each context as its rows show it, marked where they are not live; none: there is only one.
    pub(super) fn context_cells(&self, theme: &Theme) -> Vec<Cell> {
        let cell = |feed: &Feed<L::Row>| {
            let name = &feed.context.name;
            match feed.rows.source().read(|_, health| health.state) {
                HealthState::Live => Cell::styled(name, Meaning::Dim),
                state => Cell::state(tone(state), name, theme),
            }
        };
        let several = self.feeds.0.iter().filter(|_| self.feeds.is_several());
        several.map(cell).collect()
    }

    /// Why there is no row although none is filtered away.
    pub(super) fn why_empty(&self) -> SafeText {
        let empty = self.listing.empty();
        match self.feeds.0.as_slice() {
            [only] => empty_reason(&only.health(), empty),
            several => {
                let mut by_rank = self.feeds.by_rank();
                by_rank.retain(|(_, health)| health.state != HealthState::Live);
                let well = (by_rank.len() < several.len()).then(|| empty.to_owned());
                let ill = by_rank.iter().map(|(feed, health)| {
                    let reason = empty_reason(health, empty);
                    format!("{}: {reason}", feed.context.name)
                });
                SafeText::line(&well.into_iter().chain(ill).collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// What is to be said below rows that are there.
    pub(super) fn remark(&self, focused: bool, now: Timestamp) -> Option<SafeText> {
        let (listing, several) = (&self.listing, self.feeds.is_several());
        let named = |feed: &Feed<L::Row>, text: &str| match several {
            true => SafeText::line(&format!("{}: {text}", feed.context.name)),
            false => SafeText::line(text),
        };
        let told = |health: &Health| listing.explains() || (several && focused && health.state != HealthState::Live);
        let by_rank = self.feeds.by_rank();
        let mut reasons = by_rank.iter().filter(|(_, health)| told(health));
        let reason = reasons.find_map(|(feed, health)| Some(named(feed, health.reason.as_ref()?.as_str())));
        if reason.is_some() {
            return reason;
        }
        let mut logins = self.feeds.0.iter().filter(|_| focused);
        logins.find_map(|feed| Some(named(feed, &feed.health().login_words(now)?)))
    }
}

/// Draws why the rows are not live below them; the place that is left for the rows.
pub(super) fn explained(area: Rect, buffer: &mut Buffer, theme: &Theme, reason: &SafeText) -> Rect {
    let lines = wrap(reason.as_str(), area.width);
    let room = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .min(area.height.saturating_sub(2))
        .min(3);
    let rows = Rect {
        height: area.height - room,
        ..area
    };
    for (at, text) in lines.into_iter().enumerate().take(usize::from(room)) {
        let row = rows.height + u16::try_from(at).unwrap_or(u16::MAX);
        line(
            area,
            row,
            buffer,
            &Line::from(Span::styled(text, theme.style(Meaning::Error))),
        );
    }
    rows
}
