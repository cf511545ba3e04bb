//! What the ancestor's grammar got wrong, shown mended.

use super::*;

#[test]
fn defect_a_dot_or_bracket_glues_no_words() {
    assert_eq!(words("echo hi .x"), ["echo", "hi", ".x"]);
    assert_eq!(words("cat ./f"), ["cat", "./f"]);
    assert_eq!(words("echo a [0]"), ["echo", "a", "[0]"]);
}

#[test]
fn defect_operators_need_no_blanks_and_quotes_hide_them() {
    assert_eq!(stages("a|b"), [[vec!["a"], vec!["b"]]]);
    assert_eq!(stages("a 'x|y' && b").len(), 2);
    assert_eq!(words("echo a'>'b"), ["echo", "a>b"]);
}

#[test]
fn defect_adjacent_text_and_quotes_are_one_argument() {
    assert_eq!(words("echo a\"b c\"d"), ["echo", "ab cd"]);
    assert_eq!(words("echo ''"), ["echo", ""]);
}

#[test]
fn defect_a_dollar_in_quotes_is_text_and_escapes_are_removed() {
    assert_eq!(words(r#"filter "^a$""#), ["filter", "^a$"]);
    assert_eq!(words(r#"filter "a$|b$""#), ["filter", "a$|b$"]);
    assert_eq!(words(r#"echo "a\"b""#), ["echo", "a\"b"]);
    assert_eq!(words(r"echo 'a\b ${x}'"), ["echo", r"a\b ${x}"]);
    assert_eq!(words(r#"alias create x "echo $body[0]""#)[3], "echo $body[0]");
}

#[test]
fn defect_text_may_follow_a_variable() {
    for source in ["echo $host:80", "echo $name,", "echo ${host}:80", "echo \"${host}:80\""] {
        let word = word(source);
        assert_eq!(word.parts.len(), 2, "{source}");
        assert!(matches!(word.parts[0], Part::Variable { .. }), "{source}");
    }
    assert!(word("echo $x[-1]").as_variable().is_some());
    assert!(parse("echo $x[$y]").is_err(), "what can't be evaluated is not parsed");
}

#[test]
fn defect_flags_dashes_and_values_that_start_with_one() {
    assert!(word("c -abc").is_option());
    assert_eq!(words("c - --"), ["c", "-", "--"]);
    assert!(!word("c -").is_option());
    assert_eq!(
        word("c --x=-foo")
            .as_option()
            .unwrap()
            .value
            .unwrap()
            .literal()
            .unwrap(),
        "-foo"
    );
    assert!(!word("c -5").is_option() && !word("c =foo").is_option());
    assert_eq!(words("c 1.2.3 5abc =foo"), ["c", "1.2.3", "5abc", "=foo"]);
}

#[test]
fn defect_unicode_and_addresses_arrive_whole() {
    for text in ["http://example.test/a?b=c#d", "日本語", "naïve", "🎉", "x_y-z/1.0:2@3"] {
        assert_eq!(words(&format!("echo {text}")), ["echo", text]);
    }
}
