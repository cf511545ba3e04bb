//! Pages, following, what is kept of long conversations and how it ages.

use super::*;

#[test]
fn a_page_longer_than_the_pane_is_read_from_its_beginning() {
    let mut chat = Chat::default();
    run(&mut chat, "before", 3);
    let page = run(&mut chat, "help", 40);
    chat.read_from_top(page);
    let lines = draw(&mut chat, 60, 10);
    assert!(
        lines[0].starts_with("❯ help") && lines[1].contains("line 0 of help"),
        "{lines:#?}"
    );
    let theme = Theme::plain();
    chat.scroll(Motion::Last, &look(&theme));
    assert!(draw(&mut chat, 60, 10)[8].contains("line 39"), "once: it can be left");
    let short = run(&mut chat, "short", 2);
    chat.read_from_top(short);
    draw(&mut chat, 60, 10);
    assert!(chat.follows(), "what is all in view needs no turning");
    let other = run(&mut chat, "help", 40);
    run(&mut chat, "next", 1);
    chat.read_from_top(other);
    draw(&mut chat, 60, 10);
    assert!(chat.follows(), "something came behind it");
}

#[test]
fn a_page_that_still_comes_shows_its_beginning() {
    let mut chat = Chat::default();
    run(&mut chat, "before", 3);
    let page = chat.open("help".to_owned(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(page, |block| {
        block.page = true;
        block.become_state(State::Running);
        for n in 0..40 {
            block.push(&item(&format!("line {n}")));
        }
    });
    let lines = draw(&mut chat, 60, 10);
    assert!(
        lines[0].starts_with("❯ help") && lines[1].contains("line 0"),
        "{lines:#?}"
    );
    chat.change(page, |block| block.end(&ended(0)));
    chat.read_from_top(page);
    let after = draw(&mut chat, 60, 10);
    assert_eq!(after[1..], lines[1..], "its end moves nothing");
}

#[test]
fn following_stops_on_scroll_counts_what_is_new_and_comes_back() {
    let mut chat = Chat::default();
    (0..30).for_each(|n| {
        run(&mut chat, &format!("cmd-{n}"), 2);
    });
    draw(&mut chat, 60, 10);
    let theme = Theme::plain();
    chat.scroll(Motion::PageUp, &look(&theme));
    assert!(!chat.follows());
    let before = draw(&mut chat, 60, 10);
    chat.say(NOW, [("a word".into(), Meaning::Text)]);
    assert_eq!(draw(&mut chat, 60, 10), before, "what is read does not move");
    assert_eq!(chat.title().as_str(), "1 new below");
    chat.scroll(Motion::Last, &look(&theme));
    assert!(chat.follows() && draw(&mut chat, 60, 10).iter().any(|line| line.contains("a word")));
    chat.scroll(Motion::First, &look(&theme));
    assert!(draw(&mut chat, 60, 10)[0].contains("cmd-0"));
    chat.scroll(Motion::PageDown, &look(&theme));
    assert!(!draw(&mut chat, 60, 10)[0].contains("cmd-0"));
}

#[test]
fn what_a_key_acts_on_is_in_view_after_scrolling_too() {
    let mut chat = Chat::default();
    (0..30).for_each(|n| {
        run(&mut chat, &format!("cmd-{n};"), 2);
    });
    draw(&mut chat, 60, 10);
    chat.focus(true);
    let theme = Theme::plain();
    for motion in [
        Motion::PageUp,
        Motion::PageUp,
        Motion::PageUp,
        Motion::First,
        Motion::PageDown,
        Motion::PageDown,
    ] {
        chat.scroll(motion, &look(&theme));
        let shown = draw(&mut chat, 60, 10).join("\n");
        let line = chat.selected().unwrap().line.clone();
        assert!(shown.contains(&line), "{line} after {motion:?} in\n{shown}");
    }
    assert_ne!(chat.selected().unwrap().line, "cmd-29;", "the end is far from here");
    // Without the keys nothing is selected by the wheel.
    chat.unselect();
    chat.scroll(Motion::PageUp, &look(&theme));
    assert!(chat.selected().is_none());
}

#[test]
fn ten_thousand_blocks_stay_within_bounds() {
    let mut chat = Chat::default();
    let live = chat.open("runs for ever".into(), Arc::new(Context::empty("sandbox")), NOW);
    for n in 0..10_000 {
        run(&mut chat, &format!("cmd-{n}"), 20);
    }
    assert!(chat.blocks().count() <= BLOCKS);
    assert!(chat.blocks().map(Block::len).sum::<usize>() <= LINES);
    assert!(chat.block(live).is_some(), "what runs is never dropped");
    assert_eq!(chat.dropped, 10_001 - chat.blocks().count() as u64);
}

#[test]
fn an_endless_stream_forgets_its_oldest_lines_and_says_so() {
    let mut chat = Chat::default();
    let id = chat.open("watch".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        (0..30_000).for_each(|n| block.push(&item(&format!("line {n}"))))
    });
    let block = chat.block(id).unwrap();
    assert!(block.len() <= block::BLOCK_LINES + 1);
    assert_eq!(block.dropped() + block.len() as u64, 30_000);
    assert!(draw(&mut chat, 60, 5)[3].contains("line 29999"));
    let (dropped, text) = (block_dropped(&chat, id), chat.block(id).unwrap().text());
    let first = format!("… {dropped} earlier lines are not kept\nline {dropped}\n");
    assert!(text.starts_with(&first), "{}", &text[..80]);
    assert!(chat.transcript().contains(&first));
}

fn block_dropped(chat: &Chat, id: u64) -> u64 {
    chat.block(id).unwrap().dropped()
}

#[test]
fn remarks_and_blocks_that_are_not_kept_are_counted_where_they_are_missing() {
    let mut chat = Chat::default();
    let id = chat.open("tell".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        (0..block::BLOCK_REMARKS + 3).for_each(|n| block.note(&format!("remark {n}").into()));
        block.end(&ended(0));
    });
    let text = chat.block(id).unwrap().text();
    assert!(text.ends_with("remark 199\n… 3 more remarks are not kept\n"), "{text}");
    assert!(
        draw(&mut chat, 60, 300)
            .concat()
            .contains("… 3 more remarks are not kept")
    );
    chat.say(
        NOW,
        (0..block::BLOCK_REMARKS + 1).map(|n| (format!("word {n}").into(), Meaning::Text)),
    );
    let text = chat.transcript();
    assert!(text.ends_with("word 199\n… 1 more remark is not kept\n\n"), "{text}");
    assert_eq!(chat.dropped(), None);
    (0..BLOCKS).for_each(|n| {
        run(&mut chat, &format!("echo {n}"), 1);
    });
    let told = "… 2 earlier blocks are not kept";
    assert!(chat.transcript().starts_with(&format!("{told}\n\n> echo 0\n")));
    let end = draw(&mut chat, 60, 9);
    assert!(
        end.concat().contains("echo 999") && !end.concat().contains(told),
        "{end:#?}"
    );
    chat.focus(true);
    let theme = Theme::plain();
    chat.scroll(Motion::First, &look(&theme));
    let top = draw(&mut chat, 60, 9);
    assert!(top[0].contains(told) && top[1].contains(" echo 0"), "{top:#?}");
    // It is no block: neither the keys nor a click get to it.
    let selected = chat.selected().map(|block| block.line.clone());
    chat.click(0, 60);
    assert_eq!(chat.selected().map(|block| block.line.clone()), selected);
    assert!(selected.is_some());
}

#[test]
fn an_old_answer_is_dim() {
    let mut chat = Chat::default();
    let id = run(&mut chat, "echo", 2);
    chat.change(id, |block| block.reads = true);
    let theme = Theme::plain();
    let dim = |chat: &mut Chat, seconds: u64| {
        let area = Rect::new(0, 0, 60, 5);
        let mut buffer = Buffer::empty(area);
        let now = NOW + Duration::from_secs(seconds);
        chat.draw(area, &mut buffer, &Look { now, ..look(&theme) });
        buffer[(3, 1)].modifier.contains(ratatui::style::Modifier::DIM)
    };
    assert!(!dim(&mut chat, 10));
    assert!(dim(&mut chat, 400), "drawn anew although nothing in it changed");
}

#[test]
fn a_preview_is_shown_until_as_much_of_the_result_has_come() {
    let row = |name: &str| View::Text(name.to_owned());
    let mut block = Block::new(1, "get".into(), Arc::new(Context::empty("sandbox")), NOW);
    block.become_state(State::Running);
    block.preview(&[row("a"), row("b"), row("c")]);
    assert_eq!((block.text().as_str(), block.records), ("a\nb\nc\n", 0));
    let drawn: Vec<String> = block
        .lines_within(0, 9, 80)
        .iter()
        .map(crate::render::Line::text)
        .collect();
    assert_eq!(drawn, ["a", "b", "c"]);
    block.push(&item("A"));
    block.push(&item("B"));
    assert_eq!(block.text(), "a\nb\nc\n", "no row goes away in between");
    block.push(&item("C"));
    assert!(!block.text().contains('a') && block.len() == 3, "{}", block.text());
    block.preview(&[row("late")]);
    assert!(!block.text().contains("late"), "not over a result");

    let mut none = Block::new(2, "get".into(), Arc::new(Context::empty("sandbox")), NOW);
    none.become_state(State::Running);
    none.preview(&[row("a")]);
    none.end(&ended(1));
    assert!(
        none.is_empty(),
        "what never came is not shown as if it had: {}",
        none.text()
    );
}

#[test]
fn what_a_search_or_a_key_brought_into_view_stays_there_while_a_stream_goes_on() {
    let theme = Theme::plain();
    let ways: [fn(&mut Chat, &Theme); 2] = [
        |chat, theme| chat.find("line 29", &look(theme)),
        |chat, _| chat.select(Motion::Up),
    ];
    for (at, way) in ways.into_iter().enumerate() {
        let mut chat = Chat::default();
        let id = chat.open("logs".into(), Arc::new(Context::empty("sandbox")), NOW);
        chat.change(id, |block| {
            block.become_state(State::Running);
            (0..30).for_each(|n| block.push(&item(&format!("line {n}"))));
            block.fold = block::Fold::Open;
        });
        run(&mut chat, "next", 1);
        run(&mut chat, "last", 1);
        chat.focus(true);
        draw(&mut chat, 60, 12);
        way(&mut chat, &theme);
        let before = draw(&mut chat, 60, 12);
        for n in 30..35 {
            chat.change(id, |block| block.push(&item(&format!("line {n}"))));
            let now = draw(&mut chat, 60, 12);
            assert_eq!(now[0], before[0], "{at}: {now:#?}");
        }
    }
}
