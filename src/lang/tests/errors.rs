//! Each code, with the place it marks and whether more typing can mend it.

use super::*;

#[test]
fn e1_errors_say_what_where_and_what_to_do() {
    // source, code, what is marked, can more typing mend it
    let table = [
        ("echo 'a b", "E-SYNTAX-002", "'a b", true),
        ("echo x\"a b", "E-SYNTAX-002", "\"a b", true),
        ("echo ${x", "E-SYNTAX-003", "${x", true),
        ("echo \"${x:-a\"", "E-SYNTAX-003", "${x:-a", false),
        ("echo ${x:-a b}", "E-SYNTAX-003", "${x:-a", false),
        ("echo ${}", "E-SYNTAX-004", "${", false),
        ("echo ${x y}", "E-SYNTAX-004", " ", false),
        ("echo ${x..y}", "E-SYNTAX-004", ".", false),
        ("echo $x[]", "E-SYNTAX-004", "[", false),
        ("echo $x[$y]", "E-SYNTAX-004", "[", false),
        (
            "echo $99999999999999999999",
            "E-SYNTAX-004",
            "$99999999999999999999",
            false,
        ),
        (
            "echo $x[99999999999999999999]",
            "E-SYNTAX-004",
            "[99999999999999999999",
            false,
        ),
        ("| a", "E-SYNTAX-005", "|", false),
        ("a | | b", "E-SYNTAX-005", "|", false),
        ("a ;; b", "E-SYNTAX-005", ";", false),
        ("a & && b", "E-SYNTAX-005", "&&", false),
        ("a |", "E-SYNTAX-005", "", true),
        ("a &&", "E-SYNTAX-005", "", true),
        ("@prod", "E-SYNTAX-005", "", true),
        ("on=web | x", "E-SYNTAX-005", "|", false),
        ("> here", "E-SYNTAX-005", ">", false),
        ("a >", "E-SYNTAX-006", ">", true),
        ("a > ; b", "E-SYNTAX-006", ">", false),
        ("a > here | b", "E-SYNTAX-006", "|", false),
        ("a > here *> me", "E-SYNTAX-006", "*>", false),
        ("a >> log", "E-SYNTAX-006", ">>", false),
        ("a 2>&1", "E-SYNTAX-006", ">&", false),
        ("onn=web uptime", "E-SYNTAX-007", "onn=web", false),
        ("FOO=bar env", "E-SYNTAX-007", "FOO=bar", false),
        ("curl http://x/?a=1&b=2", "E-SYNTAX-007", "b=2", false),
        ("on= uptime", "E-SYNTAX-007", "on=", false),
        ("@ x", "E-SYNTAX-007", "@", false),
        ("@a, b x", "E-SYNTAX-007", "a,", false),
        ("@a,,b x", "E-SYNTAX-007", "a,,b", false),
        ("@,a x", "E-SYNTAX-007", ",a", false),
        ("@, x", "E-SYNTAX-007", ",", false),
        ("@a,*,b x", "E-SYNTAX-007", "*", false),
        ("!@*,a x", "E-SYNTAX-007", "*", false),
        ("let", "E-SYNTAX-008", "let", true),
        ("let x", "E-SYNTAX-008", "let x", true),
        ("let x y", "E-SYNTAX-008", "y", false),
        ("let 1x = a", "E-SYNTAX-008", "1x", false),
        ("let _ = a", "E-SYNTAX-008", "_", false),
        ("let x = let y = a", "E-SYNTAX-008", "let", false),
        ("a | let x = b", "E-SYNTAX-008", "let", false),
        ("@p let x = b", "E-SYNTAX-008", "let", false),
        ("echo $(date)", "E-SYNTAX-009", "$(", false),
        ("echo \"$(date)\"", "E-SYNTAX-009", "$(", false),
        ("echo $(date) | | b", "E-SYNTAX-009", "$(", false),
        ("a | | echo $(date)", "E-SYNTAX-005", "|", false),
        ("echo `date`", "E-SYNTAX-009", "`", false),
        ("for x in a b; do echo $x; done", "E-SYNTAX-009", "for", false),
        ("while read x; do echo $(x); done", "E-SYNTAX-009", "while", false),
        ("if true; then a; fi", "E-SYNTAX-009", "if", false),
        ("r53:record-create x <elb>", "E-SYNTAX-010", "<elb>", false),
        ("a > <file>", "E-SYNTAX-010", "<file>", false),
        ("a < file", "E-SYNTAX-010", "<", false),
        ("!! x", "E-SYNTAX-011", "!!", false),
        ("!!", "E-SYNTAX-011", "!!", false),
        ("echo a\\", "E-SYNTAX-012", "\\", true),
    ];
    for (source, code, marked, incomplete) in table {
        let error = match parse(source) {
            Err(error) => error,
            Ok(line) => panic!("{source:?} parses: {line:?}"),
        };
        assert_eq!(
            (error.code, error.span.of(source), error.incomplete),
            (code, marked, incomplete),
            "{source:?}: {error}"
        );
        assert!(error.hint.is_some() && !error.message.is_empty(), "{source:?}: {error}");
    }
    for source in [
        "for x in y; do z; done",
        "while true; do z; done",
        "echo $(x)",
        "echo `x`",
    ] {
        let hint = parse(source).unwrap_err().hint.unwrap();
        assert!(hint.contains("sh '…'"), "{source}: {hint}");
    }
    assert!(
        parse("while true; do z; done")
            .unwrap_err()
            .hint
            .unwrap()
            .contains("traffic:watch")
    );
}

#[test]
fn codes_are_unique_and_in_order() {
    let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
}
