//! Every key of every preset keymap pressed in a real terminal, and what is to be seen of its action. The match over the
//! actions is complete: a new one does not compile before it is tried here. Not for what an action does in detail: that
//! is tested without a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::Cell;
use std::time::Duration;

use base64::Engine;
use cogdeck::ui::console::keymap::{Action, Key, Keymap, Part};
use crossterm::event::{KeyCode, KeyModifiers};
use support::process::COGDECK;
use support::terminal::Terminal;

const SOON: Duration = Duration::from_secs(20);
/// Esc is also how Alt begins: the next key must not come at once.
const AFTER_ESC: Duration = Duration::from_millis(60);
const SIZE: (u16, u16) = (120, 40);

/// The bytes that a terminal sends for a key.
fn bytes(key: Key) -> Vec<u8> {
    let event = key.event();
    let has = |modifier| event.modifiers.contains(modifier);
    let (control, alt, shift) = (
        has(KeyModifiers::CONTROL),
        has(KeyModifiers::ALT),
        has(KeyModifiers::SHIFT),
    );
    let cursor = |letter: char| match control {
        true => format!("\x1b[1;5{letter}"),
        false => format!("\x1b[{letter}"),
    };
    let plain = match event.code {
        KeyCode::Char(' ') if control => "\0".to_owned(),
        // What every terminal sends for both of them.
        KeyCode::Char('_' | '7') if control => "\x1f".to_owned(),
        KeyCode::Char(letter) if control => char::from(letter as u8 & 0x1f).to_string(),
        KeyCode::Char(letter) => letter.to_string(),
        // As terminals tell it that tell it at all.
        KeyCode::Enter if shift => "\x1b[13;2u".to_owned(),
        KeyCode::Enter => "\r".to_owned(),
        KeyCode::Tab if shift => "\x1b[Z".to_owned(),
        KeyCode::Tab => "\t".to_owned(),
        KeyCode::Esc => "\x1b".to_owned(),
        KeyCode::Backspace => "\x7f".to_owned(),
        KeyCode::Delete => "\x1b[3~".to_owned(),
        KeyCode::Up => cursor('A'),
        KeyCode::Down => cursor('B'),
        KeyCode::Right => cursor('C'),
        KeyCode::Left => cursor('D'),
        KeyCode::Home => cursor('H'),
        KeyCode::End => cursor('F'),
        KeyCode::PageUp => "\x1b[5~".to_owned(),
        KeyCode::PageDown => "\x1b[6~".to_owned(),
        KeyCode::F(1) => "\x1bOP".to_owned(),
        KeyCode::F(5) => "\x1b[15~".to_owned(),
        other => panic!("which bytes are {other:?}?"),
    };
    match alt {
        true => format!("\x1b{plain}").into_bytes(),
        false => plain.into_bytes(),
    }
}

/// A console with two deployments and some answers, driven by one keymap.
struct Deck {
    terminal: Terminal,
    keymap: Keymap,
    /// Makes every line typed another one.
    lines: Cell<u32>,
    /// What is being tried, for failures.
    trying: std::cell::RefCell<String>,
}

impl Deck {
    fn open(keymap: &str) -> Self {
        let pager = ("PAGER", r#"sh -c 'cat > "$HOME/paged"'"#);
        let args = ["--sandbox", "--speed", "50", "--keymap", keymap];
        let deck = Deck {
            terminal: Terminal::spawn(COGDECK, &args, &[pager], SIZE.0, SIZE.1),
            keymap: Keymap::preset(keymap).unwrap(),
            lines: Cell::new(0),
            trying: "opening".to_owned().into(),
        };
        deck.see("Pipelines run in sandbox");
        for name in ["alpha", "beta"] {
            deck.run(&format!("kubectl:run {name} --image=so0k/kuar-inspector:1.0.0"));
            deck.see(&format!("deployment.apps/{name} created"));
        }
        deck.until("both are there", |screen| screen.matches("✓ available").count() >= 2);
        // More than the chat pane holds.
        for start in [100, 200, 300, 400] {
            deck.run(&format!("sh 'seq {start} {}'", start + 10));
            deck.see(&format!("  {}", start + 10));
        }
        deck
    }

    fn until(&self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        let seen = self.terminal.wait_for(seen, SOON);
        seen.unwrap_or_else(|unseen| panic!("{}: {what}: {unseen}", self.trying.borrow()))
    }

    fn see(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    fn press(&self, key: Key) {
        self.terminal.send(&bytes(key));
        if key.event().code == KeyCode::Esc {
            std::thread::sleep(AFTER_ESC);
        }
    }

    /// Presses the first key of an action.
    fn act(&self, part: Part, action: Action) {
        self.press(self.keymap.key_of(part, action).expect("a key for it"));
    }

    fn run(&self, line: &str) {
        self.terminal.type_text(line);
        self.terminal.send(b"\r");
    }

    /// A line that was not there before, run to its end.
    fn fresh(&self) -> String {
        self.lines.set(self.lines.get() + 1);
        let line = format!("echo line number {}", self.lines.get());
        self.run(&line);
        let answer = line.replace("echo ", "  ");
        self.until(&line, |screen| {
            screen.lines().any(|row| chat(row).trim_end().ends_with(&answer))
        });
        line
    }

    /// The input line, without its prompt.
    fn line(&self) -> String {
        let screen = self.terminal.screen();
        let rows: Vec<&str> = screen.lines().collect();
        let from = rows.iter().rposition(|row| row.starts_with('╭')).unwrap_or(0);
        let inside = rows.iter().skip(from + 1).take_while(|row| row.starts_with('│'));
        let text: Vec<&str> = inside.map(|row| row.trim_matches(['│', ' '])).collect();
        text.join("\n").trim_start_matches("❯").trim_start().to_owned()
    }

    fn line_is(&self, wanted: &str) {
        self.until(&format!("the line {wanted:?}"), |_| self.line() == wanted);
    }

    /// The pane whose frame is drawn as the focused one; 0: the input line.
    fn focused(&self) -> Option<usize> {
        let view = self.terminal.view();
        let bold = |y: u16, x: u16| view.cell(y, x).is_some_and(vt100::Cell::bold);
        for (y, row) in (0..).zip(view.rows(0, SIZE.0)) {
            for (x, symbol) in (0..).zip(row.chars()) {
                if symbol == '╭' && bold(y, x) {
                    let title: String = row
                        .chars()
                        .skip(usize::from(x) + 3)
                        .take_while(char::is_ascii_digit)
                        .collect();
                    return Some(title.parse().unwrap_or(0));
                }
            }
        }
        None
    }

    fn focus_is(&self, wanted: usize) {
        self.until(&format!("the focus on {wanted}"), |_| self.focused() == Some(wanted));
    }

    /// The row of the panel that is selected.
    fn selected(&self) -> String {
        let view = self.terminal.view();
        let inverse = |y: u16| (0..SIZE.0).any(|x| view.cell(y, x).is_some_and(vt100::Cell::inverse));
        let rows: Vec<String> = view.rows(0, SIZE.0).collect();
        let found = (0..).zip(&rows).find(|(y, _)| inverse(*y));
        found.map(|(_, row)| row.clone()).unwrap_or_default()
    }

    fn selects(&self, name: &str) {
        self.until(&format!("{name} selected"), |_| self.selected().contains(name));
    }

    /// The panes' frames: number and place.
    fn frames(&self) -> Vec<String> {
        let screen = self.terminal.screen();
        let rows = screen.lines().enumerate();
        let corners = rows.flat_map(|(y, row)| {
            let row: Vec<char> = row.chars().collect();
            let corners: Vec<String> = (0..row.len())
                .filter(|x| row[*x] == '╭')
                .map(|x| format!("{y},{x} {}", row[x..].iter().skip(3).take(5).collect::<String>()))
                .collect();
            corners
        });
        corners.collect()
    }

    /// Back to an empty input line, from wherever an action led.
    fn reset(&self) {
        for _ in 0..2 {
            self.terminal.send(b"\x1b");
            std::thread::sleep(AFTER_ESC);
        }
        self.act(Part::Global, Action::Pane1);
        self.focus_is(1);
        self.act(Part::Chat, Action::ToInput);
        self.focus_is(0);
        self.act(Part::Input, Action::AcceptEnd);
        self.act(Part::Input, Action::DeleteToStart);
        let overlays = [
            "any other key closes",
            "actions: Enter does it",
            " take ",
            "history here:",
        ];
        self.until("an empty line", |screen| {
            screen.contains("panes") && !overlays.iter().any(|overlay| screen.contains(overlay))
        });
    }

    /// The part that binds the key.
    fn go(&self, part: Part) {
        match part {
            Part::Chat => {
                self.act(Part::Global, Action::Pane1);
                self.focus_is(1);
            }
            Part::Panel => {
                self.act(Part::Global, Action::Pane2);
                self.focus_is(2);
                self.act(Part::Panel, Action::First);
                self.selects("alpha");
            }
            Part::Popup => {
                self.act(Part::Input, Action::Commands);
                self.see("take");
            }
            Part::Global | Part::Input => {}
        }
    }

    fn output_since(&self, mark: usize) -> String {
        String::from_utf8_lossy(&self.terminal.raw_output_since(mark)).into_owned()
    }

    fn copies(&self, mark: usize, text: &str) {
        let copied = |_: &str| {
            let output = self.output_since(mark);
            let sent = output
                .split("\x1b]52;c;")
                .nth(1)
                .and_then(|rest| rest.split_once('\x07'));
            let decoded = sent.and_then(|(sent, _)| base64::engine::general_purpose::STANDARD.decode(sent).ok());
            decoded.is_some_and(|decoded| String::from_utf8_lossy(&decoded).trim_end() == text)
        };
        self.until(&format!("{text:?} on the clipboard"), copied);
    }

    fn follows(&self, wanted: bool) {
        self.until(&format!("follows: {wanted}"), |screen| {
            screen
                .lines()
                .nth(1)
                .is_some_and(|title| title.contains(" follow ") == wanted)
        });
    }

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
                support::signal(self.terminal.pid().expect("it runs"), "CONT");
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
            Action::NextPane => {
                self.press(key);
                self.focus_is(if in_panel { 3 } else { 2 });
            }
            Action::PreviousPane => {
                self.press(key);
                self.until("another pane", |_| {
                    let before = match part {
                        Part::Panel => 2,
                        Part::Chat => 1,
                        _ => 0,
                    };
                    self.focused().is_some_and(|pane| pane != before)
                });
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
                let (before, back) = (self.frames(), opposite(action));
                self.press(key);
                self.until("another layout", |_| self.frames() != before);
                self.act(part, back);
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
                self.press(key);
                // From a deployment to its replica sets.
                self.until("the deployment opened", |screen| !screen.contains("2 deployments"));
                self.act(Part::Panel, Action::Back);
                self.see("2 deployments");
            }
            Action::Open => {
                self.act(Part::Chat, Action::ToInput);
                self.focus_is(0);
                self.run("sh 'seq 5001 5040'");
                self.see("folded, Enter opens");
                self.go(Part::Chat);
                let shown = |screen: &str| screen.lines().filter(|row| chat(row).contains("  50")).count();
                let before = shown(&self.terminal.screen());
                self.press(key);
                self.until("more of the block", |screen| shown(screen) > before);
            }
            Action::Mark => {
                self.press(key);
                self.see("●");
                self.press(key);
                self.until("no mark", |screen| !screen.contains('●'));
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

/// The chat's part of a row.
fn chat(row: &str) -> String {
    let inside = row.trim_start_matches('│');
    inside.split('│').next().unwrap_or_default().to_owned()
}

fn every_key_of(keymap: &str) {
    let deck = Deck::open(keymap);
    let bindings: Vec<_> = deck.keymap.bindings().collect();
    assert!(bindings.len() > 100, "{} keys", bindings.len());
    for (part, key, action) in bindings {
        *deck.trying.borrow_mut() = format!("{keymap}: {} in {}: {}", key.label(), part.name(), action.name());
        deck.reset();
        deck.go(part);
        deck.try_out(part, key, action);
    }
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
