//! How one block looks: its line, its state, errors, hostile output.

use super::*;

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
fn a_long_line_keeps_its_state_below() {
    let mut chat = Chat::default();
    run(&mut chat, &format!("echo {}", "word ".repeat(20)), 0);
    let lines = draw(&mut chat, 40, 8);
    assert!(lines.iter().any(|line| line.contains("✓ done 310ms")), "{lines:?}");
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
