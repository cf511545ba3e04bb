//! A block in its place among the others: what decides how it looks, and its lines, kept while nothing of that changes.
//! Not for how it looks, which is `view`'s.

use jiff::Timestamp;
use ratatui::text::Line;

use super::block::Block;
use super::view::{self, Look};

/// A block and its lines as they were drawn last.
pub(super) struct Entry {
    pub block: Block,
    pub cache: Option<Cached>,
}

/// What decides how a block looks.
#[derive(PartialEq)]
struct Key {
    width: u16,
    version: u64,
    latest: bool,
    selected: bool,
    unread: bool,
    old: bool,
    theme: String,
    has_color: bool,
    /// While it runs it tells how long.
    running: Option<Timestamp>,
}

/// How blocks differ by their place.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    pub last: usize,
    pub selected: Option<u64>,
    pub unread: Option<u64>,
}

impl Marks {
    pub fn look<'a>(&self, index: usize, id: u64, look: &Look<'a>) -> Look<'a> {
        Look {
            latest: index == self.last,
            selected: Some(id) == self.selected,
            unread: Some(id) == self.unread,
            ..*look
        }
    }
}

/// Lines of a block as drawn, kept while nothing that decides them changed.
pub(super) struct Cached {
    key: Key,
    /// Whether the keys went to the blocks then, where the lines name the way to them; none: they do not.
    way: Option<bool>,
    pub lines: Vec<Line<'static>>,
}

impl Entry {
    pub fn lines(&mut self, look: &Look<'_>) -> &[Line<'static>] {
        let theme = look.theme;
        let key = Key {
            width: look.width,
            version: self.block.version,
            latest: look.latest,
            selected: look.selected,
            unread: look.unread,
            old: view::is_old(&self.block, look.now),
            theme: theme.name.clone(),
            has_color: theme.has_color(),
            running: self.block.state.is_live().then_some(look.now),
        };
        let focused = look.to_blocks.is_none();
        let cached = self.cache.as_ref();
        if !cached.is_some_and(|cached| cached.key == key && cached.way.is_none_or(|way| way == focused)) {
            self.cache = Some(Cached {
                key,
                way: view::names_the_way(&self.block, look).then_some(focused),
                lines: view::lines(&self.block, look),
            });
        }
        self.cache.as_ref().map_or(&[], |cached| &cached.lines)
    }
}
