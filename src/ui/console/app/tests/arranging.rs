//! The arrangement: by keys, by dragging, by name; and what is remembered of it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::ui::console::arrangement::Column;

fn mouse(desk: &mut Desk, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    desk.app.handle(Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

/// What is to be remembered.
fn remembered(effects: &[Effect]) -> Arrangement {
    match effects {
        [Effect::Remember(text)] => Arrangement::parse(text).unwrap(),
        _ => panic!("nothing is to be remembered"),
    }
}

fn ids(desk: &Desk) -> Vec<String> {
    desk.app.panels.iter().map(|panel| panel.id().to_owned()).collect()
}

/// Column and row at which a text stands.
fn place(desk: &mut Desk, text: &str) -> (u16, u16) {
    let screen = desk.screen(120, 40);
    let found = screen.iter().zip(0..).find_map(|(row, y)| {
        let before = row.split_once(text)?.0;
        Some((u16::try_from(before.chars().count()).unwrap(), y))
    });
    found.unwrap_or_else(|| panic!("{text}: {screen:#?}"))
}

#[test]
fn columns_and_panes_give_way_to_keys_and_are_remembered() {
    let mut desk = Desk::new();
    let (x, _) = place(&mut desk, "2 deployments");
    desk.keys("<alt-2>");
    let effects = desk.keys(">");
    let kept = remembered(&effects);
    let (wider, _) = place(&mut desk, "2 deployments");
    assert!(wider < x, "a panel takes from the chat: {wider} {x}");
    assert_eq!(kept.chat, 51);
    desk.keys("<alt-1>>>");
    assert!(place(&mut desk, "2 deployments").0 > x);
    let (_, y) = place(&mut desk, "3 rollout");
    let rows = remembered(&desk.keys("<alt-2>+")).rows;
    assert_eq!(place(&mut desk, "3 rollout").1, y + 2);
    assert_eq!(rows.len(), 5, "the others keep the heights they have: {rows:?}");
    // A later session begins as this one ended.
    let mut later = Desk::arranged(
        &["deployments", "rollout", "traffic", "dns", "ec2"],
        desk.app.arrangement.clone(),
    );
    assert_eq!(place(&mut later, "3 rollout"), place(&mut desk, "3 rollout"));
}

#[test]
fn boundaries_are_dragged_and_stop_where_a_pane_would_vanish() {
    let mut desk = Desk::new();
    let (x, y) = place(&mut desk, "3 rollout");
    let (edge, button) = (x - 3, MouseButton::Left);
    mouse(&mut desk, MouseEventKind::Down(button), edge, 10);
    mouse(&mut desk, MouseEventKind::Drag(button), edge - 20, 10);
    let kept = remembered(&mouse(&mut desk, MouseEventKind::Up(button), edge - 20, 10));
    assert!(kept.chat < 45, "{kept:?}");
    let now = place(&mut desk, "3 rollout").0;
    assert!(
        (x - 20..=x - 18).contains(&now),
        "the edge is under the pointer, to a percent: {x} {now}"
    );
    mouse(&mut desk, MouseEventKind::Down(button), x, y);
    mouse(&mut desk, MouseEventKind::Drag(button), x, 39);
    mouse(&mut desk, MouseEventKind::Up(button), x, 39);
    let screen = desk.screen(120, 40).join("\n");
    assert!(screen.contains("3 rollout") && screen.contains("4 traffic"), "{screen}");
    // A drag that began elsewhere moves nothing.
    let before = desk.app.arrangement.clone();
    mouse(&mut desk, MouseEventKind::Down(button), 3, 10);
    mouse(&mut desk, MouseEventKind::Drag(button), 60, 10);
    assert!(mouse(&mut desk, MouseEventKind::Up(button), 60, 10).is_empty());
    assert_eq!(desk.app.arrangement, before);
}

#[test]
fn panels_are_hidden_shown_and_ordered_and_reset() {
    let mut desk = Desk::new();
    let kept = remembered(&desk.keys(":hide dns<enter>"));
    assert!(!desk.shows(120, 40, "5 dns") && !kept.shows("dns", true));
    desk.keys("<alt-4><tab>");
    assert_eq!(desk.app.focus, Focus::Pane(5), "Tab passes by what is hidden");
    desk.keys(":dns<enter>");
    assert!(
        desk.shows(120, 40, "5 dns"),
        "by its name it is there while it is chosen"
    );
    let kept = remembered(&desk.keys("{"));
    assert_eq!(kept.place("dns"), Some(3 - 1));
    assert!(desk.shows(120, 40, "4 dns"));
    let mut later = Desk::arranged(&["deployments", "rollout", "traffic", "dns", "ec2", "new"], kept);
    desk.keys("<esc>");
    assert!(later.shows(120, 60, "5 traffic") && later.shows(120, 60, "7 new"));
    remembered(&desk.keys(":show dns<enter>"));
    assert!(desk.shows(120, 40, "4 dns"));
    remembered(&desk.keys(":layout reset<enter>"));
    assert_eq!(desk.app.arrangement, Arrangement::default());
    assert_eq!(ids(&desk), ids(&Desk::new()), "the order they came in");
    assert!(desk.keys(":hide balloons<enter>").is_empty());
    assert!(desk.shows(120, 40, "no panel balloons"));
}

#[test]
fn a_pane_goes_past_those_that_cannot_be_seen() {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "rollout", "dns", "nodes"]);
    desk.keys(":hide rollout<enter><alt-2>");
    remembered(&desk.keys("}"));
    assert_eq!(ids(&desk), ["rollout", "dns", "deployments", "nodes"]);
    assert!(desk.keys("}").is_empty(), "it is the last that is seen");
    remembered(&desk.keys("{"));
    assert_eq!(ids(&desk), ["rollout", "deployments", "dns", "nodes"]);
}

#[test]
fn a_click_on_a_boundary_that_moves_nothing_is_not_remembered() {
    let mut desk = Desk::new();
    let (x, y) = place(&mut desk, "3 rollout");
    let button = MouseButton::Left;
    mouse(&mut desk, MouseEventKind::Down(button), x, y);
    assert!(mouse(&mut desk, MouseEventKind::Up(button), x, y).is_empty());
    mouse(&mut desk, MouseEventKind::Down(button), x, y);
    mouse(&mut desk, MouseEventKind::Drag(button), x + 1, y);
    assert!(mouse(&mut desk, MouseEventKind::Up(button), x + 1, y).is_empty());
}

#[test]
fn a_pane_grown_in_one_of_two_columns_stays_in_it_and_so_do_the_others() {
    let mut desk = Desk::with(
        Context::empty("sandbox"),
        &["deployments", "rollout", "traffic", "dns", "ec2", "pods"],
    );
    desk.screen(200, 60);
    let columns = |desk: &Desk| -> Vec<u16> { desk.app.places.panes.iter().map(|(_, area, _)| area.x).collect() };
    let before = columns(&desk);
    remembered(&desk.keys("<alt-2>+"));
    desk.screen(200, 60);
    assert_eq!(columns(&desk), before);
}

#[test]
fn every_size_from_the_smallest_to_the_largest_holds_every_arrangement() {
    for percent in [20, 80] {
        let mut arrangement = Arrangement::default();
        for column in [Column::Chat, Column::ChatOfThree, Column::Middle] {
            arrangement.set_percent(column, percent);
        }
        arrangement.rows.insert("rollout".into(), 1_000);
        let mut desk = Desk::arranged(&["deployments", "rollout", "traffic", "dns", "ec2"], arrangement);
        for (width, height) in [(40, 12), (80, 24), (100, 20), (120, 40), (160, 50), (300, 80)] {
            let screen = desk.screen(width, height);
            assert!(screen[0].starts_with(" sandbox"), "{width}x{height}");
            assert!(screen.iter().any(|row| row.contains("1 chat")), "{width}x{height}");
        }
    }
}
