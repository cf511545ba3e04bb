//! A panel that is one table of one feed's rows: selection, half pages, filter, health, the word for an empty table and
//! the drawing are the same for all of them; a [`Listing`] says what is special. Rows can be marked: an action is then
//! about all of them at once. Not for panels that draw anything else but a table.

mod acts;
mod listing;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub use self::listing::{Listing, RowLook, apart_by};
use self::rows::{Feed, Feeds, RowKey};
use super::filter::Filter;
use super::grid::{NO_TABLE, plain};
use super::widgets::health::{empty_reason, tone};
use super::widgets::table::{Cell, Column, Selection, Table};
use super::widgets::{line, message, wrap};
use super::{Action, Effect, Grid, Meaning, Motion, Panel, PanelKey, Scope, Sourced, Subject, Theme, Which};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, HealthState, RowTable};

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
    /// How it was drawn last: a filter looks at what the operator saw.
    seen: (Theme, Timestamp),
}

/// The column of several contexts, named as in the results of commands.
const CONTEXT: &str = "CONTEXT";

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
                let texts = context.into_iter().chain(cells.iter().map(|cell| cell.text.as_str()));
                filter.matches(&texts.collect::<Vec<&str>>().join(" "))
            };
            let passes: Option<&dyn Fn(&Feed<L::Row>, &L::Row) -> bool> = match filter.is_empty() {
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

    /// The rows that are meant: the marked ones that are shown, without any mark `others`. A mark that a filter hides
    /// does not count: nothing happens to what is not seen. `Err`: it hides all of them.
    fn chosen<'a>(&'a self, others: &'a [RowKey]) -> Result<Vec<&'a RowKey>, SafeText> {
        if self.marked.is_empty() {
            return Ok(others.iter().collect());
        }
        let shown: Vec<&RowKey> = self.shown_marks().collect();
        match shown.is_empty() {
            true => Err("the filter hides the marked rows".into()),
            false => Ok(shown),
        }
    }

    fn shown_marks(&self) -> impl Iterator<Item = &RowKey> {
        self.keys.1.iter().filter(|key| self.marked.contains(*key))
    }

    /// The selected row; none: there is no row.
    fn selected(&self) -> &[RowKey] {
        self.keys
            .1
            .get(self.selection.index())
            .map_or(&[], std::slice::from_ref)
    }

    /// These rows, by the places of their contexts.
    fn rows(&self, keys: Vec<&RowKey>) -> BTreeMap<u16, Vec<L::Row>> {
        let mut rows: BTreeMap<u16, Vec<L::Row>> = BTreeMap::new();
        for key in keys {
            let row = self.feeds.row(key, L::Row::clone);
            rows.entry(key.context).or_default().extend(row);
        }
        rows
    }

    fn act(&mut self, action: &str) -> Vec<Effect> {
        if let Some(effects) = self.listing.alone(action) {
            return effects;
        }
        match self.chosen(self.selected()) {
            Err(reason) => vec![Effect::Toast(reason)],
            Ok(keys) => self.act_on(action, keys),
        }
    }

    /// Each row is acted on in its own context.
    fn act_on(&self, action: &str, keys: Vec<&RowKey>) -> Vec<Effect> {
        if let Some(denied) = self.denied_to(action, &keys) {
            return vec![Effect::Toast(denied)];
        }
        let mut all = Vec::new();
        for (place, rows) in self.rows(keys) {
            let (Some(feed), Some(scope)) = (self.feeds.get(place), &self.scope) else {
                continue;
            };
            if rows.is_empty() {
                continue;
            }
            for effect in self.listing.act(action, &rows) {
                acts::join(&mut all, effect.within(scope, &feed.context));
            }
        }
        all
    }

    /// Why an action on these rows is not allowed in one of their contexts; without any row in the first.
    fn denied_to(&self, action: &str, keys: &[&RowKey]) -> Option<SafeText> {
        let mut places: BTreeSet<u16> = keys.iter().map(|key| key.context).collect();
        if places.is_empty() {
            places.insert(0);
        }
        places.into_iter().find_map(|place| {
            let feed = self.feeds.get(place)?;
            let denied = feed.read(|rows| {
                let any = rows.iter().next().map(|(_, row)| row);
                self.listing.denied(&feed.context, action, any)
            })?;
            Some(match self.feeds.is_several() {
                true => SafeText::line(&format!("context {}: {denied}", feed.context.name)),
                false => denied,
            })
        })
    }

    /// Opening is about the selected row, whatever is marked.
    fn open_selected(&self) -> Vec<Effect> {
        let selected: Vec<&RowKey> = self.selected().iter().collect();
        match selected.is_empty() {
            true => Vec::new(),
            false => self.act_on(self.listing.opens(), selected),
        }
    }

    /// Marks the selected row or takes its mark back, and goes on to the next.
    fn mark(&mut self) {
        let Some(key) = self.keys.1.get(self.selection.index()).cloned() else {
            return;
        };
        if !self.marked.remove(&key) {
            self.marked.insert(key);
        }
        self.step(Motion::Down);
    }

    fn step(&mut self, motion: Motion) {
        self.selection.step(motion, self.keys.1.len(), self.page);
        self.selection.settle(self.keys.1.get(self.selection.index()).cloned());
        self.moved += 1;
    }

    /// What can be said of all rows: of one context in the listing's own words.
    fn head(&self) -> String {
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
    fn elsewhere(&self) -> String {
        match (self.feeds.0.as_slice(), &self.scope) {
            ([only], Some(scope)) => scope
                .away(&only.context)
                .map_or(String::new(), |name| format!(" @{name}")),
            _ => String::new(),
        }
    }

    /// The listing's own columns, for a table that has this row.
    fn columns(&self, any: Option<&RowKey>) -> Vec<Column> {
        let row = any.and_then(|key| self.feeds.row(key, |row| self.listing.columns(Some(row))));
        row.unwrap_or_else(|| self.listing.columns(None))
    }

    /// It may leave a narrow table only where the rows that are shown are all of one context: else two of them could
    /// read alike.
    fn context_column(&self) -> Column {
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
    fn context_cells(&self, theme: &Theme) -> Vec<Cell> {
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
    fn why_empty(&self) -> SafeText {
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
    fn remark(&self, focused: bool, now: Timestamp) -> Option<SafeText> {
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
fn explained(area: Rect, buffer: &mut Buffer, theme: &Theme, reason: &SafeText) -> Rect {
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

impl<L: Listing> Panel for ListPanel<L> {
    fn id(&self) -> &str {
        self.listing.id()
    }

    fn title(&self) -> SafeText {
        let mut title = self.head();
        title.push_str(&self.elsewhere());
        if !self.filter.is_empty() {
            title.push_str(&format!("  /{} {}", self.filter.text(), self.keys.1.len()));
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
        self.feeds.0.clear();
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
        let context = several.then(|| CONTEXT.to_owned());
        let row = |key: &&RowKey| {
            let feed = self.feeds.get(key.context)?;
            let look = RowLook {
                now,
                ..self.whole(feed)
            };
            let cells = self.feeds.row(key, |row| self.listing.cells(row, &look))?;
            let context = several.then(|| SafeText::line(&feed.context.name).as_str().to_owned());
            let own = cells.iter().map(|cell| plain(cell, look.theme));
            Some(context.into_iter().chain(own).collect())
        };
        Ok(Grid {
            columns: context
                .into_iter()
                .chain(columns.into_iter().map(|column| column.title.into_owned()))
                .collect(),
            rows: keys.iter().filter_map(row).collect(),
        })
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
            Some(remark) if !self.keys.1.is_empty() => explained(area, buffer, theme, &remark),
            _ => area,
        };
        if self.keys.1.is_empty() {
            let shown = |rows: &&RowTable<L::Row>| self.listing.shown(rows).len();
            let reason = match self.feeds.tables(|tables| tables.iter().map(shown).sum::<usize>()) {
                0 => self.why_empty(),
                all => SafeText::line(&format!("none of {all} has /{}", self.filter.text())),
            };
            return message(area, buffer, theme, &reason);
        }
        let (keys, chosen) = (&self.keys.1, self.selection.index());
        let marks = !self.marked.is_empty();
        let contexts = self.context_cells(theme);
        let row = |at: usize| {
            let Some(key) = keys.get(at) else { return Vec::new() };
            let look = RowLook {
                theme,
                now,
                open: focused && at == chosen,
                first: key.context == 0,
            };
            let cells = self.feeds.row(key, |row| self.listing.cells(row, &look));
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
        let own = self.columns(keys.first());
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
