//! What a block shows of a long or wide answer, and how it is opened.

use super::*;

#[test]
fn a_folded_table_opens_as_the_same_table_before_its_rows_become_cards() {
    let mut chat = Chat::default();
    let id = chat.open("kubectl:api-resources".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        for n in 0..30 {
            let names = if n == 7 {
                "ValidatingWebhookConfigurations".repeat(3)
            } else {
                format!("kind-{n}")
            };
            let record = json!({"names": names, "group": "apps/v1", "kind": format!("Kind{n}")});
            block.push(&Item { record, view: None });
        }
        block.end(&ended(0));
    });
    run(&mut chat, "next", 1);
    chat.focus(true);
    chat.select(Motion::Up);
    let folded = draw(&mut chat, 60, 200);
    assert!(folded.concat().contains("lines folded"), "{folded:#?}");
    chat.toggle(60);
    let open = draw(&mut chat, 60, 200);
    assert!(
        open.iter()
            .any(|line| line.contains("kind-20 ") && line.contains("Kind20")),
        "{open:#?}"
    );
    assert!(open.concat().contains("cut to fit"));
    chat.toggle(60);
    let cards = draw(&mut chat, 60, 200).concat().replace(' ', "");
    assert!(
        cards.contains(&"ValidatingWebhookConfigurations".repeat(3)) && !cards.contains("cuttofit"),
        "{cards}"
    );
    chat.toggle(60);
    assert!(draw(&mut chat, 60, 200).concat().contains("lines folded"));
}

#[test]
fn how_to_open_a_block_is_told_with_the_way_to_it() {
    let mut chat = Chat::default();
    run(&mut chat, "many", 214);
    run(&mut chat, "next", 1);
    let theme = Theme::plain();
    let area = Rect::new(0, 0, 60, 40);
    let mut buffer = Buffer::empty(area);
    chat.draw(
        area,
        &mut buffer,
        &Look {
            to_blocks: Some("Alt-1"),
            ..look(&theme)
        },
    );
    let lines = crate::ui::panel::testing::rows(&buffer);
    assert!(
        lines.contains(&"  ▸ 203 lines folded, Alt-1, Up to it, Enter opens".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn long_output_folds_when_others_follow_and_opens_again() {
    let mut chat = Chat::default();
    run(&mut chat, "many", 214);
    let lines = draw(&mut chat, 60, 300);
    assert!(lines.contains(&"  line 213 of many".to_owned()) && lines.contains(&"  line 100 of many".to_owned()));
    run(&mut chat, "next", 1);
    let lines = draw(&mut chat, 60, 40);
    assert!(
        lines.contains(&"  ▸ 203 lines folded".to_owned()),
        "no key is named that acts on another block: {lines:?}"
    );
    assert!(lines.contains(&"  line 0 of many".to_owned()) && lines.contains(&"  line 213 of many".to_owned()));
    chat.focus(true);
    chat.select(Motion::Up);
    chat.toggle(60);
    assert!(draw(&mut chat, 60, 300).contains(&"  line 100 of many".to_owned()));
    chat.toggle(60);
    assert!(!draw(&mut chat, 60, 300).contains(&"  line 100 of many".to_owned()));
}

#[test]
fn a_stream_shows_its_tail_and_is_one_live_line_in_the_background_or_when_others_follow() {
    let mut chat = Chat::default();
    let id = chat.open("traffic:watch x".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        block.become_state(State::Running);
        (0..50).for_each(|n| block.push(&item(&format!("line {n}"))));
    });
    assert!(draw(&mut chat, 60, 20)[0].contains("line 3") || draw(&mut chat, 60, 20)[18].contains("line 49"));
    let live = |chat: &mut Chat| {
        let lines = draw(chat, 60, 20);
        assert!(lines[0].contains("~ running 38s"), "{lines:?}");
        assert_eq!(lines[1..3], ["  ▸ line 49", ""]);
    };
    chat.change(id, |block| block.background = true);
    live(&mut chat);
    chat.change(id, |block| block.background = false);
    run(&mut chat, "echo", 1);
    live(&mut chat);
    chat.focus(true);
    chat.select(Motion::Up);
    chat.toggle(60);
    assert!(
        draw(&mut chat, 60, 80).contains(&"  line 0".to_owned()),
        "Enter opens it"
    );
}

#[test]
fn a_wide_table_keeps_to_the_pane_and_opens_whole() {
    let host = "ab4ea5ab1f1234567890abcdef012345-1234567890.ap-southeast-2.elb.amazonaws.com";
    let record = |name: &str, host: &str| Item {
        record: json!({"name": name, "type": "LoadBalancer", "external_ip": host, "ports": "80:31234/TCP", "age": "12s"}),
        view: None,
    };
    let mut chat = Chat::default();
    let id = chat.open("kubectl:get svc".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        block.push(&record("kubernetes", "<none>"));
        block.push(&record("inspector", host));
        block.end(&ended(0));
    });
    chat.focus(true);
    let lines = draw(&mut chat, 62, 20);
    assert!(lines[3].contains("inspector") && lines[3].contains('…'), "{lines:#?}");
    assert_eq!(lines[4], "  ▸ cut to fit, Enter shows all of it");
    chat.toggle(62);
    let whole = draw(&mut chat, 62, 30).concat().replace([' ', '\n'], "");
    assert!(whole.contains(host), "{whole}");
    chat.toggle(62);
    assert!(draw(&mut chat, 62, 20).concat().contains("cut to fit"));
}

#[test]
fn only_what_names_the_way_to_a_block_is_laid_out_anew_when_the_keys_go_elsewhere() {
    let mut chat = Chat::default();
    for (line, lines) in [("short", 2), ("many", 214), ("next", 1)] {
        run(&mut chat, line, lines);
    }
    let theme = Theme::plain();
    let mut laid_out = |to_blocks| {
        let area = Rect::new(0, 0, 60, 40);
        let look = Look {
            to_blocks,
            ..look(&theme)
        };
        chat.draw(area, &mut Buffer::empty(area), &look);
        let kept = chat.blocks.iter().filter_map(|entry| entry.cache.as_ref());
        kept.map(|kept| kept.lines.as_ptr()).collect::<Vec<_>>()
    };
    let there = laid_out(None);
    assert_eq!(laid_out(None), there, "kept while nothing changes");
    let elsewhere = laid_out(Some("Alt-1"));
    assert_eq!([elsewhere[0], elsewhere[2]], [there[0], there[2]]);
    assert_ne!(
        elsewhere[1], there[1],
        "the folded one says how it is opened from there"
    );
}

#[test]
fn a_long_line_shows_its_beginning_until_its_block_is_opened_and_a_search_opens_it() {
    let mut chat = Chat::default();
    let line = (0..1_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    run(&mut chat, &line, 0);
    chat.focus(true);
    let is_short = |chat: &mut Chat| {
        let rows = draw(chat, 60, 200);
        assert!(
            rows[0].starts_with("❯ w0 w1 ") && rows[2].starts_with("  w"),
            "{rows:#?}"
        );
        assert!(
            rows[3].starts_with("  ▸ ") && rows[3].contains(" more rows of the line, Enter opens"),
            "{rows:#?}"
        );
        let state = rows.iter().position(|row| row.contains("✓ done 310ms"));
        assert!(state.is_some_and(|at| at == 3 || at == 4), "{rows:#?}");
        assert!(rows.concat().contains("no output") && !rows.concat().contains("w999"));
    };
    is_short(&mut chat);
    let told = draw(&mut chat, 60, 200)[3].clone();
    chat.toggle(60);
    let open = draw(&mut chat, 60, 200);
    let head: String = open
        .iter()
        .take_while(|row| !row.contains("no output"))
        .map(|row| format!("{row} "))
        .collect();
    let words: Vec<&str> = head.split_whitespace().filter(|word| word.starts_with('w')).collect();
    assert_eq!(words.join(" "), line, "all of it");
    let rows = open.iter().take_while(|row| row.contains(" w")).count();
    assert!(told.contains(&format!("▸ {} more rows", rows - 3)), "{told}: {rows}");
    chat.toggle(60);
    is_short(&mut chat);
    let theme = Theme::plain();
    draw(&mut chat, 60, 12);
    chat.find("w888", &look(&theme));
    assert!(draw(&mut chat, 60, 12).concat().contains("w888"));
    chat.find("", &look(&theme));
    is_short(&mut chat);
}

#[test]
fn what_is_hidden_of_a_line_is_at_least_two_rows() {
    let mut chat = Chat::default();
    // Each word is a row.
    let line = |rows: usize| vec!["x".repeat(58); rows].join(" ");
    run(&mut chat, &line(4), 0);
    assert!(!draw(&mut chat, 60, 20).concat().contains("more rows"));
    run(&mut chat, &line(5), 0);
    assert!(draw(&mut chat, 60, 20).concat().contains("▸ 2 more rows of the line"));
}
