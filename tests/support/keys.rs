//! Keys as the bytes that xterm sends for them: the one place where tests turn keys into bytes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, as tests write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Char(char),
    /// Control and a letter: `Ctrl('c')`.
    Ctrl(char),
    Alt(char),
    Enter,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// `F(1)` to `F(12)`.
    F(u8),
}

impl From<Key> for KeyEvent {
    fn from(key: Key) -> KeyEvent {
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        match key {
            Key::Char(symbol) => plain(KeyCode::Char(symbol)),
            Key::Ctrl(letter) => KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL),
            Key::Alt(symbol) => KeyEvent::new(KeyCode::Char(symbol), KeyModifiers::ALT),
            Key::Enter => plain(KeyCode::Enter),
            Key::Tab => plain(KeyCode::Tab),
            Key::BackTab => KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT),
            Key::Backspace => plain(KeyCode::Backspace),
            Key::Delete => plain(KeyCode::Delete),
            Key::Escape => plain(KeyCode::Esc),
            Key::Up => plain(KeyCode::Up),
            Key::Down => plain(KeyCode::Down),
            Key::Left => plain(KeyCode::Left),
            Key::Right => plain(KeyCode::Right),
            Key::Home => plain(KeyCode::Home),
            Key::End => plain(KeyCode::End),
            Key::PageUp => plain(KeyCode::PageUp),
            Key::PageDown => plain(KeyCode::PageDown),
            Key::F(number) => plain(KeyCode::F(number)),
        }
    }
}

/// The bytes of a key. `application`: the mode of the cursor keys that the program asked for.
pub fn bytes(event: KeyEvent, application: bool) -> Vec<u8> {
    let has = |modifier| event.modifiers.contains(modifier);
    let (control, alt, shift) = (
        has(KeyModifiers::CONTROL),
        has(KeyModifiers::ALT),
        has(KeyModifiers::SHIFT),
    );
    let cursor = |letter: char| match (control, application) {
        (true, _) => format!("\x1b[1;5{letter}"),
        (false, true) => format!("\x1bO{letter}"),
        (false, false) => format!("\x1b[{letter}"),
    };
    let plain = match event.code {
        KeyCode::Char(' ') if control => "\0".to_owned(),
        // What every terminal sends for both of them.
        KeyCode::Char('_' | '7') if control => "\x1f".to_owned(),
        // Control clears the upper bits of the letter: C is 0x43, Ctrl-C 0x03.
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
        KeyCode::F(n @ 1..=4) => format!("\x1bO{}", char::from(b'P' + n - 1)),
        KeyCode::F(n @ 5..=12) => {
            let code = [15, 17, 18, 19, 20, 21, 23, 24][usize::from(n - 5)];
            format!("\x1b[{code}~")
        }
        other => panic!("which bytes are {other:?}?"),
    };
    match alt {
        true => format!("\x1b{plain}").into_bytes(),
        false => plain.into_bytes(),
    }
}
