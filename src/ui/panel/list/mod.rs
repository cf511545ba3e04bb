//! A panel that is one table of one feed's rows: selection, half pages, filter, health, the word for an empty table and
//! the drawing are the same for all of them; a [`Listing`] says what is special. Rows can be marked: an action is then
//! about all of them at once. Not for panels that draw anything else but a table.

mod listing;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub use self::listing::{Listing, RowLook};
use super::filter::Filter;
use super::grid::{NO_TABLE, plain};
use super::widgets::health::empty_reason;
use super::widgets::table::{Cell, Column, Selection, Table};
use super::widgets::{line, message, wrap};
use super::{Action, Effect, Grid, Meaning, Motion, Panel, PanelKey, Theme, Tone, Which};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, RowTable, Subscription};

/// The panel of a listing.
pub struct ListPanel<L: Listing> {
    listing: L,
    feed: Option<Subscription<L::Row>>,
    context: Option<Arc<Context>>,
    selection: Selection,
    /// Rows of the last page drawn, for half pages.
    page: usize,
    moved: u64,
    filter: Filter,
    /// A subject to select as soon as its row is there.
    wanted: Option<Target>,
    /// Keys of the rows that are marked. A row that goes away loses its mark.
    marked: BTreeSet<String>,
    /// Keys of the rows shown, and the version they were taken at.
    keys: (u64, Vec<String>),
    /// How it was drawn last: a filter looks at what the operator saw.
    seen: (Theme, Timestamp),
}

/// What a key on a table without rows answers.
const NO_ROW: &str = "there is no row here to do that with";
/// No version: what is known is out of date.
const NEVER: u64 = u64::MAX;

impl<L: Listing> ListPanel<L> {
    /// Shows nothing until it is opened.
    pub fn new(listing: L) -> Self {
        ListPanel {
            listing,
            feed: None,
            context: None,
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
        let Some(feed) = &self.feed else {
            return self.keys.1.clear();
        };
        let version = feed.source().version() + self.listing.version();
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
            let known = &self.keys.1;
            // A row that changed leaves the keys as they are: a list of tens of thousands is not made anew for it.
            let others: Option<Vec<String>> = feed.source().read(|rows, _| {
                let mut shown = listing.shown(rows);
                if !filter.is_empty() {
                    shown.retain(|key| rows.get(key).is_some_and(&passes));
                }
                (!shown.iter().eq(known)).then(|| shown.into_iter().map(str::to_owned).collect())
            });
            if let Some(keys) = others {
                self.keys.1 = keys;
            }
            self.keys.0 = version;
            if !self.marked.is_empty() {
                let gone = |key: &String| feed.source().read(|rows, _| rows.get(key).is_none());
                self.marked.retain(|key| !gone(key));
            }
            if self.selection.index() == 0 && feed.source().read(|rows, _| self.listing.newest_first(rows)) {
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

    /// Keys of the rows that are meant: the marked ones that are shown, without any mark `others`. A mark that a filter
    /// hides does not count: nothing happens to what is not seen. `Err`: it hides all of them.
    fn chosen<'a>(&'a self, others: &'a [String]) -> Result<Vec<&'a String>, SafeText> {
        if self.marked.is_empty() {
            return Ok(others.iter().collect());
        }
        let shown: Vec<&String> = self.shown_marks().collect();
        match shown.is_empty() {
            true => Err("the filter hides the marked rows".into()),
            false => Ok(shown),
        }
    }

    fn shown_marks(&self) -> impl Iterator<Item = &String> {
        self.keys.1.iter().filter(|key| self.marked.contains(*key))
    }

    /// The selected row's key; none: there is no row.
    fn selected(&self) -> &[String] {
        self.keys
            .1
            .get(self.selection.index())
            .map_or(&[], std::slice::from_ref)
    }

    /// The rows an action is about.
    fn chosen_rows(&self) -> Result<Vec<L::Row>, SafeText> {
        let keys = self.chosen(self.selected())?;
        let Some(feed) = &self.feed else { return Ok(Vec::new()) };
        Ok(feed
            .source()
            .read(|rows, _| keys.into_iter().filter_map(|key| rows.get(key).cloned()).collect()))
    }

    fn act(&mut self, action: &str) -> Vec<Effect> {
        if let Some(effects) = self.listing.alone(action) {
            return effects;
        }
        if let Some(denied) = self.denied(action) {
            return vec![Effect::Toast(denied)];
        }
        match self.chosen_rows() {
            Err(reason) => vec![Effect::Toast(reason)],
            Ok(rows) if rows.is_empty() => vec![Effect::Toast(NO_ROW.into())],
            Ok(rows) => self.listing.act(action, &rows),
        }
    }

    /// Opening is about the selected row, whatever is marked.
    fn open_selected(&self) -> Vec<Effect> {
        let row = self.selected().first().and_then(|key| {
            let feed = self.feed.as_ref()?;
            feed.source().read(|rows, _| rows.get(key).cloned())
        });
        let Some(row) = row else {
            return vec![Effect::Toast(NO_ROW.into())];
        };
        match self.denied(self.listing.opens()) {
            Some(denied) => vec![Effect::Toast(denied)],
            None => self.listing.act(self.listing.opens(), &[row]),
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

    fn read(&self, look: impl FnOnce(&L, &RowTable<L::Row>) -> String) -> SafeText {
        let text = match &self.feed {
            Some(feed) => feed.source().read(|rows, _| look(&self.listing, rows)),
            None => self.listing.id().to_owned(),
        };
        SafeText::line(&text)
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
        let mut title = self.read(L::title).as_str().to_owned();
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
        self.feed = Some(self.listing.subscribe(context));
        self.keys = (NEVER, Vec::new());
        // Marks belong to the rows of a context: another one may have rows of the same names.
        if self.context.replace(context.clone()).as_ref() != Some(context) {
            self.marked.clear();
        }
        self.moved += 1;
    }

    fn close(&mut self) {
        self.feed = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.listing.version() + self.feed.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn health(&self) -> Vec<(SafeText, Health)> {
        let health = |feed: &Subscription<L::Row>| (self.listing.source().into(), feed.source().health());
        self.feed.iter().map(health).collect()
    }

    fn focus_on(&mut self, subject: &Target) -> bool {
        self.wanted = Some(subject.clone());
        self.keys.0 = NEVER;
        self.refresh();
        self.moved += 1;
        // It shows the same rows as before.
        false
    }

    fn subjects(&self) -> Result<Vec<Target>, SafeText> {
        let rows = self.chosen_rows()?;
        Ok(rows.iter().filter_map(|row| self.listing.subject(row)).collect())
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
        let (context, feed) = (self.context.as_ref()?, self.feed.as_ref()?);
        feed.source().read(|rows, _| {
            self.listing
                .denied(context, action, rows.iter().next().map(|(_, row)| row))
        })
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
        let feed = self.feed.as_ref().ok_or(NO_TABLE)?;
        let keys: Vec<&String> = match which {
            Which::Selected => self.selected().iter().collect(),
            Which::All => self.chosen(&self.keys.1)?,
        };
        let (listing, theme) = (&self.listing, &self.seen.0);
        let look = RowLook { theme, now, open: true };
        Ok(feed.source().read(|rows, _| {
            let columns = listing.columns(keys.first().and_then(|key| rows.get(key.as_str())));
            let row = |row: &L::Row| {
                listing
                    .cells(row, &look)
                    .iter()
                    .map(|cell| plain(cell, theme))
                    .collect()
            };
            Grid {
                columns: columns.into_iter().map(|column| column.title.into_owned()).collect(),
                rows: keys.iter().filter_map(|key| rows.get(key.as_str())).map(row).collect(),
            }
        }))
    }

    fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        self.listing.namespace(context)
    }

    fn mark(&self) -> Option<Tone> {
        let feed = self.feed.as_ref()?;
        feed.source().read(|rows, _| self.listing.mark(rows))
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
        let Some(feed) = &self.feed else { return };
        let health = feed.source().health();
        let login = health
            .login_words(now)
            .filter(|_| focused)
            .map(|words| SafeText::line(&words));
        let reason = health.reason.filter(|_| self.listing.explains()).or(login);
        let area = match reason {
            Some(reason) if !self.keys.1.is_empty() => explained(area, buffer, theme, &reason),
            _ => area,
        };
        if self.keys.1.is_empty() {
            let all = feed.source().read(|rows, _| self.listing.shown(rows).len());
            let reason = match all {
                0 => empty_reason(&feed.source().health(), self.listing.empty()),
                all => SafeText::line(&format!("none of {all} has /{}", self.filter.text())),
            };
            return message(area, buffer, theme, &reason);
        }
        let (keys, listing, chosen) = (&self.keys.1, &self.listing, self.selection.index());
        let (marked, marks) = (&self.marked, !self.marked.is_empty());
        let row = |at: usize| {
            let look = RowLook {
                theme,
                now,
                open: focused && at == chosen,
            };
            let Some(key) = keys.get(at) else { return Vec::new() };
            let cells = feed
                .source()
                .read(|rows, _| rows.get(key).map(|row| listing.cells(row, &look)));
            let mark = marks.then(|| match marked.contains(key) {
                true => Cell::styled(theme.glyphs.mark, Meaning::ChatMark),
                false => Cell::new(""),
            });
            mark.into_iter().chain(cells.into_iter().flatten()).collect()
        };
        // The marks have a column of their own as long as there are any.
        let mark = marks.then(|| Column::new("").narrow());
        let own = feed
            .source()
            .read(|rows, _| listing.columns(keys.first().and_then(|key| rows.get(key))));
        let columns: Vec<Column> = mark.into_iter().chain(own).collect();
        let table = Table {
            columns: &columns,
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

    fn by_name_only(&self) -> bool {
        self.listing.by_name_only()
    }
}

#[cfg(test)]
mod tests;
