//! Which background the terminal has, by its own answer to OSC 11: a machine without IO that takes the answer out of the
//! keys, where it would be read as typed text (Alt-] and what follows). Keys that only begin like an answer come back
//! unchanged and in their order. Not for deciding whether to ask.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The question. BEL ends it: what a terminal takes for the end it mostly answers with.
pub const ASK: &str = "\u{1b}]11;?\u{7}";
/// What an answer begins with, behind the Escape and the bracket.
const BEGINS: &str = "11;";
/// No answer is longer: `rgba:` and four times four digits.
const LONGEST: usize = 40;

/// What the terminal shows behind its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Nearer to black.
    Dark,
    /// Nearer to white.
    Light,
}

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It may be part of an answer.
    Nothing,
    /// These were typed, in this order.
    Typed(Vec<KeyEvent>),
    /// The answer is complete; none: it tells of no colour that is understood.
    Answer(Option<Background>),
}

/// Listens for one answer.
#[derive(Debug, Default)]
pub struct Listener {
    held: Vec<KeyEvent>,
    /// What follows the bracket.
    body: String,
    /// The answer came: everything is typed from now on.
    done: bool,
}

impl Listener {
    /// A key.
    pub fn key(&mut self, key: KeyEvent) -> Heard {
        if self.done {
            return Heard::Typed(vec![key]);
        }
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        // ST is Escape and a backslash; its Escape comes alone when the terminal's bytes are torn apart.
        let torn = self.held.last().is_some_and(|last| last.code == KeyCode::Esc);
        let ends = match key.code {
            KeyCode::Char('\\') => alt || torn,
            KeyCode::Char('g') => key.modifiers.contains(KeyModifiers::CONTROL),
            _ => false,
        };
        match key.code {
            KeyCode::Char(']') if alt && self.held.is_empty() => {
                self.held.push(key);
                Heard::Nothing
            }
            _ if self.held.is_empty() => Heard::Typed(vec![key]),
            _ if ends && self.body.starts_with(BEGINS) => {
                self.done = true;
                self.held.clear();
                Heard::Answer(background(&self.body))
            }
            KeyCode::Char(symbol)
                if !alt && !torn && key.modifiers != KeyModifiers::CONTROL && self.goes_on(symbol) =>
            {
                self.body.push(symbol);
                self.held.push(key);
                Heard::Nothing
            }
            KeyCode::Esc if !torn && self.body.starts_with(BEGINS) => {
                self.held.push(key);
                Heard::Nothing
            }
            _ => {
                self.held.push(key);
                Heard::Typed(self.give_up())
            }
        }
    }

    /// Nothing followed for a while: what was held back was typed.
    pub fn give_up(&mut self) -> Vec<KeyEvent> {
        self.body.clear();
        std::mem::take(&mut self.held)
    }

    /// Whether keys are held back.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether an answer may still come.
    pub fn is_open(&self) -> bool {
        !self.done
    }

    fn goes_on(&self, symbol: char) -> bool {
        match BEGINS.chars().nth(self.body.len()) {
            Some(wanted) => symbol == wanted,
            None => self.body.len() < LONGEST && (symbol.is_ascii_alphanumeric() || matches!(symbol, '#' | ':' | '/')),
        }
    }
}

/// `11;rgb:ffff/ffff/ffff`, one to four digits a part, as X11 names colours; `rgba:`; `#rrggbb`.
fn background(body: &str) -> Option<Background> {
    let color = body.strip_prefix(BEGINS)?;
    let parts: Vec<&str> = match color.strip_prefix('#') {
        Some(digits) if digits.is_ascii() && digits.len() == 6 => {
            (0..3).filter_map(|n| digits.get(2 * n..2 * n + 2)).collect()
        }
        Some(_) => return None,
        None => {
            let parts = color.strip_prefix("rgb:").or_else(|| color.strip_prefix("rgba:"))?;
            parts.split('/').take(3).collect()
        }
    };
    let share = |part: &&str| {
        let most = 16u32.checked_pow(u32::try_from(part.len()).ok()?)?.checked_sub(1)?;
        let value = u32::from_str_radix(part, 16).ok()?;
        (most > 0).then(|| f64::from(value) / f64::from(most))
    };
    let shares: Option<Vec<f64>> = parts.iter().map(share).collect();
    let [red, green, blue] = *shares?.as_slice() else {
        return None;
    };
    // Rec. 709: how bright each part looks.
    let bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    Some(if bright > 0.5 {
        Background::Light
    } else {
        Background::Dark
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(symbol: char) -> KeyEvent {
        let modifiers = if symbol.is_uppercase() {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        };
        KeyEvent::new(KeyCode::Char(symbol), modifiers)
    }

    fn with(symbol: char, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(symbol), modifiers)
    }

    /// An answer as the terminal's bytes arrive: as keys.
    fn answer(body: &str, end: KeyEvent) -> Vec<KeyEvent> {
        let begin = with(']', KeyModifiers::ALT);
        std::iter::once(begin)
            .chain(body.chars().map(plain))
            .chain([end])
            .collect()
    }

    fn bel() -> KeyEvent {
        with('g', KeyModifiers::CONTROL)
    }

    fn st() -> KeyEvent {
        with('\\', KeyModifiers::ALT)
    }

    /// What was typed, and the answers.
    fn hear(listener: &mut Listener, keys: &[KeyEvent]) -> (Vec<KeyEvent>, Vec<Option<Background>>) {
        let (mut typed, mut answers) = (Vec::new(), Vec::new());
        for key in keys {
            match listener.key(*key) {
                Heard::Nothing => {}
                Heard::Typed(keys) => typed.extend(keys),
                Heard::Answer(background) => answers.push(background),
            }
        }
        (typed, answers)
    }

    #[test]
    fn answers_are_understood_and_never_typed() {
        use Background::{Dark, Light};
        let cases = [
            ("11;rgb:ffff/ffff/ffff", Some(Light)),
            ("11;rgb:0000/0000/0000", Some(Dark)),
            ("11;rgb:FDFD/F6F6/E3E3", Some(Light)),
            ("11;rgb:00/2b/36", Some(Dark)),
            ("11;rgb:f/f/f", Some(Light)),
            ("11;rgba:1e1e/1e1e/1e1e/ffff", Some(Dark)),
            ("11;#ffffff", Some(Light)),
            ("11;rgb:0000/0000/ffff", Some(Dark)),
            ("11;rgb:zz/00/00", None),
            ("11;rgb:ffff", None),
            ("11;", None),
        ];
        for (body, wanted) in cases {
            for end in [bel(), st()] {
                assert_eq!(
                    hear(&mut Listener::default(), &answer(body, end)),
                    (vec![], vec![wanted]),
                    "{body}"
                );
            }
        }
    }

    #[test]
    fn an_end_torn_apart_is_an_end() {
        let mut keys = answer("11;rgb:ff/ff/ff", KeyCode::Esc.into());
        keys.push(plain('\\'));
        assert_eq!(
            hear(&mut Listener::default(), &keys),
            (vec![], vec![Some(Background::Light)])
        );
    }

    #[test]
    fn keys_around_an_answer_keep_their_order() {
        let mut keys = vec![plain('a')];
        keys.extend(answer("11;rgb:00/00/00", bel()));
        keys.extend([plain('b'), bel()]);
        let (typed, answers) = hear(&mut Listener::default(), &keys);
        assert_eq!((typed, answers.len()), (vec![plain('a'), plain('b'), bel()], 1));
    }

    #[test]
    fn what_only_begins_like_an_answer_was_typed() {
        let alt = with(']', KeyModifiers::ALT);
        for rest in ["x", "12", "11x", "11;rgb:ff ", "11;rgb:ff\u{e9}"] {
            let keys: Vec<_> = std::iter::once(alt).chain(rest.chars().map(plain)).collect();
            let mut listener = Listener::default();
            assert_eq!(hear(&mut listener, &keys), (keys, vec![]), "{rest}");
            assert!(!listener.is_holding());
        }
        let mut listener = Listener::default();
        assert_eq!(listener.key(alt), Heard::Nothing);
        assert_eq!((listener.give_up(), listener.is_holding()), (vec![alt], false));
    }

    #[test]
    fn an_answer_without_an_end_is_given_back() {
        let keys: Vec<_> = answer(&format!("11;rgb:{}", "f".repeat(500)), bel());
        let (typed, answers) = hear(&mut Listener::default(), &keys);
        assert_eq!((typed, answers), (keys, vec![]));
    }

    #[test]
    fn after_the_answer_everything_is_typed() {
        let mut listener = Listener::default();
        hear(&mut listener, &answer("11;rgb:0/0/0", bel()));
        assert!(!listener.is_open());
        let again = answer("11;rgb:0/0/0", bel());
        assert_eq!(hear(&mut listener, &again), (again, vec![]));
    }
}
