//! What a key can mean, by the names of keymap files, with the words of help.

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $word:literal;)*) => {
        /// What a key can mean.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])* $variant,)* }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// The name in keymap files.
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }

            /// What it does, for help.
            pub fn word(self) -> &'static str {
                match self { $(Action::$variant => $word,)* }
            }
        }
    };
}

actions! {
    /// The help overlay.
    Help = "help", "help";
    /// Help, but only while nothing is typed.
    HelpWhenEmpty = "help-when-empty", "help (on an empty line)";
    /// Ctrl-C.
    Interrupt = "interrupt", "stop the running block; twice on an empty line: quit";
    /// Ctrl-D.
    EndOfInput = "end-of-input", "quit on an empty line, else delete under the cursor";
    /// Draws everything anew.
    Redraw = "redraw", "redraw";
    /// Ctrl-Z.
    Suspend = "suspend", "suspend to the shell";
    /// Clears a filter or search, else leaves the zoom, else to the input line.
    Back = "back", "clear the filter or search, leave the zoom, back to the input line";
    /// A console command: a pane, a kind, a namespace, a context.
    Prompt = "prompt", "go to: a pane, a kind, ns NAME, ctx NAME";
    /// Filters a panel, searches the chat.
    Find = "find", "filter the panel, search the chat";
    /// The actions menu.
    Menu = "menu", "what can be done with the row";
    /// The next match, older ones first.
    FindNext = "find-next", "next match (older)";
    /// The match before.
    FindPrevious = "find-previous", "match before (newer)";
    /// Mouse on or off.
    Mouse = "mouse", "mouse on or off (off: the terminal selects)";
    /// The next line of the script presented.
    Present = "present", "next line of the script presented";
    /// From the input line to the chat pane, or out of a search.
    ToChat = "to-chat", "to the chat pane";
    /// To the input line.
    ToInput = "to-input", "back to the input line";
    /// To the next pane.
    NextPane = "next-pane", "next pane";
    /// To the pane before.
    PreviousPane = "previous-pane", "pane before";
    /// Pane 1.
    Pane1 = "pane-1", "pane 1 (chat)";
    /// Pane 2.
    Pane2 = "pane-2", "pane 2";
    /// Pane 3.
    Pane3 = "pane-3", "pane 3";
    /// Pane 4.
    Pane4 = "pane-4", "pane 4";
    /// Pane 5.
    Pane5 = "pane-5", "pane 5";
    /// Pane 6.
    Pane6 = "pane-6", "pane 6";
    /// Pane 7.
    Pane7 = "pane-7", "pane 7";
    /// Pane 8.
    Pane8 = "pane-8", "pane 8";
    /// Pane 9.
    Pane9 = "pane-9", "pane 9";
    /// The focused pane alone.
    Zoom = "zoom", "zoom the pane";
    /// The focused pane's column wider.
    Wider = "wider", "wider";
    /// The focused pane's column narrower.
    Narrower = "narrower", "narrower";
    /// The focused pane taller.
    Taller = "taller", "taller";
    /// The focused pane shorter.
    Shorter = "shorter", "shorter";
    /// The focused panel before the one before it.
    Earlier = "earlier", "one place earlier";
    /// The focused panel behind the next one.
    Later = "later", "one place later";
    /// Up.
    Up = "up", "up";
    /// Down.
    Down = "down", "down";
    /// Left.
    Left = "left", "left";
    /// Right.
    Right = "right", "right";
    /// Half a page up.
    PageUp = "page-up", "half a page up";
    /// Half a page down.
    PageDown = "page-down", "half a page down";
    /// To the first.
    First = "first", "to the first";
    /// To the last.
    Last = "last", "to the last; follow again";
    /// Opens.
    Open = "open", "open";
    /// Marks.
    Mark = "mark", "mark";
    /// Copies.
    Copy = "copy", "copy the block";
    /// Copies the line.
    CopyLine = "copy-line", "copy the line typed";
    /// Copies the records.
    CopyJson = "copy-json", "copy as JSON: the block's records, the panel's table";
    /// Copies a panel's table.
    CopyTable = "copy-table", "copy the panel's table (the marked rows)";
    /// Copies one cell.
    CopyCell = "copy-cell", "copy one cell: of which column is asked";
    /// Opens the pager.
    Page = "page", "the whole block in the pager";
    /// Writes the records to a file.
    Save = "save", "save the block's records: names the file in the input line";
    /// Goes on with the records.
    FilterBlock = "filter-block", "go on with the block's records in the input line";
    /// Follows what a block showed once.
    Live = "live", "make the block live: its line again, following every change";
    /// What was said, on the normal screen.
    Transcript = "transcript", "put the transcript onto the terminal's own screen";
    /// Nothing but text.
    Bare = "bare", "bare view: text without frames, for selecting with the mouse";
    /// Runs a block again.
    Rerun = "rerun", "run the block again";
    /// Puts a block's line into the input.
    Edit = "edit", "edit the block's line";
    /// Stops the selected block.
    Stop = "stop", "stop the block";
    /// Scrolls the chat half a page up.
    ScrollUp = "scroll-up", "scroll the chat up";
    /// Scrolls the chat half a page down.
    ScrollDown = "scroll-down", "scroll the chat down";
    /// Sends the line.
    Submit = "submit", "run the line";
    /// A line break in the input.
    NewLine = "new-line", "line break";
    /// Completes, or the next pane on an empty line.
    Complete = "complete", "complete; next pane on an empty line";
    /// All that could stand here.
    Commands = "commands", "everything that can stand here";
    /// The line before.
    HistoryPrevious = "history-previous", "earlier line with this beginning";
    /// The line after.
    HistoryNext = "history-next", "later line with this beginning";
    /// Searches the history.
    HistorySearch = "history-search", "search the history";
    /// Other lines of the history.
    HistoryFilter = "history-filter", "while searching: all lines, those of this context, those that went well, both";
    /// Takes what is suggested, else one to the right.
    AcceptRight = "right-or-accept", "right; take the suggestion at the end";
    /// Takes what is suggested, else to the end.
    AcceptEnd = "line-end", "end of the line; take the suggestion";
    /// Start of the line.
    LineStart = "line-start", "start of the line";
    /// A word to the left.
    WordLeft = "word-left", "a word to the left";
    /// A word to the right.
    WordRight = "word-right", "a word to the right";
    /// Deletes to the left.
    DeleteLeft = "delete-left", "delete to the left";
    /// Deletes to the right.
    DeleteRight = "delete-right", "delete to the right";
    /// Deletes a word to the left.
    DeleteWordLeft = "delete-word-left", "delete a word to the left";
    /// Deletes a word to the right.
    DeleteWordRight = "delete-word-right", "delete a word to the right";
    /// Deletes to the start.
    DeleteToStart = "delete-to-start", "delete to the start";
    /// Deletes to the end.
    DeleteToEnd = "delete-to-end", "delete to the end";
    /// Inserts what was deleted.
    InsertDeleted = "insert-deleted", "insert what was deleted last";
    /// Takes the last edit back.
    UndoEdit = "undo-edit", "take the last edit back";
    /// Closes.
    Cancel = "cancel", "close, give up";
    /// Takes the selected candidate.
    Accept = "accept", "take the candidate";
    /// The next candidate.
    NextCandidate = "next-candidate", "next candidate";
    /// The candidate before.
    PreviousCandidate = "previous-candidate", "candidate before";
}

impl Action {
    /// Bound in [`super::Part::Global`], it is done before any other part is asked about the key.
    pub(super) fn comes_first(self) -> bool {
        use Action::{Bare, Interrupt, Mouse, Present, Redraw, Suspend, Transcript};
        matches!(self, Redraw | Suspend | Mouse | Bare | Transcript | Present | Interrupt)
    }

    /// The pane an action names, from 0.
    pub fn pane(self) -> Option<usize> {
        const PANES: [Action; 9] = [
            Action::Pane1,
            Action::Pane2,
            Action::Pane3,
            Action::Pane4,
            Action::Pane5,
            Action::Pane6,
            Action::Pane7,
            Action::Pane8,
            Action::Pane9,
        ];
        PANES.iter().position(|pane| *pane == self)
    }
}
