//! l24: what pages do to commands is undone, what is data stays.

use super::*;
use proptest::prelude::*;

#[test]
fn l24_pasted_text_is_cleaned() {
    let table = [
        (
            "!kubectl:run inspector —image=x:1 —port=80",
            "!kubectl:run inspector --image=x:1 --port=80",
        ),
        ("head –n 1 –lines", "head -n 1 --lines"),
        ("jq ‘.a | “b”’", "jq '.a | “b”'"),
        ("jq “.a”", "jq \".a\""),
        ("jq “say \"hi\"”", "jq \"say \\\"hi\\\"\""),
        ("echo ‘it's’", "echo 'it'\\''s'"),
        ("echo don’t won’t", "echo don\\'t won\\'t"),
        ("jq ‘a\\’ “b\\”c”", "jq 'a\\' \"b\\”c\""),
        ("echo ‘open", "echo \\'open"),
        ("a\u{a0}b\u{2009}c", "a b c"),
        ("a &amp;&amp; b &gt; here", "a && b > here"),
        ("jq &#39;.a &gt; 1&#39; | x", "jq '.a > 1' | x"),
        ("echo &quot;x&quot;&nbsp;y", "echo \"x\" y"),
        ("echo a — b", "echo a — b"),
        ("ku\u{200b}bectl:get\u{202e} po", "kubectl:get po"),
        // Inside straight quotes everything is data.
        ("jq '“x” ’ — &amp; \u{a0}'", "jq '“x” ’ — &amp; \u{a0}'"),
        ("echo \"it’s \\\" — fine\" —x", "echo \"it’s \\\" — fine\" --x"),
        ("echo \\“x", "echo \\“x"),
        // Terminals send a carriage return for each line break of a paste.
        ("echo one\recho two\r", "echo one\necho two\n"),
        ("while true; do\r\n  'x\r\ny'", "while true; do\n  'x\ny'"),
    ];
    for (pasted, wanted) in table {
        assert_eq!(clean_paste(pasted), wanted, "{pasted:?}");
    }
}

proptest! {
    #[test]
    fn l24_plain_text_and_literal_quotes_stay(text in "[ -%'-~\n]{0,40}", literal in "[^'\\\\\r]{0,20}") {
        prop_assert_eq!(&clean_paste(&text), &text);
        let source = format!("jq '{literal}'");
        prop_assert_eq!(&clean_paste(&source), &source);
    }

    #[test]
    fn l24_no_paste_breaks_it(text in any::<String>(), mixed in "[‘’“”—–a\"' \\\\&;#39lt]{0,30}") {
        // Invisible characters stay only behind a backslash or in quotes.
        let invisible = clean_paste(&text).contains('\u{feff}');
        prop_assert!(!invisible || text.contains(['\'', '"', '\\']));
        prop_assert!(clean_paste(&mixed).len() <= mixed.len() * 4);
    }
}
