//! Presenting a script live: one key types its next line visibly into the input, where it can still be edited; Enter
//! runs it like any other. The script is data for the input line and nothing else.

use std::time::Duration;

use jiff::Timestamp;

use super::App;
use crate::ui::panel::Tone;

/// Between two characters: a quick typist.
const STROKE: Duration = Duration::from_millis(18);

/// A script that comes along: presented by its name, without a file.
pub struct Supplied {
    /// Its name. A file of this name is `./NAME`.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Its lines.
    pub text: &'static str,
}

/// The scripts that come along.
pub const SCRIPTS: [Supplied; 2] = [
    Supplied {
        name: "demo",
        about: "from an empty namespace to a rolling update that loses no request",
        text: include_str!("../../../../assets/demo/talk.cog"),
    },
    Supplied {
        name: "broken",
        about: "after demo: a release that cannot start, and somebody else's change",
        text: include_str!("../../../../assets/demo/broken.cog"),
    },
];

/// A script being presented.
pub struct Script {
    lines: Vec<String>,
    /// Lines that were typed.
    next: usize,
    /// What is left of the line being typed, and when the next character comes.
    typing: Option<(Vec<char>, Timestamp)>,
}

impl Script {
    /// Nothing is typed yet.
    pub fn new(lines: Vec<String>) -> Self {
        Script {
            lines,
            next: 0,
            typing: None,
        }
    }

    /// A line is being typed.
    pub(super) fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// Lines typed and lines in all.
    pub fn place(&self) -> (usize, usize) {
        (self.next, self.lines.len())
    }
}

impl App {
    /// A script was read.
    pub(super) fn present(&mut self, lines: Vec<String>) {
        let script = Script::new(lines);
        let (_, all) = script.place();
        let key = self.present_key();
        self.tell(&format!("{all} lines to present: {key} types the next"), Tone::Ok);
        self.script = (all > 0).then_some(script);
    }

    fn present_key(&self) -> String {
        use crate::ui::console::keymap::{Action, Part};
        let key = self.keymap.key_of(Part::Global, Action::Present);
        key.map_or_else(|| "the key for present".to_owned(), |key| key.label())
    }

    /// Types the next line; a second press finishes the typing at once.
    pub(super) fn next_line(&mut self) {
        let now = self.clock.now();
        let Some(script) = &mut self.script else {
            self.tell(
                "nothing is presented: type :present demo, or :present FILE",
                Tone::Neutral,
            );
            return;
        };
        if script.is_typing() {
            return self.finish_typing();
        }
        let Some(line) = script.lines.get(script.next) else {
            self.script = None;
            self.tell("the script is over", Tone::Ok);
            return;
        };
        script.typing = Some((line.chars().rev().collect(), now));
        script.next += 1;
        self.leave_pane();
        self.popup = None;
        self.input.take();
    }

    /// Types the rest of the line at once.
    fn finish_typing(&mut self) {
        let typing = self.script.as_mut().and_then(|script| script.typing.take());
        for symbol in typing.into_iter().flat_map(|(rest, _)| rest.into_iter().rev()) {
            self.type_char(symbol);
        }
    }

    /// Whether what the history would go on with is shown behind the line: not while a script is presented, where it would
    /// read as if it had been typed.
    pub(in crate::ui::console) fn suggests(&self) -> bool {
        self.script.is_none()
    }

    /// How long nothing has to be done, if something has to be done by itself.
    pub fn rests_for(&self) -> Option<Duration> {
        let (_, at) = self.script.as_ref()?.typing.as_ref()?;
        Some(Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default())
    }

    /// Does what is due by itself: the next character of a line presented.
    pub fn advance(&mut self) {
        let now = self.clock.now();
        let Some(typing) = self.script.as_mut().and_then(|script| script.typing.as_mut()) else {
            return;
        };
        if typing.1 > now {
            return;
        }
        typing.1 = now + STROKE;
        let (symbol, over) = (typing.0.pop(), typing.0.is_empty());
        if over && let Some(script) = &mut self.script {
            script.typing = None;
        }
        symbol.into_iter().for_each(|symbol| self.type_char(symbol));
        self.dirty = true;
    }

    /// Typing by hand takes over: the rest of the line is not typed any more. Enter only ends the typing, since half a
    /// line is never what was meant; true when that is all it did.
    pub(super) fn take_over(&mut self, submits: bool) -> bool {
        if !self.script.as_ref().is_some_and(Script::is_typing) {
            return false;
        }
        if submits {
            self.finish_typing();
        } else if let Some(script) = &mut self.script {
            script.typing = None;
        }
        submits
    }
}
