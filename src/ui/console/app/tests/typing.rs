//! The input line: sending, completing, pasting, history, quitting.

use super::*;
use crate::ui::console::app::keys::WORD;
use crate::verb::Candidate;

#[test]
fn a_typed_line_starts_as_typed_and_its_answer_is_shown() {
    let mut desk = Desk::new();
    let effects = desk.keys("kubectl:get deploy inspector<enter>");
    let [Effect::Start { line, origin, block }] = effects.as_slice() else {
        panic!("one start")
    };
    assert_eq!(
        (line.as_str(), *origin),
        ("kubectl:get deploy inspector", Origin::Typed)
    );
    let block = *block;
    desk.item(block, json!({"name": "inspector", "ready": "1/1"}));
    desk.end(block, 0);
    let screen = desk.screen(120, 40);
    assert!(
        screen
            .iter()
            .any(|row| row.contains("❯ kubectl:get deploy inspector") && row.contains("✓ done 310ms"))
    );
    assert!(screen.iter().any(|row| row.contains("inspector   1/1")), "{screen:#?}");
}

#[test]
fn ctrl_c_cancels_then_kills_and_never_quits_while_anything_runs() {
    let mut desk = Desk::new();
    let block = desk.start("traffic:watch x");
    assert!(desk.shows(120, 40, "^C stop"));
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Cancel(id)] if *id == block));
    assert!(desk.shows(120, 40, "! stopping"));
    assert!(desk.shows(120, 40, "^C kill") && !desk.shows(120, 40, "^C stop"));
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Kill(id)] if *id == block));
    desk.end(block, 130);
    assert!(desk.keys("<ctrl-c>").is_empty());
    assert!(quits(&desk.keys("<ctrl-c>")));
}

#[test]
fn ctrl_c_puts_a_half_typed_line_away_before_it_stops_what_runs() {
    let mut desk = Desk::new();
    let block = desk.start("traffic:watch x");
    assert!(desk.keys("half a line<ctrl-c>").is_empty(), "it goes on running");
    assert!(desk.app.input.is_empty() && desk.shows(120, 40, "^C again stops what runs"));
    desk.keys("<ctrl-_>");
    assert_eq!(desk.app.input.text(), "half a line", "it can be had back");
    assert!(matches!(desk.keys("<ctrl-c><ctrl-c>").as_slice(), [Effect::Cancel(id)] if *id == block));
    // From a pane the line is not what is meant.
    desk.keys("half<alt-1>");
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Kill(id)] if *id == block));
    assert_eq!(desk.app.input.text(), "half");
}

#[test]
fn a_colon_that_went_nowhere_is_not_what_comes_back_over_a_draft() {
    let mut desk = Desk::new();
    desk.keys("kubectl:get d<alt-1>:<esc>");
    assert_eq!(desk.app.input.text(), "");
    desk.keys("<ctrl-_>");
    assert_eq!(desk.app.input.text(), "kubectl:get d");
    let mut desk = Desk::new();
    desk.keys("<alt-1>:po<esc><ctrl-_>");
    assert_eq!(desk.app.input.text(), ":po", "a place that was begun can be had back");
}

#[test]
fn what_is_pasted_while_the_history_is_searched_is_searched_for() {
    let mut desk = Desk::new();
    desk.start("kubectl:get deploy inspector");
    desk.keys("<ctrl-r>");
    assert!(
        desk.app
            .handle(Event::Paste("deploy insp\nkubectl:delete x\n".into()))
            .is_empty()
    );
    assert_eq!(desk.app.input.search().unwrap().text, "deploy insp");
    assert!(desk.shows(120, 40, "history: deploy insp") && desk.app.input.is_empty());
    desk.keys("<ctrl-e>");
    assert_eq!(desk.app.input.text(), "kubectl:get deploy inspector");
}

#[test]
fn ctrl_c_forgets_a_typed_line_and_old_warnings() {
    let mut desk = Desk::new();
    assert!(desk.keys("half a line<ctrl-c>").is_empty());
    assert!(desk.app.input.is_empty());
    assert!(desk.keys("<ctrl-c>").is_empty());
    desk.clock.advance(Duration::from_secs(10));
    assert!(desk.keys("<ctrl-c>").is_empty(), "too long ago to mean it");
    assert!(desk.keys("x<bs><ctrl-c>").is_empty(), "something else came between");
}

#[test]
fn ctrl_d_quits_an_idle_empty_line_and_warns_about_jobs() {
    let mut desk = Desk::new();
    assert!(!quits(&desk.keys("x<ctrl-d>")));
    assert!(quits(&desk.keys("<bs><ctrl-d>")));
    let mut desk = Desk::new();
    desk.start("traffic:watch x");
    assert!(!quits(&desk.keys("<ctrl-d>")));
    assert!(desk.shows(120, 40, "1 block runs: ^D again stops and quits"));
    assert!(quits(&desk.keys("<ctrl-d>")));
}

#[test]
fn nothing_configured_offers_the_sandbox_and_enter_starts_it() {
    let mut desk = Desk::with(Context::empty("default"), &["deployments"]);
    assert!(desk.shows(80, 24, "Press Enter to start the built-in sandbox"));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::StartSandbox]));
    assert!(desk.keys("<enter>").is_empty(), "once");
    let failed = Box::new(Report::failed("E-SANDBOX-001", "port 53 is taken"));
    desk.app.handle(Event::Sandbox(Err(failed)));
    assert!(desk.shows(80, 24, "port 53 is taken"));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::StartSandbox]));
    let context = Arc::new(Context::empty("sandbox"));
    let effects = desk.app.handle(Event::Sandbox(Ok(context)));
    assert!(matches!(effects.as_slice(), [Effect::Switch(context, _)] if context.name == "sandbox"));
    assert!(desk.keys("<enter>").is_empty());
}

#[test]
fn pasted_text_never_runs() {
    let mut desk = Desk::new();
    let pasted = "kubectl:delete deploy x\nkubectl:delete deploy y\n";
    assert!(desk.app.handle(Event::Paste(pasted.into())).is_empty());
    assert_eq!(desk.app.input.text(), pasted.trim_end());
    let effects = desk.app.handle(Event::Paste("x".repeat(2 << 20)));
    assert!(effects.is_empty() && desk.shows(120, 40, "nothing was pasted"));
}

#[test]
fn lines_pasted_from_a_terminal_are_lines() {
    let mut desk = Desk::new();
    desk.app.handle(Event::Paste("echo one\recho two\r".into()));
    assert_eq!(desk.app.input.text(), "echo one\necho two");
    let lines = crate::lang::parse(&desk.app.input.text()).unwrap();
    assert_eq!(lines.items.len(), 2);
}

#[test]
fn the_line_is_edited_in_the_operators_editor_and_comes_back_without_running() {
    let mut desk = Desk::new();
    assert!(matches!(desk.keys("echo one<ctrl-g>").as_slice(), [Effect::EditLine(text)] if text == "echo one"));
    assert!(
        desk.app
            .handle(Event::Edited(Ok("echo two\n| jq .\n".into())))
            .is_empty()
    );
    assert_eq!(desk.app.input.text(), "echo two\n| jq .");
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::Start { line, .. }] if line == "echo two\n| jq ."));
    desk.keys("kept");
    let failed = Report::failed("E-CONSOLE-008", "vi ended with 1: the line stays as it was");
    desk.app.handle(Event::Edited(Err(Box::new(failed))));
    assert!(desk.shows(120, 40, "the line stays as it was"));
    desk.app.handle(Event::Edited(Ok("x".repeat(2 << 20))));
    assert_eq!(desk.app.input.text(), "kept");
    let mut desk = Desk::new();
    desk.app.keymap = Keymap::preset("vim").unwrap();
    desk.app.take_keymap();
    assert!(matches!(desk.keys("echo v<esc>v").as_slice(), [Effect::EditLine(text)] if text == "echo v"));
}

#[test]
fn messages_can_be_read_again_and_a_remark_about_the_line_goes_with_the_next_key() {
    let mut desk = Desk::new();
    desk.keys("kubectl:get deploy zz<tab>");
    assert!(desk.shows(120, 40, "nothing fits here"));
    desk.keys("<ctrl-u>");
    assert!(!desk.shows(120, 40, "nothing fits here"));
    desk.app.handle(Event::Tell("the link is lost".into(), Tone::Bad));
    desk.app.handle(Event::Tell("the link is back".into(), Tone::Ok));
    assert!(desk.shows(120, 40, "(+1 more: :messages)"));
    desk.clock.advance(Duration::from_secs(60));
    desk.keys("<esc>");
    desk.clock.advance(Duration::from_secs(60));
    desk.app.tick();
    assert!(!desk.shows(120, 40, "the link is lost"));
    desk.keys(":messages<enter>");
    let screen = desk.screen(120, 40);
    let at = |text: &str| screen.iter().position(|row| row.contains(text));
    assert!(
        at("00:00:00  ✗ the link is lost") < at("00:00:00  ✓ the link is back"),
        "{screen:#?}"
    );
    assert!(at("the link is lost").is_some() && at("nothing fits here").is_none());
}

#[test]
fn where_nothing_can_be_offered_tab_tells_what_is_wanted() {
    let mut desk = Desk::new();
    desk.keys("kubectl:describe <tab>");
    assert!(desk.shows(120, 40, "NAME: which one"));
    desk.keys("x<tab>");
    assert!(desk.shows(120, 40, "nothing fits here"));
}

#[test]
fn what_the_welcome_says_of_keys_is_so() {
    let mut desk = Desk::new();
    assert!(desk.shows(240, 40, "press ^Space for all commands"));
    desk.keys("<ctrl- >");
    assert!(desk.app.popup.is_some());
}

#[test]
fn an_unfinished_line_goes_on_and_a_blank_one_ends_it() {
    let mut desk = Desk::new();
    assert!(desk.keys("echo 'a<enter>").is_empty());
    assert_eq!(desk.app.input.text(), "echo 'a\n");
    assert!(matches!(desk.keys("b'<enter>").as_slice(), [Effect::Start { line, .. }] if line == "echo 'a\nb'"));
    desk.keys("echo 'never closed<enter>");
    assert!(
        matches!(desk.keys("<enter>").as_slice(), [Effect::Start { .. }]),
        "the error is shown then"
    );
}

#[test]
fn tab_completes_and_shows_what_fits() {
    let mut desk = Desk::new();
    desk.keys("he<tab>");
    assert_eq!(desk.app.input.text(), "help ");
    desk.keys("<ctrl-u>kubectl:get d<tab>");
    assert_eq!(desk.app.input.text(), "kubectl:get deploy");
    assert!(desk.shows(120, 40, "deployments"));
    desk.keys("<tab><tab><enter>");
    assert_eq!(desk.app.input.text(), "kubectl:get deployments ");
    desk.keys("s<tab>");
    assert!(desk.app.popup.is_none());
}

#[test]
fn live_objects_come_later_and_old_answers_are_ignored() {
    let mut desk = Desk::new();
    desk.keys("kubectl:get svc <ctrl- >");
    assert!(desk.app.popup.is_none() || desk.app.popup.as_ref().unwrap().pending.is_none());
    let candidate = |value: &str| Candidate {
        value: value.into(),
        note: String::new(),
    };
    desk.app.handle(Event::Candidates(99, vec![candidate("x")].into()));
    assert_eq!(desk.app.input.text(), "kubectl:get svc ");
}

#[test]
fn history_keeps_no_line_that_starts_with_a_blank() {
    let mut desk = Desk::new();
    desk.keys("echo a<enter> echo secret<enter><up>");
    assert_eq!(desk.app.input.text(), "echo a");
}

#[test]
fn the_word_that_the_sandbox_starts_goes_when_it_has_started() {
    let mut desk = Desk::with(Context::empty("none"), &["deployments"]);
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::StartSandbox]));
    assert!(desk.shows(120, 40, "the sandbox starts…"));
    desk.app.handle(Event::Sandbox(Ok(Arc::new(Context::empty("sandbox")))));
    assert!(!desk.shows(120, 40, "the sandbox starts…"));
}

#[test]
fn in_the_vim_keymap_the_line_has_modes() {
    let mut desk = Desk::new();
    desk.app.keymap = Keymap::preset("vim").unwrap();
    desk.app.take_keymap();
    desk.keys("kubectl:get deploy x<esc>");
    assert!(desk.shows(120, 40, "normal"));
    assert_eq!(desk.app.focus, Focus::Input, "the first Esc only ends typing");
    desk.keys("bdwiweb<esc>0");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.input.cursor()),
        ("kubectl:get webx", 0)
    );
    desk.keys("cwecho<esc>");
    assert_eq!(desk.app.input.text(), "echo:get webx");
    desk.keys("dfg");
    assert_eq!(desk.app.input.text(), "echet webx");
    desk.keys("xu");
    assert_eq!(desk.app.input.text(), "echet webx", "taken back");
    for edit in ["0rX", "0~", "03rX"] {
        desk.keys(edit);
        assert_ne!(desk.app.input.text(), "echet webx", "{edit}");
        desk.keys("u");
        assert_eq!(desk.app.input.text(), "echet webx", "{edit} is taken back at once");
    }
    desk.keys("d<esc>");
    assert_eq!(desk.app.focus, Focus::Input, "half a command is given up");
    let effects = desk.keys("A y<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "echet webx y"));
    desk.keys("next");
    assert_eq!(desk.app.input.text(), "next", "a new line begins with typing");
    desk.keys("<esc>k");
    assert!(desk.app.input.text().starts_with("ech"), "earlier lines");
    desk.keys("j");
    assert_eq!(desk.app.input.text(), "next", "what was typed is still there");
    desk.keys("<esc>");
    assert_eq!(desk.app.focus, Focus::Pane(0), "the second Esc goes to the chat");
    desk.keys("i<ctrl-u><esc>");
    assert_eq!(desk.app.focus, Focus::Pane(0), "so does the first on an empty line");
    // Whatever leads from a pane to the line leads to typing.
    desk.keys("ix<esc><alt-2>s3");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.input.is_normal()),
        ("kubectl:scale inspector 3", false)
    );
}

#[test]
fn the_prompt_shows_that_the_keys_go_elsewhere_and_letters_that_mean_nothing_are_told() {
    let mut desk = Desk::new();
    let prompt = |desk: &mut Desk| desk.screen(80, 24).get(22).cloned().unwrap_or_default();
    assert!(prompt(&mut desk).trim_start().starts_with('❯'));
    desk.keys("<alt-1>");
    let away = prompt(&mut desk);
    assert!(
        !away.contains('❯') && away.contains("keys go to the chat: i types here"),
        "{away}"
    );
    desk.keys("d");
    assert!(desk.shows(80, 24, "\"d\" is no key here, keys go to the chat: i types here"));
    desk.keys(" ");
    assert!(desk.shows(80, 24, "\"Space\" is no key here"));
    desk.keys("iecho x");
    assert!(prompt(&mut desk).contains("❯ echo x"), "the line is typed again");
    assert!(!desk.shows(80, 24, "is no key here"), "it is the line's again");
    assert_eq!(desk.app.toasts.kept().count(), 0, "slips push no message out");
    desk.keys("<alt-2>");
    let away = prompt(&mut desk);
    assert!(away.contains("echo x  keys go to deployments: i types here"), "{away}");
    desk.keys("%");
    assert!(desk.shows(80, 24, "\"%\" is no key here, keys go to deployments"));
}

#[test]
fn what_a_notice_speaks_of_takes_it_away_when_it_has_changed() {
    let mut desk = Desk::new();
    desk.screen(80, 24);
    desk.keys("<ctrl-c>");
    assert!(desk.shows(80, 24, "^C again quits"));
    desk.keys("e");
    assert!(!desk.shows(80, 24, "^C again quits"), "another key is no second ^C");
    desk.keys("<bs>");
    let target = Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: "inspector".into(),
    };
    desk.app.handle(Event::ActingOn(target.into()));
    assert!(desk.shows(80, 24, "Alt-2 shows"));
    desk.keys("<alt-3>");
    assert!(desk.shows(80, 24, "Alt-2 shows"), "not yet");
    desk.keys("<alt-2>");
    assert!(!desk.shows(80, 24, "Alt-2 shows"), "it is shown");
}

#[test]
fn a_notice_takes_no_row_from_the_panes() {
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut desk = Desk::new();
        desk.keys("<alt-2>");
        desk.screen(columns, rows);
        let panes = |desk: &Desk| desk.app.places.panes.clone();
        let before = panes(&desk);
        desk.app.handle(Event::Tell("a notice".into(), Tone::Ok));
        assert!(desk.shows(columns, rows, "✓ a notice"));
        assert_eq!(panes(&desk), before, "{columns}x{rows}");
    }
}

#[test]
fn a_key_of_the_whole_screen_leaves_and_confirms_too() {
    let (keymap, remarks) =
        Keymap::parse("[global]\n'f9' = 'end-of-input'\n'f8' = 'submit'\n[input]\n'ctrl-d' = 'none'\n'enter' = 'none'")
            .unwrap();
    assert_eq!(remarks, vec![], "both can be reached");
    let mut desk = Desk::new();
    desk.app.keymap = keymap;
    desk.app.take_keymap();
    assert!(desk.shows(120, 40, "F9 quit"));
    let effects = desk.keys("echo one<f8>");
    let [Effect::Start { block, line, .. }] = effects.as_slice() else {
        panic!("it runs")
    };
    let block = *block;
    assert_eq!(line, "echo one");
    desk.ask(block, Requirement::Enter);
    assert!(desk.shows(120, 40, "F8 applies it, Esc declines") && desk.shows(120, 40, "F8 apply"));
    desk.keys("<esc><f9>");
    assert!(desk.shows(120, 40, "1 block runs: F9 again stops and quits"));
    assert!(quits(&desk.keys("<f9>")), "as the menu says");
    desk.end(block, 0);
    desk.keys("draft<alt-1><f9>");
    assert_eq!(
        (desk.app.focus, desk.app.input.text().as_str()),
        (Focus::Input, "draft")
    );
    assert!(quits(&desk.keys("<ctrl-u><alt-1><f9>")), "as help says, everywhere");
}

#[test]
fn a_word_typed_into_a_panel_runs_none_of_its_letters() {
    let mut desk = Desk::new();
    let none = desk.keys("<alt-6>help kubectl:edit");
    assert!(none.is_empty(), "no editor");
    assert_eq!(desk.app.input.text(), "help kubectl:edit");
    assert!(desk.shows(
        120,
        40,
        "what was typed into the panel stands in the line: Esc goes back"
    ));
    desk.keys("<esc>");
    assert_eq!((desk.app.focus, desk.app.input.is_empty()), (Focus::Pane(5), true));
    // Its first letter may be one that moves.
    desk.clock.advance(WORD);
    assert!(desk.keys("<alt-6>kubectl:edit").is_empty(), "no editor");
    assert_eq!(desk.app.input.text(), "kubectl:edit");
    desk.keys("<esc>");
    // The key by itself, and behind going down, is meant for the row.
    for keys in ["e", "je"] {
        desk.clock.advance(WORD);
        desk.keys("<alt-6>");
        assert!(matches!(desk.keys(keys).as_slice(), [Effect::Start { .. }]), "{keys}");
    }
}

#[test]
fn a_line_of_places_that_was_left_can_be_had_back() {
    let mut desk = Desk::new();
    desk.keys(":ctx s<tab>");
    assert!(desk.app.popup.is_some());
    desk.keys("<esc>");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.popup.is_none()),
        (":ctx s", true)
    );
    desk.keys("<esc>");
    assert!(desk.app.input.is_empty());
    desk.keys("<ctrl-_>");
    assert_eq!(desk.app.input.text(), ":ctx s");
}

#[test]
fn a_notice_stands_on_the_edge_of_an_open_menu() {
    let mut desk = Desk::new();
    desk.keys(":");
    desk.app.handle(Event::Tell("a plan waits".into(), Tone::Warn));
    for (columns, rows) in [(120, 40), (80, 24)] {
        assert!(desk.shows(columns, rows, "! a plan waits"), "{columns}x{rows}");
        assert!(desk.shows(columns, rows, " fit"), "the menu is open");
    }
}

#[test]
fn what_was_cut_comes_back_in_the_next_line_unless_it_held_a_secret() {
    let mut desk = Desk::new();
    // Cut in the same line it can be put elsewhere, whatever it is.
    desk.keys("kubectl:login --token hunter2<ctrl-w><ctrl-y>");
    assert_eq!(desk.app.input.text(), "kubectl:login --token hunter2");
    desk.keys("<ctrl-u>kubectl:get deploy web<ctrl-w>svc<enter>");
    assert!(desk.shows(120, 40, "held a secret, and is not kept"));
    desk.keys("<ctrl-y>");
    assert_eq!(desk.app.input.text(), "web");
    for _ in 0..4 {
        desk.keys("<alt-y>");
        assert!(!desk.app.input.text().contains("hunter2"), "{}", desk.app.input.text());
    }
    // One that is open in its quotes: nobody knows where it ends.
    desk.keys("<ctrl-u>kubectl:login --token 'hunter2 more<ctrl-w><ctrl-u>kubectl:get svc<enter><ctrl-y>");
    assert!(!desk.app.input.text().contains("more"), "{}", desk.app.input.text());
    // What stands elsewhere in such a line is kept.
    desk.keys("<ctrl-u>kubectl:login --token hunter2 beside<ctrl-w><bs><enter><ctrl-y>");
    assert_eq!(desk.app.input.text(), "beside");
}
