//! Every key of every preset keymap pressed in a real terminal, and what is to be seen of its action. The match over the
//! actions is complete: a new one does not compile before it is tried here. Not for what an action does in detail: that
//! is tested without a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blocks;
mod deck;
mod input;
mod normal;
mod panels;
#[path = "../support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cogdeck::ui::console::keymap::{Action, Key, Part};

use deck::{Deck, SOON};

impl Deck {
    /// Presses the key where it is bound, and waits for what its action is for.
    fn try_out(&self, part: Part, key: Key, action: Action) {
        let in_panel = part == Part::Panel;
        let mark = self.terminal.mark();
        match action {
            Action::Help | Action::HelpWhenEmpty => {
                self.press(key);
                self.see("any other key closes");
            }
            Action::Interrupt => {
                self.typed();
                self.press(key);
                self.see("panes");
            }
            Action::EndOfInput => {
                self.typed();
                self.act(Part::Input, Action::LineStart);
                self.press(key);
                self.line_is("ne two");
            }
            Action::Redraw => {
                self.press(key);
                self.until("a frame drawn anew", |_| self.output_since(mark).contains("\x1b[2J"));
            }
            Action::Suspend => {
                self.press(key);
                self.until("the terminal given back", |_| !self.terminal.view().alternate_screen());
                let pid = self.terminal.pid().expect("it runs");
                // It gives the terminal back first, and a signal that came before it stopped would be lost.
                support::wait_until_stopped(pid, SOON);
                support::signal(pid, "CONT");
                self.until("the console again", |screen| {
                    self.terminal.view().alternate_screen() && screen.contains("1 chat")
                });
            }
            Action::Mouse => {
                let mode = || self.terminal.view().mouse_protocol_mode();
                self.press(key);
                self.until("no mouse", |_| mode() == vt100::MouseProtocolMode::None);
                self.press(key);
                self.until("the mouse", |_| mode() != vt100::MouseProtocolMode::None);
            }
            Action::Transcript => {
                self.press(key);
                self.until("the transcript", |_| {
                    let written = self.output_since(mark);
                    let mut aside = written.split("\x1b[?1049l").skip(1);
                    aside.next().is_some_and(|text| text.contains("> kubectl:run alpha"))
                });
                self.see("the transcript is on");
            }
            Action::Bare => {
                self.press(key);
                self.until("no frames", |screen| !screen.contains('╭'));
                self.press(key);
                self.until("frames", |screen| screen.contains('╭'));
            }
            Action::Present => {
                self.press(key);
                self.see("nothing is presented");
            }
            Action::Back | Action::ToInput => {
                self.press(key);
                self.focus_is(0);
            }
            Action::Prompt => {
                self.press(key);
                self.line_is(":");
                self.see("Esc leave");
            }
            Action::Find => {
                self.press(key);
                self.see(if in_panel {
                    "filter deployments: /"
                } else {
                    "search the chat: /"
                });
            }
            Action::Menu => {
                self.press(key);
                self.see("actions: Enter does it");
            }
            Action::ToChat => {
                self.press(key);
                self.focus_is(1);
            }
            Action::NextPane | Action::PreviousPane => {
                let before = self.focused();
                self.press(key);
                self.until("another pane", |_| self.focused().is_some() && self.focused() != before);
            }
            Action::Pane1
            | Action::Pane2
            | Action::Pane3
            | Action::Pane4
            | Action::Pane5
            | Action::Pane6
            | Action::Pane7
            | Action::Pane8
            | Action::Pane9 => {
                self.press(key);
                self.focus_is(action.pane().expect("a pane") + 1);
            }
            Action::Wider | Action::Narrower | Action::Taller | Action::Shorter | Action::Earlier | Action::Later => {
                if in_panel {
                    self.act(Part::Global, Action::Pane3);
                    self.focus_is(3);
                }
                // Its rows count for the layout.
                self.until("a rollout that is over", |screen| screen.contains("successfully roll"));
                // A step is as large as the pane beside it allows: there and back once leaves room for a whole one.
                if in_panel && matches!(action, Action::Taller | Action::Shorter) {
                    for step in [Action::Taller, Action::Shorter] {
                        let begun = self.frames();
                        self.act(part, step);
                        self.until("room for a step", |_| self.frames() != begun);
                    }
                }
                let (before, begins, back) = (self.frames(), self.panels_begin(), opposite(action));
                // A pane that is as small as can be gets no smaller: it grows first.
                let grows_first = action == Action::Shorter;
                if grows_first {
                    self.act(part, back);
                } else {
                    self.press(key);
                }
                self.until("another layout", |_| self.frames() != before);
                // A wider chat pushes the panels to the right, a wider panel begins further left.
                if matches!(action, Action::Wider | Action::Narrower) {
                    let right = (action == Action::Wider) != in_panel;
                    let moved = |_: &str| match right {
                        true => self.panels_begin() > begins,
                        false => self.panels_begin() < begins,
                    };
                    self.until("the panels to the side", moved);
                }
                if grows_first {
                    self.press(key);
                } else {
                    self.act(part, back);
                }
                self.until("the layout before", |_| self.frames() == before);
            }
            Action::Zoom => {
                let before = self.frames();
                self.press(key);
                self.until("one pane and the line", |_| self.frames().len() == 2);
                self.press(key);
                self.until("all panes", |_| self.frames() == before);
            }
            Action::Down | Action::Last | Action::PageDown if in_panel => {
                let before = self.selected_at();
                self.press(key);
                match action {
                    Action::Down => self.selects("beta"),
                    Action::Last => self.selects("gamma"),
                    // A page of a small panel may be one row.
                    _ => drop(self.until("further down", |_| self.selected_at() > before)),
                }
            }
            Action::Up | Action::First | Action::PageUp if in_panel => {
                self.act(Part::Panel, Action::Last);
                self.selects("gamma");
                let before = self.selected_at();
                self.press(key);
                match action {
                    Action::Up => self.selects("beta"),
                    Action::First => self.selects("alpha"),
                    _ => drop(self.until("further up", |_| {
                        self.selected_at().is_some_and(|row| Some(row) < before)
                    })),
                }
            }
            Action::Left if in_panel => {
                // One level down in the objects, and back.
                self.terminal.type_text("o");
                self.see("replica sets of alpha");
                self.see("REVISION");
                self.act(Part::Panel, Action::Open);
                self.see("< pods of alpha-");
                self.press(key);
                self.until("the level above", |screen| {
                    screen.contains("replica sets of alpha") && !screen.contains("pods of alpha")
                });
            }
            Action::Right if in_panel => {
                // A panel without columns to scroll stays as it is, and keeps the key for itself.
                self.press(key);
                self.act(Part::Panel, Action::Down);
                self.selects("beta");
                self.focus_is(2);
            }
            Action::First | Action::PageUp | Action::ScrollUp => {
                self.press(key);
                self.follows(false);
                self.reset();
                self.go(Part::Chat);
                self.act(Part::Chat, Action::Last);
                self.follows(true);
            }
            Action::Last | Action::PageDown => {
                self.act(Part::Chat, Action::PageUp);
                self.follows(false);
                self.press(key);
                self.follows(true);
            }
            Action::ScrollDown => {
                self.act(Part::Input, Action::ScrollUp);
                self.follows(false);
                self.press(key);
                self.follows(true);
            }
            Action::Left => {
                self.terminal.type_text("ab");
                self.press(key);
                self.terminal.type_text("X");
                self.line_is("aXb");
            }
            // No part but panels binds it: the input has `right-or-accept`.
            Action::Right => panic!("right is bound in {}", part.name()),
            Action::Open if in_panel => {
                // The way down begins, and the focus goes along.
                self.press(key);
                self.see("replica sets of alpha");
                self.see("keys go to replica sets");
                // The rollout beside it has a key of its own.
                self.reset();
                self.go(Part::Panel);
                self.terminal.type_text("r");
                self.see("3 rollout alpha");
                self.focus_is(3);
            }
            Action::Mark => {
                self.press(key);
                self.see("1 marked");
                // It goes on to the next row: back to the one that has the mark.
                self.act(Part::Panel, Action::First);
                self.selects("alpha");
                self.press(key);
                self.until("no mark", |screen| !screen.contains('●'));
            }
            Action::CopyJson if in_panel => {
                self.press(key);
                self.see("rows copied as JSON");
            }
            Action::CopyTable => {
                self.press(key);
                self.see("rows copied as a table");
            }
            Action::CopyCell => {
                self.press(key);
                self.see("copy a cell");
                // Any other key closes it.
                self.press(key);
                self.until("no choice", |screen| !screen.contains("copy a cell"));
            }
            Action::FindNext
            | Action::FindPrevious
            | Action::Up
            | Action::Down
            | Action::Open
            | Action::Copy
            | Action::CopyLine
            | Action::CopyJson
            | Action::Rerun
            | Action::Edit
            | Action::Page
            | Action::Save
            | Action::FilterBlock
            | Action::Live
            | Action::Stop => self.try_on_a_block(part, key, action),
            Action::Submit
            | Action::NewLine
            | Action::Complete
            | Action::Commands
            | Action::EditLine
            | Action::HistoryPrevious
            | Action::HistoryNext
            | Action::HistorySearch
            | Action::HistoryFilter
            | Action::AcceptRight
            | Action::AcceptEnd
            | Action::LineStart
            | Action::WordLeft
            | Action::WordRight
            | Action::DeleteLeft
            | Action::DeleteRight
            | Action::DeleteWordLeft
            | Action::DeleteWordRight
            | Action::DeleteToStart
            | Action::DeleteToEnd
            | Action::InsertDeleted
            | Action::InsertDeletedBefore
            | Action::InsertLastWord
            | Action::Transpose
            | Action::WordUpper
            | Action::WordLower
            | Action::WordCapital
            | Action::UndoEdit
            | Action::Cancel
            | Action::Accept
            | Action::NextCandidate
            | Action::PreviousCandidate => self.try_in_the_line(part, key, action),
        }
    }
}

fn opposite(action: Action) -> Action {
    match action {
        Action::Wider => Action::Narrower,
        Action::Narrower => Action::Wider,
        Action::Taller => Action::Shorter,
        Action::Shorter => Action::Taller,
        Action::Earlier => Action::Later,
        _ => Action::Earlier,
    }
}

fn every_key_of(keymap: &str) {
    let deck = Deck::open(keymap);
    let bindings: Vec<_> = deck.keymap.bindings().collect();
    assert!(bindings.len() > 100, "{} keys", bindings.len());
    let mut failed = Vec::new();
    for (part, key, action) in bindings {
        let name = format!("{keymap}: {} in {}: {}", key.label(), part.name(), action.name());
        deck.trying.borrow_mut().clone_from(&name);
        let tried = catch_unwind(AssertUnwindSafe(|| {
            deck.reset();
            deck.go(part);
            deck.try_out(part, key, action);
        }));
        if tried.is_err() {
            failed.push(name);
        }
        // What a failure left on the screen may make others fail: the first ones tell enough.
        assert!(failed.len() < 8, "{failed:#?}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
    deck.reset();
    *deck.trying.borrow_mut() = "leaving".to_owned();
    deck.act(Part::Input, Action::EndOfInput);
    deck.until("the end", |_| !deck.terminal.view().alternate_screen());
}

#[test]
fn every_key_of_the_default_keymap_in_a_terminal() {
    every_key_of("default");
}

#[test]
fn every_key_of_the_vim_keymap_in_a_terminal() {
    every_key_of("vim");
}

#[test]
fn the_normal_mode_of_the_vim_keymap() {
    Deck::open("vim").normal_mode();
}
