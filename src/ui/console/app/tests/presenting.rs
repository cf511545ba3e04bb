//! Presenting a script, running blocks again in another context, fields of known answers.

use super::*;

#[test]
fn a_script_is_typed_line_by_line_and_runs_only_by_enter() {
    let mut desk = Desk::new();
    assert!(
        matches!(desk.keys(":present talk.cog<enter>").as_slice(), [Effect::ReadScript(file)] if file == "talk.cog")
    );
    desk.app.handle(Event::Script(Ok("echo one\necho two\n".into())));
    assert!(desk.shows(120, 40, "2 lines to present: F5 types the next"));
    let hints = |desk: &mut Desk| desk.screen(120, 40).pop().unwrap_or_default();
    assert!(
        hints(&mut desk).starts_with(" F5 type the next line  "),
        "{}",
        hints(&mut desk)
    );
    assert!(desk.keys("<f5>").is_empty());
    let mut seen = Vec::new();
    while let Some(rest) = desk.app.rests_for() {
        desk.clock.advance(rest);
        desk.app.advance();
        seen.push(desk.app.input.text());
    }
    assert_eq!(seen.first().map(String::as_str), Some("e"), "letter by letter");
    assert_eq!(desk.app.input.text(), "echo one");
    let effects = desk.keys(" more<enter>");
    let [Effect::Start { block, line, .. }] = effects.as_slice() else {
        panic!("it runs")
    };
    assert_eq!(line, "echo one more", "edited");
    desk.end(*block, 0);
    assert!(desk.keys("<f5><f5>").is_empty());
    assert_eq!(
        desk.app.input.text(),
        "echo two",
        "a second press types the rest at once"
    );
    assert!(desk.shows(120, 40, "presenting 2/2"));
    let effects = desk.keys("<enter>");
    let [Effect::Start { block, .. }] = effects.as_slice() else {
        panic!("it runs")
    };
    desk.end(*block, 0);
    assert!(
        hints(&mut desk).starts_with(" ? help"),
        "no line is left: {}",
        hints(&mut desk)
    );
    desk.keys("<f5>");
    assert!(desk.shows(120, 40, "the script is over"));
}

#[test]
fn what_a_line_is_about_is_in_sight_while_it_is_typed() {
    let mut desk = Desk::new();
    let block = desk.start("echo many");
    for n in 0..200 {
        desk.item(block, json!({"line": format!("line {n}"), "source": "x"}));
    }
    desk.end(block, 0);
    desk.screen(120, 40);
    desk.keys("<pgup>");
    let script = "# --- A name that people can remember.\necho one\n";
    desk.app.handle(Event::Script(Ok(script.into())));
    assert!(desk.shows(120, 40, " lines below "));
    desk.keys("<f5>");
    assert!(desk.shows(120, 40, "A name that people can remember."));
}

#[test]
fn nothing_is_suggested_while_a_script_is_presented() {
    let mut desk = Desk::new();
    let block = desk.start("help kubectl:set-image");
    desk.end(block, 0);
    desk.app.handle(Event::Script(Ok("help kubectl".into())));
    desk.keys("<f5><f5>");
    assert_eq!(desk.app.input.text(), "help kubectl");
    let typed = |desk: &mut Desk| {
        let rows = desk.screen(120, 40);
        let row = rows.into_iter().rev().find(|row| row.contains("help kubectl")).unwrap();
        row.replace(['│', '❯', '╰', '╯'], " ").trim().to_owned()
    };
    assert_eq!(typed(&mut desk), "help kubectl");
    desk.keys("<ctrl-e>");
    assert_eq!(desk.app.input.text(), "help kubectl", "nor taken unseen");
    let mut desk = Desk::new();
    desk.keys("help kubectl:set-image<enter>help kubectl");
    assert!(
        typed(&mut desk).starts_with("help kubectl:set-image"),
        "{}",
        typed(&mut desk)
    );
}

#[test]
fn scripts_that_come_along_are_offered_by_name_and_can_be_typed() {
    for script in SCRIPTS {
        assert!(!crate::lang::script_lines(script.text).is_empty(), "{}", script.name);
        let mut desk = Desk::new();
        desk.keys(&format!(":present {}", &script.name[..2]));
        desk.keys("<tab>");
        assert_eq!(desk.app.input.text(), format!(":present {}", script.name));
    }
    let mut desk = Desk::new();
    desk.keys(":present<enter>");
    assert!(desk.shows(120, 40, "present demo, or present FILE"));
}

#[test]
fn typing_by_hand_takes_over_from_the_script() {
    let mut desk = Desk::new();
    desk.app
        .handle(Event::Script(Ok("kubectl:delete deploy inspector".into())));
    desk.keys("<f5>");
    desk.app.advance();
    desk.keys("x");
    assert_eq!(desk.app.rests_for(), None);
    assert_eq!(desk.app.input.text(), "kx");
}

#[test]
fn a_block_of_another_context_is_run_again_only_when_asked_twice() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete deploy x");
    desk.end(block, 0);
    let mut other = Context::empty("eu-prod");
    other.aws.region = Some("x".into());
    let catalogue = desk.app.catalogue.clone();
    desk.app.handle(Event::Session(Arc::new(other), catalogue));
    assert!(desk.keys("<alt-1>.").is_empty());
    assert!(desk.shows(120, 40, "it ran in sandbox, and this is eu-prod"));
    assert!(matches!(desk.keys(".").as_slice(), [Effect::Start { .. }]));
    desk.keys("<alt-1>k.");
    assert!(desk.keys("jk.").is_empty(), "another key forgets it: it is asked again");
    assert!(desk.keys("<alt-2><alt-1>k.").is_empty(), "and so does another pane");
    desk.clock.advance(std::time::Duration::from_secs(10));
    assert!(desk.keys(".").is_empty(), "and time");
    assert!(matches!(desk.keys(".").as_slice(), [Effect::Start { .. }]));
}

#[test]
fn a_block_of_another_namespace_is_run_again_only_when_asked_twice() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete deploy x");
    desk.end(block, 0);
    desk.keys(":ns kube-system<enter>");
    assert!(desk.keys("<alt-1>.").is_empty());
    assert!(desk.shows(
        120,
        40,
        "it ran in sandbox / default, and this is sandbox / kube-system"
    ));
    assert!(matches!(desk.keys(".").as_slice(), [Effect::Start { .. }]));
}

#[test]
fn raising_read_only_is_no_other_place() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get deploy");
    desk.end(block, 0);
    let mut open = Context::clone(&desk.app.context);
    open.read_only = true;
    let catalogue = desk.app.catalogue.clone();
    desk.app.handle(Event::Session(Arc::new(open), catalogue));
    assert!(matches!(desk.keys("<alt-1>.").as_slice(), [Effect::Start { .. }]));
}

#[test]
fn enter_while_a_line_is_typed_ends_the_typing_and_runs_nothing() {
    let mut desk = Desk::new();
    desk.app
        .handle(Event::Script(Ok("kubectl:delete deploy inspector".into())));
    desk.keys("<f5>");
    desk.app.advance();
    assert!(desk.keys("<enter>").is_empty());
    assert_eq!(desk.app.input.text(), "kubectl:delete deploy inspector");
    let effects = desk.keys("<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "kubectl:delete deploy inspector"));
}

#[test]
fn fields_of_the_last_answer_are_completed() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get svc inspector");
    desk.item(
        block,
        json!({"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}, "spec": {}}),
    );
    desk.end(block, 0);
    desk.keys("echo $_.st<tab>");
    assert_eq!(desk.app.input.text(), "echo $_.status");
    desk.keys(".loadBalancer.ingress[0].<tab>");
    assert_eq!(desk.app.input.text(), "echo $_.status.loadBalancer.ingress[0].hostname");
    desk.keys("<ctrl-u>echo $<tab>");
    assert!(
        desk.shows(120, 40, "what this block answered"),
        "numbers of known blocks"
    );
}

#[test]
fn a_line_that_stands_there_is_not_typed_over() {
    let mut desk = Desk::new();
    desk.app.handle(Event::Script(Ok("wait\necho two\n".into())));
    desk.keys("<f5><f5> edited<f5>");
    assert_eq!(desk.app.input.text(), "wait edited");
    assert!(desk.shows(120, 40, "Enter runs this line first; ^C clears it"));
    assert!(desk.shows(120, 40, "presenting 1/2"));
    desk.keys("<ctrl-c><f5><f5>");
    assert_eq!(desk.app.input.text(), "wait", "it has not run: it is typed again");
    let effects = desk.keys("<enter>");
    let [Effect::Start { block, .. }] = effects.as_slice() else {
        panic!("it runs")
    };
    desk.end(*block, 0);
    desk.keys("<f5><f5>");
    assert_eq!(desk.app.input.text(), "echo two");
}

#[test]
fn a_line_that_is_broken_off_or_cleared_is_typed_again_and_can_be_had_back() {
    let mut desk = Desk::new();
    desk.app
        .handle(Event::Script(Ok("# --- A name\nlet elb = echo x\necho two\n".into())));
    desk.keys("<f5>");
    desk.app.advance();
    desk.keys("<ctrl-c>");
    assert_eq!((desk.app.input.text().as_str(), desk.app.rests_for()), ("", None));
    // A question of the presenter's own in between.
    let block = desk.start("kubectl:get svc");
    desk.end(block, 0);
    desk.keys("<f5><f5>");
    assert_eq!(desk.app.input.text(), "let elb = echo x");
    let screen = desk.screen(120, 40).join("\n");
    assert_eq!(screen.matches("A name").count(), 1, "the heading stands there already");
    desk.keys("<ctrl-c>");
    assert!(desk.app.input.is_empty() && desk.shows(120, 40, "presenting 0/2"));
    desk.keys("<ctrl-_>");
    assert_eq!(desk.app.input.text(), "let elb = echo x", "what was cleared");
    desk.keys("<enter>");
    assert!(desk.shows(120, 40, "presenting 1/2"), "had back, and run");
}

#[test]
fn who_looks_elsewhere_while_a_line_is_typed_does_not_break_it_off() {
    for key in ["<pgup>", "<alt-3>", "<alt-2>j", "<alt-1>"] {
        let mut desk = Desk::new();
        desk.app.handle(Event::Script(Ok("echo one".into())));
        desk.keys("<f5>");
        desk.app.advance();
        desk.keys(key);
        while let Some(rest) = desk.app.rests_for() {
            desk.clock.advance(rest);
            desk.app.advance();
        }
        assert_eq!(desk.app.input.text(), "echo one", "{key}");
    }
}

#[test]
fn a_script_is_presented_from_one_of_its_lines_on_and_its_name_may_have_blanks() {
    let mut desk = Desk::new();
    let read = |desk: &mut Desk, line: &str| match desk.keys(&format!("{line}<enter>")).as_slice() {
        [Effect::ReadScript(file)] => file.clone(),
        _ => panic!("{line}: nothing is read"),
    };
    assert_eq!(read(&mut desk, ":present my talk.cog"), "my talk.cog");
    desk.app.handle(Event::Script(Ok("echo one\necho two\n".into())));
    assert!(desk.shows(120, 40, "presenting 0/2"));
    assert_eq!(read(&mut desk, ":present demo 9"), "demo");
    desk.app.handle(Event::Script(Ok("echo one\necho two\n".into())));
    assert!(desk.shows(120, 40, "this script has 2 lines: there is no line 9"));
    assert_eq!(read(&mut desk, ":present my talk.cog 2"), "my talk.cog");
    desk.app.handle(Event::Script(Ok("echo one\necho two\n".into())));
    assert!(desk.shows(120, 40, "F5 types line 2"));
    desk.keys("<f5><f5>");
    assert_eq!(desk.app.input.text(), "echo two");
}

#[test]
fn a_line_that_waits_is_told_of_as_long_as_it_waits() {
    let mut desk = Desk::new();
    desk.app.handle(Event::Script(Ok("echo two".into())));
    let block = desk.start("kubectl:get deploy -w");
    desk.keys("<f5>");
    desk.clock.advance(crate::ui::console::toast::SHOWN * 10);
    desk.app.toasts.expire(desk.clock.now());
    assert!(desk.shows(120, 40, "the next line is typed when"));
    desk.end(block, 0);
    assert!(!desk.shows(120, 40, "the next line is typed when"));
    assert!(desk.app.script.as_ref().is_some_and(Script::is_typing));
}

#[test]
fn the_key_that_types_the_next_line_says_that_a_plan_is_answered_first() {
    let mut desk = Desk::new();
    desk.app.handle(Event::Script(Ok("echo two".into())));
    let block = desk.start("kubectl:delete x");
    desk.ask(block, Requirement::Enter);
    assert!(desk.keys("<f5>").is_empty());
    assert!(desk.shows(120, 40, "the plan is answered first: Enter confirms, Esc declines"));
}

#[test]
fn the_next_line_waits_for_what_runs() {
    let mut desk = Desk::new();
    desk.app.handle(Event::Script(Ok("echo two\necho three\n".into())));
    let block = desk.start("kubectl:get deploy -w");
    desk.keys("<f5>");
    assert!(desk.shows(
        120,
        40,
        &format!("the next line is typed when #{} has ended", 40 + block)
    ));
    assert!(desk.app.rests_for().is_none(), "nothing is typed yet");
    desk.end(block, 0);
    desk.keys("<f5>");
    assert_eq!(
        desk.app.input.text(),
        "echo two",
        "it was typed by itself; this press ended the typing"
    );
    let block = desk.start("");
    desk.keys("<f5>");
    desk.keys("mine");
    desk.end(block, 0);
    assert_eq!(
        desk.app.input.text(),
        "mine",
        "somebody types: nothing is typed into it"
    );
    assert!(desk.app.rests_for().is_none());
}

#[test]
fn headings_of_a_script_are_said_when_their_line_comes() {
    let script =
        Script::new("# about all of it\n\n# --- One\n#     and more.\nfirst\n# a remark\nsecond\n\n# --- Two\nthird");
    let headings: Vec<_> = script.headings().collect();
    assert_eq!(headings, [Some("One and more."), None, Some("Two")]);
    let mut desk = Desk::new();
    desk.app
        .handle(Event::Script(Ok("# --- A first \u{1b}[31mversion\necho 1".into())));
    assert!(!desk.shows(120, 40, "A first"));
    desk.keys("<f5>");
    assert!(desk.shows(120, 40, "A first"));
}

#[test]
fn while_a_script_is_presented_rollout_and_traffic_stand_large_over_the_chat() {
    let mut desk = Desk::new();
    let before = desk.app.arrangement.clone();
    desk.app.handle(Event::Script(Ok("echo one".into())));
    let rows = desk.screen(120, 40);
    let screen = rows.join("\n");
    let place = |text: &str| rows.iter().position(|row| row.contains(text)).unwrap();
    assert!(
        rows[place("rollout 3")].contains("traffic 3"),
        "beside each other: {screen}"
    );
    assert!(!screen.contains("deployments 3"), "{screen}");
    let first = place("inspector");
    assert!(
        rows[first + 2].contains("web; rm -rf"),
        "a blank row between two: {screen}"
    );
    assert!(place(" 1 chat ") > first + 4, "{screen}");
    assert_eq!(desk.app.arrangement, before);
    desk.keys(":present off<enter>");
    assert!(desk.shows(120, 40, "deployments 3"), "as before");
}
