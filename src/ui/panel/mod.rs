//! What a live panel is: events in, effects out, and a drawing of what its feeds hold. Also what panels are drawn
//! with: the meanings of a theme and the widgets. Not for layout, focus and frames: the console places panels, draws
//! border, title and health around them, and performs their effects.

pub mod filter;
pub mod grid;
pub mod list;
pub mod scope;
#[cfg(test)]
pub mod testing;
pub mod theme;
pub mod widgets;

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::core::context::{Cloud, Context};
use crate::core::text::SafeText;
use crate::feed::Health;
use crate::lang::ast::Pipeline;

pub use grid::{Grid, Which};
pub use scope::{Scope, Subject};
pub use theme::{Meaning, Theme, Tone};

/// A live panel. Lives on the console's thread: no method may block or await; feeds work in their own tasks.
pub trait Panel: Send {
    /// Unique over all panels, stable, in lower case: `deployments`. Keymaps and the remembered layout name it.
    fn id(&self) -> &str;

    /// What it is called where it is spoken of: the id; of one that shows now this, now that, what it shows.
    fn name(&self) -> SafeText {
        self.id().into()
    }

    /// The name in the border and the tab, with counts: `deployments 41`, `rollout inspector`.
    fn title(&self) -> SafeText;

    /// Shows this context from now on: (re)subscribes its feeds through the hub. Called again on a context switch
    /// and inside a Tokio runtime. A panel that has nothing to look at in this context draws one line that says so.
    fn open(&mut self, context: &Arc<Context>);

    /// The same with several contexts at once. A panel that shows one at a time keeps to the session's own, and says so
    /// where there are several.
    fn open_in(&mut self, scope: &Scope) {
        self.open(scope.own());
    }

    /// Nobody looks any more: drops its subscriptions.
    fn close(&mut self);

    /// Moves whenever the panel would draw something else (its sources' versions, its selection). Must be cheap: the
    /// console asks after every event and draws nothing while no version moved.
    fn version(&self) -> u64;

    /// The sources it looks at. Several panels naming the same one share a cell of the status line, which shows the
    /// worst.
    fn health(&self) -> Vec<Sourced>;

    /// The namespace that it looks at in a context that names none itself; none: it has no such thing, or does not know
    /// yet. Asked every frame.
    fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        let _ = context;
        None
    }

    /// The account that a context leads to, as far as it is known. Asked every frame.
    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        let _ = context;
        Cloud::default()
    }

    /// The last change made in this console touched `subject`: a panel that can follow it does, any other ignores it.
    /// A subject it was told to [`hold`](Panel::hold) wins. True: it shows this subject and nothing else from now on, or
    /// did already; moving a selection is not enough.
    fn focus_on(&mut self, subject: &Subject) -> bool {
        let _ = subject;
        false
    }

    /// What the marked rows are, or the selected one, for pipelines that a keymap binds to rows; none: nothing is there
    /// that has a name. `Err`: why the rows that are meant can't be acted on.
    fn subjects(&self) -> Result<Vec<Subject>, SafeText> {
        Ok(Vec::new())
    }

    /// Whether it is what an audience looks at: while a script is presented it stands large over the chat, beside the
    /// others that are.
    fn is_on_stage(&self) -> bool {
        false
    }

    /// One key meant for this panel.
    fn key(&mut self, key: PanelKey) -> Vec<Effect>;

    /// What its letter keys do, in the order of the key hints. The keymap may bind an action to another key; the
    /// panel only ever sees the action's name, as [`PanelKey::Act`].
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Whether it has rows that can be marked.
    fn can_mark(&self) -> bool {
        false
    }

    /// Why an action is not allowed to the operator, by its name; none: it is, or nobody knows. Menus grey it out, and the
    /// panel answers its key with this, and Enter where Enter means it.
    fn denied(&self, action: &str) -> Option<SafeText> {
        let _ = action;
        None
    }

    /// Those that it can ever have, for checking what a keymap names: of a panel whose actions change with what it shows.
    fn all_actions(&self) -> Vec<Action> {
        self.actions().to_vec()
    }

    /// One step back: takes all marks back, or goes to where it came from; false when there is nothing to go back from.
    fn back(&mut self) -> bool {
        false
    }

    /// The operator chose this subject by hand, in another panel.
    fn show(&mut self, subject: &Subject) {
        self.focus_on(subject);
    }

    /// Stays on this subject from now on, whatever changes; a second time lets go of it. What to tell; none: it can't.
    fn hold(&mut self, subject: &Subject) -> Option<SafeText> {
        let _ = subject;
        None
    }

    /// `:WORD` was typed and no panel is called that: a panel that can show any kind turns to it. True: it did.
    fn visit(&mut self, word: &str) -> bool {
        let _ = word;
        false
    }

    /// What else a word of `:WORD` could have been, when it is known that nothing is called that which a panel of any kind
    /// could turn to. None: something is, or nobody knows.
    fn lacks(&self, word: &str, context: &Arc<Context>) -> Option<Vec<String>> {
        let _ = (word, context);
        None
    }

    /// Shows only rows that have this in them, read as [`filter::Filter`]; an empty text: all. False where there is
    /// nothing to filter.
    fn filter(&mut self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// The filter in force, as typed; empty: none.
    fn filter_text(&self) -> &str {
        ""
    }

    /// What its table holds, for the clipboard. `Err`: why there is nothing to copy.
    fn grid(&self, which: Which, now: Timestamp) -> Result<Grid, SafeText> {
        let _ = (which, now);
        Err(grid::NO_TABLE.into())
    }

    /// Which of its rows were drawn last: the first and the last, counted from 1, and how many there are. None: all of
    /// them, or it has no rows.
    fn window(&self) -> Option<(usize, usize, usize)> {
        None
    }

    /// What the tab says about it where nothing else of it is seen; none: nothing needs attention. Asked every frame.
    fn mark(&self) -> Option<Tone> {
        None
    }

    /// `:PANEL NAME` was typed. None: this panel shows no single object. `Err`: why it can't turn to that one.
    fn turn_to(&mut self, name: &str) -> Option<Result<(), SafeText>> {
        let _ = name;
        None
    }

    /// Draws its content into `area`, which is inside the border and never empty. May fill less than the area, never
    /// more. `now` is for ages only.
    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp);

    /// One line with counts, for when there is no room: `deployments 41  ! 2`. Nothing by default but the title.
    fn folded(&self) -> SafeText {
        self.title()
    }

    /// The smallest content area that makes sense; below it the console shows [`Panel::folded`].
    fn minimum(&self) -> (u16, u16) {
        (24, 3)
    }

    /// How much height it wants in a column of panels, beside the others' weights. 2 is usual; 0: only when zoomed or
    /// named.
    fn weight(&self) -> u16 {
        2
    }

    /// Not beside the others even where there is room, until the operator puts it there: `:jobs` goes to it.
    fn by_name_only(&self) -> bool {
        false
    }
}

/// A source that a panel looks at, and how true it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced {
    /// `k8s`, `route53`.
    pub name: SafeText,
    /// The context it belongs to, where it has to be said: several are shown.
    pub context: Option<SafeText>,
    /// How it is.
    pub health: Health,
}

impl Sourced {
    /// Of the one context that is shown.
    pub fn new(name: impl Into<SafeText>, health: Health) -> Self {
        Sourced {
            name: name.into(),
            context: None,
            health,
        }
    }

    /// The context said.
    #[must_use]
    pub fn of(mut self, context: Option<&str>) -> Self {
        self.context = context.map(SafeText::line);
        self
    }
}

/// A letter key of a panel: the name is what keymaps bind, the word is what hints and help show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// `describe`.
    pub name: &'static str,
    /// The key unless the keymap says otherwise.
    pub key: char,
    /// What it does, for hints and help: `describe`, `undo rollout`.
    pub word: &'static str,
}

impl Action {
    /// `name` for keymaps, `key` unless they say otherwise, `word` for hints and help.
    pub const fn new(name: &'static str, key: char, word: &'static str) -> Self {
        Action { name, key, word }
    }
}

/// A key as panels see it: what is meant, not what was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelKey {
    /// Moves the selection or scrolls.
    Move(Motion),
    /// Opens what is selected.
    Open,
    /// Marks the selected row, or takes its mark back; actions are then about all marked rows.
    Mark,
    /// A click on this row of the content area: selects what is there; opens it when it is selected already.
    At(u16),
    /// One of its own [`Panel::actions`], by name.
    Act(&'static str),
}

/// Motions every list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One up.
    Up,
    /// One down.
    Down,
    /// Half a page up.
    PageUp,
    /// Half a page down.
    PageDown,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// To the left.
    Left,
    /// To the right.
    Right,
}

/// What a panel wants done. Looking and doing are one language: an act is a pipeline that appears in the chat pane and
/// the history, built as a tree (never as text from data).
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Runs a pipeline as if typed; a change shows its plan first, since one key asked for it.
    Run(Pipeline),
    /// Puts a pipeline into the input line for the operator to finish and send.
    Compose(Pipeline),
    /// Copies a text to the clipboard, by the operator's own key only.
    Copy(SafeText),
    /// Turns another panel to this subject and focuses it.
    Show {
        /// The panel's id.
        panel: &'static str,
        /// What it shall show.
        subject: Subject,
    },
    /// Makes another panel stay on this subject, or let go of it.
    Hold {
        /// The panel's id.
        panel: &'static str,
        /// What it shall stay on.
        subject: Subject,
    },
    /// One line that goes away by itself.
    Toast(SafeText),
    /// Takes the pinned panel of this id away.
    Unpin(String),
}
