//! Approvals: who has the keys, and what answers them.

use super::*;

#[test]
fn an_approval_has_the_keys_and_its_answer_goes_out() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete deploy inspector");
    desk.ask(block, Requirement::Name("inspector".into()));
    let screen = desk.screen(120, 40).join("\n");
    assert!(
        screen.contains("? needs approval") && screen.contains("approve 1 change, class destroy"),
        "{screen}"
    );
    assert!(screen.contains("- replicas: 3") && screen.contains("cannot be undone"));
    assert!(desk.keys("inspect<enter>").is_empty());
    assert!(desk.shows(120, 40, "that is not inspector"));
    let effects = desk.keys("or<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Answer(7, Decision::Approved(_))]));
    assert!(desk.app.input.is_empty(), "nothing leaked into the input");
}

#[test]
fn an_approval_is_declined_by_esc_ctrl_c_and_never_by_what_is_typed_already() {
    for key in ["<esc>", "<ctrl-c>"] {
        let mut desk = Desk::new();
        let block = desk.start("kubectl:delete x");
        desk.ask(block, Requirement::Enter);
        assert!(matches!(
            desk.keys(key).as_slice(),
            [Effect::Answer(7, Decision::Declined(_))]
        ));
    }
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.keys("echo hel");
    desk.ask(block, Requirement::Enter);
    let effects = desk.keys("lo<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "echo hello"));
    desk.app.handle(Event::Paste("inspector".into()));
    assert!(desk.app.input.is_empty(), "an approval is not pasted");
    desk.clock.advance(Duration::from_secs(1));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::Answer(..)]));
}

#[test]
fn a_question_nobody_waits_for_goes_away() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.ask(block, Requirement::Enter);
    desk.app.handle(Event::Withdrawn(7));
    assert!(desk.app.approval().is_none());
    desk.ask(block, Requirement::Enter);
    let effects = desk.end(block, 130);
    assert!(desk.app.approval().is_none());
    // Whoever waits all the same is told.
    assert!(matches!(effects.as_slice(), [Effect::Answer(7, Decision::Declined(_))]));
}

#[test]
fn enter_meant_for_a_filter_a_menu_or_a_list_never_approves() {
    for open in ["<alt-2>/insp", "<alt-2>m", ":<down>", "<ctrl-r>"] {
        let mut desk = Desk::new();
        let block = desk.start("kubectl:delete x");
        desk.keys(open);
        desk.ask(block, Requirement::Enter);
        desk.clock.advance(Duration::from_secs(1));
        let effects = desk.keys("<enter>");
        assert!(
            !effects.iter().any(|effect| matches!(effect, Effect::Answer(..))),
            "{open}"
        );
    }
}

#[test]
fn what_follows_a_declined_plan_is_cancelled_before_it_is_killed() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x ; kubectl:wait y");
    desk.ask(block, Requirement::Enter);
    assert!(matches!(
        desk.keys("<esc>").as_slice(),
        [Effect::Answer(7, Decision::Declined(_))]
    ));
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Cancel(id)] if *id == block));
}

#[test]
fn a_plan_that_is_longer_than_its_box_is_read_to_its_end_before_it_is_approved() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.ask(block, Requirement::Enter);
    let whole = desk.screen(120, 40).join("\n");
    assert!(
        whole.contains("- replicas: 3") && whole.contains("cannot be undone"),
        "{whole}"
    );
    // The box has room for some of its lines only.
    let few = (40, 11);
    let first = desk.screen(few.0, few.1).join("\n");
    assert!(first.contains(" more lines: PgDn"), "{first}");
    assert!(!first.contains("cannot be undone"), "{first}");
    desk.keys(&"<pgdn>".repeat(9));
    let last = desk.screen(few.0, few.1).join("\n");
    assert!(
        last.contains("cannot be undone") && !last.contains("more lines"),
        "{last}"
    );
    assert!(last.contains(" lines above: PgUp"), "{last}");
    desk.keys("<pgup>");
    desk.keys(&"<pgup>".repeat(9));
    assert_eq!(
        desk.screen(few.0, few.1).join("\n"),
        first,
        "no press beyond an end is counted"
    );
    desk.clock.advance(Duration::from_secs(1));
    assert!(
        matches!(desk.keys("<enter>").as_slice(), [Effect::Answer(..)]),
        "turning answers nothing"
    );
}

/// Whoever looks at a panel while a plan waits answers nothing by what he presses there.
#[test]
fn panes_and_help_are_looked_at_while_a_plan_waits_and_no_key_there_answers_it() {
    for requirement in [Requirement::Enter, Requirement::Name("inspector".into())] {
        let mut desk = Desk::new();
        let block = desk.start("kubectl:delete deploy inspector");
        desk.ask(block, requirement.clone());
        desk.clock.advance(Duration::from_secs(1));
        desk.keys("<alt-2>");
        assert_eq!(desk.app.focus, Focus::Pane(1));
        assert!(!desk.shows(120, 40, "approve 1 change"), "the panel is in sight");
        assert!(desk.shows(120, 40, "a plan waits: keys go to deployments: i types here"));
        let effects = desk.keys("<down><up><enter> ");
        let answers = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Answer(..)));
        assert!(!answers(&effects), "Enter is the panel's");
        // Back in the input line the plan has the keys; an Enter that comes at once was meant for the panel.
        assert!(!answers(&desk.keys("i<enter>")));
        assert!(desk.shows(120, 40, "approve 1 change"));
        desk.clock.advance(Duration::from_secs(1));
        if requirement != Requirement::Enter {
            desk.keys("inspector");
        }
        assert!(answers(&desk.keys("<enter>")));
    }
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete deploy inspector");
    desk.ask(block, Requirement::Enter);
    desk.clock.advance(Duration::from_secs(1));
    desk.keys("?");
    assert!(desk.shows(120, 40, "any other key closes"));
    assert!(
        desk.keys("<enter><enter>").is_empty(),
        "the first closes the help, the second comes at once"
    );
    desk.clock.advance(Duration::from_secs(1));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::Answer(..)]));
}
