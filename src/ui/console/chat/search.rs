//! Searching the scrollback: what is looked for, where it was found last, and how many blocks have it. A search begins
//! at the end and goes up, since what is looked for is mostly what has just gone by. Capitals count once one is typed.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::block::{Block, Fold};
use crate::core::text::SafeText;
use crate::ui::panel::filter::{Needle, told};

/// A search.
pub struct Search {
    typed: String,
    needle: Needle,
    /// The block and the line in it that was found last.
    pub at: Option<(u64, usize)>,
    /// Blocks that have it.
    pub blocks: usize,
    /// The block that was opened to show a match, and how it was folded before.
    pub opened: Option<(u64, Fold)>,
    /// Which blocks have it, each with the version that was looked at: a stroke or a step must not read all of them.
    known: HashMap<u64, (u64, bool)>,
}

impl Search {
    /// A search that has found nothing yet.
    pub fn new(text: &str) -> Self {
        Search {
            typed: text.to_owned(),
            needle: Needle::new(text),
            at: None,
            blocks: 0,
            opened: None,
            known: HashMap::new(),
        }
    }

    /// The search for another text. What has not the beginning of a text has not the text.
    #[must_use]
    pub fn become_text(mut self, text: &str) -> Self {
        let narrower = text.starts_with(&self.typed);
        self.known.retain(|_, (_, has)| narrower && !*has);
        Search {
            opened: self.opened,
            known: self.known,
            ..Search::new(text)
        }
    }

    /// Whether a text has it.
    pub fn is_in(&self, text: &str) -> bool {
        self.needle.is_in(text)
    }

    /// Whether a block has it, folded lines too.
    pub fn is_in_block(&mut self, block: &Block) -> bool {
        if let Some((version, has)) = self.known.get(&block.id)
            && *version == block.version
        {
            return *has;
        }
        let (remarks, _) = block.remarks();
        let (_, state) = block.state.label();
        let has = self.is_in(&block.line)
            || self.is_in(state)
            || remarks.iter().any(|(text, _)| self.is_in(text.as_str()))
            || block.lines(0, usize::MAX).iter().any(|line| self.is_in(&line.text()));
        self.known.insert(block.id, (block.version, has));
        has
    }

    /// What the title says.
    pub fn title(&self) -> SafeText {
        let typed = told(&self.typed);
        match self.blocks {
            0 => format!("/{typed} not found").into(),
            1 => format!("/{typed} in 1 block").into(),
            many => format!("/{typed} in {many} blocks").into(),
        }
    }

    /// Shows where it stands in the drawn rows.
    pub fn highlight(&self, area: Rect, buffer: &mut Buffer, style: Style) {
        for y in area.top()..area.bottom() {
            let (mut text, mut cells) = (String::new(), Vec::new());
            for x in area.left()..area.right() {
                let Some(cell) = buffer.cell((x, y)) else { continue };
                cells.push((text.len(), x));
                text.push_str(&self.needle.fold(cell.symbol()));
            }
            for (start, found) in text.match_indices(self.needle.text()) {
                let hit = cells.iter().filter(|(at, _)| (start..start + found.len()).contains(at));
                for (_, x) in hit {
                    buffer.set_style(Rect::new(*x, y, 1, 1), style);
                }
            }
        }
    }
}
