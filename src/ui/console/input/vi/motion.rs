//! Where vi's motions end: words, lines and characters of a text, as bytes. Not for what an operator makes of them.

/// Where a motion ends, and whether an operator takes the character there too.
pub(super) fn motion(symbol: char, text: &str, cursor: usize, times: usize) -> Option<(usize, bool)> {
    let (start, end) = (line_start(text, cursor), line_end(text, cursor));
    let repeat = |step: &dyn Fn(usize) -> usize| (0..times).fold(cursor, |at, _| step(at));
    Some(match symbol {
        'h' => (repeat(&|at| before(text, at).max(start)), false),
        'l' | ' ' => (repeat(&|at| after(text, at).min(end)), false),
        '0' => (start, false),
        '^' => (first_word(text, cursor), false),
        '$' => (end, false),
        'w' => (repeat(&|at| next_word(text, at, class)), false),
        'W' => (repeat(&|at| next_word(text, at, wide_class)), false),
        'b' => (repeat(&|at| word_before(text, at, class)), false),
        'B' => (repeat(&|at| word_before(text, at, wide_class)), false),
        'e' => (repeat(&|at| word_end(text, at, class)), true),
        'E' => (repeat(&|at| word_end(text, at, wide_class)), true),
        _ => return None,
    })
}

/// Blanks, letters and signs are words of their own.
fn class(symbol: char) -> u8 {
    match symbol {
        symbol if symbol.is_whitespace() => 0,
        symbol if symbol.is_alphanumeric() || symbol == '_' => 1,
        _ => 2,
    }
}

/// Only blanks part words.
fn wide_class(symbol: char) -> u8 {
    u8::from(!symbol.is_whitespace())
}

fn next_word(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let here = rest.chars().next().map(class);
    let behind = rest
        .char_indices()
        .skip_while(|(_, symbol)| Some(class(*symbol)) == here && here != Some(0));
    let mut behind = behind.skip_while(|(_, symbol)| class(*symbol) == 0);
    behind.next().map_or(text.len(), |(offset, _)| at + offset)
}

fn word_before(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let word = text.get(..at).unwrap_or_default().trim_end();
    let last = word.chars().next_back().map(class);
    let start = word
        .char_indices()
        .rev()
        .take_while(|(_, symbol)| Some(class(*symbol)) == last)
        .last();
    start.map_or(0, |(start, _)| start)
}

fn word_end(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let from = after(text, at);
    let rest = text.get(from..).unwrap_or_default();
    let Some((start, first)) = rest.char_indices().find(|(_, symbol)| class(*symbol) != 0) else {
        return at;
    };
    let word = rest.get(start..).unwrap_or_default().char_indices();
    let last = word.take_while(|(_, symbol)| class(*symbol) == class(first)).last();
    from + start + last.map_or(0, |(offset, _)| offset)
}

pub(super) fn first_word(text: &str, cursor: usize) -> usize {
    let (start, end) = (line_start(text, cursor), line_end(text, cursor));
    let line = text.get(start..end).unwrap_or_default();
    start + (line.len() - line.trim_start().len())
}

pub(super) fn line_start(text: &str, cursor: usize) -> usize {
    text.get(..cursor)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1)
}

pub(super) fn line_end(text: &str, cursor: usize) -> usize {
    let rest = text.get(cursor..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |at| cursor + at)
}

pub(super) fn after(text: &str, at: usize) -> usize {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    at + next.map_or(0, char::len_utf8)
}

pub(super) fn before(text: &str, at: usize) -> usize {
    let last = text.get(..at).and_then(|rest| rest.chars().next_back());
    at - last.map_or(0, char::len_utf8)
}
