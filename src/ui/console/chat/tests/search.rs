//! Searching the blocks.

use ratatui::style::Modifier;

use super::*;

/// The text that has this modifier.
fn with(buffer: &Buffer, modifier: Modifier) -> String {
    let cells = buffer.content().iter().filter(|cell| cell.modifier.contains(modifier));
    cells.map(|cell| cell.symbol()).collect()
}

#[test]
fn a_search_goes_up_opens_what_is_folded_shows_the_place_and_ends() {
    let mut chat = Chat::default();
    run(&mut chat, "many", 214);
    run(&mut chat, "other", 3);
    run(&mut chat, "last", 3);
    draw(&mut chat, 60, 10);
    let theme = Theme::plain();
    chat.find("LINE 10", &look(&theme));
    assert_eq!(chat.title().as_str(), "/LINE 10 not found", "capitals count when typed");
    chat.find("line 100 of", &look(&theme));
    assert_eq!(chat.title().as_str(), "/line 100 of in 1 block");
    let screen = draw(&mut chat, 60, 10);
    assert!(screen.iter().any(|row| row.contains("line 100 of many")), "{screen:#?}");
    chat.find("line 1 of", &look(&theme));
    assert_eq!(chat.selected().unwrap().line, "last");
    chat.find_next(true, &look(&theme));
    assert_eq!(chat.selected().unwrap().line, "other");
    chat.find_next(true, &look(&theme));
    chat.find_next(true, &look(&theme));
    assert_eq!(chat.selected().unwrap().line, "last", "around the end");
    chat.find_next(false, &look(&theme));
    assert_eq!(chat.selected().unwrap().line, "many");
    let area = Rect::new(0, 0, 60, 10);
    let mut buffer = Buffer::empty(area);
    chat.draw(area, &mut buffer, &look(&theme));
    assert!(with(&buffer, Modifier::UNDERLINED).starts_with("line 1 of"));
    chat.find("line", &look(&theme));
    chat.find_next(true, &look(&theme));
    buffer.reset();
    chat.draw(area, &mut buffer, &look(&theme));
    assert!(with(&buffer, Modifier::UNDERLINED).matches("line").count() > 1);
    let at = with(&buffer, Modifier::REVERSED);
    assert_eq!(at.matches("line").count(), 1, "the one that the search is at: {at}");
    chat.find("", &look(&theme));
    assert!(!chat.is_searching());
}

#[test]
fn a_search_opens_only_the_block_it_shows_and_leaves_all_as_it_was() {
    let mut chat = Chat::default();
    let ids: Vec<u64> = (0..3).map(|n| run(&mut chat, &format!("echo {n}"), 40)).collect();
    run(&mut chat, "echo last", 1);
    draw(&mut chat, 60, 10);
    let theme = Theme::plain();
    let open = |chat: &Chat| -> Vec<u64> {
        let open = chat.blocks().filter(|block| block.fold == Fold::Open);
        open.map(|block| block.id).collect()
    };
    for typed in ["l", "li", "line 20"] {
        chat.find(typed, &look(&theme));
    }
    assert_eq!(open(&chat), [ids[2]], "the newest that has it");
    chat.find_next(true, &look(&theme));
    assert_eq!(open(&chat), [ids[1]], "the one before was folded again");
    chat.toggle(60);
    chat.toggle(60);
    chat.find("", &look(&theme));
    assert_eq!(open(&chat), [ids[1]], "what the operator opened stays open");
    chat.find("line 20", &look(&theme));
    chat.find("", &look(&theme));
    assert_eq!(open(&chat), [ids[1]]);
}

#[test]
fn a_longer_search_finds_what_came_after_the_shorter_one() {
    let mut chat = Chat::default();
    let id = run(&mut chat, "echo one", 2);
    let theme = Theme::plain();
    chat.find("wan", &look(&theme));
    assert_eq!(chat.title().as_str(), "/wan not found");
    chat.change(id, |block| block.push(&item("a word that is wanted")));
    chat.find("want", &look(&theme));
    assert_eq!(chat.title().as_str(), "/want in 1 block");
    chat.find("w", &look(&theme));
    assert_eq!(chat.title().as_str(), "/w in 1 block");
}
#[test]
fn a_search_finds_how_blocks_ended() {
    let (mut chat, theme) = (Chat::default(), Theme::plain());
    for (line, code) in [("echo a", 0), ("nope", 2), ("echo b", 0)] {
        let id = chat.open(line.into(), Arc::new(Context::empty("sandbox")), NOW);
        chat.change(id, |block| block.end(&ended(code)));
    }
    draw(&mut chat, 60, 8);
    chat.find("refused", &look(&theme));
    assert!(
        chat.title().as_str().contains("/refused in 1 block"),
        "{}",
        chat.title()
    );
    assert_eq!(chat.selected().map(|block| block.line.as_str()), Some("nope"));
}
