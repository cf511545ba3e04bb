//! What keys do with a block of the chat, and what becomes of blocks when the console is left.

use super::*;

/// A block that has answered with one record.
fn answered(desk: &mut Desk, line: &str) -> u64 {
    let block = desk.start(line);
    desk.item(block, json!({"line": "one", "source": "x"}));
    desk.end(block, 0);
    block
}

#[test]
fn records_are_copied_saved_and_gone_on_with_by_the_number_of_their_block() {
    let mut desk = Desk::new();
    let block = answered(&mut desk, "kubectl:get deploy");
    let number = 40 + block;
    desk.keys("<alt-1>");
    assert!(matches!(desk.keys("J").as_slice(), [Effect::CopyRecords(known)] if *known == number));
    assert!(matches!(desk.keys("o").as_slice(), [Effect::Page(text)] if text == "one\n"));
    assert!(desk.keys("s").is_empty());
    assert_eq!(desk.app.input.text(), format!("seed ${number} > file:"));
    desk.keys("<ctrl-u><alt-1>|");
    assert_eq!(
        (desk.app.input.text(), desk.app.focus),
        (format!("seed ${number} | "), Focus::Input)
    );
    desk.keys("<ctrl-u>");
    let refused = desk.start("nope");
    desk.end(refused, 2);
    assert!(desk.keys("<alt-1>J").is_empty());
    assert!(desk.shows(120, 40, "this block has no records"));
    let runs = desk.start("kubectl:get po -w");
    desk.item(runs, json!({"line": "one", "source": "x"}));
    assert!(desk.keys("<alt-1>J|s").is_empty());
    assert!(desk.app.input.is_empty());
    assert!(desk.shows(
        120,
        40,
        "it still runs: its records are there once it has ended (x stops it)"
    ));
}

#[test]
fn the_menu_of_a_block_names_what_can_be_done_with_it() {
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:get deploy");
    desk.keys("<alt-1>m");
    for word in [
        "copy the block",
        "as JSON",
        "in the pager",
        "save the block",
        "make the block live",
    ] {
        assert!(desk.shows(120, 40, word), "{word}");
    }
    assert!(matches!(desk.keys("J").as_slice(), [Effect::CopyRecords(_)]));
}

#[test]
fn an_answer_says_as_of_when_it_was_true_and_can_be_made_live() {
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:get deploy | kubectl:describe");
    assert!(desk.shows(300, 40, "as of "));
    let effects = desk.keys("<alt-1>w");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "kubectl:get deploy --watch | kubectl:describe"),
        "the stage that can follow follows"
    );
    for given in ["kubectl:get deploy --watch", "kubectl:get deploy -w"] {
        let mut desk = Desk::new();
        answered(&mut desk, given);
        assert!(desk.keys("<alt-1>w").is_empty(), "{given} follows already");
    }
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:describe");
    let effects = desk.keys("<alt-1>w");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { line, origin: Origin::Key, .. }] if line == "kubectl:describe | pin"),
        "what has no flag for it is asked again by a panel"
    );
    let mut desk = Desk::new();
    desk.start("kubectl:describe");
    assert!(desk.keys("<alt-1>w").is_empty(), "it still runs");
    let mut desk = Desk::new();
    answered(&mut desk, "help");
    assert!(desk.keys("<alt-1>w").is_empty());
    assert!(desk.shows(120, 40, "nothing here can be followed: . runs it again"));
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:scale deploy x");
    assert!(
        !desk.shows(300, 40, "as of "),
        "what changes something says when it was done"
    );
}

#[test]
fn an_answer_made_live_in_another_place_is_asked_for_twice() {
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:get deploy");
    desk.keys(":ns kube-system<enter>");
    assert!(desk.keys("<alt-1>w").is_empty());
    assert!(matches!(desk.keys("w").as_slice(), [Effect::Start { .. }]));
}

#[test]
fn leaving_while_something_runs_asks_to_stay_detach_or_stop() {
    let running = || {
        let mut desk = Desk::new();
        desk.start("kubectl:get deploy -w");
        desk
    };
    let mut desk = running();
    assert!(desk.keys("<ctrl-d>").is_empty());
    let screen = desk.screen(120, 40).join("\n");
    for word in [
        "1 block runs",
        "stay here",
        "detach: leave the screen",
        "stop what runs",
    ] {
        assert!(screen.contains(word), "{word}: {screen}");
    }
    assert!(
        desk.keys("<enter>").is_empty(),
        "Enter stays: the harmless choice is the first"
    );
    assert!(desk.keys("<ctrl-d><esc>").is_empty(), "so does Esc");
    assert!(matches!(desk.keys("<ctrl-d>d").as_slice(), [Effect::Detach]));
    assert!(quits(&running().keys("<ctrl-d>s")));
    assert!(quits(&running().keys("<ctrl-d><ctrl-d>")));
    let mut desk = running();
    let effects = desk.keys("<ctrl-c><ctrl-c>");
    assert!(
        matches!(effects.as_slice(), [Effect::Cancel(_), Effect::Kill(_)]),
        "^C cancels, then kills, and never quits while something runs"
    );
    assert!(!quits(&desk.keys("<ctrl-c><ctrl-c><ctrl-c>")));
}

#[test]
fn the_question_at_leaving_follows_what_runs_and_goes_with_the_last_of_it() {
    let mut desk = Desk::new();
    let (first, second) = (desk.start("kubectl:get deploy -w"), desk.start("kubectl:get svc -w"));
    desk.keys("<ctrl-d>");
    assert!(desk.shows(120, 40, "2 blocks run"));
    desk.end(first, 0);
    assert!(desk.shows(120, 40, "1 block runs"));
    desk.end(second, 0);
    assert!(!desk.shows(120, 40, "blocks run") && !desk.shows(120, 40, "stay here"));
    assert!(
        desk.shows(120, 40, "nothing runs any more: ^D quits"),
        "{:#?}",
        desk.screen(120, 40)
    );
    assert!(quits(&desk.keys("<ctrl-d>")));
}

#[test]
fn another_menu_stays_when_a_block_ends() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get deploy -w");
    desk.keys("<alt-1>m");
    desk.end(block, 0);
    assert!(desk.shows(120, 40, "actions: Enter does it"));
}

#[test]
fn a_block_that_follows_names_the_key_that_makes_it_a_panel() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get po -w");
    desk.keys("<alt-1>");
    assert!(desk.shows(80, 24, "w as a panel"), "{:#?}", desk.screen(80, 24));
    assert!(desk.keys("w").is_empty(), "nothing runs by it");
    assert_eq!(desk.app.input.text(), "kubectl:get po -w | pin");
    assert_eq!(desk.app.focus, Focus::Input);
    desk.keys("<ctrl-u><alt-1>");
    desk.end(block, 0);
    assert!(!desk.shows(80, 24, "as a panel"), "it has ended");
}

#[test]
fn what_came_while_the_operator_looked_elsewhere_is_marked() {
    let mut desk = Desk::new();
    for n in 0..30 {
        let block = desk.start(&format!("echo {n}"));
        desk.end(block, 0);
    }
    let job = desk.start("kubectl:get deploy -w");
    desk.screen(120, 30);
    desk.keys("<pgup><pgup>");
    assert!(!desk.shows(120, 30, "── new ──"), "nothing new yet");
    desk.item(job, json!({"line": "changed", "source": "x"}));
    assert!(desk.shows(120, 30, "1 new below"));
    desk.keys("<alt-1>G");
    assert!(desk.shows(120, 30, "── new ──"));
    desk.keys("kkkkk");
    desk.keys("G");
    assert!(!desk.shows(120, 30, "── new ──"), "it was seen");
}

#[test]
fn the_transcript_holds_lines_and_answers_and_nothing_unsafe() {
    let mut desk = Desk::new();
    let block = desk.start("echo \u{1b}[31m");
    desk.item(block, json!({"line": "red\u{1b}]52;c;eA==\u{7}", "source": "x"}));
    desk.end(block, 0);
    let effects = desk.keys("<alt-t>");
    let [Effect::Transcript(text)] = effects.as_slice() else {
        panic!("the transcript")
    };
    assert!(
        text.contains("> echo ␛[31m\n  done  #") && text.contains("red␛]52;"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
}

#[test]
fn the_bare_view_has_text_only_and_any_other_key_comes_back() {
    let mut desk = Desk::new();
    answered(&mut desk, "kubectl:get deploy");
    assert!(matches!(desk.keys("<alt-v>").as_slice(), [Effect::Mouse(false)]));
    let screen = desk.screen(120, 40).join("\n");
    assert!(screen.contains("❯ kubectl:get deploy") && !screen.contains('│') && !screen.contains("deployments"));
    assert!(desk.keys("k").is_empty());
    assert!(matches!(desk.keys("x").as_slice(), [Effect::Mouse(true)]));
    assert!(desk.shows(120, 40, "deployments"));
    assert!(desk.app.input.is_empty(), "the key that came back typed nothing");
    desk.keys("<alt-2><alt-v>");
    assert!(desk.shows(120, 40, "web; rm -rf") && !desk.shows(120, 40, "rollout"));
    let block = desk.app.chat.blocks().last().unwrap().id;
    let effects = desk.ask(block, Requirement::Enter);
    assert!(
        matches!(effects.as_slice(), [Effect::Mouse(true)]),
        "the mouse is the console's again"
    );
    assert!(desk.shows(120, 40, "approve 1 change"), "a question ends it");
    let mut desk = Desk::new();
    let block = desk.start("bundle-config-set x");
    desk.keys("<alt-v>");
    let what = "a token".into();
    let effects = desk.app.handle(Event::SecretWanted { id: 8, block, what });
    assert!(matches!(effects.as_slice(), [Effect::Mouse(true)]));
    assert!(desk.shows(120, 40, "a token"), "so does one for a secret");
}

#[test]
fn a_secret_that_was_typed_is_recalled_and_shown_by_nothing() {
    let started = |block| Event::Started {
        block,
        number: 41,
        line: "login --password •••".into(),
        translation: None,
        background: false,
    };
    let refused = |block| {
        let report = Report::refused("E-TEST-001", "no");
        Event::Refused(block, "login --password •••".into(), Box::new(report))
    };
    for becomes in [&started as &dyn Fn(u64) -> Event, &refused] {
        let mut desk = Desk::new();
        let effects = desk.keys("login --password hunter2<enter>");
        let [Effect::Start { block, .. }] = effects.as_slice() else {
            panic!("it did not start")
        };
        desk.app.handle(becomes(*block));
        assert!(!desk.shows(120, 40, "hunter2"));
        let transcript: String = desk.app.chat().blocks().map(|block| block.transcript()).collect();
        assert!(transcript.contains("login --password •••"), "{transcript}");
        desk.keys("log");
        assert!(!desk.shows(120, 40, "hunter2"), "not as a suggestion");
        desk.keys("<ctrl-u><up>");
        assert_eq!(desk.app.input.text(), "login --password •••");
        desk.keys("<ctrl-c><ctrl-r>hunter");
        assert!(!desk.shows(120, 40, "login --password hunter2"));
    }
}

#[test]
fn a_block_is_stopped_by_its_key_and_killed_by_the_same_key_again() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get po -w");
    desk.keys("<alt-1>");
    assert!(desk.shows(80, 24, "x stop"));
    assert!(matches!(desk.keys("x").as_slice(), [Effect::Cancel(id)] if *id == block));
    assert!(desk.shows(80, 24, "x kill") && !desk.shows(80, 24, "x stop"));
    assert!(matches!(desk.keys("x").as_slice(), [Effect::Kill(id)] if *id == block));
    desk.end(block, 130);
    assert!(
        !desk.shows(80, 24, "x kill") && !desk.shows(80, 24, "x stop"),
        "nothing runs"
    );
}

#[test]
fn a_copy_of_a_block_tells_what_it_lacks() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get po -w");
    for n in 0..12_000 {
        desk.item(block, json!({"line": format!("line {n}"), "source": "x"}));
    }
    desk.end(block, 0);
    desk.keys("<alt-1>");
    let effects = desk.keys("y");
    let [Effect::Copy(text, told)] = effects.as_slice() else {
        panic!("not copied")
    };
    let missing = 12_000 - text.lines().count() as u64 + 1;
    assert!(text.starts_with(&format!("… {missing} earlier lines are not kept\n")));
    assert!(
        told.contains(&format!("copied without {missing} lines that are not kept")),
        "{told}"
    );
}

#[test]
fn yaml_is_read_from_its_beginning_and_what_goes_on_may_be_pinned() {
    let mut desk = Desk::new();
    for (line, page, follows) in [
        ("kubectl:describe web -o yaml", true, false),
        ("kubectl:describe web -oyaml", true, false),
        ("kubectl:describe web", false, false),
        ("kubectl:get deploy", false, false),
        ("kubectl:get deploy -w", false, true),
        ("kubectl:get deploy -w | pin", false, false),
    ] {
        let block = desk.start(line);
        let known = desk.app.chat.block(block).unwrap();
        assert_eq!((known.page, known.follows), (page, follows), "{line}");
        assert_eq!(desk.shows(120, 40, "… | pin as a panel"), follows, "{line}");
        desk.end(block, 0);
    }
}
