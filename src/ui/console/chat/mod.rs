//! The chat pane: blocks in the order they were asked for, scrollback, folding and follow mode. State and drawing; what
//! happens in blocks comes from the engine through the app.

pub mod block;
mod entry;
mod find;
mod head;
mod search;
pub mod text;
pub mod view;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::block::{Block, Fold, not_kept};
use self::entry::{Entry, Marks};
use self::search::Search;
use self::view::Look;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::ui::panel::{Meaning, Motion};

/// Blocks kept at most; the oldest that has ended goes first.
pub const BLOCKS: usize = 1_000;
/// Where the line about dropped blocks stands among the blocks, which are numbered from 1.
const DROPPED: u64 = 0;
/// Result lines kept over all blocks at most; the oldest blocks that have ended go first.
pub const LINES: usize = 100_000;

/// The chat pane's state.
pub struct Chat {
    blocks: VecDeque<Entry>,
    next_id: u64,
    follow: bool,
    /// What stands at the top while not following: a block and a line in it.
    anchor: (u64, usize),
    /// It was set to what is to be seen, which may be nearer to the end than a page.
    turned: bool,
    selected: Option<u64>,
    /// Blocks dropped to stay within bounds.
    dropped: u64,
    /// Changes that arrived since following ended.
    unseen: u64,
    /// The first block that changed since following ended: a mark stands before it until following ends again.
    unread: Option<u64>,
    search: Option<Search>,
    /// A block that is to be read from its beginning: the view goes there once, unless it is all in view.
    page_of: Option<u64>,
    /// Of the last drawing.
    page: usize,
    /// Lines below those that were drawn last.
    below: usize,
    /// Of the last drawing: the block in each row.
    rows: Vec<u64>,
}

impl Default for Chat {
    fn default() -> Self {
        Chat {
            blocks: VecDeque::new(),
            next_id: 1,
            follow: true,
            anchor: (0, 0),
            turned: false,
            selected: None,
            dropped: 0,
            unseen: 0,
            unread: None,
            search: None,
            page_of: None,
            page: 10,
            below: 0,
            rows: Vec::new(),
        }
    }
}

impl Chat {
    /// Adds a block for a line; its id.
    pub fn open(&mut self, line: String, context: Arc<Context>, at: Timestamp) -> u64 {
        let id = self.next_id;
        self.add(Block::new(id, line, context, at));
        self.to_end();
        id
    }

    /// Adds a word of the console itself.
    pub fn say(&mut self, at: Timestamp, lines: impl IntoIterator<Item = (SafeText, Meaning)>) {
        let block = Block::word(self.next_id, at, lines);
        self.add(block);
    }

    fn add(&mut self, block: Block) {
        self.next_id += 1;
        let id = block.id;
        self.blocks.push_back(Entry { block, cache: None });
        self.arrived(id);
        self.trim();
    }

    /// Changes a block, if it is still there.
    pub fn change(&mut self, id: u64, change: impl FnOnce(&mut Block)) {
        if let Some(entry) = self.blocks.iter_mut().rev().find(|entry| entry.block.id == id) {
            change(&mut entry.block);
            entry.block.version += 1;
            self.arrived(id);
        }
    }

    fn arrived(&mut self, id: u64) {
        if !self.follow {
            self.unseen += 1;
            if self.unread.is_none() {
                self.unread = Some(id);
                // The mark before the block is a line of it.
                self.anchor.1 += usize::from(self.anchor.0 == id && self.anchor.1 > 0);
            }
        }
    }

    /// The end is in view again. What was unread stays marked, to be found.
    fn catch_up(&mut self) {
        self.follow = true;
        self.unseen = 0;
    }

    /// The operator looks elsewhere: from here on what comes is unread.
    fn leave_end(&mut self) {
        if self.follow {
            self.unread = None;
        }
        self.follow = false;
    }

    /// A block that has ended is a page: its beginning comes into view where all of it is not.
    pub fn read_from_top(&mut self, id: u64) {
        self.page_of = Some(id);
    }

    /// A line of a block comes into view, at the top where there is enough below it.
    fn turn_to(&mut self, anchor: (u64, usize)) {
        (self.anchor, self.turned) = (anchor, true);
    }

    /// The end comes into view, whatever the operator looked at.
    pub fn to_end(&mut self) {
        self.catch_up();
        self.unread = None;
    }

    fn marks(&self) -> Marks {
        Marks {
            last: self.blocks.len().saturating_sub(1),
            selected: self.selected,
            unread: self.unread,
        }
    }

    /// Drops the oldest ended blocks until all bounds hold. Called when a block is added or has ended.
    pub fn trim(&mut self) {
        let mut lines: usize = self.blocks.iter().map(|entry| entry.block.len()).sum();
        while self.blocks.len() > BLOCKS || lines > LINES {
            let last = self.blocks.len().saturating_sub(1);
            let oldest = self
                .blocks
                .iter()
                .take(last)
                .position(|entry| !entry.block.state.is_live());
            let Some(entry) = oldest.and_then(|at| self.blocks.remove(at)) else {
                return;
            };
            lines -= entry.block.len();
            self.dropped += 1;
        }
    }

    /// The block with this id.
    pub fn block(&self, id: u64) -> Option<&Block> {
        self.blocks
            .iter()
            .rev()
            .map(|entry| &entry.block)
            .find(|block| block.id == id)
    }

    /// All blocks, oldest first.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &Block> {
        self.blocks.iter().map(|entry| &entry.block)
    }

    /// What is missing at the beginning of the scrollback, as it is said there; none: nothing is.
    pub fn dropped(&self) -> Option<String> {
        (self.dropped > 0).then(|| not_kept(self.dropped, "earlier block"))
    }

    /// All of it as text.
    pub fn transcript(&self) -> String {
        let dropped = self.dropped().map(|told| format!("{told}\n\n"));
        let blocks = self.blocks().map(Block::transcript);
        dropped.into_iter().chain(blocks).collect()
    }

    /// The selected block.
    pub fn selected(&self) -> Option<&Block> {
        self.selected.and_then(|id| self.block(id))
    }

    /// The latest block that runs in the foreground.
    pub fn foreground(&self) -> Option<&Block> {
        self.blocks()
            .rev()
            .find(|block| block.state.is_live() && !block.background)
    }

    /// Whether anything still runs.
    pub fn is_busy(&self) -> bool {
        self.blocks().any(|block| block.state.is_live())
    }

    /// Whether the end is in view and stays so.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// The title of the pane: follow mode or what arrived below.
    pub fn title(&self) -> SafeText {
        if let Some(search) = &self.search {
            return search.title();
        }
        match (self.follow, self.unseen) {
            (true, _) => "follow".into(),
            (false, 0) if self.below > 0 => format!("{} lines below", self.below).into(),
            (false, 0) => "scrolled".into(),
            (false, count) => format!("{count} new below").into(),
        }
    }

    /// The chat got or lost the keys: selects the latest block, or none.
    pub fn focus(&mut self, focused: bool) {
        self.selected = if focused {
            self.blocks.back().map(|entry| entry.block.id)
        } else {
            None
        };
    }

    /// Theme or keys are others: every block is laid out anew.
    pub fn forget_looks(&mut self) {
        self.blocks.iter_mut().for_each(|entry| entry.cache = None);
    }

    /// No block is selected.
    pub fn unselect(&mut self) {
        self.selected = None;
    }

    /// Opens the selected block, then shows whole what was cut to fit `columns`, then folds it.
    pub fn toggle(&mut self, columns: u16) {
        let latest = self.blocks.back().map(|entry| entry.block.id);
        let Some(id) = self.selected else { return };
        // From here on it is the operator's, not the search's.
        if let Some(search) = self
            .search
            .as_mut()
            .filter(|search| search.opened.is_some_and(|(open, _)| open == id))
        {
            search.opened = None;
        }
        let Some(entry) = self.blocks.iter_mut().find(|entry| entry.block.id == id) else {
            return;
        };
        // Not through `change`: what the operator does is nothing new to him.
        let block = &mut entry.block;
        let short = head::is_short(block, columns);
        let all = !short && view::shape(block, latest == Some(id)) == view::Shape::All;
        block.fold = match (all, block.is_cut(view::room(columns))) {
            // A stream is never shown as a whole: opened, it folds again.
            (false, _) if block.state.is_live() && block.fold == Fold::Open => Fold::Folded,
            (false, _) => Fold::Open,
            (true, true) => Fold::Whole,
            (true, false) => Fold::Folded,
        };
        block.version += 1;
    }

    /// Selects another block.
    pub fn select(&mut self, motion: Motion) {
        let last = self.blocks.len().saturating_sub(1);
        let at = self
            .blocks
            .iter()
            .position(|entry| Some(entry.block.id) == self.selected)
            .unwrap_or(last);
        let to = match motion {
            Motion::Up => at.saturating_sub(1),
            Motion::Down => (at + 1).min(last),
            Motion::First => 0,
            Motion::Last => last,
            _ => at,
        };
        self.selected = self.blocks.get(to).map(|entry| entry.block.id);
        if to == last {
            self.catch_up();
        } else if let Some(id) = self.selected {
            self.leave_end();
            self.turn_to((id, 0));
        }
    }

    /// Scrolls by half a page, or to an end.
    pub fn scroll(&mut self, motion: Motion, look: &Look<'_>) {
        let heights = self.heights(look);
        let total: usize = heights.iter().map(|(_, height)| height).sum();
        let most = total.saturating_sub(self.page);
        let half = (self.page / 2).max(1);
        let top = self.top(&heights);
        let to = match motion {
            Motion::PageUp => top.saturating_sub(half),
            Motion::PageDown => top + half,
            Motion::Up => top.saturating_sub(1),
            Motion::Down => top + 1,
            Motion::First => 0,
            Motion::Last => most,
            Motion::Left | Motion::Right => top,
        };
        if to >= most {
            self.catch_up();
        } else {
            self.leave_end();
            self.anchor = place(&heights, to);
        }
        self.select_in_view(&heights, to.min(most));
    }

    /// A selection that was scrolled out of view goes to the nearest block in it: nobody acts on what he does not see.
    fn select_in_view(&mut self, heights: &[(u64, usize)], top: usize) {
        let Some(selected) = self.selected else { return };
        let mut end = 0;
        let in_view = heights.iter().filter(|(_, height)| {
            let begin = end;
            end += height;
            end > top && begin < top + self.page
        });
        let seen: Vec<u64> = in_view.map(|(id, _)| *id).filter(|id| *id != DROPPED).collect();
        self.selected = match (seen.first(), seen.last()) {
            (Some(first), Some(last)) => Some(selected.clamp(*first, *last)),
            _ => self.selected,
        };
    }

    /// A click on a row: selects the block there, opens or folds it when it is selected already.
    pub fn click(&mut self, row: u16, columns: u16) {
        let Some(id) = self.rows.get(usize::from(row)).copied().filter(|id| *id != DROPPED) else {
            return;
        };
        if self.selected == Some(id) {
            self.toggle(columns);
        }
        self.selected = Some(id);
    }

    /// The first line shown, counted from the start of the scrollback.
    fn top(&self, heights: &[(u64, usize)]) -> usize {
        let total: usize = heights.iter().map(|(_, height)| height).sum();
        let most = total.saturating_sub(self.page);
        if self.follow {
            let last = heights.last().map_or(0, |(_, height)| *height);
            return if self.page_comes() {
                most.min(total - last)
            } else {
                most
            };
        }
        let before: usize = heights
            .iter()
            .take_while(|(id, _)| *id < self.anchor.0)
            .map(|(_, height)| height)
            .sum();
        let inside = heights
            .iter()
            .find(|(id, _)| *id == self.anchor.0)
            .map_or(0, |(_, h)| self.anchor.1.min(*h));
        (before + inside).min(most)
    }

    /// Whether the last block is a page of which more may come: its end is not shown only to leave it again.
    fn page_comes(&self) -> bool {
        let last = self.blocks.back().map(|entry| &entry.block);
        last.is_some_and(|block| block.page && block.state.is_live())
    }

    /// Only while the operator looks at the end and nothing came behind the page.
    fn turn_to_page(&mut self, heights: &[(u64, usize)]) {
        let Some(page) = self.page_of.take() else { return };
        let longer = heights
            .last()
            .is_some_and(|(id, height)| *id == page && *height > self.page);
        if longer && self.follow {
            self.leave_end();
            self.anchor = (page, 0);
        }
    }

    fn heights(&mut self, look: &Look<'_>) -> Vec<(u64, usize)> {
        let marks = self.marks();
        let height = |(index, entry): (usize, &mut Entry)| {
            let look = marks.look(index, entry.block.id, look);
            (entry.block.id, entry.lines(&look).len())
        };
        let dropped = (self.dropped > 0).then_some((DROPPED, 1));
        let blocks = self.blocks.iter_mut().enumerate().map(height);
        dropped.into_iter().chain(blocks).collect()
    }

    /// Draws what is in view. `look.latest` and `look.selected` are filled in here.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        self.page = usize::from(area.height);
        let look = &Look {
            width: area.width,
            ..*look
        };
        let heights = self.heights(look);
        self.turn_to_page(&heights);
        let total: usize = heights.iter().map(|(_, height)| height).sum();
        let mut skip = self.top(&heights);
        if std::mem::take(&mut self.turned) {
            // What came into view stays there, whatever comes below.
            self.anchor = place(&heights, skip);
        }
        // A short conversation stands at the top, like in a terminal.
        let mut row = 0;
        self.rows.clear();
        // The blank line after the last block is not worth a row.
        let rows = usize::from(area.height).min(total - skip.min(total));
        // Of those that say something: the blank line after the last block does not.
        self.below = total.saturating_sub(skip + rows + 1);
        let marks = self.marks();
        if let Some(dropped) = self.dropped() {
            if skip == 0 && rows > 0 {
                let style = look.theme.style(Meaning::ChatMark);
                buffer.set_stringn(area.x, area.y, dropped, usize::from(area.width), style);
                self.rows.push(DROPPED);
                row = 1;
            }
            skip = skip.saturating_sub(1);
        }
        let found = self.search.as_ref().and_then(|search| search.at);
        let mut found_row = None;
        let blocks = heights.iter().filter(|(id, _)| *id != DROPPED);
        for ((index, entry), (id, height)) in self.blocks.iter_mut().enumerate().zip(blocks) {
            if skip >= *height {
                skip -= height;
                continue;
            }
            let look = marks.look(index, *id, look);
            for (at, line) in entry.lines(&look).iter().enumerate().skip(skip) {
                if row >= rows {
                    break;
                }
                let y = area.y + u16::try_from(row).unwrap_or(u16::MAX);
                buffer.set_line(area.x, y, line, area.width);
                if found == Some((*id, at)) {
                    found_row = Some(Rect { y, height: 1, ..area });
                }
                self.rows.push(*id);
                row += 1;
            }
            skip = 0;
        }
        if let Some(search) = &self.search {
            search.highlight(area, buffer, look.theme.style(Meaning::Match));
            // Of all that match, the one that the search is at.
            if let Some(row) = found_row {
                search.highlight(row, buffer, look.theme.style(Meaning::RowSelected));
            }
        }
    }
}

/// Block and line at a position from the start.
fn place(heights: &[(u64, usize)], mut at: usize) -> (u64, usize) {
    for (id, height) in heights {
        if at < *height {
            return (*id, at);
        }
        at -= height;
    }
    heights.last().map_or((0, 0), |(id, height)| (*id, *height))
}

#[cfg(test)]
mod tests;
