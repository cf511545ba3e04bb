//! Cleans what editors, chats and web pages did to a command before it is pasted. Not for typed text.

/// Puts back what smart typography and HTML took away:
///
/// * pairs of curly quotes become straight ones, a straight quote inside them is protected; a curly quote inside a word
///   or without a partner is a character and becomes a straight one behind a backslash;
/// * an em dash at the start of a word becomes `--`; an en dash becomes `-` before one letter, `--` before more;
/// * no-break and other odd blanks become blanks, Unicode line separators line breaks;
/// * a carriage return, which terminals send for a line break inside a paste, becomes one, alone or before a line feed;
/// * the entities `&amp; &lt; &gt; &quot; &apos; &#39; &nbsp;` become their characters;
/// * invisible characters (zero width, text direction) go.
///
/// Text inside straight quotes stays as it is: there a curly quote or a dash is data, and turning `’` into `'` would
/// end the quote. Quotes that came as entities or curls are cleaned inside too, because the page did it to all.
#[must_use]
pub fn clean_paste(text: &str) -> String {
    // In quotes too: what is pasted had a line break there.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.as_str();
    let mut out = String::with_capacity(text.len());
    let mut inside = Inside::Bare;
    let mut rest = text;
    let mut word_start = true;
    let last_single = text.rfind(['‘', '’']).unwrap_or(0);
    let last_double = text.rfind(['“', '”']).unwrap_or(0);
    while let Some(c) = rest.chars().next() {
        if let Inside::Straight(quote) = inside {
            rest = &rest[c.len_utf8()..];
            out.push(c);
            if c == '\\' && quote == '"' {
                rest = copy_next(rest, &mut out);
            } else if c == quote {
                inside = Inside::Bare;
            }
            continue;
        }
        let (found, length, entity) = match entity(rest) {
            Some((found, length)) => (found, length, true),
            None => (c, c.len_utf8(), false),
        };
        let at = text.len() - rest.len();
        rest = &rest[length..];
        let was_word_start = std::mem::replace(&mut word_start, false);
        match (inside, found) {
            (Inside::Bare | Inside::Curly('"') | Inside::Cleaned('"'), '\\') => {
                out.push('\\');
                rest = copy_next(rest, &mut out);
            }
            (
                _,
                '\u{200b}'
                | '\u{2060}'
                | '\u{feff}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}',
            ) => {
                word_start = was_word_start;
            }
            (_, '\u{2028}' | '\u{2029}') => {
                out.push('\n');
                word_start = true;
            }
            (_, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}') => {
                out.push(' ');
                word_start = true;
            }
            (Inside::Bare, '\'' | '"') => {
                inside = if entity {
                    Inside::Cleaned(found)
                } else {
                    Inside::Straight(found)
                };
                out.push(found);
            }
            // In the middle of a word it is an apostrophe, and what nothing closes opens nothing.
            (Inside::Bare, '’') if out.ends_with(char::is_alphanumeric) => out.push_str("\\'"),
            (Inside::Bare, '‘' | '’' | '‚') if at < last_single => {
                inside = Inside::Curly('\'');
                out.push('\'');
            }
            (Inside::Bare, '“' | '”' | '„') if at < last_double => {
                inside = Inside::Curly('"');
                out.push('"');
            }
            (Inside::Bare, '‘' | '’' | '‚') => out.push_str("\\'"),
            (Inside::Bare, '“' | '”' | '„') => out.push_str("\\\""),
            (Inside::Bare, '—') if was_word_start && rest.starts_with(char::is_alphanumeric) => out.push_str("--"),
            (Inside::Bare, '–') if was_word_start && rest.starts_with(char::is_alphanumeric) => {
                let letters = rest.chars().take(2).take_while(|c| c.is_alphanumeric()).count();
                out.push_str(if letters > 1 { "--" } else { "-" });
            }
            (Inside::Curly('\''), '’' | '‘') | (Inside::Cleaned('\''), '\'') => {
                inside = Inside::Bare;
                out.push('\'');
            }
            (Inside::Curly('"'), '”' | '“') | (Inside::Cleaned('"'), '"') => {
                inside = Inside::Bare;
                out.push('"');
            }
            (Inside::Curly('\''), '\'') => out.push_str("'\\''"),
            (Inside::Curly('"'), '"') => out.push_str("\\\""),
            _ => {
                word_start = found.is_whitespace() || matches!(found, '|' | '&' | ';' | '>');
                out.push(found);
            }
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Bare,
    /// Quotes as typed: nothing inside is touched.
    Straight(char),
    /// Opened by a curly quote.
    Curly(char),
    /// Opened by an entity.
    Cleaned(char),
}

fn copy_next<'a>(rest: &'a str, out: &mut String) -> &'a str {
    match rest.chars().next() {
        Some(next) => {
            out.push(next);
            &rest[next.len_utf8()..]
        }
        None => rest,
    }
}

const ENTITIES: &[(&str, char)] = &[
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&#39;", '\''),
    ("&nbsp;", ' '),
];

fn entity(text: &str) -> Option<(char, usize)> {
    ENTITIES
        .iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, c)| (*c, name.len()))
}
