//! `rw 10m` on the input line.

use super::*;

fn marked() -> Desk {
    let mut context = Context::empty("live");
    context.read_only = true;
    Desk::with(context, &["deployments"])
}

fn opened(effects: &[Effect]) -> Option<Option<Timestamp>> {
    match effects {
        [] => None,
        [Effect::OpenUntil(until)] => Some(*until),
        _ => panic!("something else is done"),
    }
}

fn top(desk: &mut Desk) -> String {
    desk.screen(120, 40)[0].clone()
}

#[test]
fn typed_alone_it_opens_the_context_counts_down_and_closes_by_itself() {
    let mut desk = marked();
    assert!(top(&mut desk).contains("! read-only"));
    let until = START + Duration::from_secs(600);
    assert_eq!(opened(&desk.keys("rw 10m<enter>")), Some(Some(until)));
    assert!(desk.shows(120, 40, "context live takes changes until 00:10:00"));
    desk.clock.advance(Duration::from_secs(2));
    desk.app.tick();
    assert!(top(&mut desk).contains("! rw 9m58s"), "{}", top(&mut desk));
    desk.clock.advance(Duration::from_secs(598));
    desk.app.tick();
    assert!(top(&mut desk).contains("! read-only"));
    assert!(desk.shows(120, 40, "context live is read-only again"));
    // It is not among the lines that come back.
    desk.keys("<up>");
    assert!(desk.app.input.is_empty());
}

#[test]
fn off_closes_it_at_once_and_another_context_is_not_open() {
    let mut desk = marked();
    desk.keys("rw 10m<enter>");
    assert_eq!(opened(&desk.keys("rw off<enter>")), Some(None));
    assert!(top(&mut desk).contains("! read-only"));
    desk.keys("rw 10m<enter>");
    let catalogue = desk.app.catalogue.clone();
    let mut other = Context::empty("other");
    other.read_only = true;
    desk.app.handle(Event::Session(Arc::new(other), catalogue));
    assert!(top(&mut desk).contains("! read-only"));
}

#[test]
fn what_was_not_typed_by_hand_opens_nothing() {
    let refused = |desk: &mut Desk, how: &str| {
        assert_eq!(desk.app.input.text(), "rw 10m", "{how}");
        assert_eq!(opened(&desk.keys("<enter>")), None, "{how}");
        assert!(desk.shows(120, 40, "E-READONLY-006"), "{how}");
        assert!(top(desk).contains("! read-only"), "{how}");
    };
    let mut desk = marked();
    desk.app.handle(Event::Paste("rw 10m\n".into()));
    refused(&mut desk, "pasted");
    let mut desk = marked();
    desk.keys("rw ");
    desk.app.handle(Event::Paste("10m".into()));
    refused(&mut desk, "half of it pasted");
    let mut desk = marked();
    desk.app.handle(Event::Paste("rw 10m".into()));
    desk.keys("<ctrl-u><ctrl-y>");
    refused(&mut desk, "deleted and inserted again");
    let mut desk = marked();
    desk.app.handle(Event::Script(Ok("rw 10m".into())));
    desk.keys("<f5><f5>");
    refused(&mut desk, "presented");
    let mut desk = marked();
    desk.app
        .handle(Event::History(vec![crate::ui::console::input::history::Earlier {
            line: "rw 10m".into(),
            context: "live".into(),
            ok: Some(true),
        }]));
    desk.keys("<up>");
    refused(&mut desk, "recalled");
    // Once it is cleared, typing counts again.
    assert!(opened(&desk.keys("rw 10m<enter>")).is_some());
}

#[test]
fn it_takes_a_time_and_stands_alone() {
    let mut desk = marked();
    for wrong in [
        "rw",
        "rw 0s",
        "rw 9h",
        "rw soon",
        "rw -1",
        "rw 10m | head 1",
        "rw 10m; echo",
        "rw 10m &",
    ] {
        assert_eq!(opened(&desk.keys(&format!("{wrong}<enter>"))), None, "{wrong}");
        assert!(desk.shows(120, 40, "E-READONLY-005"), "{wrong}");
    }
    // Elsewhere in a line it is no word of the console: the engine knows no such command.
    assert!(matches!(
        desk.keys("echo a | rw 10m<enter>").as_slice(),
        [Effect::Start { .. }]
    ));
    let mut desk = Desk::new();
    assert_eq!(opened(&desk.keys("rw 10m<enter>")), None);
    assert!(desk.shows(120, 40, "context sandbox is not read-only"));
}

#[test]
fn a_process_that_is_read_only_stays_so() {
    let mut desk = marked();
    desk.app.read_only = true;
    assert_eq!(opened(&desk.keys("rw 10m<enter>")), None);
    assert!(desk.shows(120, 40, "this process runs with --read-only"));
    assert!(top(&mut desk).contains("! read-only"));
}
