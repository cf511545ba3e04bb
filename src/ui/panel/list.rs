//! A panel that is one table of one feed's rows: selection, half pages, filter, health, the word for an empty table and
//! the drawing are the same for all of them; a [`Listing`] says what is special. Not for panels that draw anything else
//! but a table.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::Filter;
use super::widgets::health::empty_reason;
use super::widgets::message;
use super::widgets::table::{Cell, Column, Selection, Table};
use super::{Action, Effect, Panel, PanelKey, Theme};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, RowTable, Subscription};

/// What is special about one list.
pub trait Listing: Send {
    /// A row of its feed.
    type Row: Clone + Send + Sync + 'static;

    /// As [`Panel::id`].
    fn id(&self) -> &'static str;

    /// The name of its source in the status line: `k8s`, `ec2`.
    fn source(&self) -> &'static str;

    /// The feed for a context. Inside a Tokio runtime.
    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<Self::Row>;

    /// The columns.
    fn columns(&self) -> Vec<Column>;

    /// The cells of a row, one a column.
    fn cells(&self, row: &Self::Row, look: &RowLook<'_>) -> Vec<Cell>;

    /// What to say when there is no row although the source is well.
    fn empty(&self) -> &'static str;

    /// The title; by default the id and how many there are.
    fn title(&self, rows: &RowTable<Self::Row>) -> String {
        match rows.len() {
            0 => self.id().to_owned(),
            count => format!("{} {count}", self.id()),
        }
    }

    /// The line when there is no room.
    fn folded(&self, rows: &RowTable<Self::Row>) -> String {
        self.title(rows)
    }

    /// Keys of the rows to show, in their order.
    fn shown<'a>(&self, rows: &'a RowTable<Self::Row>) -> Vec<&'a str> {
        rows.iter().map(|(key, _)| key).collect()
    }

    /// As [`Panel::actions`].
    fn actions(&self) -> &'static [Action];

    /// The action that Enter means.
    fn opens(&self) -> &'static str;

    /// What an action on a row wants done.
    fn act(&self, action: &str, row: &Self::Row) -> Vec<Effect>;

    /// Whether a row is this subject: the selection then follows a change made to it.
    fn is(&self, row: &Self::Row, subject: &Target) -> bool {
        let _ = (row, subject);
        false
    }

    /// As [`Panel::subject`], of a row.
    fn subject(&self, row: &Self::Row) -> Option<Target> {
        let _ = row;
        None
    }

    /// As [`Panel::minimum`].
    fn minimum(&self) -> (u16, u16) {
        (34, 4)
    }

    /// As [`Panel::weight`].
    fn weight(&self) -> u16 {
        2
    }
}

/// What decides how a row looks besides the row.
pub struct RowLook<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// For ages.
    pub now: Timestamp,
    /// The row is selected in the focused pane: it may take more lines.
    pub open: bool,
}

/// The panel of a listing.
pub struct ListPanel<L: Listing> {
    listing: L,
    feed: Option<Subscription<L::Row>>,
    selection: Selection,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    filter: Filter,
    /// A subject to select as soon as its row is there.
    wanted: Option<Target>,
    /// Keys of the rows shown, and the version they were taken at.
    keys: (u64, Vec<String>),
    /// How it was drawn last: a filter looks at what the operator saw.
    seen: (Theme, Timestamp),
}

/// No version: what is known is out of date.
const NEVER: u64 = u64::MAX;

impl<L: Listing> ListPanel<L> {
    /// Shows nothing until it is opened.
    pub fn new(listing: L) -> Self {
        ListPanel {
            listing,
            feed: None,
            selection: Selection::default(),
            page: 1,
            moved: 0,
            filter: Filter::default(),
            wanted: None,
            keys: (NEVER, Vec::new()),
            seen: (Theme::plain(), Timestamp::UNIX_EPOCH),
        }
    }

    /// Takes over which rows there are, and keeps the selection on its row. Ages in cells move with the second, so a
    /// filter is applied to rows of the same version only once.
    fn refresh(&mut self) {
        let Some(feed) = &self.feed else {
            return self.keys.1.clear();
        };
        let version = feed.source().version();
        if version != self.keys.0 {
            let (listing, filter, (theme, now)) = (&self.listing, &self.filter, &self.seen);
            // All that a row can show counts, not only what fits into one line of it.
            let look = RowLook {
                theme,
                now: *now,
                open: true,
            };
            let passes = |row: &L::Row| {
                let cells = listing.cells(row, &look);
                let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
                filter.matches(&texts.join(" "))
            };
            let keys = feed.source().read(|rows, _| {
                let shown = listing.shown(rows).into_iter();
                let kept = shown.filter(|key| filter.is_empty() || rows.get(key).is_some_and(&passes));
                kept.map(str::to_owned).collect()
            });
            self.keys = (version, keys);
            self.follow();
        }
        let keys = &self.keys.1;
        self.selection.keep(
            keys.len(),
            |key| keys.iter().position(|known| known == key),
            |at| keys.get(at).cloned(),
        );
    }

    /// Selects the subject that is wanted, once its row is shown.
    fn follow(&mut self) {
        let (Some(feed), Some(subject)) = (&self.feed, &self.wanted) else {
            return;
        };
        let found = feed.source().read(|rows, _| {
            let is = |key: &&String| rows.get(key).is_some_and(|row| self.listing.is(row, subject));
            self.keys.1.iter().find(is).cloned()
        });
        if let Some(key) = found {
            self.selection.select_key(key);
            self.wanted = None;
        }
    }

    fn selected(&self) -> Option<L::Row> {
        let key = self.keys.1.get(self.selection.index())?;
        self.feed.as_ref()?.source().read(|rows, _| rows.get(key).cloned())
    }

    fn act(&self, action: &str) -> Vec<Effect> {
        self.selected()
            .map_or_else(Vec::new, |row| self.listing.act(action, &row))
    }

    fn read(&self, look: impl FnOnce(&L, &RowTable<L::Row>) -> String) -> SafeText {
        let text = match &self.feed {
            Some(feed) => feed.source().read(|rows, _| look(&self.listing, rows)),
            None => self.listing.id().to_owned(),
        };
        SafeText::line(&text)
    }
}

impl<L: Listing> Panel for ListPanel<L> {
    fn id(&self) -> &'static str {
        self.listing.id()
    }

    fn title(&self) -> SafeText {
        let title = self.read(L::title);
        match self.filter.is_empty() {
            true => title,
            false => SafeText::line(&format!("{title}  /{} {}", self.filter.text(), self.keys.1.len())),
        }
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.feed = Some(self.listing.subscribe(context));
        self.keys = (NEVER, Vec::new());
        self.moved += 1;
    }

    fn close(&mut self) {
        self.feed = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.feed.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn health(&self) -> Vec<(SafeText, Health)> {
        let health = |feed: &Subscription<L::Row>| (self.listing.source().into(), feed.source().health());
        self.feed.iter().map(health).collect()
    }

    fn focus_on(&mut self, subject: &Target) {
        self.wanted = Some(subject.clone());
        self.keys.0 = NEVER;
        self.refresh();
        self.moved += 1;
    }

    fn subject(&self) -> Option<Target> {
        self.selected().and_then(|row| self.listing.subject(&row))
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        // From here on the operator chooses, among the rows that were seen.
        self.wanted = None;
        self.refresh();
        match key {
            PanelKey::Move(motion) => {
                self.selection.step(motion, self.keys.1.len(), self.page);
                self.selection.settle(self.keys.1.get(self.selection.index()).cloned());
                self.moved += 1;
                Vec::new()
            }
            PanelKey::Open => self.act(self.listing.opens()),
            PanelKey::Act(action) => self.act(action),
            PanelKey::At(row) => match self.selection.at(row) {
                Some(at) if at == self.selection.index() => self.act(self.listing.opens()),
                Some(at) => {
                    self.selection.select(at);
                    self.selection.settle(self.keys.1.get(at).cloned());
                    self.moved += 1;
                    Vec::new()
                }
                None => Vec::new(),
            },
            PanelKey::Mark => Vec::new(),
        }
    }

    fn actions(&self) -> &'static [Action] {
        self.listing.actions()
    }

    fn filter(&mut self, text: &str) -> bool {
        self.filter = Filter::new(text);
        self.keys.0 = NEVER;
        self.moved += 1;
        true
    }

    fn filter_text(&self) -> &str {
        self.filter.text()
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        if self.seen.0 != *theme {
            self.seen.0 = theme.clone();
        }
        self.seen.1 = now;
        self.refresh();
        self.page = usize::from(area.height.saturating_sub(1)).max(1);
        let Some(feed) = &self.feed else { return };
        if self.keys.1.is_empty() {
            let all = feed.source().read(|rows, _| self.listing.shown(rows).len());
            let reason = match all {
                0 => empty_reason(&feed.source().health(), self.listing.empty()),
                all => SafeText::line(&format!("none of {all} has /{}", self.filter.text())),
            };
            return message(area, buffer, theme, &reason);
        }
        let (keys, listing, chosen) = (&self.keys.1, &self.listing, self.selection.index());
        let row = |at: usize| {
            let look = RowLook {
                theme,
                now,
                open: focused && at == chosen,
            };
            let cells = keys.get(at).and_then(|key| {
                feed.source()
                    .read(|rows, _| rows.get(key).map(|row| listing.cells(row, &look)))
            });
            cells.unwrap_or_default()
        };
        let table = Table {
            columns: &self.listing.columns(),
            count: keys.len(),
            row: &row,
            focused,
        };
        table.draw(area, buffer, theme, &mut self.selection);
    }

    fn folded(&self) -> SafeText {
        self.read(L::folded)
    }

    fn minimum(&self) -> (u16, u16) {
        self.listing.minimum()
    }

    fn weight(&self) -> u16 {
        self.listing.weight()
    }
}
