//! Edits of the line beyond typing: what is seen as one character moves and goes as one, what was cut comes back, words
//! change their case. Not for what vi's modes do: that is `vi`'s.

use std::ops::Range;

use tui_textarea::CursorMove;
use unicode_segmentation::UnicodeSegmentation;

use super::Input;
use super::cut::Cut;
use crate::lang::MAX_LINE;
use crate::ui::console::keymap::Action;

/// Texts that were cut, at most; the oldest goes first.
const KILLS: usize = 16;

/// What a key has inserted last, for the keys that exchange it.
pub(super) struct Inserted {
    at: Range<usize>,
    what: Source,
    /// How many steps back from the newest.
    back: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    Deleted,
    LastWord,
}

impl Input {
    /// An edit of this module; false: it is none. `inserted`: what the key before has inserted.
    pub(super) fn edit_more(&mut self, action: Action, inserted: Option<Inserted>) -> bool {
        match action {
            Action::Left => self.step(CursorMove::Back),
            Action::DeleteLeft => {
                for _ in 0..self.cluster(CursorMove::Back) {
                    self.area.delete_char();
                }
            }
            Action::DeleteRight => {
                for _ in 0..self.cluster(CursorMove::Forward) {
                    self.area.delete_next_char();
                }
            }
            Action::DeleteWordLeft => self.cut(Self::delete_word_left),
            Action::DeleteWordRight => self.cut(|input| {
                input.area.delete_next_word();
            }),
            Action::DeleteToStart => self.cut(|input| {
                input.area.delete_line_by_head();
            }),
            Action::DeleteToEnd => self.cut(|input| {
                input.area.delete_line_by_end();
            }),
            Action::InsertDeleted => self.insert_again(Source::Deleted, None),
            // Means something only behind what was inserted so.
            Action::InsertDeletedBefore => {
                if let Some(last) = inserted.filter(|last| last.what == Source::Deleted) {
                    self.insert_again(Source::Deleted, Some(last));
                }
            }
            Action::InsertLastWord => {
                let last = inserted.filter(|last| last.what == Source::LastWord);
                self.insert_again(Source::LastWord, last);
            }
            Action::Transpose => self.transpose(),
            Action::WordUpper => self.recase(str::to_uppercase),
            Action::WordLower => self.recase(str::to_lowercase),
            Action::WordCapital => self.recase(capital),
            _ => return false,
        }
        true
    }

    /// Characters of what is seen as one beside the cursor: an emoji of several, a letter with its marks, a flag.
    fn cluster(&self, side: CursorMove) -> usize {
        let cursor = self.area.cursor();
        let line = self.area.lines().get(cursor.0).map_or("", String::as_str);
        let at = line.char_indices().nth(cursor.1).map_or(line.len(), |(byte, _)| byte);
        let (before, behind) = line.split_at(at);
        let cluster = match side {
            CursorMove::Back => before.graphemes(true).next_back(),
            _ => behind.graphemes(true).next(),
        };
        // A line break is one, too.
        cluster.map_or(1, |cluster| cluster.chars().count())
    }

    /// One to the left or to the right.
    pub(super) fn step(&mut self, side: CursorMove) {
        for _ in 0..self.cluster(side) {
            self.area.move_cursor(side);
        }
    }

    /// Keeps what a deletion cuts, to have it back.
    fn cut(&mut self, delete: impl FnOnce(&mut Self)) {
        let line = self.text();
        delete(self);
        let at = self.cursor();
        let Some(cut) = Cut::of(&line, at..at + line.len().saturating_sub(self.text().len())) else {
            return;
        };
        self.kills.push_back(cut);
        if self.kills.len() > KILLS {
            self.kills.pop_front();
        }
    }

    /// Inserts what was cut, or the last word of an earlier line; instead of `last` the one before that, and after the
    /// oldest the newest again.
    fn insert_again(&mut self, what: Source, last: Option<Inserted>) {
        let find = |input: &Self, back: usize| match what {
            Source::Deleted => input.kills.iter().rev().nth(back).map(|cut| cut.text().to_owned()),
            Source::LastWord => input.history.last_word(back),
        };
        let back = last.as_ref().map_or(0, |last| last.back + 1);
        let found = find(self, back).map(|text| (text, back));
        let Some((text, back)) = found.or_else(|| find(self, 0).map(|text| (text, 0))) else {
            return;
        };
        let at = last.map_or_else(|| self.cursor()..self.cursor(), |last| last.at);
        if self.text().len() - at.len() + text.len() > MAX_LINE {
            return;
        }
        self.replace(at.clone(), &text);
        let at = at.start..at.start + text.len();
        self.inserted = Some(Inserted { at, what, back });
    }

    /// What stands before the cursor and what stands at it change places; at the end of a line the two before it.
    fn transpose(&mut self) {
        let (text, cursor) = (self.text(), self.cursor());
        let (before, behind) = text.split_at_checked(cursor).unwrap_or((&text, ""));
        let left = before.rsplit('\n').next().unwrap_or_default();
        let right = behind.split('\n').next().unwrap_or_default();
        let mut left = left.graphemes(true);
        let Some(one) = left.next_back() else { return };
        let (one, other, end) = match right.graphemes(true).next() {
            Some(other) => (one, other, cursor + other.len()),
            None => match left.next_back() {
                Some(before) => (before, one, cursor),
                None => return,
            },
        };
        self.replace(end - one.len() - other.len()..end, &format!("{other}{one}"));
    }

    /// The word at the cursor, or the next one, from the cursor on.
    fn recase(&mut self, change: impl Fn(&str) -> String) {
        let (text, cursor) = (self.text(), self.cursor());
        let rest = text.get(cursor..).unwrap_or_default();
        let Some(start) = rest.find(char::is_alphanumeric) else {
            return;
        };
        let word = rest.get(start..).unwrap_or_default();
        let length = word
            .find(|symbol: char| !symbol.is_alphanumeric())
            .unwrap_or(word.len());
        let changed = change(word.get(..length).unwrap_or_default());
        self.replace(cursor + start..cursor + start + length, &changed);
    }

    /// As in a shell: a word is what stands between blanks.
    fn delete_word_left(&mut self) {
        let (text, cursor) = (self.text(), self.cursor());
        let before = text.get(..cursor).unwrap_or_default();
        let trimmed = before.trim_end_matches([' ', '\t']);
        let start = trimmed
            .rfind([' ', '\t', '\n'])
            .map_or(0, |at| at + 1)
            .min(trimmed.len());
        if start < cursor {
            let removed = before.get(start..).unwrap_or_default().to_owned();
            self.replace(start..cursor, "");
            self.area.set_yank_text(removed);
        }
    }
}

fn capital(word: &str) -> String {
    let mut symbols = word.chars();
    let first = symbols.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(symbols.as_str().to_lowercase().chars())
        .collect()
}
