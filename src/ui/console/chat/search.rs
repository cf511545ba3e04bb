//! Searching the scrollback: what is looked for, where it was found last, and how many blocks have it. A search begins
//! at the end and goes up, since what is looked for is mostly what has just gone by. Capitals count once one is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::block::Block;
use crate::core::text::SafeText;

/// A search.
pub struct Search {
    text: String,
    exact: bool,
    /// The block and the line in it that was found last.
    pub at: Option<(u64, usize)>,
    /// Blocks that have it.
    pub blocks: usize,
}

impl Search {
    /// A search that has found nothing yet.
    pub fn new(text: &str) -> Self {
        let exact = text.chars().any(char::is_uppercase);
        Search {
            text: if exact { text.to_owned() } else { text.to_lowercase() },
            exact,
            at: None,
            blocks: 0,
        }
    }

    /// Whether a text has it.
    pub fn is_in(&self, text: &str) -> bool {
        match self.exact {
            true => text.contains(&self.text),
            false => text.to_lowercase().contains(&self.text),
        }
    }

    /// Whether a block has it, folded lines too.
    pub fn is_in_block(&self, block: &Block) -> bool {
        let (remarks, _) = block.remarks();
        self.is_in(&block.line)
            || remarks.iter().any(|(text, _)| self.is_in(text.as_str()))
            || block.lines(0, usize::MAX).iter().any(|line| self.is_in(&line.text()))
    }

    /// What the title says.
    pub fn title(&self) -> SafeText {
        match self.blocks {
            0 => format!("/{} not found", self.text).into(),
            1 => format!("/{} in 1 block", self.text).into(),
            many => format!("/{} in {many} blocks", self.text).into(),
        }
    }

    /// Shows where it stands in the drawn rows.
    pub fn highlight(&self, area: Rect, buffer: &mut Buffer, style: Style) {
        for y in area.top()..area.bottom() {
            let (mut text, mut cells) = (String::new(), Vec::new());
            for x in area.left()..area.right() {
                let Some(cell) = buffer.cell((x, y)) else { continue };
                cells.push((text.len(), x));
                match self.exact {
                    true => text.push_str(cell.symbol()),
                    false => text.push_str(&cell.symbol().to_lowercase()),
                }
            }
            for (start, found) in text.match_indices(&self.text) {
                let hit = cells.iter().filter(|(at, _)| (start..start + found.len()).contains(at));
                for (_, x) in hit {
                    buffer.set_style(Rect::new(*x, y, 1, 1), style);
                }
            }
        }
    }
}
