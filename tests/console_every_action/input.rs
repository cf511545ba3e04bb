//! Keys in the input line and its popup.

use cogdeck::ui::console::keymap::{Action, Key, Part};

use crate::deck::Deck;
use crate::support::console::chat;

impl Deck {
    /// Presses the key in the line, and waits for what its action is for.
    pub fn try_in_the_line(&self, part: Part, key: Key, action: Action) {
        match action {
            Action::Submit => {
                let answer = format!("it went {}", self.number());
                self.terminal.type_text(&format!("echo {answer}"));
                self.line_is(&format!("echo {answer}"));
                self.press(key);
                let answer = format!("  {answer}");
                self.until("the answer", |screen| {
                    screen.lines().any(|row| chat(row).trim_end().ends_with(&answer))
                });
            }
            Action::NewLine => {
                self.terminal.type_text("one");
                self.press(key);
                self.terminal.type_text("two");
                self.line_is("one\ntwo");
            }
            Action::Complete => {
                self.press(key);
                self.until("another pane", |_| self.focused().is_some_and(|pane| pane != 0));
                self.reset();
                self.terminal.type_text("kubectl:rollo");
                self.press(key);
                self.until("a name completed", |_| self.line().starts_with("kubectl:rollout"));
            }
            Action::Commands => {
                self.press(key);
                self.see("Esc close");
            }
            Action::EditLine => {
                self.terminal.type_text("echo 'one'");
                self.press(key);
                self.line_is("echo 'one', edited");
            }
            Action::HistoryPrevious => {
                let line = self.fresh();
                self.press(key);
                self.line_is(&line);
            }
            Action::HistoryNext => {
                let line = (self.fresh(), self.fresh()).1;
                self.act(part, Action::HistoryPrevious);
                self.act(part, Action::HistoryPrevious);
                self.press(key);
                self.line_is(&line);
            }
            Action::HistorySearch => {
                self.press(key);
                self.until("the search", |_| self.line().contains("history"));
            }
            Action::HistoryFilter => {
                self.act(part, Action::HistorySearch);
                self.press(key);
                self.until("the lines of this context", |_| self.line().contains("history here"));
            }
            Action::AcceptRight | Action::AcceptEnd => {
                let line = self.fresh();
                self.terminal.type_text("echo line numb");
                self.press(key);
                // What is suggested is shown before it is taken, too: typing behind it tells.
                self.terminal.type_text("X");
                self.line_is(&format!("{line}X"));
                self.act(Part::Input, Action::LineStart);
                self.press(key);
                self.terminal.type_text("Y");
                let wanted = match action {
                    Action::AcceptRight => format!("eY{}X", line.trim_start_matches('e')),
                    _ => format!("{line}XY"),
                };
                self.line_is(&wanted);
            }
            Action::LineStart => {
                self.typed();
                self.press(key);
                self.terminal.type_text("X");
                self.line_is("Xone two");
            }
            Action::WordLeft => {
                self.typed();
                self.press(key);
                self.terminal.type_text("X");
                self.line_is("one Xtwo");
            }
            Action::WordRight => {
                self.typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.terminal.type_text("X");
                self.until("a word to the right", |_| {
                    ["oneX two", "one Xtwo"].contains(&self.line().as_str())
                });
            }
            Action::DeleteLeft => {
                self.typed();
                self.press(key);
                self.line_is("one tw");
            }
            Action::DeleteRight => {
                self.typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is("ne two");
            }
            Action::DeleteWordLeft => {
                self.typed();
                self.press(key);
                self.line_is("one");
            }
            Action::DeleteWordRight => {
                self.typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is("two");
            }
            Action::DeleteToStart => {
                self.typed();
                self.press(key);
                self.see("panes");
            }
            Action::DeleteToEnd => {
                self.typed();
                self.act(part, Action::WordLeft);
                self.press(key);
                self.line_is("one");
            }
            Action::InsertDeleted | Action::UndoEdit => {
                self.typed();
                self.act(part, Action::DeleteWordLeft);
                self.line_is("one");
                // What was deleted comes where the cursor is; what is taken back, where it was.
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is(match action {
                    Action::InsertDeleted => "twoone",
                    _ => "one two",
                });
            }
            Action::InsertDeletedBefore => {
                self.typed();
                self.act(part, Action::DeleteWordLeft);
                self.act(part, Action::DeleteWordLeft);
                self.act(part, Action::InsertDeleted);
                self.press(key);
                self.line_is("two");
            }
            Action::InsertLastWord => {
                let line = self.fresh();
                self.press(key);
                self.line_is(line.rsplit(' ').next().unwrap());
            }
            Action::Transpose => {
                self.typed();
                self.press(key);
                self.line_is("one tow");
            }
            Action::WordUpper | Action::WordLower | Action::WordCapital => {
                self.terminal.type_text("oNE two");
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is(match action {
                    Action::WordUpper => "ONE two",
                    Action::WordLower => "one two",
                    _ => "One two",
                });
            }
            Action::Cancel if part == Part::Popup => {
                self.press(key);
                self.until("no popup", |screen| !screen.contains(" close "));
            }
            Action::Cancel => {
                self.act(part, Action::HistorySearch);
                self.until("the search", |_| self.line().contains("history"));
                self.press(key);
                self.until("no search", |_| !self.line().contains("history"));
            }
            Action::Accept => {
                self.act(part, Action::NextCandidate);
                self.press(key);
                self.until("a candidate taken", |screen| {
                    !screen.contains(" close ") && !screen.contains("panes")
                });
            }
            Action::NextCandidate | Action::PreviousCandidate => {
                // From the second candidate: up to the first one, or down to one behind it.
                let first = self.next_candidate(None);
                let second = self.next_candidate(Some(first));
                self.press(key);
                match action {
                    Action::NextCandidate => self.until("the one behind it", |_| self.selected_at() > Some(second)),
                    _ => self.until("the one before it", |_| self.selected_at() == Some(first)),
                };
            }
            other => panic!("{} is no action of the line", other.name()),
        }
    }

    /// Goes one candidate on, away from the one that is selected; its row.
    fn next_candidate(&self, from: Option<u16>) -> u16 {
        self.act(Part::Popup, Action::NextCandidate);
        let moved = |_: &str| self.selected_at().is_some() && self.selected_at() != from;
        self.until("a candidate selected", moved);
        self.selected_at().expect("a row")
    }

    /// Two words in the line, the cursor behind them.
    pub fn typed(&self) {
        self.terminal.type_text("one two");
        self.line_is("one two");
    }
}
