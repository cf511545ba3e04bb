//! Pinned pipelines: a panel more, its place, its number, remembered, taken away.

use super::*;
use crate::ui::console::pin::kept::Change;
use crate::verb::operator::Pin;

fn pin(line: &str) -> Pin {
    Pin {
        line: line.into(),
        every: Duration::from_secs(5),
    }
}

/// What becomes of the file of pinned pipelines.
fn changes(effects: &[Effect]) -> Vec<Change> {
    let change = |effect: &Effect| match effect {
        Effect::KeepPin(change) => Some(change.clone()),
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

fn is_open(desk: &Desk, id: &str) -> bool {
    let panel = desk.app.panels.iter().find(|panel| panel.id() == id);
    !panel.unwrap().health().is_empty()
}

#[test]
fn a_pinned_pipeline_is_a_panel_more_and_is_kept() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    let (name, effects) = desk.app.pin(&pin("kubectl:get deploy"));
    assert_eq!(name.unwrap(), "pin1");
    let kept = Pinned {
        id: "pin1".into(),
        line: "kubectl:get deploy".into(),
        every: 5_000,
    };
    assert_eq!(changes(&effects), [Change::Add(kept.clone())]);
    assert!(desk.shows(120, 40, "pin1 3"), "{:#?}", desk.screen(120, 40));
    // The same again is refused and says where it is; another one has a name of its own.
    let again = desk.app.pin(&pin("kubectl:get deploy")).0.unwrap_err();
    assert_eq!((again.code, again.severity.exit_code()), ("E-PIN-007", 2));
    assert!(again.message.contains("pin1"), "{again}");
    assert_eq!(desk.app.pin(&pin("kubectl:get svc")).0.unwrap(), "pin2");
    let mut later = Desk::made(
        Context::empty("sandbox"),
        &["deployments", "dns"],
        Arrangement::default(),
        vec![kept],
    );
    assert!(later.shows(120, 40, "pin1 3"), "in the next session too");
}

#[test]
fn what_is_hidden_or_left_is_not_subscribed_and_nothing_is_when_nobody_looks() {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "dns", "nodes"]);
    desk.app.pin(&pin("a")).0.unwrap();
    assert!(is_open(&desk, "deployments") && is_open(&desk, "pin1") && !is_open(&desk, "nodes"));
    desk.keys(":hide pin1<enter>");
    assert!(!is_open(&desk, "pin1"), "a hidden pin runs no more");
    desk.keys(":nodes<enter>");
    assert!(is_open(&desk, "nodes"));
    desk.keys("i");
    assert!(!is_open(&desk, "nodes"), "looked at once");
    desk.keys(":show pin1<enter>i:hide dns<enter>");
    assert!(is_open(&desk, "pin1") && !is_open(&desk, "dns"));
    desk.keys(":layout reset<enter>");
    assert!(is_open(&desk, "dns"));
    // Another context is subscribed like the first, unless the console was left.
    let other = || Arc::new(Context::empty("staging"));
    desk.app.handle(Event::Session(other(), Arc::default()));
    assert!(is_open(&desk, "deployments") && is_open(&desk, "pin1") && !is_open(&desk, "nodes"));
    desk.app.close_panels();
    let here = Arc::new(Context::empty("sandbox"));
    desk.app.handle(Event::Session(here, Arc::default()));
    desk.keys("<tab>");
    assert!(
        ["deployments", "dns", "nodes", "pin1"]
            .iter()
            .all(|id| !is_open(&desk, id))
    );
}

#[test]
fn a_filter_that_is_typed_stays_with_its_panel_while_others_come_and_go() {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "dns", "nodes"]);
    desk.keys(":nodes<enter>/w");
    desk.screen(200, 60);
    let numbers = |desk: &Desk| desk.app.places.panes.iter().map(|(pane, ..)| *pane).collect::<Vec<_>>();
    assert!(numbers(&desk).contains(&3), "{:?}", numbers(&desk));
    let filters = |desk: &Desk| {
        let panels = desk.app.panels.iter();
        panels
            .filter(|panel| !panel.filter_text().is_empty())
            .map(|panel| format!("{} {}", panel.id(), panel.filter_text()))
            .collect::<Vec<_>>()
    };
    desk.app.pin(&pin("a")).0.unwrap();
    assert!(numbers(&desk).contains(&3), "{:?}", numbers(&desk));
    desk.keys("e");
    assert_eq!(filters(&desk), ["nodes we"]);
    desk.app.unpin("pin1");
    desk.keys("b");
    assert_eq!(filters(&desk), ["nodes web"]);
    desk.keys("<esc>");
    assert!(filters(&desk).is_empty());
    // A pin before it goes: what was drawn last has the new numbers.
    desk.app.pin(&pin("a")).0.unwrap();
    desk.app.pin(&pin("b")).0.unwrap();
    desk.screen(200, 60);
    desk.keys("<alt-6>/y");
    assert_eq!(filters(&desk), ["pin2 y"]);
    desk.app.unpin("pin1");
    let moved = numbers(&desk);
    assert!(moved.contains(&4) && !moved.contains(&5), "{moved:?}");
    desk.keys("z");
    assert_eq!(filters(&desk), ["pin2 yz"]);
    desk.keys("<esc>");
    desk.app.unpin("pin2");
    // The panel whose filter is typed goes: the line goes with it.
    desk.app.pin(&pin("a")).0.unwrap();
    desk.keys("<alt-5>/x");
    assert_eq!(filters(&desk), ["pin1 x"]);
    desk.app.unpin("pin1");
    assert!(desk.app.finder.is_none());
    assert_eq!(desk.app.focus, Focus::Input);
}

#[test]
fn a_pin_never_changes_the_number_of_another_panel() {
    let names = ["deployments", "dns", "nodes"];
    let ids = |desk: &Desk| {
        desk.app
            .panels
            .iter()
            .map(|panel| panel.id().to_owned())
            .collect::<Vec<_>>()
    };
    let mut desk = Desk::with(Context::empty("sandbox"), &names);
    let before = ids(&desk);
    let mut kept = Vec::new();
    for line in ["a", "b"] {
        kept.extend(changes(&desk.app.pin(&pin(line)).1));
        assert_eq!(ids(&desk)[..3], before, "as long as the session lasts");
    }
    desk.keys(":layout reset<enter>");
    assert_eq!(ids(&desk), ["deployments", "dns", "nodes", "pin1", "pin2"]);
    let pinned: Vec<Pinned> = kept
        .into_iter()
        .filter_map(|change| match change {
            Change::Add(pinned) => Some(pinned),
            Change::Remove(_) => None,
        })
        .collect();
    let later = Desk::made(Context::empty("sandbox"), &names, Arrangement::default(), pinned);
    assert_eq!(ids(&later)[..3], before, "and in the next one");
}

#[test]
fn a_pane_that_no_key_goes_to_is_called_by_its_name_in_the_tabs() {
    let names = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    let mut desk = Desk::with(Context::empty("sandbox"), &names);
    desk.app.pin(&pin("a")).0.unwrap();
    for width in [40, 60, 80, 99] {
        let tabs = desk.screen(width, 24).swap_remove(1);
        assert!(tabs.contains(" 9 ") || tabs.contains(" 9 eig"), "{tabs}");
        assert!(tabs.contains(" pin1") && !tabs.contains("10"), "{tabs}");
    }
}

#[test]
fn unpinning_gives_panes_their_numbers_back_and_the_name_away() {
    let mut desk = Desk::new();
    desk.app.pin(&pin("a")).0.unwrap();
    desk.app.pin(&pin("b")).0.unwrap();
    desk.keys("<alt-7>");
    assert_eq!(desk.app.focus, Focus::Pane(6), "the panel of a");
    let effects = desk.keys("i:unpin pin1<enter>");
    assert_eq!(changes(&effects), [Change::Remove("a".into())]);
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
    assert!(changes(&desk.keys(":layout reset<enter>")).is_empty());
    assert!(is_open(&desk, "pin1"), "a reset is about columns and heights");
}
