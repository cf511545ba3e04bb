//! vi's normal mode in a terminal: what is typed behind Esc, and the line that it leaves. Not for every command: those are
//! tested without a terminal.

use cogdeck::ui::console::keymap::{Action, Part};

use crate::deck::Deck;

/// What is typed in normal mode behind `one two three`, and the line that it leaves.
const NORMAL: [(&str, &str); 23] = [
    ("0iX", "Xone two three"),
    ("0aX", "oXne two three"),
    ("IX", "Xone two three"),
    ("0AX", "one two threeX"),
    ("bx", "one two hree"),
    ("0ex", "on two three"),
    ("0wx", "one wo three"),
    ("02lx", "on two three"),
    ("$hx", "one two thre"),
    ("$X", "one two thre"),
    ("0dw", "two three"),
    ("0wD", "one"),
    ("0wcwX", "one X three"),
    ("0wCX", "one X"),
    ("0ftx", "one wo three"),
    ("$Fwx", "one to three"),
    ("0f ;x", "one twothree"),
    ("0~", "One two three"),
    ("0rX", "Xne two three"),
    ("0xp", "noe two three"),
    ("0ylP", "oone two three"),
    ("0dwu", "one two three"),
    ("0dwSX", "X"),
];

impl Deck {
    /// Esc, then characters that are commands.
    pub fn normal_mode(&self) {
        for (keys, wanted) in NORMAL {
            *self.trying.borrow_mut() = format!("{keys} in normal mode");
            self.reset();
            self.terminal.type_text("one two three");
            self.line_is("one two three");
            self.to_normal_mode();
            self.terminal.type_text(keys);
            self.line_is(wanted);
        }
        self.reset();
        let line = self.fresh();
        let newer = self.fresh();
        for (keys, wanted) in [("kk", line.clone()), ("kkj", newer)] {
            *self.trying.borrow_mut() = format!("{keys} in normal mode");
            self.reset();
            self.terminal.type_text("x");
            self.line_is("x");
            self.to_normal_mode();
            self.terminal.type_text(keys);
            self.line_is(&wanted);
        }
        *self.trying.borrow_mut() = "v in normal mode".to_owned();
        self.reset();
        self.terminal.type_text("echo 'one'");
        self.line_is("echo 'one'");
        self.to_normal_mode();
        self.terminal.type_text("v");
        self.line_is("echo 'one', edited");
    }

    /// Esc, and the mode is there.
    fn to_normal_mode(&self) {
        self.act(Part::Input, Action::ToChat);
        self.until("normal mode", |screen| screen.contains(" normal │ "));
    }
}
