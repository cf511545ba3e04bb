//! Text that is safe to show, and values that are never shown. Not for colours: verbatim output keeps SGR in `render`.

use std::fmt;

use unicode_width::UnicodeWidthChar;

/// Text that a view, pager, error, toast, title or stderr accepts: lines without terminal control.
/// C0/C1 controls, escape sequences and bidirectional controls became visible marks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeText(String);

impl SafeText {
    /// Makes any text safe; line breaks stay, tabs become spaces.
    pub fn new(text: &str) -> Self {
        SafeText(text.split('\n').map(safe_line).collect::<Vec<_>>().join("\n"))
    }

    /// Makes any text safe on one line; a line break becomes `⏎`.
    pub fn line(text: &str) -> Self {
        SafeText(safe_line(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Columns the text takes in a terminal.
    pub fn width(&self) -> usize {
        width(&self.0)
    }

    /// At most `columns` wide, with `…` where something was cut.
    #[must_use]
    pub fn fit(&self, columns: usize) -> SafeText {
        SafeText(fit(&self.0, columns))
    }

    /// At most `columns` wide, with `…` where the middle was cut.
    #[must_use]
    pub fn fit_middle(&self, columns: usize) -> SafeText {
        SafeText(fit_middle(&self.0, columns))
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for SafeText {
    fn from(text: &str) -> Self {
        SafeText::new(text)
    }
}

impl From<String> for SafeText {
    fn from(text: String) -> Self {
        SafeText::new(&text)
    }
}

/// One line with every control made visible: `␛` for escape, `␀`-`␟` for C0, `⏎` for a line break, `·U+XXXX·` for the rest.
pub fn safe_line(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\t' => safe.push_str("    "),
            '\n' => safe.push('⏎'),
            '\u{0}'..='\u{1f}' => safe.push(char::from_u32(0x2400 + symbol as u32).unwrap_or('�')),
            '\u{7f}' => safe.push('␡'),
            _ if is_hidden_control(symbol) => safe.push_str(&format!("·U+{:04X}·", symbol as u32)),
            _ => safe.push(symbol),
        }
    }
    safe
}

/// C1 controls, bidirectional controls, line and paragraph separators, tag characters: they act, reorder or hide.
fn is_hidden_control(symbol: char) -> bool {
    matches!(symbol,
        '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Printable ASCII and nothing else, as most of what is shown: one column a byte, nothing to hide.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Columns a text takes in a terminal.
pub fn width(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    unicode_width::UnicodeWidthStr::width(text)
}

/// At most `columns` wide, with `…` where something was cut; never splits a wide character.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for symbol in text.chars() {
        let next = symbol.width().unwrap_or(0);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        cut.push(symbol);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// At most `columns` wide, with `…` where the middle was cut: names and hosts tell who they are at both ends.
pub fn fit_middle(text: &str, columns: usize) -> String {
    let all = width(text);
    if all <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let head = fit_start(text.chars(), room.div_ceil(2));
    let mut tail: Vec<char> = fit_start(text.chars().rev(), room - room.div_ceil(2)).chars().collect();
    tail.reverse();
    let dots = if columns > 0 { "…" } else { "" };
    format!("{head}{dots}{}", tail.into_iter().collect::<String>())
}

/// Whether texts of one column are told apart rather by how they end than by how they begin: what they share at the end
/// is no longer than what they share at the beginning. Looks at the first ones only.
pub fn differ_at_end<'t>(texts: impl IntoIterator<Item = &'t str>) -> bool {
    let mut texts = texts.into_iter().take(200);
    let Some(first) = texts.next() else { return true };
    let shared = |ends: bool, other: &str| match ends {
        true => first
            .chars()
            .rev()
            .zip(other.chars().rev())
            .take_while(|(a, b)| a == b)
            .count(),
        false => first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count(),
    };
    let (mut start, mut end, mut several) = (usize::MAX, usize::MAX, false);
    for other in texts.filter(|other| *other != first) {
        several = true;
        start = start.min(shared(false, other));
        end = end.min(shared(true, other));
    }
    !several || end <= start
}

fn fit_start(symbols: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fits = |symbol: &char| {
        used += symbol.width().unwrap_or(0);
        used <= columns
    };
    symbols.take_while(fits).collect()
}

/// What stands for a secret value wherever one would be shown or kept.
pub const MASK: &str = "•••";

/// Bytes of a secret value that is read, at most.
pub const LONGEST_SECRET: usize = 64 << 10;

/// A value that is never printed: neither by `Debug` nor by `Display`, and it has no serialisation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// From what a file, a pipe or a terminal held, without the last line break. `Err`: why it is no value.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match text.len() {
            0 => Err("it is empty".to_owned()),
            length if length > LONGEST_SECRET => Err(format!("it is larger than {LONGEST_SECRET} bytes")),
            _ => Ok(Secret::new(text)),
        }
    }

    /// The value, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn b10_a_secret_is_read_without_its_line_break() {
        for (bytes, expected) in [
            ("tok", Ok("tok")),
            ("tok\n", Ok("tok")),
            ("tok\r\n", Ok("tok")),
            ("a\nb\n\n", Ok("a\nb\n")),
            ("", Err("it is empty".to_owned())),
            ("\n", Err("it is empty".to_owned())),
        ] {
            let found = Secret::read(bytes.into());
            assert_eq!(
                found.as_ref().map(Secret::reveal).map_err(Clone::clone),
                expected,
                "{bytes:?}"
            );
        }
        assert!(Secret::read(vec![0xff]).is_err());
        assert!(Secret::read(vec![b'x'; LONGEST_SECRET + 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_control_survives(text in any::<String>()) {
            let safe = SafeText::new(&text);
            prop_assert!(safe.as_str().chars().all(|c| c == '\n' || !c.is_control()));
            let hidden = safe.as_str().contains('\u{202e}');
            prop_assert!(!hidden);
        }

        #[test]
        fn plain_text_is_as_wide_as_it_is_long_and_stays_as_it_is(text in "[ -~]{0,60}") {
            prop_assert_eq!(width(&text), unicode_width::UnicodeWidthStr::width(text.as_str()));
            prop_assert_eq!(safe_line(&text), text);
        }

        #[test]
        fn fit_never_exceeds_its_columns(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(SafeText::line(&text).fit(columns).width() <= columns);
            prop_assert!(SafeText::line(&text).fit_middle(columns).width() <= columns);
        }
    }

    #[test]
    fn the_middle_goes_and_both_ends_stay() {
        assert_eq!(fit_middle("inspector-6c9f8d-k2x", 11), "inspe…d-k2x");
        assert_eq!(fit_middle("short", 5), "short");
        assert_eq!(
            (fit_middle("abc", 1), fit_middle("abc", 0)),
            ("…".to_owned(), String::new())
        );
    }

    #[test]
    fn names_keep_the_end_that_tells_them_apart() {
        let nodes = ["ip-172-20-1-2.compute.internal", "ip-172-20-9-9.compute.internal"];
        let pods = ["inspector-57984c6bd5-9qrhq", "inspector-57984c6bd5-bgzb9"];
        assert_eq!((differ_at_end(nodes), differ_at_end(pods)), (false, true));
        assert!(differ_at_end(["alone"]) && differ_at_end([]));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "••• •••");
    }
}
