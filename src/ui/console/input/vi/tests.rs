//! Keys on lines, `|` standing for the cursor.
#![allow(clippy::unwrap_used)]

use super::*;

/// The text with `|` where the cursor is, after these characters; `true`: typing goes on.
fn after_keys(line: &str, keys: &str) -> (String, bool) {
    let mut cursor = line.find('|').unwrap();
    let mut text = line.replacen('|', "", 1);
    let mut vi = Vi::default();
    vi.escape(&text, cursor);
    for symbol in keys.chars() {
        match vi.key(symbol, &text, cursor) {
            Step::Go(to) | Step::Insert(to) => cursor = to,
            Step::Change {
                range,
                with,
                cursor: to,
            } => {
                text.replace_range(range, &with);
                cursor = to;
            }
            _ => {}
        }
        assert!(text.is_char_boundary(cursor), "{keys} on {line}: {cursor} in {text}");
    }
    text.insert(cursor, '|');
    (text, !vi.is_normal())
}

#[test]
fn the_table_of_commands() {
    let cases = [
        ("|one two three", "w", "one |two three"),
        ("|one two three", "2w", "one two |three"),
        ("one two |three", "b", "one |two three"),
        ("|kubectl:get pods", "w", "kubectl|:get pods"),
        ("|kubectl:get pods", "W", "kubectl:get |pods"),
        ("|one two", "e", "on|e two"),
        ("one two| three", "0", "|one two three"),
        ("  one t|wo", "^", "  |one two"),
        ("|one two", "$", "one two|"),
        ("|one two three", "dw", "|two three"),
        ("|one two three", "d2w", "|three"),
        ("|one two three", "2dw", "|three"),
        ("one |two three", "de", "one | three"),
        ("one |two three", "db", "|two three"),
        ("one |two three", "D", "one |"),
        ("one |two", "dd", "|"),
        ("|one two", "x", "|ne two"),
        ("|one two", "3x", "| two"),
        ("on|e", "X", "o|e"),
        ("|one two", "ft", "one |two"),
        ("|one two", "tt", "one| two"),
        ("|a.b.c.d", "f.;", "a.b|.c.d"),
        ("|a.b.c.d", "2f.,", "a|.b.c.d"),
        ("|a.b.c.d", "dt.", "|.b.c.d"),
        ("|a.b.c.d", "df.", "|b.c.d"),
        ("|one two", "dwP", "one| two"),
        ("|one two", "ywP", "one| one two"),
        ("|abc", "xp", "b|ac"),
        ("|one", "rX", "|Xne"),
        ("|one", "9rX", "|one"),
        ("|one", "~~", "ON|e"),
        ("|one two", "dfz", "|one two"),
        ("|one two", "d5", "|one two"),
        ("世|界 one", "x", "世| one"),
        ("|世界 one", "dw", "|one"),
        ("one\ntw|o", "dd", "one\n|"),
        ("|one two", "dzw", "one |two"),
    ];
    for (line, keys, wanted) in cases {
        assert_eq!(after_keys(line, keys), (wanted.to_owned(), false), "{keys} on {line}");
    }
}

#[test]
fn what_begins_typing() {
    let cases = [
        ("one| two", "i", "one| two"),
        ("one| two", "a", "one |two"),
        ("one |two", "I", "|one two"),
        ("|one two", "A", "one two|"),
        ("one |two three", "cw", "one | three"),
        ("|a two", "cw", "| two"),
        ("one |two", "C", "one |"),
        ("one |two", "cc", "|"),
        ("one |two", "S", "|"),
        ("|one", "s", "|ne"),
    ];
    for (line, keys, wanted) in cases {
        assert_eq!(after_keys(line, keys), (wanted.to_owned(), true), "{keys} on {line}");
    }
}

#[test]
fn any_keys_on_any_text_stay_inside_it() {
    let symbols: Vec<char> = "hlwbeWBE0^$dcyfFtT;,xXsSDCYpPr~uia123/kjé\u{301}".chars().collect();
    let mut seed: usize = 7;
    let mut next = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    for _ in 0..500 {
        let keys: String = (0..20).map(|_| symbols[next() % symbols.len()]).collect();
        for line in ["|", "|a", "e\u{301}|\u{1f468}\u{200d}\u{1f469} x\n\n|y", "\n|\n"] {
            after_keys(line, &keys);
        }
    }
}
