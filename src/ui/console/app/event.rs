//! What happens to the console, and what the console wants done.

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use crate::core::change::{Origin, Plan, Requirement};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::console::complete::Live;
use crate::ui::console::input::history::Earlier;
use crate::ui::console::keymap::Keymap;
use crate::ui::console::pin::kept::Change;
use crate::ui::console::ports::BlockEvent;
use crate::ui::panel::{Subject, Theme, Tone};
use crate::verb::{Catalogue, Completion, Decision};

/// What happens to the console.
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// A click or the wheel.
    Mouse(MouseEvent),
    /// Text in one piece: inserted, never executed.
    Paste(String),
    /// The line as it came back from the operator's editor: it stands in the input and is not run; or why it stays as
    /// it was.
    Edited(Result<String, Box<Report>>),
    /// A block started; the engine's number, the line with secrets masked, its translation, whether in the background.
    Started {
        /// The console's id for it.
        block: u64,
        /// The engine's number.
        number: u64,
        /// As shown and kept.
        line: String,
        /// Of a shell's loop.
        translation: Option<String>,
        /// Ended with `&`.
        background: bool,
    },
    /// A line was refused, which is shown and kept like this; nothing ran.
    Refused(u64, String, Box<Report>),
    /// Something happened in a block.
    Block(u64, Box<BlockEvent>),
    /// A block asks for an approval.
    Question {
        /// Names the question.
        id: u64,
        /// The block.
        block: u64,
        /// What it wants to do.
        plan: Box<Plan>,
        /// What approving takes.
        requirement: Requirement,
        /// Where it would be done.
        context: Arc<Context>,
    },
    /// A block asks for a value that nobody may see.
    SecretWanted {
        /// Names the question.
        id: u64,
        /// The block.
        block: u64,
        /// What it is for.
        what: SafeText,
    },
    /// A change made here begins: panels that can follow it do.
    ActingOn(Subject),
    /// Nobody waits for the answer any more.
    Withdrawn(u64),
    /// A completer answered.
    Candidates(u64, Completion),
    /// Lines of earlier sessions, oldest first.
    History(Vec<Earlier>),
    /// These contexts are shown from now on: the session's own, and others beside it.
    Contexts(Arc<Context>, Vec<Arc<Context>>),
    /// The session's context or catalogue may have changed.
    Session(Arc<Context>, Arc<Catalogue>),
    /// The text of a script to present; or why there is none.
    Script(Result<String, Box<Report>>),
    /// A theme or keymap file has changed.
    Dress(Box<Dress>),
    /// The theme for the terminal's background, which it has told.
    Wear(Box<Theme>),
    /// The theme that was asked for by its name, and what was remarked in its file.
    Chosen(Box<Theme>, Vec<Report>),
    /// The sandbox started, or did not.
    Sandbox(Result<Arc<Context>, Box<Report>>),
    /// Something to tell that belongs to no block.
    Tell(SafeText, Tone),
}

/// How the console looks and what its keys mean, read again from the operator's files.
#[derive(Clone, Debug, Default)]
pub struct Dress {
    /// The theme, where its file has changed and can be read.
    pub theme: Option<Theme>,
    /// The keys, likewise.
    pub keymap: Option<Keymap>,
    /// What is wrong in them.
    pub remarks: Vec<Report>,
}

/// What the console wants done.
pub enum Effect {
    /// Start a line.
    Start {
        /// The console's id for it.
        block: u64,
        /// The line.
        line: String,
        /// Typed, or asked for by a key.
        origin: Origin,
    },
    /// Ask a block to end.
    Cancel(u64),
    /// End a block for good.
    Kill(u64),
    /// Answer a question.
    Answer(u64, Decision),
    /// Ask a completer.
    Complete(u64, Live),
    /// Start the sandbox.
    StartSandbox,
    /// Let the session's context take changes until then, though it is marked read-only; none: no more.
    OpenUntil(Option<Timestamp>),
    /// Make this the session's context, with others shown beside it.
    Switch(Arc<Context>, Vec<Arc<Context>>),
    /// Go over to the contexts of these names: `a`, `a,b`, `*`.
    UseContexts(String),
    /// Read a script for presenting.
    ReadScript(String),
    /// Wear the theme of this name from now on.
    Wear(String),
    /// Ask the terminal for clicks, or leave them to it.
    Mouse(bool),
    /// Put text onto the clipboard, by the operator's own key, and tell this once it is there.
    Copy(String, String),
    /// Put the records of a block, by the engine's number, onto the clipboard as JSON.
    CopyRecords(u64),
    /// Show a text in the operator's pager.
    Page(String),
    /// Have the line being typed edited in the operator's editor.
    EditLine(String),
    /// Write a text to the terminal's own screen.
    Transcript(String),
    /// Give the terminal back and leave when everything that runs has ended.
    Detach,
    /// Keep this text as the arrangement of later sessions.
    Remember(String),
    /// Keep a pinned pipeline for later sessions, or no more.
    KeepPin(Change),
    /// Draw everything anew.
    Redraw,
    /// Stop the process until it is continued.
    Suspend,
    /// Leave with this exit code.
    Quit(u8),
}

/// Who has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The input line.
    Input,
    /// A pane: 0 is the chat, then the panels.
    Pane(usize),
}
