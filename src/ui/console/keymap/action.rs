//! What a key can mean, by the names of keymap files, with the words of help.

macro_rules! actions {
    ($($variant:ident = $name:literal, $word:literal;)*) => {
        /// What a key can mean.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $(#[doc = $word] $variant,)* }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// The name in keymap files.
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }

            /// The action of this name.
            pub fn named(name: &str) -> Option<Action> {
                match name { $($name => Some(Action::$variant),)* _ => None }
            }

            /// What it does, for help.
            pub fn word(self) -> &'static str {
                match self { $(Action::$variant => $word,)* }
            }
        }
    };
}

actions! {
    Help = "help", "help";
    HelpWhenEmpty = "help-when-empty", "help (on an empty line)";
    Interrupt = "interrupt", "put the line away, then stop the running block; twice on an empty line: quit";
    EndOfInput = "end-of-input", "quit on an empty line, else delete under the cursor";
    Redraw = "redraw", "redraw";
    Suspend = "suspend", "suspend to the shell";
    Back = "back", "clear the filter or search, leave the zoom, back to the input line";
    Prompt = "prompt", "go to: a pane, a kind, ns NAME, ctx NAME";
    Find = "find", "filter the panel, search the chat";
    Menu = "menu", "what can be done with the row";
    FindNext = "find-next", "next match (older)";
    FindPrevious = "find-previous", "match before (newer)";
    Mouse = "mouse", "mouse on or off (off: the terminal selects)";
    Present = "present", "next line of the script presented";
    ToChat = "to-chat", "to the chat pane";
    ToInput = "to-input", "back to the input line";
    NextPane = "next-pane", "next pane";
    PreviousPane = "previous-pane", "pane before";
    Pane1 = "pane-1", "pane 1 (chat)";
    Pane2 = "pane-2", "pane 2";
    Pane3 = "pane-3", "pane 3";
    Pane4 = "pane-4", "pane 4";
    Pane5 = "pane-5", "pane 5";
    Pane6 = "pane-6", "pane 6";
    Pane7 = "pane-7", "pane 7";
    Pane8 = "pane-8", "pane 8";
    Pane9 = "pane-9", "pane 9";
    Zoom = "zoom", "zoom the pane";
    Wider = "wider", "wider";
    Narrower = "narrower", "narrower";
    Taller = "taller", "taller";
    Shorter = "shorter", "shorter";
    Earlier = "earlier", "one place earlier";
    Later = "later", "one place later";
    Up = "up", "up";
    Down = "down", "down";
    Left = "left", "left";
    Right = "right", "right";
    PageUp = "page-up", "half a page up";
    PageDown = "page-down", "half a page down";
    First = "first", "to the first";
    Last = "last", "to the last; the chat follows again";
    Open = "open", "open";
    Mark = "mark", "mark";
    Copy = "copy", "copy the block";
    CopyLine = "copy-line", "copy the line typed";
    CopyJson = "copy-json", "copy as JSON: the block's records, the panel's table";
    CopyTable = "copy-table", "copy the panel's table (the marked rows)";
    CopyCell = "copy-cell", "copy one cell: of which column is asked";
    Page = "page", "the whole block in the pager";
    Save = "save", "save the block's records: names the file in the input line";
    FilterBlock = "filter-block", "go on with the block's records in the input line";
    Live = "live", "make the block live: its line again, following every change";
    Transcript = "transcript", "put the transcript onto the terminal's own screen";
    Bare = "bare", "bare view: text without frames, for selecting with the mouse";
    Rerun = "rerun", "run the block again";
    Edit = "edit", "edit the block's line";
    Stop = "stop", "stop the block; again kills it";
    ScrollUp = "scroll-up", "scroll the chat up";
    ScrollDown = "scroll-down", "scroll the chat down";
    Submit = "submit", "run the line";
    NewLine = "new-line", "line break";
    Complete = "complete", "complete; next pane on an empty line";
    Commands = "commands", "everything that can stand here";
    EditLine = "edit-line", "edit the line in $EDITOR";
    HistoryPrevious = "history-previous", "earlier line with this beginning";
    HistoryNext = "history-next", "later line with this beginning";
    HistorySearch = "history-search", "search the history";
    HistoryFilter = "history-filter", "while searching: all lines, those of this context, those that went well, both";
    AcceptRight = "right-or-accept", "right; take the suggestion at the end";
    AcceptEnd = "line-end", "end of the line; take the suggestion";
    LineStart = "line-start", "start of the line";
    WordLeft = "word-left", "a word to the left";
    WordRight = "word-right", "a word to the right";
    DeleteLeft = "delete-left", "delete to the left";
    DeleteRight = "delete-right", "delete to the right";
    DeleteWordLeft = "delete-word-left", "delete a word to the left";
    DeleteWordRight = "delete-word-right", "delete a word to the right";
    DeleteToStart = "delete-to-start", "delete to the start";
    DeleteToEnd = "delete-to-end", "delete to the end";
    InsertDeleted = "insert-deleted", "insert what was deleted last";
    InsertDeletedBefore = "insert-deleted-before", "instead of what was just inserted: what was deleted before it";
    InsertLastWord = "insert-last-word", "insert the last word of the line before; again: of the one before that";
    Transpose = "transpose", "swap the two characters at the cursor";
    WordUpper = "word-upper", "the word in capitals";
    WordLower = "word-lower", "the word in small letters";
    WordCapital = "word-capital", "the word with a capital";
    UndoEdit = "undo-edit", "take the last edit back";
    Cancel = "cancel", "close, give up";
    Accept = "accept", "take the candidate";
    NextCandidate = "next-candidate", "next candidate";
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
