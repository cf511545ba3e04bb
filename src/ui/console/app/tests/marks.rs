//! What is marked as wrong while a line is typed.

use super::*;

/// Types a line; what is marked of it when the engine refuses it with this code at this part.
fn marked(typed: &str, code: &'static str, part: &str) -> Option<String> {
    let mut desk = Desk::new();
    desk.keys(typed);
    let text = desk.app.unchecked().expect("it has changed");
    assert!(App::is_for_engine(&text));
    let at = text.find(part).unwrap();
    let report = Report::refused(code, "wrong").at(&text, at..at + part.len());
    desk.app.check(text.clone(), Some(report));
    assert_eq!(desk.app.unchecked(), None, "once is enough");
    let styled = desk.app.theme.style(Meaning::SyntaxError);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
    draw(&mut desk.app, buffer.area, &mut buffer);
    let shown: String = buffer
        .content()
        .iter()
        .filter(|cell| cell.fg == styled.fg.unwrap_or_default() && cell.modifier == styled.add_modifier)
        .map(|cell| cell.symbol())
        .collect();
    let wrong = desk.app.wrong().map(|range| text[range].to_owned());
    match &wrong {
        Some(wrong) => assert!(shown.contains(wrong.as_str()), "{typed}: {shown:?}"),
        None => assert!(!shown.contains(part), "{typed}: {shown:?}"),
    }
    wrong
}

#[test]
fn what_no_more_typing_mends_is_marked_once_the_cursor_has_left_it() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        marked("kubctl:get po", "E-RESOLVE-003", "kubctl:get"),
        some("kubctl:get")
    );
    assert_eq!(
        marked("kubctl:get", "E-RESOLVE-003", "kubctl:get"),
        None,
        "it is being typed"
    );
    assert_eq!(marked("kubectl:get po --foo x", "E-OPTION-001", "--foo"), some("--foo"));
    assert_eq!(marked("seed $99 ", "E-VALUE-001", "$99"), some("$99"));
    assert_eq!(
        marked("echo 'ab", "E-SYNTAX-002", "'ab"),
        some("'"),
        "where it was opened"
    );
    assert_eq!(
        marked("kubectl:get ", "E-ARGUMENT-002", "kubectl:get"),
        None,
        "it may come yet"
    );
    assert_eq!(marked("世界:x 世", "E-RESOLVE-003", "世界:x"), some("世界:x"));
}

#[test]
fn an_open_quote_is_told_where_the_keys_are() {
    let mut desk = Desk::new();
    desk.keys("echo 'ab");
    let report = Report::refused("E-SYNTAX-002", "open").at("echo 'ab", 5..8);
    desk.app.check("echo 'ab".to_owned(), Some(report));
    assert!(desk.shows(80, 24, "Enter goes on: a quote is open  ^C gives up"));
    desk.keys("<ctrl-u>");
    assert!(!desk.shows(80, 24, "a quote is open"));
}

#[test]
fn a_mark_belongs_to_the_text_it_was_made_for_and_words_of_the_console_have_none() {
    let mut desk = Desk::new();
    desk.keys("nope x");
    let text = desk.app.unchecked().unwrap();
    let report = Report::refused("E-RESOLVE-004", "wrong").at(&text, 0..4);
    desk.app.check(text, Some(report));
    assert_eq!(desk.app.wrong(), Some(0..4));
    desk.keys("y");
    assert_eq!(
        desk.app.wrong(),
        Some(0..4),
        "the word is the same, and marks do not flicker"
    );
    assert!(desk.app.unchecked().is_some());
    let mut typed = Desk::new();
    for (text, next) in [("nope", "x"), ("nope", " ")] {
        typed.keys(&format!("<ctrl-u>{text}"));
        let report = Report::refused("E-RESOLVE-004", "wrong").at(text, 0..4);
        typed.app.check(text.to_owned(), Some(report));
        typed.keys(next);
        assert_eq!(
            typed.app.wrong(),
            None,
            "the word goes on, or may be right as it ends: {next:?}"
        );
    }
    desk.keys("<ctrl-a><ctrl-f><bs>");
    assert_eq!(desk.app.input.text(), "ope xy");
    assert_eq!(desk.app.wrong(), None, "another word");
    for word in [":ns x", "rw 10m", "!!", "  "] {
        assert!(!App::is_for_engine(word), "{word}");
    }
}
