//! A key as keymap files write it, as terminals send it and as people read it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in one normal form: a letter carries no Shift, Shift-Tab is a Tab with Shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Key::new(event.code, event.modifiers)
    }
}

pub(super) const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("tab", KeyCode::Tab),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    pub(super) fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Key {
                code: KeyCode::Tab,
                modifiers: kept | KeyModifiers::SHIFT,
            },
            // Ctrl-Space arrives as NUL on most terminals.
            KeyCode::Null => Key {
                code: KeyCode::Char(' '),
                modifiers: KeyModifiers::CONTROL,
            },
            KeyCode::Char(symbol) => {
                let control = kept.contains(KeyModifiers::CONTROL);
                let symbol = if control { symbol.to_ascii_lowercase() } else { symbol };
                Key {
                    code: KeyCode::Char(symbol),
                    modifiers: kept - KeyModifiers::SHIFT,
                }
            }
            other => Key {
                code: other,
                modifiers: kept,
            },
        }
    }

    /// The event of a terminal that sends this key.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// A letter without modifiers.
    pub fn letter(symbol: char) -> Key {
        Key::new(KeyCode::Char(symbol), KeyModifiers::NONE)
    }

    /// The character it types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(symbol) if self.modifiers.is_empty() => Some(symbol),
            _ => None,
        }
    }

    /// Reads `ctrl-c`, `alt-enter`, `shift-tab`, `f1`, `?`.
    pub fn parse(text: &str) -> Option<Key> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            let (flag, tail) = match rest {
                _ if rest.len() > 5 && rest.starts_with("ctrl-") => (KeyModifiers::CONTROL, &rest[5..]),
                _ if rest.len() > 4 && rest.starts_with("alt-") => (KeyModifiers::ALT, &rest[4..]),
                _ if rest.len() > 6 && rest.starts_with("shift-") => (KeyModifiers::SHIFT, &rest[6..]),
                _ => break,
            };
            modifiers |= flag;
            rest = tail;
        }
        let mut symbols = rest.chars();
        let code = match (symbols.next(), symbols.next()) {
            (Some(symbol), None) => KeyCode::Char(symbol),
            (Some('f'), Some(_)) if rest[1..].chars().all(|c| c.is_ascii_digit()) => {
                KeyCode::F(rest[1..].parse().ok()?)
            }
            _ => NAMED.iter().find(|(name, _)| *name == rest)?.1,
        };
        Some(Key::new(code, modifiers))
    }

    /// As people write it: `^C`, `Alt-1`, `Enter`, `?`.
    pub fn label(self) -> String {
        let mut label = String::new();
        let control = self.modifiers.contains(KeyModifiers::CONTROL);
        if self.modifiers.contains(KeyModifiers::ALT) {
            label.push_str("Alt-");
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            label.push_str("Shift-");
        }
        match self.code {
            KeyCode::Char(' ') if control => label.push_str("^Space"),
            KeyCode::Char(symbol) if control => {
                label.push('^');
                label.push(symbol.to_ascii_uppercase());
            }
            KeyCode::Char(' ') => label.push_str("Space"),
            KeyCode::Char(symbol) => label.push(symbol),
            KeyCode::F(number) => label.push_str(&format!("F{number}")),
            KeyCode::PageUp => label.push_str("PgUp"),
            KeyCode::PageDown => label.push_str("PgDn"),
            code => {
                let name = NAMED
                    .iter()
                    .find(|(_, known)| *known == code)
                    .map_or("?", |(name, _)| name);
                if control {
                    label.push_str("Ctrl-");
                }
                let mut symbols = name.chars();
                label.extend(symbols.next().map(|first| first.to_ascii_uppercase()));
                label.push_str(symbols.as_str());
            }
        }
        label
    }
}
