//! A panel that is one table of one feed's rows: selection, half pages, filter, health, the word for an empty table and
//! the drawing are the same for all of them; a [`Listing`] says what is special. Rows can be marked: an action is then
//! about all of them at once. Not for panels that draw anything else but a table.

mod acts;
mod listing;
mod look;
mod rows;

use std::cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use self::listing::{Listing, RowLook, apart_by};
use self::rows::{Feed, Feeds, Passes, RowKey};
use super::filter::{Filter, told};
use super::grid::{NO_TABLE, plain};
use super::widgets::health::explained;
use super::widgets::message;
use super::widgets::table::{Cell, Column, Selection, Table};
use super::{Action, Effect, Grid, Meaning, Panel, PanelKey, Scope, Sourced, Subject, Theme, Tone, Which};
use crate::core::context::{Cloud, Context};
use crate::core::text::SafeText;
use crate::feed::RowTable;

/// The panel of a listing.
pub struct ListPanel<L: Listing> {
    listing: L,
    feeds: Feeds<L::Row>,
    /// What it was opened for last.
    scope: Option<Scope>,
    selection: Selection<RowKey>,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    filter: Filter,
    /// A subject to select as soon as its row is there.
    wanted: Option<Subject>,
    /// The rows that are marked. A row that goes away loses its mark.
    marked: BTreeSet<RowKey>,
    /// The rows shown, and the version they were taken at.
    keys: (u64, Vec<RowKey>),
    /// What the tab says, and the version it was found at: every frame asks, and all rows are looked at for it.
    told: cell::Cell<(u64, Option<Tone>)>,
    /// How it was drawn last: a filter looks at what the operator saw.
    seen: (Theme, Timestamp),
}

/// What a key on a table without rows answers.
const NO_ROW: &str = "there is no row here to do that with";
/// The column of several contexts, named as in the results of commands.
const CONTEXT: &str = "CONTEXT";
/// The column where all namespaces are shown, named as kubectl names it.
const NAMESPACE: &str = "NAMESPACE";

/// No version: what is known is out of date.
const NEVER: u64 = u64::MAX;

impl<L: Listing> ListPanel<L> {
    /// Shows nothing until it is opened.
    pub fn new(listing: L) -> Self {
        ListPanel {
            listing,
            feeds: Feeds(Vec::new()),
            scope: None,
            selection: Selection::default(),
            page: 1,
            moved: 0,
            filter: Filter::default(),
            wanted: None,
            marked: BTreeSet::new(),
            keys: (NEVER, Vec::new()),
            told: cell::Cell::new((NEVER, None)),
            seen: (Theme::plain(), Timestamp::UNIX_EPOCH),
        }
    }

    /// Takes over which rows there are, and keeps the selection on its row. Ages in cells move with the second, so a
    /// filter is applied to rows of the same version only once.
    fn refresh(&mut self) {
        if self.feeds.0.is_empty() {
            return self.keys.1.clear();
        }
        let version = self.feeds.version() + self.listing.version();
        if version != self.keys.0 {
            let (listing, filter, feeds) = (&self.listing, &self.filter, &self.feeds);
            let passes = |feed: &Feed<L::Row>, row: &L::Row| {
                // All that a row can show counts, not only what fits into one line of it.
                let cells = listing.cells(row, &self.whole(feed));
                let context = feeds.is_several().then_some(feed.context.name.as_str());
                let namespace = listing.namespace_of(row).filter(|_| feed.is_everywhere());
                let texts = context
                    .into_iter()
                    .chain(namespace)
                    .chain(cells.iter().map(|cell| cell.text.as_str()));
                filter.matches(&texts.collect::<Vec<&str>>().join(" "))
            };
            let passes: Option<Passes<'_, L::Row>> = match filter.is_empty() {
                true => None,
                false => Some(&passes),
            };
            if let Some(keys) = feeds.keys(listing, &self.keys.1, passes) {
                self.keys.1 = keys;
            }
            self.keys.0 = version;
            self.marked.retain(|key| feeds.row(key, |_| ()).is_some());
            let newest_first = |feed: &Feed<L::Row>| feed.read(|rows| listing.newest_first(rows));
            if self.selection.index() == 0 && feeds.0.iter().any(newest_first) {
                self.selection.settle(None);
            }
            self.follow();
        }
        let keys = &self.keys.1;
        self.selection.keep(
            keys.len(),
            |key| keys.iter().position(|known| known == key),
            |at| keys.get(at).cloned(),
        );
    }

    /// A row of this feed with all that it can show.
    fn whole(&self, feed: &Feed<L::Row>) -> RowLook<'_> {
        RowLook {
            theme: &self.seen.0,
            now: self.seen.1,
            open: true,
            first: self.is_first(feed),
        }
    }

    fn is_first(&self, feed: &Feed<L::Row>) -> bool {
        self.feeds.0.first().is_some_and(|first| std::ptr::eq(first, feed))
    }

    /// Selects the subject that is wanted, once its row is shown.
    fn follow(&mut self) {
        let (Some(scope), Some(subject)) = (&self.scope, &self.wanted) else {
            return;
        };
        let Some(place) = scope.of(subject).and_then(|context| self.feeds.place(&context.name)) else {
            return;
        };
        let is = |key: &&RowKey| {
            let row = |row: &L::Row| self.listing.is(row, &subject.target);
            key.context == place && self.feeds.row(key, row).unwrap_or(false)
        };
        if let Some(key) = self.keys.1.iter().find(is).cloned() {
            self.selection.select_key(key);
            self.wanted = None;
        }
    }
}

impl<L: Listing> Panel for ListPanel<L> {
    fn id(&self) -> &str {
        self.listing.id()
    }

    fn name(&self) -> SafeText {
        SafeText::line(&self.rows_name())
    }

    fn title(&self) -> SafeText {
        let mut title = self.head();
        title.push_str(&self.elsewhere());
        if !self.filter.is_empty() {
            title.push_str(&format!("  /{} {}", told(self.filter.text()), self.keys.1.len()));
        }
        let all = self.marked.len();
        // A walk over all rows: only where there is a mark to be found.
        if all > 0 {
            match self.shown_marks().count() {
                shown if shown == all => title.push_str(&format!("  {all} marked")),
                shown => title.push_str(&format!("  {shown} of {all} marked")),
            }
        }
        SafeText::line(&title)
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.open_in(&Scope::one(context));
    }

    fn open_in(&mut self, scope: &Scope) {
        self.told.set((NEVER, None));
        let contexts = self.listing.apart(scope.contexts());
        if let Some(first) = contexts.first() {
            self.listing.look_beside(first);
        }
        let feeds = contexts.into_iter().map(|context| Feed {
            rows: self.listing.subscribe(&context),
            context,
        });
        let feeds = Feeds(feeds.collect());
        // The selected row's context may stand in another place now.
        let selected = self.selection.key().and_then(|row| {
            let context = match self.feeds.get(row.context) {
                Some(known) => feeds.place(&known.context.name)?,
                None => row.context,
            };
            Some(RowKey { context, ..row.clone() })
        });
        self.selection.settle(selected);
        self.feeds = feeds;
        self.keys = (NEVER, Vec::new());
        // Marks belong to the rows of these contexts: others may have rows of the same names.
        if self.scope.replace(scope.clone()).as_ref() != Some(scope) {
            self.marked.clear();
        }
        self.moved += 1;
    }

    fn close(&mut self) {
        self.told.set((NEVER, None));
        self.feeds.0.clear();
        self.listing.leave_beside();
    }

    fn version(&self) -> u64 {
        self.moved + self.listing.version() + self.feeds.version()
    }

    fn health(&self) -> Vec<Sourced> {
        let source = |feed: &Feed<L::Row>| {
            let away = self.scope.as_ref().and_then(|scope| scope.away(&feed.context));
            let named = self.feeds.is_several() || away.is_some();
            Sourced::new(self.listing.source(), feed.health()).of(named.then_some(feed.context.name.as_str()))
        };
        self.feeds.0.iter().map(source).collect()
    }

    fn focus_on(&mut self, subject: &Subject) -> bool {
        self.wanted = Some(subject.clone());
        self.keys.0 = NEVER;
        self.refresh();
        self.moved += 1;
        // It shows the same rows as before.
        false
    }

    fn subjects(&self) -> Result<Vec<Subject>, SafeText> {
        let keys = self.chosen(self.selected())?;
        let subject = |key: &RowKey| {
            let target = self.feeds.row(key, |row| self.listing.subject(row))??;
            let context = &self.feeds.get(key.context)?.context;
            let away = self.scope.as_ref()?.away(context);
            Some(Subject {
                target,
                context: away.map(|_| context.clone()),
            })
        };
        Ok(keys.into_iter().filter_map(subject).collect())
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        // From here on the operator chooses, among the rows that were seen.
        self.wanted = None;
        self.refresh();
        match key {
            PanelKey::Move(motion) => {
                self.step(motion);
                Vec::new()
            }
            PanelKey::Open => self.open_selected(),
            PanelKey::Act(action) => self.act(action),
            PanelKey::At(row) => match self.selection.at(row) {
                Some(at) if at == self.selection.index() => self.open_selected(),
                Some(at) => {
                    self.selection.select(at);
                    self.selection.settle(self.keys.1.get(at).cloned());
                    self.moved += 1;
                    Vec::new()
                }
                None => Vec::new(),
            },
            PanelKey::Mark => {
                self.mark();
                Vec::new()
            }
        }
    }

    fn actions(&self) -> &'static [Action] {
        self.listing.actions()
    }

    fn can_mark(&self) -> bool {
        true
    }

    fn denied(&self, action: &str) -> Option<SafeText> {
        let keys = self.chosen(self.selected()).unwrap_or_default();
        self.denied_to(action, &keys)
    }

    fn back(&mut self) -> bool {
        let had = !self.marked.is_empty();
        self.marked.clear();
        self.moved += u64::from(had);
        had
    }

    fn filter(&mut self, text: &str) -> bool {
        self.filter = Filter::new(text);
        self.keys.0 = NEVER;
        // The next key may copy or act before anything is drawn.
        self.refresh();
        self.moved += 1;
        true
    }

    fn filter_text(&self) -> &str {
        self.filter.text()
    }

    fn grid(&self, which: Which, now: Timestamp) -> Result<Grid, SafeText> {
        if self.feeds.0.is_empty() {
            return Err(NO_TABLE.into());
        }
        let keys: Vec<&RowKey> = match which {
            Which::Selected => self.selected().iter().collect(),
            Which::All => self.chosen(&self.keys.1)?,
        };
        let several = self.feeds.is_several();
        let columns = self.columns(keys.first().copied());
        let namespaces = self.tells_namespaces();
        let context = several.then(|| CONTEXT.to_owned());
        let context = context.into_iter().chain(namespaces.then(|| NAMESPACE.to_owned()));
        let row = |key: &&RowKey| {
            let feed = self.feeds.get(key.context)?;
            let look = RowLook {
                now,
                ..self.whole(feed)
            };
            let cells = |row: &L::Row| {
                let namespace = namespaces.then(|| Self::namespace_cell(&self.listing, row));
                namespace
                    .into_iter()
                    .chain(self.listing.cells(row, &look))
                    .collect::<Vec<_>>()
            };
            let cells = self.feeds.row(key, cells)?;
            let context = several.then(|| SafeText::line(&feed.context.name).as_str().to_owned());
            let own = cells.iter().map(|cell| plain(cell, look.theme));
            Some(context.into_iter().chain(own).collect())
        };
        Ok(Grid {
            columns: context
                .chain(columns.into_iter().map(|column| column.title.into_owned()))
                .collect(),
            rows: keys.iter().filter_map(row).collect(),
        })
    }

    fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        self.listing.namespace(context)
    }

    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        self.listing.cloud(context)
    }

    fn mark(&self) -> Option<Tone> {
        let version = self.version();
        if self.told.get().0 == version {
            return self.told.get().1;
        }
        let marks = self.feeds.0.iter().enumerate();
        let mark = |(place, feed): (usize, &Feed<L::Row>)| {
            feed.read(|rows| {
                self.listing.look(place, rows);
                self.listing.mark(rows)
            })
        };
        let told = marks.filter_map(mark).max();
        self.told.set((version, told));
        told
    }

    fn window(&self) -> Option<(usize, usize, usize)> {
        self.selection.window(self.keys.1.len())
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
        if self.seen.0 != *theme {
            self.seen.0 = theme.clone();
        }
        self.seen.1 = now;
        self.refresh();
        self.page = usize::from(area.height.saturating_sub(1)).max(1);
        if self.feeds.0.is_empty() {
            return;
        }
        let area = match self.remark(focused, now) {
            Some(remark) if !self.keys.1.is_empty() => {
                explained(area, buffer, theme, &remark, self.keys.1.len() + 1, focused)
            }
            _ => area,
        };
        if self.keys.1.is_empty() {
            let shown = |rows: &&RowTable<L::Row>| self.listing.shown(rows).len();
            let reason = match self.feeds.tables(|tables| tables.iter().map(shown).sum::<usize>()) {
                0 => self.why_empty(),
                all => SafeText::line(&format!("none of {all} has /{}", told(self.filter.text()))),
            };
            return message(area, buffer, theme, &reason);
        }
        let (keys, chosen) = (&self.keys.1, self.selection.index());
        let marks = !self.marked.is_empty();
        let contexts = self.context_cells(theme);
        let namespaces = self.tells_namespaces();
        let row = |at: usize| {
            let Some(key) = keys.get(at) else { return Vec::new() };
            let look = RowLook {
                theme,
                now,
                open: focused && at == chosen,
                first: key.context == 0,
            };
            let cells = |row: &L::Row| {
                let namespace = namespaces.then(|| Self::namespace_cell(&self.listing, row));
                namespace
                    .into_iter()
                    .chain(self.listing.cells(row, &look))
                    .collect::<Vec<_>>()
            };
            let cells = self.feeds.row(key, cells);
            let mark = marks.then(|| match self.marked.contains(key) {
                true => Cell::styled(theme.glyphs.mark, Meaning::ChatMark),
                false => Cell::new(""),
            });
            let context = contexts.get(usize::from(key.context)).cloned();
            let own = cells.into_iter().flatten();
            mark.into_iter().chain(context).chain(own).collect()
        };
        // The marks have a column of their own as long as there are any.
        let mark = marks.then(|| Column::new("").narrow());
        let context = (!contexts.is_empty()).then(|| self.context_column());
        let namespace = namespaces.then(|| Column::new(NAMESPACE).shortening(9));
        let own = self.columns(keys.first());
        let context = context.into_iter().chain(namespace);
        let columns: Vec<Column> = mark.into_iter().chain(context).chain(own).collect();
        let table = Table {
            columns: &columns,
            count: keys.len(),
            row: &row,
            focused,
        };
        table.draw(area, buffer, theme, &mut self.selection);
    }

    fn folded(&self) -> SafeText {
        if self.feeds.0.is_empty() {
            return SafeText::line(self.listing.id());
        }
        let one = |(place, feed): (usize, &Feed<L::Row>)| {
            let text = feed.read(|rows| {
                self.listing.look(place, rows);
                self.listing.folded(rows)
            });
            match self.feeds.is_several() {
                true => format!("{}: {text}", feed.context.name),
                false => format!("{text}{}", self.elsewhere()),
            }
        };
        let all: Vec<String> = self.feeds.0.iter().enumerate().map(one).collect();
        SafeText::line(&all.join(", "))
    }

    fn minimum(&self) -> (u16, u16) {
        self.listing.minimum()
    }

    fn weight(&self) -> u16 {
        self.listing.weight()
    }

    fn by_name_only(&self) -> bool {
        self.listing.by_name_only()
    }
}

#[cfg(test)]
mod tests;
