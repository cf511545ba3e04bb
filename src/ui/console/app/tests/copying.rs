//! Copying: one cell of a panel's row or of a block, a panel's table as text and as JSON; by the operator's key only.

use super::*;
use crate::render::Header;
use crate::verb::View;

fn copied(effects: &[Effect]) -> &str {
    match effects {
        [Effect::Copy(text)] => text,
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
    let json: Value = serde_json::from_str(copied(&desk.keys("J"))).unwrap();
    assert_eq!(json, json!([{"name": "inspector", "ready": "1/1"}]));
    assert!(desk.shows(120, 40, "1 rows copied as JSON"));
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
fn the_actions_menu_offers_the_copies_too() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>m");
    assert!(desk.shows(120, 40, "copy the panel's table"));
    assert!(copied(&desk.keys("T")).starts_with("NAME"));
}
