//! The input line, key by key.
use super::*;

fn typed(text: &str) -> Input {
    let mut input = Input::default();
    text.chars().for_each(|symbol| input.type_char(symbol).unwrap());
    input
}

#[test]
fn where_the_cursor_cannot_go_nothing_else_is_deleted() {
    let mut input = Input::default();
    let text = "word ".repeat(13_200);
    input.insert(&text).unwrap();
    (0..100).for_each(|_| assert!(input.edit(Action::Left)));
    input.edit(Action::DeleteWordLeft);
    assert_eq!(input.text(), text, "not the word behind the cursor");
}

#[test]
fn an_edit_is_taken_back_whole_and_only_texts_that_were_seen_come_back() {
    let mut input = typed("ls old");
    input.replace(3..6, "new");
    assert_eq!(input.text(), "ls new");
    input.edit(Action::UndoEdit);
    assert_eq!((input.text().as_str(), input.cursor()), ("ls old", 6));
    input.edit(Action::UndoEdit);
    assert_eq!(input.text(), "ls ol");
    (0..20).for_each(|_| assert!(input.edit(Action::UndoEdit)));
    assert_eq!(input.text(), "");
}

#[test]
fn what_was_cut_is_still_there_after_undo() {
    let mut input = typed("one two");
    input.edit(Action::DeleteWordLeft);
    input.edit(Action::UndoEdit);
    input.edit(Action::InsertDeleted);
    assert_eq!(input.text(), "one twotwo");
}

#[test]
fn readline_keys() {
    let cases: &[(&str, &[Action], &str, usize)] = &[
        ("one two three", &[Action::DeleteWordLeft], "one two ", 8),
        ("one two  ", &[Action::DeleteWordLeft], "one ", 4),
        ("kubectl:get a/b-c", &[Action::DeleteWordLeft], "kubectl:get ", 12),
        (
            "one two",
            &[Action::DeleteWordLeft, Action::InsertDeleted],
            "one two",
            7,
        ),
        ("one two", &[Action::LineStart, Action::DeleteToEnd], "", 0),
        ("one two", &[Action::DeleteToStart, Action::InsertDeleted], "one two", 7),
        ("one", &[Action::Left, Action::DeleteRight], "on", 2),
        ("世界", &[Action::Left, Action::DeleteLeft], "界", 0),
        ("one", &[Action::DeleteLeft, Action::UndoEdit], "one", 3),
        ("one", &[Action::NewLine], "one\n", 4),
        ("ab", &[Action::Transpose], "ba", 2),
        ("abc", &[Action::Left, Action::Left, Action::Transpose], "bac", 2),
        ("abc", &[Action::LineStart, Action::Transpose], "abc", 0),
        ("a", &[Action::Transpose], "a", 1),
        ("", &[Action::Transpose], "", 0),
        ("x👩‍🚀", &[Action::Transpose], "👩‍🚀x", 12),
        (
            "a-bÉ c",
            &[Action::LineStart, Action::WordUpper, Action::WordCapital],
            "A-Bé c",
            5,
        ),
        ("a b", &[Action::WordUpper], "a b", 3),
        ("x👩‍🚀", &[Action::DeleteLeft], "x", 1),
        ("xe\u{301}\u{323}", &[Action::DeleteLeft], "x", 1),
        ("🇩🇪🇫🇷", &[Action::DeleteLeft], "🇩🇪", 8),
        ("🇩🇪🇫🇷", &[Action::Left, Action::Left, Action::DeleteRight], "🇫🇷", 0),
        (
            "x👩‍🚀y",
            &[Action::LineStart, Action::AcceptRight, Action::AcceptRight],
            "x👩‍🚀y",
            12,
        ),
        ("a\nb", &[Action::Left, Action::DeleteLeft], "ab", 1),
    ];
    for (text, actions, wanted, cursor) in cases {
        let mut input = typed(text);
        actions.iter().for_each(|action| assert!(input.edit(*action)));
        assert_eq!(
            (input.text().as_str(), input.cursor()),
            (*wanted, *cursor),
            "{text} {actions:?}"
        );
    }
}

#[test]
fn a_range_is_replaced_in_any_line() {
    let mut input = typed("");
    input.insert("echo 世界\nkubectl:ge dep").unwrap();
    let at = input.text().find("dep").unwrap();
    input.replace(at..at + 3, "'a b'");
    assert_eq!(input.text(), "echo 世界\nkubectl:ge 'a b'");
    assert_eq!(input.cursor(), input.text().len());
}

#[test]
fn recall_by_prefix_and_back_to_what_was_typed() {
    let mut input = typed("kubectl");
    for line in ["kubectl:get a", "dig x", "kubectl:get b"] {
        input.history.add(line, "x");
    }
    input.edit(Action::HistoryPrevious);
    assert_eq!(input.text(), "kubectl:get b");
    input.edit(Action::HistoryPrevious);
    input.edit(Action::HistoryPrevious);
    assert_eq!(input.text(), "kubectl:get a");
    input.edit(Action::HistoryNext);
    input.edit(Action::HistoryNext);
    assert_eq!(input.text(), "kubectl");
}

#[test]
fn incremental_search_finds_goes_on_and_is_taken_by_any_other_key() {
    let mut input = typed("draft");
    for line in ["dig a", "dig b", "echo"] {
        input.history.add(line, "x");
    }
    input.edit(Action::HistorySearch);
    "dig".chars().for_each(|symbol| input.type_char(symbol).unwrap());
    assert_eq!(input.search().unwrap().found(&input.history), Some("dig b"));
    input.edit(Action::HistorySearch);
    assert_eq!(input.search().unwrap().found(&input.history), Some("dig a"));
    assert_eq!(input.text(), "draft");
    input.edit(Action::AcceptEnd);
    assert_eq!(input.text(), "dig a");
    input.edit(Action::HistorySearch);
    input.edit(Action::Cancel);
    assert!(input.search().is_none());
    assert_eq!(input.text(), "dig a");
}

#[test]
fn the_suggestion_is_the_newest_line_with_this_beginning() {
    let mut input = typed("kubectl:g");
    input.history.add("kubectl:get deploy", "x");
    assert_eq!(input.suggestion().as_deref(), Some("et deploy"));
    input.edit(Action::AcceptRight);
    assert_eq!(input.text(), "kubectl:get deploy");
    assert_eq!(input.suggestion(), None);
}

#[test]
fn more_than_the_language_takes_is_refused() {
    let mut input = typed("x");
    assert_eq!(input.insert(&"y".repeat(MAX_LINE)), Err(TooLong));
    assert_eq!(input.text(), "x");
}

#[test]
fn what_can_be_taken_back_is_bounded_in_bytes_and_the_last_edit_always_is() {
    let mut input = Input::default();
    let text = "y".repeat(MAX_LINE / 4);
    for _ in 0..10 {
        input.set("");
        input.insert(&text).unwrap();
    }
    let kept: usize = input.past.iter().map(|(text, _)| text.len()).sum();
    assert!(kept <= PAST_BYTES && input.past.len() > 1, "{kept}");
    let large = "z".repeat(MAX_LINE - 1);
    input.set(&large);
    input.set("short");
    input.edit(Action::UndoEdit);
    assert_eq!(input.text().len(), large.len());
}

#[test]
fn what_was_cut_comes_back_one_after_the_other_and_outlives_the_line() {
    let mut input = typed("one two three");
    input.edit(Action::DeleteWordLeft);
    input.edit(Action::DeleteWordLeft);
    input.take();
    assert!(
        input.edit(Action::InsertDeletedBefore) && input.is_empty(),
        "nothing was inserted"
    );
    let texts = [
        Action::InsertDeleted,
        Action::InsertDeletedBefore,
        Action::InsertDeletedBefore,
    ]
    .map(|action| {
        input.edit(action);
        input.text()
    });
    assert_eq!(texts, ["two ", "three", "two "]);
    input.type_char('x').unwrap();
    input.edit(Action::InsertDeletedBefore);
    assert_eq!(input.text(), "two x", "something was typed since");
}

#[test]
fn last_words_come_from_earlier_and_earlier_lines() {
    let mut input = typed("cat ");
    for line in ["dig 'a b'", "kubectl:get deploy web && echo \"${x}\"", "help"] {
        input.history.add(line, "x");
    }
    let texts = [(); 4].map(|()| {
        input.edit(Action::InsertLastWord);
        input.text()
    });
    assert_eq!(texts, ["cat help", "cat \"${x}\"", "cat 'a b'", "cat help"]);
}
