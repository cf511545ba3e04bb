//! Presenting a script live: one key types its next line visibly into the input, where it can still be edited; Enter
//! runs it like any other. Meanwhile the panels that the audience looks at stand large over the chat. The script is data
//! for the input line and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::App;
use crate::core::text::SafeText;
use crate::lang::script_lines;
use crate::ui::console::keymap::{Action, Part};
use crate::ui::console::toast::Until;
use crate::ui::panel::{Meaning, Panel, Tone};

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

/// How the comment begins that says what the lines after it are about; the comment lines below it go on with it.
const HEADING: &str = "# ---";

/// One line of a script.
struct Line {
    /// What it and those after it are about, where the script says so.
    heading: Option<String>,
    text: String,
}

/// A script being presented.
pub struct Script {
    lines: Vec<Line>,
    /// Lines that were typed.
    next: usize,
    /// The last of them has not run.
    unsent: bool,
    /// Lines that were typed once at least: what they are about was said.
    said: usize,
    /// What is left of the line being typed, and when the next character comes.
    typing: Option<(Vec<char>, Timestamp)>,
    /// The next line is typed as soon as what runs has ended.
    waits: bool,
}

impl Script {
    /// Nothing is typed yet.
    pub fn new(text: &str) -> Self {
        let (mut lines, mut after) = (Vec::new(), 0);
        let all: Vec<&str> = text.lines().collect();
        for line in script_lines(text) {
            let between = all.get(after..line.number - 1).unwrap_or_default().iter();
            let said = between.copied().skip_while(|line| !line.starts_with(HEADING));
            let said: Vec<&str> = said
                .map(|line| line.trim_start_matches(['#', '-', ' ']))
                .filter(|line| !line.is_empty())
                .collect();
            after = line.number;
            lines.push(Line {
                heading: (!said.is_empty()).then(|| said.join(" ")),
                text: line.text,
            });
        }
        Script {
            lines,
            next: 0,
            unsent: false,
            said: 0,
            typing: None,
            waits: false,
        }
    }

    /// What each line is said to be about.
    #[cfg(test)]
    pub(super) fn headings(&self) -> impl Iterator<Item = Option<&str>> {
        self.lines.iter().map(|line| line.heading.as_deref())
    }

    /// A line is being typed.
    pub(super) fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// The next key press types a line.
    pub(in crate::ui::console) fn goes_on(&self) -> bool {
        !self.is_typing() && (self.unsent || self.next < self.lines.len())
    }

    /// A line that has not run comes next.
    fn step_back(&mut self) {
        if std::mem::take(&mut self.unsent) {
            self.next -= 1;
        }
    }

    /// Lines typed and lines in all.
    pub fn place(&self) -> (usize, usize) {
        (self.next, self.lines.len())
    }
}

impl App {
    /// A script was read: it begins at the line that was asked for.
    pub(super) fn present(&mut self, text: &str) {
        let mut script = Script::new(text);
        let (_, all) = script.place();
        let first = std::mem::take(&mut self.present_from);
        if all == 0 {
            return self.stop_presenting("this script has no line to present", Tone::Warn);
        }
        if first >= all {
            let told = format!("this script has {all} lines: there is no line {}", first + 1);
            return self.tell(&told, Tone::Warn);
        }
        script.next = first;
        let key = self.present_key();
        self.was_typed();
        let told = match first {
            0 => format!("{all} lines to present: {key} types the next"),
            _ => format!("{all} lines to present: {key} types line {}", first + 1),
        };
        self.tell_until(&told, Tone::Ok, Until::Typed);
        self.script = Some(script);
        self.subscribe_offered();
    }

    /// No script is presented any more.
    pub(super) fn stop_presenting(&mut self, why: &str, tone: Tone) {
        self.script = None;
        self.was_typed();
        self.tell(why, tone);
        self.subscribe_offered();
    }

    /// Whether a panel is one of those that stand large while a script is presented; none: no script is.
    pub fn on_stage(&self, panel: &dyn Panel) -> Option<bool> {
        self.script.as_ref().map(|_| panel.is_on_stage())
    }

    /// How many rows of the screen one of a panel's rows takes: two for those that the audience looks at, where there is
    /// room for it. `at` is the panel's place, `inside` that of its content.
    pub fn spacing(&self, at: usize, inside: Rect) -> u16 {
        let large = self.panels.get(at).is_some_and(|panel| {
            !self.bare && self.on_stage(panel.as_ref()) == Some(true) && inside.height / 2 >= panel.minimum().1
        });
        if large { 2 } else { 1 }
    }

    /// What a line of the script waited for is over.
    fn was_typed(&mut self) {
        self.toasts.has_come(&Until::Typed);
        self.toasts.has_come(&Until::Ended);
    }

    fn present_key(&self) -> String {
        self.label_of(Part::Global, Action::Present)
            .unwrap_or_else(|| "the key for present".to_owned())
    }

    fn label_of(&self, part: Part, action: Action) -> Option<String> {
        self.keymap.key_of(part, action).map(|key| key.label())
    }

    /// Types the next line, the last one again when it has not run; a second press finishes the typing at once. A line that stands there is run or cleared
    /// first, and what runs in the foreground ends first: the next line may rest on it.
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
            self.finish_typing();
            return;
        }
        if !self.input.is_empty() {
            let run = self.label_of(Part::Input, Action::Submit).unwrap_or_default();
            let clear = self.label_of(Part::Global, Action::Interrupt).unwrap_or_default();
            let told = format!("{run} runs this line first; {clear} clears it");
            return self.tell_until(&told, Tone::Warn, Until::Key);
        }
        if let Some(block) = self.chat.foreground() {
            script.waits = true;
            let which = block.number.map_or_else(String::new, |number| format!(" #{number}"));
            let told = format!("the next line is typed when{which} has ended");
            return self.tell_until(&told, Tone::Waiting, Until::Ended);
        }
        script.waits = false;
        script.step_back();
        let Some(line) = script.lines.get(script.next) else {
            return self.stop_presenting("the script is over", Tone::Ok);
        };
        script.typing = Some((line.text.chars().rev().collect(), now));
        script.next += 1;
        script.unsent = true;
        let first = script.said < script.next;
        script.said = script.said.max(script.next);
        self.toasts.has_come(&Until::Typed);
        self.toasts.has_come(&Until::Ended);
        if let Some(heading) = line.heading.as_ref().filter(|_| first) {
            self.chat.say(now, [(SafeText::line(heading), Meaning::Title)]);
        }
        // What the line is about stands there while it is typed, whatever was read before.
        self.chat.to_end();
        self.leave_pane();
        self.popup = None;
        self.input.not_by_hand();
    }

    /// What ran may have ended: types the line that waits for it, unless something else is typed meanwhile.
    pub(super) fn go_on_presenting(&mut self) {
        let Some(script) = self.script.as_mut().filter(|script| script.waits) else {
            return;
        };
        if !self.input.is_empty() {
            script.waits = false;
            self.was_typed();
        } else if self.chat.foreground().is_none() {
            self.next_line();
        }
    }

    /// Types the rest of the line at once; false: none is being typed.
    pub(super) fn finish_typing(&mut self) -> bool {
        let Some((rest, _)) = self.script.as_mut().and_then(|script| script.typing.take()) else {
            return false;
        };
        rest.into_iter().rev().for_each(|symbol| self.type_char(symbol));
        true
    }

    /// A line runs: the script's own, edited or not, one in its place, or the next one by hand.
    pub(super) fn line_was_sent(&mut self, text: &str) {
        let Some(script) = &mut self.script else { return };
        let by_hand = !std::mem::take(&mut script.unsent);
        let is_next = script.lines.get(script.next).is_some_and(|line| line.text == text);
        script.next += usize::from(by_hand && is_next);
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

    /// The line that stood there was cleared: where it is the script's, it comes next, whatever runs in between.
    pub(super) fn line_was_cleared(&mut self) {
        if let Some(script) = &mut self.script {
            script.typing = None;
            script.step_back();
        }
    }

    /// The line as far as it was typed, while one is.
    pub(super) fn typed_so_far(&self) -> Option<(String, usize)> {
        let typing = self.script.as_ref().is_some_and(Script::is_typing);
        typing.then(|| (self.input.text(), self.input.cursor()))
    }

    /// Typing by hand takes over: where a key has changed the line since `before`, the rest of it is not typed any more.
    /// Who only looks elsewhere meanwhile loses nothing.
    pub(super) fn take_over(&mut self, before: Option<(String, usize)>) {
        let changed = before.is_some_and(|before| before != (self.input.text(), self.input.cursor()));
        if (changed || self.input.search().is_some())
            && let Some(script) = &mut self.script
        {
            script.typing = None;
        }
    }
}
