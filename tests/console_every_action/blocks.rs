//! Keys on the blocks of the chat.

use cogdeck::ui::console::keymap::{Action, Key, Part};

use crate::deck::Deck;
use crate::support::console::chat;

impl Deck {
    /// Presses the key on a block, or where one is chosen, and waits for what its action is for.
    pub fn try_on_a_block(&self, part: Part, key: Key, action: Action) {
        match action {
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
            Action::Open => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                self.run("sh 'seq 5001 5040'");
                // Its end folds it, which must not come behind the key.
                self.until("its end", |screen| {
                    let last = |row: &str| chat(row).contains("  5040");
                    screen.lines().any(last) && !screen.contains("1 running")
                });
                self.go(Part::Chat);
                // Folded or whole: the other one.
                let shown = |screen: &str| screen.lines().filter(|row| chat(row).contains("  50")).count();
                let before = shown(&self.terminal.screen());
                self.press(key);
                self.until("more or less of the block", |screen| shown(screen) != before);
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
                // An older one may stand above it.
                self.until("its end", |screen| {
                    let mut rows = screen.lines().rev().map(chat);
                    let last = rows.find(|row| row.contains("❯ kubectl:get deploy "));
                    last.is_some_and(|row| row.contains("✓ done"))
                });
                self.go(Part::Chat);
                if action == Action::Live {
                    self.press(key);
                } else {
                    self.act(Part::Chat, Action::Live);
                }
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
            other => panic!("{} is no action on a block", other.name()),
        }
    }
}
