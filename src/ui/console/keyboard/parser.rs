//! Bytes of a terminal to keys, mouse and pastes: a machine without IO that takes them in whatever pieces they come. Not
//! for what a key means (`keymap`).

use std::collections::VecDeque;
use std::str;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// A sequence of more bytes is none that a key sends.
const LONGEST: usize = 64;
/// Of a paste: no line takes so much, and one that never ends must not fill the memory.
const LONGEST_PASTE: usize = 16 << 20;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What a terminal sends, as events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// A sequence or a sign whose end has not come.
    held: Vec<u8>,
    /// What was pasted so far.
    paste: Option<Vec<u8>>,
}

/// What bytes are so far.
enum Parsed {
    /// The beginning of something.
    Part,
    /// All of it; none: nothing that is understood here.
    Whole(Option<Event>),
    /// Something else has begun with the last byte.
    Broken,
}

impl Parser {
    /// Takes bytes, and adds what they tell.
    pub(super) fn take(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        for byte in bytes {
            match &mut self.paste {
                Some(paste) => {
                    paste.push(*byte);
                    if paste.ends_with(PASTE_ENDS) {
                        paste.truncate(paste.len() - PASTE_ENDS.len());
                        events.push_back(Event::Paste(String::from_utf8_lossy(paste).into_owned()));
                        self.paste = None;
                    } else if paste.len() >= LONGEST_PASTE + PASTE_ENDS.len() {
                        // Its last bytes may be the beginning of its end.
                        paste.drain(LONGEST_PASTE..=LONGEST_PASTE);
                    }
                }
                None => self.byte(*byte, events),
            }
        }
    }

    /// Whether what is held back may be a whole key: Esc, or Alt with a bracket or an O, with which sequences begin.
    pub(super) fn may_be_whole(&self) -> bool {
        matches!(self.held.as_slice(), b"\x1b" | b"\x1b[" | b"\x1bO")
    }

    /// Nothing followed for a while: it was a whole key.
    pub(super) fn give_up(&mut self, events: &mut VecDeque<Event>) {
        if self.may_be_whole() {
            let held = std::mem::take(&mut self.held);
            events.push_back(Event::Key(match held.get(1) {
                Some(symbol) => KeyEvent::new(KeyCode::Char(char::from(*symbol)), KeyModifiers::ALT),
                None => KeyCode::Esc.into(),
            }));
        }
    }

    fn byte(&mut self, byte: u8, events: &mut VecDeque<Event>) {
        self.held.push(byte);
        if self.held == PASTE_BEGINS {
            self.held.clear();
            self.paste = Some(Vec::new());
            return;
        }
        match parse(&self.held) {
            Parsed::Part if self.held.len() < LONGEST => {}
            Parsed::Part => self.held.clear(),
            Parsed::Whole(event) => {
                self.held.clear();
                events.extend(event);
            }
            Parsed::Broken => {
                let only_esc = self.held.len() == 2 && self.held.starts_with(b"\x1b");
                let alone = self.held.len() == 1;
                self.held.clear();
                if only_esc {
                    events.push_back(Event::Key(KeyCode::Esc.into()));
                }
                if !alone {
                    self.byte(byte, events);
                }
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [0x1b] | [0x1b, b'['] | [0x1b, b'O'] => Parsed::Part,
        // Esc was pressed, and something else behind it.
        [0x1b, 0x1b] => Parsed::Broken,
        [0x1b, b'O', last] => Parsed::Whole(lettered(*last).map(|code| Event::Key(code.into()))),
        [0x1b, b'[', sequence @ ..] => control_sequence(sequence),
        [0x1b, key @ ..] => with_alt(sign(key)),
        key => sign(key),
    }
}

fn with_alt(parsed: Parsed) -> Parsed {
    match parsed {
        Parsed::Whole(Some(Event::Key(key))) => {
            let modifiers = key.modifiers | KeyModifiers::ALT;
            Parsed::Whole(Some(Event::Key(KeyEvent { modifiers, ..key })))
        }
        other => other,
    }
}

/// A key without a sequence: a control or a sign in UTF-8.
fn sign(bytes: &[u8]) -> Parsed {
    let control = |symbol: u8| KeyEvent::new(KeyCode::Char(char::from(symbol)), KeyModifiers::CONTROL);
    let key = match bytes {
        [b'\r'] => KeyCode::Enter.into(),
        [b'\t'] => KeyCode::Tab.into(),
        [0x7f] => KeyCode::Backspace.into(),
        [0] => control(b' '),
        [byte @ 0x01..=0x1a] => control(byte - 1 + b'a'),
        // Ctrl-\ to Ctrl-_, as Ctrl-4 to Ctrl-7.
        [byte @ 0x1c..=0x1f] => control(byte - 0x1c + b'4'),
        _ => match str::from_utf8(bytes) {
            Ok(text) => match text.chars().next() {
                Some(symbol) if symbol.is_uppercase() => KeyEvent::new(KeyCode::Char(symbol), KeyModifiers::SHIFT),
                Some(symbol) => KeyCode::Char(symbol).into(),
                None => return Parsed::Part,
            },
            Err(error) if error.error_len().is_none() => return Parsed::Part,
            Err(_) => return Parsed::Broken,
        },
    };
    Parsed::Whole(Some(Event::Key(key)))
}

/// What follows `ESC [`: parameters and a last byte.
fn control_sequence(bytes: &[u8]) -> Parsed {
    let Some((last, parameters)) = bytes.split_last() else {
        return Parsed::Part;
    };
    match (parameters, last) {
        // F1 to F5 of the console of Linux.
        ([], b'[') => Parsed::Part,
        ([b'['], b'A'..=b'E') => Parsed::Whole(Some(Event::Key(KeyCode::F(1 + last - b'A').into()))),
        // The mouse of a terminal that knows no other way to tell it: three bytes behind the letter.
        ([], b'M') | ([b'M'] | [b'M', _], _) => Parsed::Part,
        ([b'M', button, x], y) => {
            let place = |byte: u8| u16::from(byte).checked_sub(33);
            let event = || mouse(u16::from(*button).checked_sub(32)?, place(*x)?, place(*y)?, false);
            Parsed::Whole(event())
        }
        (_, 0x20..=0x3f) => Parsed::Part,
        (_, 0x40..=0x7e) => {
            let told = str::from_utf8(parameters).ok();
            Parsed::Whole(told.and_then(|parameters| sequence(parameters, *last)))
        }
        _ => Parsed::Broken,
    }
}

fn sequence(parameters: &str, last: u8) -> Option<Event> {
    // Of a number only what stands before a colon: what follows tells more of the same.
    let number = |text: &str| text.split(':').next().and_then(|first| first.parse::<u32>().ok());
    if let Some(parameters) = parameters.strip_prefix('<') {
        let mut numbers = parameters.split(';').map(|text| u16::try_from(number(text)?).ok());
        let mut next = || numbers.next().flatten();
        let (button, x, y) = (next()?, next()?, next()?);
        return match last {
            b'M' | b'm' => mouse(button, x.checked_sub(1)?, y.checked_sub(1)?, last == b'm'),
            _ => None,
        };
    }
    let mut all = parameters.split(';');
    let first = all.next().and_then(number);
    let second = all.next().unwrap_or_default();
    let mut modifiers = modifiers(number(second).unwrap_or(1));
    let code = match last {
        b'~' => numbered(first?)?,
        b'u' => match char::from_u32(first?)? {
            '\x1b' => KeyCode::Esc,
            '\r' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\x7f' => KeyCode::Backspace,
            symbol => KeyCode::Char(symbol),
        },
        b'Z' => {
            modifiers |= KeyModifiers::SHIFT;
            KeyCode::BackTab
        }
        // Where the cursor is: nobody here asked for that.
        b'R' => return None,
        _ => lettered(last)?,
    };
    let kind = match second.split_once(':').map(|(_, kind)| kind) {
        Some("2") => KeyEventKind::Repeat,
        Some("3") => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    Some(Event::Key(KeyEvent::new_with_kind(code, modifiers, kind)))
}

fn lettered(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(1 + last - b'P'),
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    let number = u8::try_from(number).ok()?;
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        // The numbers have gaps where keyboards had them.
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23..=26 => KeyCode::F(number - 12),
        28 | 29 => KeyCode::F(number - 15),
        31..=34 => KeyCode::F(number - 17),
        _ => return None,
    })
}

/// One more than the sum of what is held down.
fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let known = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    let held = known.into_iter().filter(|(bit, _)| bits & bit != 0);
    held.map(|(_, modifier)| modifier).collect()
}

/// `button`: its number in the lowest two bits and the highest two, what is held down, and whether it was moved.
fn mouse(button: u16, column: u16, row: u16, released: bool) -> Option<Event> {
    let number = (button & 0b11) | ((button & 0b1100_0000) >> 4);
    let moved = button & 0b10_0000 != 0;
    let of = |number: u16| match number {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (number, moved) {
        (0..=2, false) if released => MouseEventKind::Up(of(number)),
        (0..=2, false) => MouseEventKind::Down(of(number)),
        (0..=2, true) => MouseEventKind::Drag(of(number)),
        // Those that do not tell which.
        (3, false) => MouseEventKind::Up(MouseButton::Left),
        (3..=5, true) => MouseEventKind::Moved,
        (4, false) => MouseEventKind::ScrollUp,
        (5, false) => MouseEventKind::ScrollDown,
        (6, false) => MouseEventKind::ScrollLeft,
        (7, false) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let held = u32::from((button & 0b1_1100) >> 2);
    Some(Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: modifiers(held + 1),
    }))
}

#[cfg(test)]
mod tests;
