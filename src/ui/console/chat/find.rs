//! Finding a text in the scrollback: which match comes next, and which block is opened to show it. What a match is is
//! `search`'s.

use super::block::Fold;
use super::search::Search;
use super::view::Look;
use super::{Chat, Entry, head, view};

impl Chat {
    /// Looks for a text from the end upwards; an empty one ends the search.
    pub fn find(&mut self, text: &str, look: &Look<'_>) {
        let search = self.search.take().map(|search| search.become_text(text));
        if !text.is_empty() {
            self.search = Some(search.unwrap_or_else(|| Search::new(text)));
            self.find_next(true, look);
        } else if let Some((id, fold)) = search.and_then(|search| search.opened) {
            self.fold_again(id, fold);
        }
    }

    /// Whether a search is on.
    pub fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// Goes to the next match, towards older ones or newer ones, around the ends; opens the block it is in.
    pub fn find_next(&mut self, older: bool, look: &Look<'_>) {
        let Some(mut search) = self.search.take() else { return };
        let before = search.opened;
        let has: Vec<bool> = self.blocks().map(|block| search.is_in_block(block)).collect();
        search.blocks = has.iter().filter(|has| **has).count();
        let count = has.len();
        let known = search.at.and_then(|(id, line)| {
            let at = self.blocks.iter().position(|entry| entry.block.id == id)?;
            Some((at, line))
        });
        let from = known.map_or(count.saturating_sub(1), |(at, _)| at);
        for step in 0..=count {
            if search.blocks == 0 {
                break;
            }
            let at = match older {
                true => (from + 2 * count - step) % count,
                false => (from + step) % count,
            };
            if !has.get(at).copied().unwrap_or(false) {
                continue;
            }
            let (lines, opened) = self.matching_lines(at, &search, look);
            let beyond = |line: &&usize| match known.filter(|_| step == 0) {
                Some((_, last)) if older => **line < last,
                Some((_, last)) => **line > last,
                None => true,
            };
            let found = match older {
                true => lines.iter().rev().find(beyond),
                false => lines.iter().find(beyond),
            };
            if let (Some(line), Some(id)) = (found, self.blocks.get(at).map(|entry| entry.block.id)) {
                search.at = Some((id, *line));
                self.leave_end();
                self.turn_to((id, line.saturating_sub(self.page / 3)));
                self.selected = Some(id);
                // Only the block that is looked at stays open.
                if let Some((other, fold)) = before.filter(|(other, _)| *other != id) {
                    self.fold_again(other, fold);
                }
                search.opened = opened.or(before.filter(|(other, _)| *other == id));
                break;
            }
            if let Some((id, fold)) = opened {
                self.fold_again(id, fold);
            }
        }
        self.search = Some(search);
    }

    /// Folds a block that a search opened, unless the operator did something with it since.
    fn fold_again(&mut self, id: u64, fold: Fold) {
        let open = |entry: &&mut Entry| entry.block.id == id && entry.block.fold == Fold::Open;
        if let Some(entry) = self.blocks.iter_mut().find(open) {
            entry.block.fold = fold;
            entry.block.version += 1;
        }
    }

    /// The lines of a block, opened for that, that have what is looked for; and how it was folded, if it was.
    fn matching_lines(&mut self, at: usize, search: &Search, look: &Look<'_>) -> (Vec<usize>, Option<(u64, Fold)>) {
        let (latest, marks) = (at + 1 == self.blocks.len(), self.marks());
        let Some(entry) = self.blocks.get_mut(at) else {
            return (Vec::new(), None);
        };
        let folded =
            view::shape(&entry.block, latest) == view::Shape::Folded || head::is_short(&entry.block, look.width);
        let opened = folded.then_some((entry.block.id, entry.block.fold));
        if folded {
            entry.block.fold = Fold::Open;
            entry.block.version += 1;
        }
        let look = marks.look(at, entry.block.id, look);
        let lines = entry.lines(&look).iter().enumerate();
        let hits: Vec<usize> = lines
            .filter(|(_, line)| search.is_in(&line.to_string()))
            .map(|(at, _)| at)
            .collect();
        // It may stand where a long line was broken: then the block's head must do.
        (if hits.is_empty() { vec![0] } else { hits }, opened)
    }
}
