//! Long, deep and many: an error, quickly.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn long_deep_and_many_are_errors() {
    let code = |source: &str| parse(source).unwrap_err().code;
    assert_eq!(code(&"x".repeat(MAX_LINE + 1)), "E-SYNTAX-001");
    assert_eq!(words(&"x".repeat(MAX_LINE))[0].len(), MAX_LINE);
    assert_eq!(code(&"a ".repeat(MAX_PIECES)), "E-SYNTAX-001");
    assert_eq!(code(&format!("a {}", "''x".repeat(MAX_PIECES))), "E-SYNTAX-001");
    assert_eq!(code(&format!("a $x{}", ".y".repeat(MAX_PIECES + 1))), "E-SYNTAX-001");
    let nested = |depth: usize| format!("a {}x{}", "${x:-".repeat(depth), "}".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(code(&nested(MAX_DEPTH + 1)), "E-SYNTAX-013");
    assert_eq!(code(&nested(100_000)), "E-SYNTAX-013");
    assert_eq!(code(&format!("a \"{}", "${x:-".repeat(100_000))), "E-SYNTAX-013");
}

#[test]
fn a_mebibyte_of_anything_takes_linear_time() {
    let pieces = [
        "a",
        "a ",
        "'",
        "\"",
        "\\",
        "\\\n",
        "$",
        "$x",
        "$x-",
        "${",
        "${x:-",
        "\"${",
        "$x[",
        "$x.",
        "$(",
        "`",
        "<",
        "<a ",
        "<aaaa",
        ">",
        "*",
        "*>",
        "|",
        "&",
        ";",
        "\n",
        "#",
        "!",
        "!a ",
        "@",
        "let ",
        "on=",
        "=",
        "'' ",
        "\u{a0}",
        "日",
        "“",
        "‘",
        "’a",
        "—a ",
        "&amp;",
        "&",
        "while ",
        "while true; do ",
        "x.",
        "-",
    ];
    for piece in pieces {
        let source = piece.repeat(MAX_LINE / piece.len());
        let start = Instant::now();
        let _ = parse(&source);
        let _ = read(&format!("while true; do {source}"));
        let _ = highlight(&source);
        let _ = complete_at(&source, source.len());
        let _ = clean_paste(&source);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(10), "{piece:?} took {elapsed:?}");
    }
}
