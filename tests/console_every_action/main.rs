//! Every key of every preset keymap pressed in a real terminal, and what is to be seen of its action. The match over the
//! actions is complete: a new one does not compile before it is tried here. Not for what an action does in detail: that
//! is tested without a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod deck;
#[path = "../support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cogdeck::ui::console::keymap::{Action, Key, Part};

use deck::{Deck, SOON, chat};

impl Deck {
    /// Presses the key where it is bound, and waits for what its action is for.
    fn try_out(&self, part: Part, key: Key, action: Action) {
        let in_panel = part == Part::Panel;
        let mark = self.terminal.mark();
        let typed = || {
            self.terminal.type_text("one two");
            self.line_is("one two");
        };
        match action {
            Action::Help | Action::HelpWhenEmpty => {
                self.press(key);
                self.see("any other key closes");
            }
            Action::Interrupt => {
                typed();
                self.press(key);
                self.see("panes");
            }
            Action::EndOfInput => {
                typed();
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
                self.see("the transcript is on");
                let written = self.output_since(mark);
                let aside = written.split("\x1b[?1049l").nth(1).unwrap_or_default();
                assert!(aside.contains("> kubectl:run alpha"), "the transcript: {aside:?}");
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
                self.see("take");
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
            Action::FindNext | Action::FindPrevious => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                let lines = [self.fresh(), self.fresh(), self.fresh()];
                self.go(Part::Chat);
                self.act(Part::Chat, Action::Find);
                self.terminal.type_text("echo line number");
                self.terminal.send(b"\r");
                // From the newest match up or, around the end, down to the oldest.
                self.see(" in ");
                self.press(key);
                self.act(Part::Chat, Action::Edit);
                self.until("another block", |_| {
                    let line = self.line();
                    line.starts_with("echo line number") && line != lines[2]
                });
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
                let (before, back) = (self.frames(), opposite(action));
                // A pane that is as small as can be gets no smaller: it grows first.
                let grows_first = action == Action::Shorter;
                if grows_first {
                    self.act(part, back);
                } else {
                    self.press(key);
                }
                self.until("another layout", |_| self.frames() != before);
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
                self.press(key);
                self.selects("beta");
            }
            Action::Up | Action::First | Action::PageUp if in_panel => {
                self.act(Part::Panel, Action::Last);
                self.selects("beta");
                self.press(key);
                self.selects("alpha");
            }
            Action::Left | Action::Right if in_panel => {
                // A panel without columns to scroll stays as it is, and keeps the key for itself.
                self.press(key);
                self.act(Part::Panel, Action::Down);
                self.selects("beta");
                self.focus_is(2);
            }
            Action::Up | Action::Down => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                let (first, second) = (self.fresh(), self.fresh());
                self.go(Part::Chat);
                if action == Action::Down {
                    self.act(part, Action::Up);
                }
                self.press(key);
                self.act(part, Action::Edit);
                self.line_is(if action == Action::Up { &first } else { &second });
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
                // From a deployment to its rollout.
                self.press(key);
                self.see("3 rollout alpha");
                self.focus_is(3);
            }
            Action::Open => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                self.run("sh 'seq 5001 5040'");
                self.until("its end", |screen| {
                    screen.lines().any(|row| chat(row).contains("  5040"))
                });
                self.go(Part::Chat);
                // Folded or whole: the other one.
                let shown = |screen: &str| screen.lines().filter(|row| chat(row).contains("  50")).count();
                let before = shown(&self.terminal.screen());
                self.press(key);
                self.until("more or less of the block", |screen| shown(screen) != before);
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
            Action::Copy
            | Action::CopyLine
            | Action::CopyJson
            | Action::Rerun
            | Action::Edit
            | Action::Page
            | Action::Save
            | Action::FilterBlock => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                let line = self.fresh();
                self.go(Part::Chat);
                let mark = self.terminal.mark();
                let paged = self.terminal.home().join("paged");
                self.press(key);
                let said = line.trim_start_matches("echo ");
                match action {
                    Action::Copy => self.copies(mark, said),
                    Action::CopyLine => self.copies(mark, &line),
                    Action::CopyJson => drop(self.see("of JSON copied")),
                    Action::Rerun => {
                        let wanted = format!("❯ {line}");
                        self.until("the line again", |screen| screen.matches(&wanted).count() >= 2);
                    }
                    Action::Edit => self.line_is(&line),
                    Action::Page => {
                        let read = |_: &str| std::fs::read_to_string(&paged).is_ok_and(|text| text.contains(said));
                        self.until("the pager has read it", read);
                        self.until("the console again", |_| self.output_since(mark).contains("\x1b[?1049h"));
                        let _ = std::fs::remove_file(&paged);
                    }
                    Action::Save => drop(self.until("a file to name", |_| self.line().ends_with("> file:"))),
                    _ => drop(self.until("a pipe", |_| self.line().ends_with('|'))),
                }
            }
            Action::Live | Action::Stop => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                self.run("kubectl:get deploy");
                self.until("its end", |screen| {
                    screen.lines().any(|row| chat(row).contains("❯ kubectl:get deploy "))
                });
                self.go(Part::Chat);
                self.act(Part::Chat, Action::Live);
                self.see("1 running");
                self.go(Part::Chat);
                self.act(Part::Chat, Action::Last);
                if action == Action::Stop {
                    self.press(key);
                } else {
                    self.act(Part::Chat, Action::Stop);
                }
                self.until("nothing runs", |screen| !screen.contains("1 running"));
            }
            Action::Submit => {
                self.terminal.type_text("echo it went");
                self.line_is("echo it went");
                self.press(key);
                self.until("the answer", |screen| {
                    screen.lines().any(|row| chat(row).trim_end().ends_with("  it went"))
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
                self.see("take");
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
                typed();
                self.press(key);
                self.terminal.type_text("X");
                self.line_is("Xone two");
            }
            Action::WordLeft => {
                typed();
                self.press(key);
                self.terminal.type_text("X");
                self.line_is("one Xtwo");
            }
            Action::WordRight => {
                typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.terminal.type_text("X");
                self.until("a word to the right", |_| {
                    ["oneX two", "one Xtwo"].contains(&self.line().as_str())
                });
            }
            Action::DeleteLeft => {
                typed();
                self.press(key);
                self.line_is("one tw");
            }
            Action::DeleteRight => {
                typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is("ne two");
            }
            Action::DeleteWordLeft => {
                typed();
                self.press(key);
                self.line_is("one");
            }
            Action::DeleteWordRight => {
                typed();
                self.act(part, Action::LineStart);
                self.press(key);
                self.line_is("two");
            }
            Action::DeleteToStart => {
                typed();
                self.press(key);
                self.see("panes");
            }
            Action::DeleteToEnd => {
                typed();
                self.act(part, Action::WordLeft);
                self.press(key);
                self.line_is("one");
            }
            Action::InsertDeleted | Action::UndoEdit => {
                typed();
                self.act(part, Action::DeleteWordLeft);
                self.line_is("one");
                self.press(key);
                self.line_is("one two");
            }
            Action::Cancel if part == Part::Popup => {
                self.press(key);
                self.until("no popup", |screen| !screen.contains(" take "));
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
                    !screen.contains(" take ") && !screen.contains("panes")
                });
            }
            Action::NextCandidate | Action::PreviousCandidate => {
                self.press(key);
                self.until("a candidate selected", |_| !self.selected().is_empty());
            }
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
