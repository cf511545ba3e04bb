//! Each meaning where it belongs, on whole and broken lines.

use super::properties::grammar_soup;
use super::*;
use Highlight as H;
use proptest::prelude::*;

fn shown(source: &str) -> Vec<(&str, Highlight)> {
    highlight(source)
        .into_iter()
        .map(|(span, meaning)| (span.of(source), meaning))
        .collect()
}

#[test]
fn x4_meanings_of_words() {
    assert_eq!(
        shown("!@prod on=web kubectl:get po 'a b' -n=5 --x -5 $_.a|jq"),
        [
            ("!", H::Operator),
            ("@prod", H::Modifier),
            ("on=web", H::Modifier),
            ("kubectl:get", H::Command),
            ("po", H::Text),
            ("'a b'", H::String),
            ("-n=", H::Option),
            ("5", H::OptionValue),
            ("--x", H::Option),
            ("-5", H::Number),
            ("$_.a", H::Variable),
            ("|", H::Operator),
            ("jq", H::Command),
        ]
    );
    assert_eq!(
        shown("# c\nlet x = a \"${v:-d}\"y -- -z > #r"),
        [
            ("# c", H::Comment),
            ("let", H::Operator),
            ("x", H::Variable),
            ("=", H::Operator),
            ("a", H::Command),
            ("\"", H::String),
            ("${v:-", H::Variable),
            ("d", H::String),
            ("}", H::Variable),
            ("\"", H::String),
            ("y", H::Text),
            ("--", H::Option),
            ("-z", H::Text),
            (">", H::Operator),
            ("#r", H::Text),
        ]
    );
}

#[test]
fn x4_open_ends_are_no_errors_but_mistakes_are() {
    assert_eq!(shown("jq '.a |"), [("jq", H::Command), ("'.a |", H::String)]);
    assert_eq!(shown("a |"), [("a", H::Command), ("|", H::Operator)]);
    assert_eq!(shown("a -- -z | b -x").last(), Some(&("-x", H::Option)));
    assert_eq!(shown("a <elb>"), [("a", H::Command), ("<elb>", H::Error)]);
    assert_eq!(shown("a $(x)"), [("a", H::Command), ("$(", H::Error), ("x)", H::Text)]);
    assert_eq!(
        shown("@blue,'gr een' a"),
        [("@blue,", H::Modifier), ("'gr een'", H::String), ("a", H::Command)]
    );
    assert_eq!(shown("@* a"), [("@*", H::Modifier), ("a", H::Command)]);
    assert_eq!(
        shown("@a,,b c"),
        [("@", H::Modifier), ("a,,b", H::Error), ("c", H::Command)]
    );
    assert_eq!(shown("onn=x y"), [("onn=x", H::Error), ("y", H::Text)]);
    assert_eq!(
        shown("a && | b"),
        [
            ("a", H::Command),
            ("&&", H::Operator),
            ("|", H::Error),
            ("b", H::Command)
        ]
    );
}

proptest! {
    #[test]
    fn x4_any_text_has_ordered_meanings_that_cover_it(text in prop_oneof![any::<String>(), grammar_soup()]) {
        let mut at = 0;
        for (span, _) in highlight(&text) {
            prop_assert!(span.start >= at && span.end > span.start);
            let between = text.get(at..span.start);
            prop_assert!(between.is_some_and(|t| t.chars().all(|c| c.is_whitespace() || c == '\\')), "{between:?}");
            prop_assert!(text.get(span.start..span.end).is_some());
            at = span.end;
        }
    }
}
