use jiff::tz::TimeZone;
use std::time::Duration;

use serde_json::json;

use super::block::State;
use super::*;
use crate::core::report::Report;
use crate::ui::console::ports::Ended;
use crate::ui::panel::Theme;
use crate::verb::{Item, View};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn item(text: &str) -> Item {
    Item {
        record: json!({"line": text, "source": "x"}),
        view: None,
    }
}

fn ended(exit_code: u8) -> Ended {
    Ended {
        exit_code,
        report: None,
        elapsed: Duration::from_millis(310),
    }
}

fn run(chat: &mut Chat, line: &str, lines: usize) -> u64 {
    let id = chat.open(line.to_owned(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        block.number = Some(id);
        block.become_state(State::Running);
        for n in 0..lines {
            block.push(&item(&format!("line {n} of {line}")));
        }
        block.end(&ended(0));
    });
    chat.trim();
    id
}

static USER: std::sync::LazyLock<SafeText> = std::sync::LazyLock::new(|| "maria".into());

fn look(theme: &Theme) -> Look<'_> {
    Look {
        width: 60,
        theme,
        latest: false,
        selected: false,
        unread: false,
        to_blocks: None,
        user: &USER,
        now: NOW + Duration::from_secs(38),
        zone: const { &TimeZone::UTC },
    }
}

fn draw(chat: &mut Chat, width: u16, height: u16) -> Vec<String> {
    let theme = Theme::plain();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    chat.draw(area, &mut buffer, &Look { width, ..look(&theme) });
    crate::ui::panel::testing::rows(&buffer)
}

#[test]
fn a_block_shows_line_state_duration_context_and_number() {
    let mut chat = Chat::default();
    run(&mut chat, "echo hi", 1);
    let lines = draw(&mut chat, 60, 4);
    assert!(
        lines[0].starts_with("❯ echo hi") && lines[0].contains("✓ done 310ms  maria  sandbox  "),
        "{lines:?}"
    );
    assert!(lines[0].ends_with("#1"));
    assert_eq!(lines[1], "  line 0 of echo hi");
}

#[test]
fn what_has_no_room_beside_the_line_typed_stands_below_it_and_the_user_gives_way_first() {
    let mut chat = Chat::default();
    let id = run(&mut chat, "r53:record-list -z spawnhub.com", 1);
    chat.change(id, |block| block.reads = true);
    let all = "maria  sandbox  as of";
    for (columns, rows, place) in [
        (90, 1, all),
        (60, 2, all),
        (44, 2, "310ms  sandbox  as of"),
        (40, 2, "310ms  as of"),
    ] {
        let lines = draw(&mut chat, columns, 6);
        let head = lines[..rows].join("\n");
        for word in ["✓ done 310ms", "as of 00:00:00", "#1"] {
            assert_eq!(head.matches(word).count(), 1, "{word} in {columns}: {lines:#?}");
        }
        assert!(head.contains(place), "{columns}: {lines:#?}");
        assert!(lines[rows].starts_with("  line 0 of"), "{columns}: {lines:#?}");
    }
    let narrow = draw(&mut chat, 20, 6);
    assert_eq!(
        narrow[1].trim(),
        "✓ done 310ms  #1",
        "the state is never left out: {narrow:#?}"
    );
}

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
fn a_line_that_answered_nothing_says_so() {
    let mut chat = Chat::default();
    let id = run(&mut chat, "kubectl:logs web", 0);
    assert_eq!(draw(&mut chat, 80, 4)[1], "  no output");
    chat.change(id, |block| block.note(&"kept".into()));
    assert_eq!(draw(&mut chat, 80, 4)[1], "  kept");
    let id = chat.open("wait".into(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| block.become_state(State::Running));
    assert!(
        !draw(&mut chat, 80, 8).concat().contains("no output"),
        "it may still come"
    );
    chat.change(id, |block| block.end(&ended(1)));
    assert!(!draw(&mut chat, 80, 8).concat().contains("no output"), "it failed");
}

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
        lines.contains(&"  ▸ 203 lines folded, Alt-1 Enter opens".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn a_long_line_keeps_its_state_below() {
    let mut chat = Chat::default();
    run(&mut chat, &format!("echo {}", "word ".repeat(20)), 0);
    let lines = draw(&mut chat, 40, 8);
    assert!(lines.iter().any(|line| line.contains("✓ done 310ms")), "{lines:?}");
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
        lines.contains(&"  ▸ 203 lines folded, Enter opens".to_owned()),
        "{lines:?}"
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
    let lines = draw(&mut chat, 62, 20);
    assert!(lines[3].contains("inspector") && lines[3].contains('…'), "{lines:#?}");
    assert_eq!(lines[4], "  ▸ cut to fit, Enter shows all of it");
    chat.focus(true);
    chat.toggle(62);
    let whole = draw(&mut chat, 62, 30).concat().replace([' ', '\n'], "");
    assert!(whole.contains(host), "{whole}");
    chat.toggle(62);
    assert!(draw(&mut chat, 62, 20).concat().contains("cut to fit"));
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
    let marked = ratatui::style::Modifier::UNDERLINED;
    let found: String = buffer
        .content()
        .iter()
        .filter(|cell| cell.modifier.contains(marked))
        .map(|cell| cell.symbol())
        .collect();
    assert!(found.starts_with("line 1 of"), "{found}");
    chat.find("", &look(&theme));
    assert!(!chat.is_searching());
}

#[test]
fn errors_mark_the_place() {
    let mut chat = Chat::default();
    let id = chat.open("nope x".into(), Arc::new(Context::empty("sandbox")), NOW);
    let report = Report::refused("E-RESOLVE-001", "unknown command nope")
        .at("nope x", 0..4)
        .hint("did you mean node?");
    chat.change(id, |block| {
        block.end(&Ended {
            report: Some(report),
            ..ended(2)
        })
    });
    let lines = draw(&mut chat, 60, 8);
    assert!(lines[0].contains("✗ refused"));
    assert_eq!(lines[1], "  error[E-RESOLVE-001]: unknown command nope");
    assert_eq!(
        lines[2..5],
        ["    | nope x", "    | ^^^^", "    hint: did you mean node?"]
    );
}

#[test]
fn a_cancelled_block_and_a_repeated_translation_say_it_once() {
    let mut chat = Chat::default();
    let id = chat.open(
        "while true; do curl x; done".into(),
        Arc::new(Context::empty("sandbox")),
        NOW,
    );
    chat.change(id, |block| {
        block.translation = Some("traffic:watch x".into());
        block.note(&"a shell's loop, which runs as: traffic:watch x".into());
        block.end(&Ended {
            report: Some(Report::interrupted()),
            ..ended(130)
        });
    });
    let screen = draw(&mut chat, 60, 6).join("\n");
    assert_eq!(
        (
            screen.matches("traffic:watch x").count(),
            screen.matches("cancelled").count()
        ),
        (1, 1),
        "{screen}"
    );
    assert!(!screen.contains("error["), "{screen}");
}

#[test]
fn hostile_output_is_drawn_harmless() {
    let mut chat = Chat::default();
    let hostile = [
        "\u{1b}[2J\u{1b}[H gone",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{1b}[?1049h",
        "bell \u{7} nul \u{0}",
        "\u{202e}reversed",
        "世界 한국어 👩‍👩‍👧 e\u{301}",
        "שלום עולם",
    ];
    let id = chat.open("echo \u{1b}[31m".into(), Arc::new(Context::empty("sand\u{1b}box")), NOW);
    chat.change(id, |block| {
        for text in hostile {
            block.push(&item(text));
            block.push(&Item {
                record: json!(1),
                view: Some(View::Verbatim(format!("{text}\u{1b}[1mbold"))),
            });
            block.note(&SafeText::new(text));
            block.progress = Some(SafeText::line(text));
        }
        block.push(&item(&"x".repeat(1 << 20)));
        block.end(&Ended {
            report: Some(Report::failed("E-X-1", hostile.concat())),
            ..ended(1)
        });
    });
    for width in [20, 40, 80] {
        for line in draw(&mut chat, width, 60) {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }
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
