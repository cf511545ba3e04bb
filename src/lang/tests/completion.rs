//! What is being typed, at any cursor of any text. `‸` marks the cursor.

use super::properties::grammar_soup;
use super::*;
use CompletionPosition as C;
use proptest::prelude::*;

fn at(marked: &str) -> (String, C) {
    let cursor = marked.find('‸').expect("a cursor");
    let source = marked.replace('‸', "");
    let position = complete_at(&source, cursor);
    (source, position)
}

/// Kind, what was asked besides, prefix, and what would be replaced.
fn shown(marked: &str) -> String {
    let (source, position) = at(marked);
    let all = |stage: &Stage| {
        let words: Vec<String> = stage.words.iter().map(print).collect();
        format!("{}+{}", stage.modifiers.len(), words.join(" "))
    };
    match position {
        C::Command { stage, prefix, span } => format!("command {} {prefix:?} {:?}", all(&stage), span.of(&source)),
        C::Option { stage, prefix, span } => format!("option {} {prefix:?} {:?}", all(&stage), span.of(&source)),
        C::OptionValue {
            stage,
            option,
            prefix,
            span,
        } => format!("value {} {option} {prefix:?} {:?}", all(&stage), span.of(&source)),
        C::Argument {
            stage,
            index,
            after,
            prefix,
            span,
        } => {
            format!(
                "argument {} {index} {after:?} {prefix:?} {:?}",
                all(&stage),
                span.of(&source)
            )
        }
        C::Variable { path, prefix, span } => format!(
            "variable {:?} {prefix:?} {:?}",
            path.map(|p| print(&p)),
            span.of(&source)
        ),
        C::Context { before, prefix, span } => {
            let after = before.iter().map(|name| format!(" after {name}")).collect::<String>();
            format!("context {prefix:?} {:?}{after}", span.of(&source))
        }
        C::Modifier { name, prefix, span } => format!("modifier {name} {prefix:?} {:?}", span.of(&source)),
        C::RedirectTarget { prefix, span } => format!("target {prefix:?} {:?}", span.of(&source)),
        C::None => "none".to_owned(),
    }
}

#[test]
fn x4_positions_of_the_cursor() {
    let table = [
        ("‸", r#"command 0+ "" """#),
        ("!kub‸ectl", r#"command 0+ "kub" "kub""#),
        ("a | ‸", r#"command 0+ "" """#),
        ("a |\n‸", r#"command 0+ "" """#),
        ("a && k‸", r#"command 0+ "k" "k""#),
        ("@prod on=x 'ku‸", r#"command 2+ "ku" "'ku""#),
        ("let x = k‸", r#"command 0+ "k" "k""#),
        ("kubectl:get ‸", r#"argument 0+kubectl:get 0 None "" """#),
        (
            "kubectl:get deploy in‸sp | jq",
            r#"argument 0+kubectl:get deploy 1 None "in" "in""#,
        ),
        ("@prod get -n ‸", r#"argument 1+get -n 0 Some("-n") "" """#),
        ("get -n=x a ‸", r#"argument 0+get -n=x a 1 None "" """#),
        ("get -- -‸", r#"argument 0+get -- 0 None "-" "-""#),
        ("get -‸", r#"option 0+get "-" "-""#),
        ("get --na‸", r#"option 0+get "--na" "--na""#),
        ("get --name=‸", r#"value 0+get --name "" """#),
        ("get --name=\"a b‸", r#"value 0+get --name "a b" "\"a b""#),
        ("get 'tag:Na‸", r#"argument 0+get 0 None "tag:Na" "'tag:Na""#),
        ("get a\\ b‸", r#"argument 0+get 0 None "a b" "a\\ b""#),
        ("echo $‸", r#"variable None "" """#),
        ("echo $el‸", r#"variable None "el" "el""#),
        ("echo $_.‸", r#"variable Some("$_") "" """#),
        ("echo --x=$_.status.lo‸", r#"variable Some("$_.status") "lo" "lo""#),
        ("echo \"${‸", r#"variable None "" """#),
        ("echo \"a ${x.y‸", r#"variable Some("$x") "y" "y""#),
        ("echo ${x:-$y.‸", r#"variable Some("$y") "" """#),
        ("echo \"$x‸", r#"argument 0+echo 0 None "$x" "\"$x""#),
        ("echo '$x.‸", r#"argument 0+echo 0 None "$x." "'$x.""#),
        ("@st‸", r#"context "st" "st""#),
        ("@‸ get", r#"context "" """#),
        ("!@co‸", r#"context "co" "co""#),
        ("@blue,‸", r#"context "" "" after blue"#),
        ("@blue,'a b',gr‸een x", r#"context "gr" "gr" after blue after a b"#),
        ("x | @blue,\"gr‸", r#"context "gr" "\"gr" after blue"#),
        ("@*‸", r#"context "*" "*""#),
        ("@blue,green k‸", r#"command 1+ "k" "k""#),
        ("on=group:w‸", r#"modifier on "group:w" "group:w""#),
        ("a > ‸", r#"target "" """#),
        ("a *> here #o‸", r##"target "#o" "#o""##),
        ("let ‸", "none"),
        ("a |\nlet ‸", r#"argument 0+let 0 None "" """#),
        ("let x ‸", "none"),
        ("# no‸", "none"),
        ("echo a$x/‸", "none"),
        ("a <‸", "none"),
    ];
    for (marked, wanted) in table {
        assert_eq!(shown(marked), wanted, "{marked}");
    }
}

#[test]
fn keys_that_are_no_names_get_brackets() {
    let complete = |marked: &str, key: &str| {
        let (source, position) = at(marked);
        let C::Variable { span, .. } = position else {
            panic!("{marked}")
        };
        let (span, text) = complete_variable(&source, span, key);
        format!("{}{text}", &source[..span.start])
    };
    assert_eq!(complete("echo $_.sta‸", "status"), "echo $_.status");
    assert_eq!(
        complete("echo $_.labels.‸", "app.io/name"),
        "echo $_.labels['app.io/name']"
    );
    assert_eq!(complete("echo $‸", "a b"), "echo ${'a b'}");
    assert_eq!(complete("echo \"${‸", "it's"), "echo \"${\"it's\"");
    assert_eq!(complete("echo $x.‸", "]'\"["), "echo $x[\"]'\\\"[\"]");
}

proptest! {
    #[test]
    fn x4_any_cursor_of_any_text_has_a_position(text in prop_oneof![any::<String>(), grammar_soup()], cursor in 0usize..60) {
        let end = text.floor_char_boundary(cursor);
        let span = match complete_at(&text, cursor) {
            C::Command { span, .. } | C::Option { span, .. } | C::OptionValue { span, .. } | C::Argument { span, .. } => span,
            C::Variable { span, .. } | C::Context { span, .. } | C::Modifier { span, .. } | C::RedirectTarget { span, .. } => span,
            C::None => return Ok(()),
        };
        prop_assert!(text.get(span.start..span.end).is_some());
        prop_assert_eq!(span.end, end);
    }
}
