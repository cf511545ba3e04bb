//! The words of a rule. Not for their order: that is the parser's.

use std::ops::Range;

/// A word of a rule and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Bytes in the rule's text.
    pub span: Range<usize>,
}

/// The kinds of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bare: a keyword, a name, a number.
    Word(String),
    /// `"…"` or `'…'`, quotes and backslashes removed.
    Text(String),
    /// `/…/`, `\/` for a slash.
    Pattern(String),
    /// `( ) [ ] , == != < <= > >=` (`=<` becomes `<=`).
    Sign(&'static str),
}

/// Something that is no word, and where.
pub type Fault = (String, Range<usize>);

const SIGNS: [(&str, &str); 12] = [
    ("==", "=="),
    ("!=", "!="),
    ("=<", "<="),
    ("<=", "<="),
    (">=", ">="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
];

/// All words of a rule.
pub fn lex(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let sign = SIGNS.iter().find(|(spelled, _)| rest.starts_with(spelled));
        let (kind, length) = match (sign, first) {
            (Some((spelled, sign)), _) => (Kind::Sign(sign), spelled.len()),
            (None, '"' | '\'') => {
                let (text, length) = quoted(rest, first, false).ok_or_else(|| open(first, at, text))?;
                (Kind::Text(text), length)
            }
            (None, '/') => {
                let (text, length) = quoted(rest, '/', true).ok_or_else(|| open('/', at, text))?;
                (Kind::Pattern(text), length)
            }
            (None, _) => {
                let length = rest.find(ends_word).unwrap_or(rest.len());
                if length == 0 {
                    let span = at..at + first.len_utf8();
                    return Err((format!("{first:?} means nothing here"), span));
                }
                (Kind::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
            }
        };
        tokens.push(Token {
            kind,
            span: at..at + length,
        });
        at += length;
    }
    Ok(tokens)
}

fn ends_word(symbol: char) -> bool {
    symbol.is_whitespace() || "()[],=!<>\"'".contains(symbol)
}

fn open(quote: char, at: usize, text: &str) -> Fault {
    (format!("{quote} is not closed"), at..text.len())
}

/// The text up to the closing sign, and the bytes it takes with both signs. In a pattern only `\/` is an escape.
fn quoted(rest: &str, quote: char, pattern: bool) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut symbols = rest.char_indices().skip(1);
    while let Some((at, symbol)) = symbols.next() {
        if symbol == quote {
            return Some((text, at + symbol.len_utf8()));
        }
        if symbol == '\\' {
            let (_, next) = symbols.next()?;
            if pattern && next != quote {
                text.push(symbol);
            }
            text.push(next);
        } else {
            text.push(symbol);
        }
    }
    None
}
