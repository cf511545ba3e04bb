//! How a list over one or several contexts looks: its head, its columns, why there are no rows and why those that are
//! there are not live. Not for what a row shows: its listing says that.

use jiff::Timestamp;

use super::rows::{Feed, RowKey};
use super::{CONTEXT, ListPanel, Listing};
use crate::core::text::SafeText;
use crate::feed::{HealthState, RowTable};
use crate::ui::panel::widgets::health::{empty_reason, tone, trouble};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Meaning, Theme};

fn name_of<L: Listing>(listing: &L, tables: &[&RowTable<L::Row>]) -> String {
    let known = tables.iter().find(|rows| !rows.is_empty()).or(tables.first());
    known.map_or_else(|| listing.id().to_owned(), |rows| listing.name(rows))
}

impl<L: Listing> ListPanel<L> {
    /// What the rows are called, as far as any is known.
    pub(super) fn rows_name(&self) -> String {
        self.feeds.tables(|tables| name_of(&self.listing, tables))
    }

    /// What can be said of all rows: of one context in the listing's own words.
    pub(super) fn head(&self) -> String {
        let listing = &self.listing;
        self.feeds.tables(|tables| match tables {
            [] => listing.id().to_owned(),
            [only] => listing.title(only),
            several => {
                let name = name_of(listing, several);
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

    /// Whether a column tells the namespaces: rows of all of them are shown, and these lie in some.
    pub(super) fn tells_namespaces(&self) -> bool {
        let everywhere = self.feeds.0.iter().any(Feed::is_everywhere);
        let lies = |row: &L::Row| self.listing.namespace_of(row).is_some();
        let first = self
            .keys
            .1
            .first()
            .filter(|_| everywhere && !self.listing.is_of_one_namespace());
        first.is_some_and(|key| self.feeds.row(key, lies).unwrap_or(false))
    }

    /// The namespace of a row, where a column tells it.
    pub(super) fn namespace_cell(listing: &L, row: &L::Row) -> Cell {
        Cell::styled(listing.namespace_of(row).unwrap_or("-"), Meaning::Dim)
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
        let everywhere = self.feeds.0.iter().any(Feed::is_everywhere);
        let empty = match everywhere {
            true => self.listing.empty_everywhere(),
            false => self.listing.empty(),
        };
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

    /// What is to be said below rows that are there: why those of the worst context are not live, else that a login ends.
    pub(super) fn remark(&self, focused: bool, now: Timestamp) -> Option<SafeText> {
        let several = self.feeds.is_several();
        let named = |feed: &Feed<L::Row>, text: &str| match several {
            true => SafeText::line(&format!("{}: {text}", feed.context.name)),
            false => SafeText::line(text),
        };
        // Most of the time there is nothing to say.
        let is_live = |feed: &Feed<L::Row>| feed.rows.source().read(|_, health| health.state == HealthState::Live);
        if !self.feeds.0.iter().all(is_live) {
            let by_rank = self.feeds.by_rank();
            let mut reasons = by_rank.iter();
            let reason = reasons.find_map(|(feed, health)| Some(named(feed, trouble(health)?.as_str())));
            if reason.is_some() {
                return reason;
            }
        }
        let mut logins = self.feeds.0.iter().filter(|_| focused);
        logins.find_map(|feed| Some(named(feed, &feed.health().login_words(now)?)))
    }
}
