//! A console in a terminal for trying keys: opened, set back, and read as a person would. Not for what a key does.

use std::cell::Cell;
use std::time::Duration;

use base64::Engine;
use cogdeck::ui::console::keymap::{Action, Key, Keymap, Part};
use crossterm::event::KeyCode;

use crate::support::console::{self, chat};
use crate::support::process::COGDECK;
use crate::support::terminal::Terminal;

pub const SOON: Duration = Duration::from_secs(20);
/// Esc is also how Alt begins: the next key must not come at once.
const AFTER_ESC: Duration = Duration::from_millis(60);
const SIZE: (u16, u16) = (120, 40);

/// A console with three deployments and some answers, driven by one keymap.
pub struct Deck {
    pub terminal: Terminal,
    pub keymap: Keymap,
    /// Makes every line typed another one.
    lines: Cell<u32>,
    /// What is being tried, for failures.
    pub trying: std::cell::RefCell<String>,
}

impl Deck {
    pub fn open(keymap: &str) -> Self {
        let pager = ("PAGER", r#"sh -c 'cat > "$HOME/paged"'"#);
        // An object is left as it is: what is no YAML would be opened again and again.
        let edit = r#"sh -c 'case "$0" in *.yaml) ;; *) printf "%s, edited" "$(cat "$0")" > "$0" ;; esac'"#;
        let editor = ("EDITOR", edit);
        let args = ["--sandbox", "--speed", "50", "--keymap", keymap];
        let deck = Deck {
            terminal: Terminal::spawn(COGDECK, &args, &[pager, editor], SIZE.0, SIZE.1),
            keymap: Keymap::preset(keymap).unwrap(),
            lines: Cell::new(0),
            trying: "opening".to_owned().into(),
        };
        deck.see("Pipelines run in sandbox");
        for name in ["alpha", "beta", "gamma"] {
            deck.run(&format!("kubectl:run {name} --image=so0k/kuar-inspector:1.0.0"));
            deck.see(&format!("deployment.apps/{name} created"));
        }
        deck.until("all are there", |screen| screen.matches("✓ available").count() >= 3);
        // More than the chat pane holds.
        for start in [100, 200, 300, 400] {
            deck.run(&format!("sh 'seq {start} {}'", start + 10));
            deck.see(&format!("  {}", start + 10));
        }
        deck
    }

    pub fn until(&self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        let seen = self.terminal.wait_for(seen, SOON);
        seen.unwrap_or_else(|unseen| panic!("{}: {what}: {unseen}", self.trying.borrow()))
    }

    pub fn see(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    pub fn press(&self, key: Key) {
        self.terminal.key(key.event());
        if key.event().code == KeyCode::Esc {
            std::thread::sleep(AFTER_ESC);
        }
    }

    /// Presses the first key of an action.
    pub fn act(&self, part: Part, action: Action) {
        self.press(self.keymap.key_of(part, action).expect("a key for it"));
    }

    pub fn run(&self, line: &str) {
        self.terminal.type_text(line);
        self.terminal.send(b"\r");
    }

    /// A number that no line had before.
    pub fn number(&self) -> u32 {
        self.lines.set(self.lines.get() + 1);
        self.lines.get()
    }

    /// A line that was not there before, run to its end.
    pub fn fresh(&self) -> String {
        let line = format!("echo line number {}", self.number());
        self.run(&line);
        // The records of a block are known once it has ended.
        let header = format!("❯ {line} ");
        self.until(&line, |screen| {
            let ended = |row: &str| row.contains(&header) && row.contains("✓ done");
            screen.lines().any(|row| ended(chat(row)))
        });
        line
    }

    /// The input line, without its prompt.
    pub fn line(&self) -> String {
        console::input(&self.terminal)
    }

    pub fn line_is(&self, wanted: &str) {
        self.until(&format!("the line {wanted:?}"), |_| self.line() == wanted);
    }

    /// The pane whose frame is drawn as the focused one; 0: the input line.
    pub fn focused(&self) -> Option<usize> {
        let title = self.title()?;
        let number: String = title.chars().take_while(char::is_ascii_digit).collect();
        Some(number.parse().unwrap_or(0))
    }

    /// The title of the focused pane, from its number on.
    pub fn title(&self) -> Option<String> {
        let view = self.terminal.view();
        let bold = |y: u16, x: u16| view.cell(y, x).is_some_and(vt100::Cell::bold);
        for (y, row) in (0..).zip(view.rows(0, SIZE.0)) {
            for (x, symbol) in (0..).zip(row.chars()) {
                if symbol == '╭' && bold(y, x) {
                    let title = row.chars().skip(usize::from(x) + 3);
                    return Some(title.take_while(|symbol| *symbol != '╮').collect());
                }
            }
        }
        None
    }

    pub fn focus_is(&self, wanted: usize) {
        self.until(&format!("the focus on {wanted}"), |_| self.focused() == Some(wanted));
    }

    /// The row of the panel that is selected.
    pub fn selected(&self) -> String {
        let row = self
            .selected_at()
            .and_then(|y| self.terminal.view().rows(0, SIZE.0).nth(y.into()));
        // The chat beside it may hold the same name.
        let row = row.unwrap_or_default();
        row.rsplit("││").next().unwrap_or_default().to_owned()
    }

    /// Where the row is that is selected.
    pub fn selected_at(&self) -> Option<u16> {
        let view = self.terminal.view();
        let inverse = |y: &u16| (0..SIZE.0).any(|x| view.cell(*y, x).is_some_and(vt100::Cell::inverse));
        (0..SIZE.1).find(inverse)
    }

    /// The column where the panels begin.
    pub fn panels_begin(&self) -> Option<usize> {
        let frames = self.frames();
        let second = frames.iter().find(|frame| frame.contains(" 2 "))?;
        second.split_once(' ')?.0.split_once(',')?.1.parse().ok()
    }

    pub fn selects(&self, name: &str) {
        self.until(&format!("{name} selected"), |_| self.selected().contains(name));
    }

    /// The panes' frames: number and place.
    pub fn frames(&self) -> Vec<String> {
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
    pub fn reset(&self) {
        for _ in 0..2 {
            self.terminal.send(b"\x1b");
            std::thread::sleep(AFTER_ESC);
        }
        self.act(Part::Global, Action::Pane1);
        self.focus_is(1);
        // A search of the chat ends here; without one this leads to the input line already.
        self.act(Part::Chat, Action::Back);
        self.act(Part::Global, Action::Pane1);
        self.focus_is(1);
        self.act(Part::Chat, Action::Last);
        self.act(Part::Chat, Action::ToInput);
        self.focus_is(0);
        self.act(Part::Input, Action::AcceptEnd);
        self.act(Part::Input, Action::DeleteToStart);
        // The line break before, and the line before that.
        self.act(Part::Input, Action::DeleteLeft);
        self.act(Part::Input, Action::DeleteToStart);
        let overlays = [
            "any other key closes",
            "actions: Enter does it",
            " close ",
            "history here:",
        ];
        self.until("an empty line", |screen| {
            screen.contains("panes") && !overlays.iter().any(|overlay| screen.contains(overlay))
        });
    }

    /// The part that binds the key.
    pub fn go(&self, part: Part) {
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
                self.see(" close ");
            }
            Part::Global | Part::Input => {}
        }
    }

    pub fn output_since(&self, mark: usize) -> String {
        String::from_utf8_lossy(&self.terminal.raw_output_since(mark)).into_owned()
    }

    pub fn copies(&self, mark: usize, text: &str) {
        self.copies_what(mark, text, |copied| copied.trim_end() == text);
    }

    /// Something is on the clipboard since a mark that is what is looked for.
    pub fn copies_what(&self, mark: usize, what: &str, is_it: impl Fn(&str) -> bool) {
        let copied = |_: &str| {
            let output = self.output_since(mark);
            let sent = output
                .split("\x1b]52;c;")
                .nth(1)
                .and_then(|rest| rest.split_once('\x07'));
            let decoded = sent.and_then(|(sent, _)| base64::engine::general_purpose::STANDARD.decode(sent).ok());
            decoded.is_some_and(|decoded| is_it(&String::from_utf8_lossy(&decoded)))
        };
        self.until(&format!("{what:?} on the clipboard"), copied);
    }

    pub fn follows(&self, wanted: bool) {
        self.until(&format!("follows: {wanted}"), |screen| {
            screen
                .lines()
                .nth(1)
                .is_some_and(|title| title.contains(" follow ") == wanted)
        });
    }
}
