//! The input line: editing (on `tui-textarea`), history with recall by prefix and incremental search, the suggestion
//! behind the cursor. Not for completion (`complete`) and not for drawing (`view`).

mod cut;
mod edits;
pub mod history;
pub mod vi;
pub mod view;

use std::collections::VecDeque;

use tui_textarea::{CursorMove, TextArea};

use self::cut::Cut;
use self::edits::Inserted;
use self::history::{History, Search};
use self::vi::{Step, Vi};
use super::keymap::Action;
use crate::lang::MAX_LINE;

/// The input line.
#[derive(Default)]
pub struct Input {
    area: TextArea<'static>,
    /// Earlier lines.
    pub history: History,
    search: Option<Search>,
    /// The context's name, for searches of the history.
    here: String,
    /// vi's modes, where the keymap asks for them.
    vi: Option<Vi>,
    /// Text and cursor before each edit, for taking edits back: at most [`PAST`] and [`PAST_BYTES`], the oldest goes
    /// first. The text area's own memory would do: but it keeps a replacement as two edits, with a text between that was
    /// never on the screen.
    past: VecDeque<(String, usize)>,
    /// Some of the text since it was taken last did not come character by character from the keyboard.
    foreign: bool,
    /// The panel on whose row the text was begun.
    begun_on: Option<(String, (String, usize))>,
    /// Nothing is suggested.
    silent: bool,
    /// What was cut, the newest last; it outlives the line, as in a shell.
    kills: VecDeque<Cut>,
    /// What the last key inserted that the same, or another, exchanges.
    inserted: Option<Inserted>,
}

/// Edits that can be taken back.
const PAST: usize = 64;
/// Bytes of the texts before them together.
const PAST_BYTES: usize = 1 << 20;

impl Input {
    /// The whole text.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Nothing typed.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// The cursor as a byte offset into [`Input::text`].
    pub fn cursor(&self) -> usize {
        let at = self.area.cursor();
        let before: usize = self.area.lines().iter().take(at.0).map(|line| line.len() + 1).sum();
        let line = self.area.lines().get(at.0).map_or("", String::as_str);
        before + line.char_indices().nth(at.1).map_or(line.len(), |(byte, _)| byte)
    }

    /// Whether the cursor stands at the very end.
    pub fn at_end(&self) -> bool {
        self.cursor() == self.text().len()
    }

    /// Replaces everything; the cursor stands at the end. Can be taken back.
    pub fn set(&mut self, text: &str) {
        self.keep();
        self.show(text);
    }

    /// Keeps the text as it is to come back to it.
    fn keep(&mut self) {
        self.inserted = None;
        let (text, at) = (self.text(), self.cursor());
        match self.past.back_mut() {
            Some((known, cursor)) if *known == text => *cursor = at,
            _ => self.past.push_back((text, at)),
        }
        self.forget();
    }

    /// The oldest texts go where there are too many, or too long ones. The one before the last edit stays.
    fn forget(&mut self) {
        let mut bytes: usize = self.past.iter().map(|(text, _)| text.len()).sum();
        while self.past.len() > PAST || (bytes > PAST_BYTES && self.past.len() > 1) {
            bytes -= self.past.pop_front().map_or(0, |(text, _)| text.len());
        }
    }

    /// Back to the text before the last edit.
    fn undo(&mut self) {
        let now = self.text();
        while let Some((text, cursor)) = self.past.pop_back() {
            if text != now {
                self.show(&text);
                self.jump(cursor);
                return;
            }
        }
    }

    fn show(&mut self, text: &str) {
        self.foreign = true;
        self.begun_on = None;
        let deleted = self.area.yank_text();
        self.area.select_all();
        self.area.cut();
        self.area.cancel_selection();
        self.area.clear();
        self.area.insert_str(text);
        self.area.set_yank_text(deleted);
    }

    /// Takes the text away.
    pub fn take(&mut self) -> String {
        let text = self.text();
        self.area = TextArea::default();
        self.past.clear();
        self.foreign = false;
        self.begun_on = None;
        self.search = None;
        self.history.leave();
        self.type_again();
        text
    }

    /// A line was sent: what was cut goes where it holds a secret, as `secrets` finds them in a line. True when any did.
    pub fn forget_secrets(&mut self, secrets: impl Fn(&str) -> Vec<std::ops::Range<usize>>) -> bool {
        let kept = self.kills.len();
        self.kills.retain_mut(|cut| !cut.holds_secret(&secrets));
        let of_vi = self.vi.as_mut().is_some_and(|vi| vi.forget_secrets(&secrets));
        of_vi || self.kills.len() < kept
    }

    /// Whether vi's modes are in use.
    pub fn use_vi(&mut self, wanted: bool) {
        self.vi = wanted.then(|| self.vi.take().unwrap_or_default());
    }

    /// Whether characters are commands of vi's normal mode.
    pub fn is_normal(&self) -> bool {
        self.vi.as_ref().is_some_and(Vi::is_normal) && self.search.is_none()
    }

    /// Esc: to normal mode, or half of a command is given up; false when it means something else.
    pub fn escape(&mut self) -> bool {
        let (text, cursor) = (self.text(), self.cursor());
        let Some(vi) = self.vi.as_mut().filter(|vi| vi.is_pending() || !vi.is_normal()) else {
            return false;
        };
        if self.search.is_some() || text.is_empty() {
            return false;
        }
        let to = vi.escape(&text, cursor);
        self.jump(to);
        true
    }

    /// A character in normal mode, done; none: it is to be typed.
    pub fn command(&mut self, symbol: char) -> Option<Step> {
        if !self.is_normal() {
            return None;
        }
        let (text, cursor) = (self.text(), self.cursor());
        let step = self.vi.as_mut()?.key(symbol, &text, cursor);
        match &step {
            Step::Nothing | Step::Find | Step::Edit => {}
            Step::Go(to) | Step::Insert(to) => {
                self.jump(*to);
            }
            Step::Change { range, with, cursor } => {
                self.replace(range.clone(), with);
                self.jump(*cursor);
            }
            Step::Undo => self.undo(),
            // As in vi, whatever is typed: not only lines with this beginning.
            Step::Older if self.area.cursor().0 == 0 => {
                if let Some(line) = self.history.older("", &text) {
                    self.set(&line);
                }
            }
            Step::Older => {
                self.recall_or_move(CursorMove::Up);
            }
            Step::Newer => {
                self.recall_or_move(CursorMove::Down);
            }
        }
        Some(step)
    }

    /// The cursor to a byte of the text; false, and nothing moves, beyond what the text area can name.
    fn jump(&mut self, byte: usize) -> bool {
        let text = self.text();
        let before = text.get(..byte).unwrap_or(&text);
        let row = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let (Ok(row), Ok(column)) = (u16::try_from(row), u16::try_from(column)) else {
            return false;
        };
        self.area.move_cursor(CursorMove::Jump(row, column));
        true
    }

    /// Whether all that was in it since it was taken last was typed: nothing pasted, recalled or completed.
    pub fn is_by_hand(&self) -> bool {
        !self.foreign
    }

    /// A line to be finished by hand, begun by a key on a row of this panel.
    pub fn begin(&mut self, text: &str, panel: &str) {
        // Begun once more, as on another row: what was typed before the first is still what to come back to.
        let begun = self.begun_on.take();
        let draft = begun.map_or_else(|| (self.text(), self.cursor()), |(_, draft)| draft);
        self.take();
        if !draft.0.is_empty() {
            self.past.push_back(draft.clone());
        }
        self.show(text);
        self.begun_on = Some((panel.to_owned(), draft));
    }

    /// Gives up the line that was begun on a row: what was typed before it stands here again, and the line can be had back.
    pub fn give_up(&mut self) {
        let Some((_, (draft, cursor))) = self.begun_on.take() else {
            return;
        };
        self.put_away();
        if !draft.is_empty() {
            self.show(&draft);
            self.jump(cursor);
        }
    }

    /// Takes the text away; it can be had back.
    pub fn put_away(&mut self) {
        let line = (self.text(), self.cursor());
        self.take();
        self.past.push_back(line);
    }

    /// Takes the text away, which nobody wants back: what was put away before it is the next to be had.
    pub fn give_back(&mut self) {
        let now = self.text();
        let mut past = std::mem::take(&mut self.past);
        self.take();
        past.retain(|(text, _)| *text != now && !text.is_empty());
        self.past = past;
    }

    /// The panel on whose row the line was begun that is typed now.
    pub fn begun_on(&self) -> Option<&str> {
        self.begun_on
            .as_ref()
            .map(|(panel, _)| panel.as_str())
            .filter(|_| !self.is_empty())
    }

    /// What comes now is typed by somebody else.
    pub fn not_by_hand(&mut self) {
        self.foreign = true;
    }

    /// Pasted text goes into the search while one is open: its first line, which is as much as a search can find.
    pub fn paste(&mut self, text: &str) -> Result<(), TooLong> {
        let Some(search) = &mut self.search else {
            return self.insert(text);
        };
        let first = text.trim_start_matches('\n').lines().next().unwrap_or_default();
        if search.text.len() + first.len() > MAX_LINE {
            return Err(TooLong);
        }
        search.look_for(first, &self.history);
        Ok(())
    }

    /// Inserts at the cursor. Refused when the line would be longer than the language takes.
    pub fn insert(&mut self, text: &str) -> Result<(), TooLong> {
        self.foreign = true;
        self.put(text)
    }

    fn put(&mut self, text: &str) -> Result<(), TooLong> {
        let length: usize = self.area.lines().iter().map(|line| line.len() + 1).sum();
        if length + text.len() > MAX_LINE {
            return Err(TooLong);
        }
        if self.is_empty() {
            // What comes now is another line than the one that was begun.
            self.begun_on = None;
        }
        self.keep();
        self.area.insert_str(text);
        self.history.leave();
        Ok(())
    }

    /// Replaces a byte range of the text by another text; the cursor stands behind it. Nothing happens to a range that
    /// begins beyond 65,535 rows or columns.
    pub fn replace(&mut self, range: std::ops::Range<usize>, with: &str) {
        let text = self.text();
        let (Some(before), Some(replaced)) = (text.get(..range.start), text.get(range.clone())) else {
            return;
        };
        self.foreign |= !with.is_empty();
        self.keep();
        if !self.jump(before.len()) {
            return;
        }
        self.area.delete_str(replaced.chars().count());
        self.area.insert_str(with);
        self.history.leave();
    }

    /// The end of the newest earlier line that begins as the text does, shown dim behind the cursor.
    pub fn suggestion(&self) -> Option<String> {
        let text = self.text();
        if self.silent || text.trim().is_empty() || !self.at_end() || self.search.is_some() || text.contains('\n') {
            return None;
        }
        self.history.suggest(&text).map(str::to_owned)
    }

    /// Whether earlier lines are suggested.
    pub fn suggest(&mut self, wanted: bool) {
        self.silent = !wanted;
    }

    /// Where lines run from now on.
    pub fn set_here(&mut self, context: &str) {
        context.clone_into(&mut self.here);
    }

    /// Typing goes on, whatever the mode was.
    pub fn type_again(&mut self) {
        if let Some(vi) = &mut self.vi {
            vi.insert();
        }
    }

    /// The incremental search, if one is on.
    pub fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// A character typed.
    pub fn type_char(&mut self, symbol: char) -> Result<(), TooLong> {
        if let Some(search) = &mut self.search {
            search.push(symbol, &self.history);
            return Ok(());
        }
        let mut buffer = [0; 4];
        self.put(symbol.encode_utf8(&mut buffer))
    }

    /// An editing action; false when it is none.
    pub fn edit(&mut self, action: Action) -> bool {
        if self.search.is_some() {
            return self.edit_search(action);
        }
        if action == Action::UndoEdit {
            self.undo();
            self.history.leave();
            return true;
        }
        let inserted = self.inserted.take();
        self.keep();
        if self.edit_more(action, inserted) {
            self.history.leave();
            return true;
        }
        let area = &mut self.area;
        match action {
            Action::LineStart => area.move_cursor(CursorMove::Head),
            Action::WordLeft => area.move_cursor(CursorMove::WordBack),
            Action::WordRight => area.move_cursor(CursorMove::WordForward),
            Action::AcceptRight | Action::AcceptEnd => match self.suggestion() {
                Some(rest) => {
                    self.foreign = true;
                    self.area.insert_str(rest);
                }
                None if action == Action::AcceptEnd => self.area.move_cursor(CursorMove::End),
                None => self.step(CursorMove::Forward),
            },
            Action::NewLine => area.insert_newline(),
            Action::HistoryPrevious => return self.recall_or_move(CursorMove::Up),
            Action::HistoryNext => return self.recall_or_move(CursorMove::Down),
            Action::HistorySearch => self.search = Some(Search::new(&self.history, &self.here)),
            _ => return false,
        }
        if !matches!(action, Action::HistorySearch) {
            self.history.leave();
        }
        true
    }

    fn recall_or_move(&mut self, motion: CursorMove) -> bool {
        let row = self.area.cursor().0;
        let up = motion == CursorMove::Up;
        let edge = if up {
            row == 0
        } else {
            row + 1 == self.area.lines().len()
        };
        if !edge {
            self.area.move_cursor(motion);
            return true;
        }
        let text = self.text();
        let recalled = if up {
            self.history.older(&text, &text)
        } else {
            self.history.newer()
        };
        if let Some(line) = recalled {
            self.set(&line);
        }
        true
    }

    fn edit_search(&mut self, action: Action) -> bool {
        let Some(search) = &mut self.search else { return false };
        match action {
            Action::HistoryFilter => search.turn(&self.history),
            Action::HistorySearch | Action::HistoryPrevious => search.older(&self.history),
            Action::HistoryNext => search.newer(&self.history),
            Action::DeleteLeft => search.pop(&self.history),
            Action::Cancel | Action::Interrupt => self.search = None,
            // Any other key takes what was found; `submit` then runs it, as in a shell.
            _ => {
                let found = search.found(&self.history).map(str::to_owned);
                self.search = None;
                if let Some(line) = found {
                    self.set(&line);
                }
                return self.edit(action);
            }
        }
        true
    }

    /// Rows and text for drawing.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }
}

/// The line would be longer than the language takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

#[cfg(test)]
mod tests;
