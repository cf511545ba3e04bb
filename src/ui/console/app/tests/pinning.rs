//! Pinned pipelines: a panel more, its place, its number, remembered, taken away.

use super::*;
use crate::ui::console::pin::Pinned;
use crate::verb::operator::Pin;

fn pin(line: &str) -> Pin {
    Pin {
        line: line.into(),
        every: Duration::from_secs(5),
    }
}

fn remembered(effects: &[Effect]) -> Arrangement {
    let text = effects.iter().find_map(|effect| match effect {
        Effect::Remember(text) => Some(text.as_str()),
        _ => None,
    });
    Arrangement::parse(text.expect("it is remembered")).unwrap()
}

#[test]
fn a_pinned_pipeline_is_a_panel_more_and_is_remembered() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    let (name, effects) = desk.app.pin(&pin("kubectl:get deploy"));
    assert_eq!(name.unwrap(), "pin1");
    let kept = remembered(&effects);
    assert_eq!(
        kept.pins,
        [Pinned {
            id: "pin1".into(),
            line: "kubectl:get deploy".into(),
            every: 5_000
        }]
    );
    assert!(desk.shows(120, 40, "pin1 3"), "{:#?}", desk.screen(120, 40));
    // The same again is refused and says where it is; another one has a name of its own.
    let again = desk.app.pin(&pin("kubectl:get deploy")).0.unwrap_err();
    assert_eq!((again.code, again.severity.exit_code()), ("E-PIN-007", 2));
    assert!(again.message.contains("pin1"), "{again}");
    assert_eq!(desk.app.pin(&pin("kubectl:get svc")).0.unwrap(), "pin2");
    let mut later = Desk::arranged(&["deployments", "dns"], kept);
    assert!(later.shows(120, 40, "pin1 3"), "in the next session too");
}

#[test]
fn unpinning_gives_panes_their_numbers_back_and_the_name_away() {
    let mut desk = Desk::new();
    desk.app.pin(&pin("a")).0.unwrap();
    desk.app.pin(&pin("b")).0.unwrap();
    desk.keys("<alt-7>");
    assert_eq!(desk.app.focus, Focus::Pane(6), "the panel of a");
    let effects = desk.keys("i:unpin pin1<enter>");
    assert_eq!(remembered(&effects).pins.len(), 1);
    assert_eq!(desk.app.panels.len(), 6);
    assert!(!desk.shows(120, 40, "pin1 3"));
    desk.keys(":unpin pin1<enter>");
    assert!(desk.shows(120, 40, "pin1 is no pinned pipeline; pinned: pin2"));
    assert_eq!(desk.app.pin(&pin("c")).0.unwrap(), "pin1", "the first free name");
    for number in 3..=9 {
        desk.app.pin(&pin(&format!("p{number}"))).0.unwrap();
    }
    let full = desk.app.pin(&pin("one more")).0.unwrap_err();
    assert!(full.message.contains("9 pipelines"), "{full}");
}

#[test]
fn the_focus_stays_on_its_panel_while_others_come_and_go() {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "dns"]);
    desk.app.pin(&pin("a")).0.unwrap();
    desk.app.pin(&pin("b")).0.unwrap();
    desk.keys("<alt-5>");
    let id = |desk: &Desk| match desk.app.focus {
        Focus::Pane(pane) => desk.app.panels[pane - 1].id().to_owned(),
        Focus::Input => "input".to_owned(),
    };
    assert_eq!(id(&desk), "pin2");
    desk.app.unpin("pin1");
    assert_eq!(id(&desk), "pin2");
    desk.app.unpin("pin2");
    assert_eq!(id(&desk), "input");
    desk.keys(":layout reset<enter>");
    desk.app.pin(&pin("a")).0.unwrap();
    let kept = remembered(&desk.keys(":layout reset<enter>"));
    assert_eq!(kept.pins.len(), 1, "a reset is about columns and heights");
}
