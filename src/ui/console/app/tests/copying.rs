//! Copying: one cell of a panel's row or of a block, a panel's table as text and as JSON; by the operator's key only.

use super::*;
use crate::render::Header;
use crate::verb::View;

fn copied(effects: &[Effect]) -> &str {
    match effects {
        [Effect::Copy(text, _)] => text,
        _ => panic!("nothing is copied"),
    }
}

#[test]
fn a_cell_of_a_row_is_chosen_by_its_column() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>j");
    assert!(desk.keys("C").is_empty(), "it asks first");
    assert!(desk.shows(80, 24, "copy a cell"));
    assert!(desk.shows(80, 24, "READY  1/1"), "{:#?}", desk.screen(80, 24));
    assert_eq!(copied(&desk.keys("j<enter>")), "1/1");
    desk.keys("C");
    assert_eq!(copied(&desk.keys("<enter>")), "web; rm -rf", "of the selected row");
    desk.keys("C");
    assert!(desk.keys("<esc>").is_empty() && !desk.shows(80, 24, "copy a cell"));
    assert_eq!(
        desk.app.focus,
        Focus::Pane(2 - 1),
        "Esc closes the choice, not the pane"
    );
}

#[test]
fn a_panels_table_is_copied_as_text_or_json() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>/inspector<enter>");
    assert_eq!(
        copied(&desk.keys("T")),
        "NAME        READY\ninspector   1/1\n",
        "what the filter shows"
    );
    let effects = desk.keys("J");
    let json: Value = serde_json::from_str(copied(&effects)).unwrap();
    assert_eq!(json, json!([{"name": "inspector", "ready": "1/1"}]));
    assert!(matches!(effects.as_slice(), [Effect::Copy(_, told)] if told == "1 rows copied as JSON"));
    assert!(
        !desk.shows(120, 40, "copied as JSON"),
        "told once it is done, by whoever does it"
    );
}

#[test]
fn of_a_block_the_row_is_chosen_first_then_the_cell() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get deploy");
    let head = Header::new(["NAME", "IP"]);
    for (name, ip) in [("api", "100.96.0.4"), ("web\u{1b}[2J", "100.96.0.5")] {
        let view = Some(View::row(&head, vec![name.into(), ip.into()]));
        let item = Item {
            record: json!({}),
            view,
        };
        desk.app.handle(Event::Block(block, Box::new(BlockEvent::Item(item))));
    }
    desk.end(block, 0);
    desk.keys("<alt-1>C");
    assert!(desk.shows(80, 24, "of which row?"));
    assert!(desk.keys("<up><enter>").is_empty());
    assert!(desk.shows(80, 24, "NAME  api"), "{:#?}", desk.screen(80, 24));
    assert_eq!(copied(&desk.keys("<down><enter>")), "100.96.0.4");
    desk.keys("C<down><enter>");
    assert_eq!(copied(&desk.keys("<enter>")), "web␛[2J", "made safe");
    let empty = desk.start("kubectl:get svc");
    desk.end(empty, 0);
    desk.keys("<alt-1>G");
    assert!(desk.keys("C").is_empty() && desk.shows(120, 40, "there is no cell to copy here"));
}

#[test]
fn that_only_the_newest_rows_of_a_block_are_offered_is_said() {
    for (count, told) in [(500, None), (501, Some("of which row? the newest 500 of 501"))] {
        let mut desk = Desk::new();
        let block = desk.start("kubectl:get po");
        for n in 0..count {
            desk.item(block, json!({"line": format!("row {n}"), "source": "x"}));
        }
        desk.end(block, 0);
        desk.keys("<alt-1>C");
        assert!(
            desk.shows(80, 24, told.unwrap_or("of which row? ")),
            "{:#?}",
            desk.screen(80, 24)
        );
        assert_eq!(desk.shows(80, 24, "the newest"), told.is_some());
        let newest = format!("row {}", count - 1);
        assert_eq!(copied(&desk.keys("<enter>")), newest);
    }
}

#[test]
fn the_actions_menu_offers_the_copies_too() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>m");
    assert!(desk.shows(120, 40, "copy the panel's table"));
    assert!(copied(&desk.keys("T")).starts_with("NAME"));
}

#[test]
fn a_click_or_a_paste_closes_the_choice_and_touches_nothing_beneath() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut desk = Desk::new();
    let screen = desk.screen(120, 40);
    let row = screen.iter().position(|row| row.contains("web; rm -rf")).unwrap();
    let column = screen[row].split("web; rm").next().unwrap().chars().count();
    for button in [MouseButton::Left, MouseButton::Right] {
        desk.keys("<alt-2>gC");
        assert!(desk.shows(120, 40, "copy a cell"));
        for kind in [
            MouseEventKind::ScrollDown,
            MouseEventKind::Down(button),
            MouseEventKind::Up(button),
        ] {
            let event = MouseEvent {
                kind,
                column: u16::try_from(column).unwrap(),
                row: u16::try_from(row).unwrap(),
                modifiers: KeyModifiers::NONE,
            };
            assert!(desk.app.handle(Event::Mouse(event)).is_empty());
        }
        assert!(!desk.shows(120, 40, "copy a cell") && !desk.shows(120, 40, "actions: Enter"));
        desk.keys("C");
        assert_eq!(
            copied(&desk.keys("<enter>")),
            "inspector",
            "the row beneath was not selected"
        );
    }
    desk.keys("C");
    desk.app.handle(Event::Paste("echo pasted".into()));
    assert!(!desk.shows(120, 40, "copy a cell"), "what was pasted is to be seen");
    assert_eq!(
        (desk.app.focus, desk.app.input.text()),
        (Focus::Input, "echo pasted".to_owned())
    );
}

#[test]
fn menus_move_by_pages_and_to_their_ends() {
    let mut desk = Desk::new();
    let block = desk.start("echo one");
    desk.end(block, 0);
    desk.keys("<alt-1>m");
    let chosen = |desk: &mut Desk| -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
        draw(&mut desk.app, buffer.area, &mut buffer);
        let reversed = |x: u16, y: u16| buffer[(x, y)].modifier.contains(ratatui::style::Modifier::REVERSED);
        let row = (0..40).find(|y| (50..70).all(|x| reversed(x, *y)));
        row.map(|y| rows(&buffer)[usize::from(y)].clone()).unwrap_or_default()
    };
    let first = chosen(&mut desk);
    desk.keys("<ctrl-d>");
    let page = chosen(&mut desk);
    desk.keys("G");
    let last = chosen(&mut desk);
    assert!(
        first != page && page != last && last.contains("stop"),
        "{first} {page} {last}"
    );
    desk.keys("g");
    assert_eq!(chosen(&mut desk), first);
}
