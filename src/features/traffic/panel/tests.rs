//! What the traffic panel shows of the requests it is given.

use super::super::model::{Watching, append, tests::sample};
use super::*;
use crate::core::clock::Clock;
use crate::ui::panel::testing::panel_text;

/// A panel that is open, and where its requests come from.
fn open() -> (Hub, Arc<Context>, TrafficPanel) {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    (hub, context, panel)
}

#[tokio::test]
async fn shares_and_the_ribbon_follow_the_samples() {
    let (hub, context, mut panel) = open();
    assert!(panel_text(&mut panel, 60, 6).contains("no traffic yet"));
    let before = panel.version();
    let feed = samples(&hub, &context);
    feed.source().write(|table| {
        append(table, sample(Some("web-1"), Some("1.0.0"), None));
        append(table, sample(Some("web-1"), Some("1.0.0"), None));
        append(table, sample(None, None, Some("refused")));
        append(table, sample(Some("web-2"), Some("2.0.0"), None));
    });
    assert_ne!(panel.version(), before);
    let screen = panel_text(&mut panel, 60, 8);
    assert!(screen.contains("last 4 requests  failed 1"), "{screen}");
    assert!(screen.lines().nth(1) == Some("aa!b"), "{screen}");
    assert!(
        screen
            .lines()
            .any(|l| l.starts_with("a version 1.0.0") && l.ends_with("2  50%")),
        "{screen}"
    );
    assert!(
        screen
            .lines()
            .any(|l| l.starts_with("b web-2 2.0.0") && l.ends_with("1  25%")),
        "{screen}"
    );
}

#[tokio::test]
async fn with_room_each_pod_has_a_lane_with_its_requests() {
    let (hub, context, mut panel) = open();
    samples(&hub, &context).source().write(|table| {
        for (pod, version) in [
            ("web-1", "1.0.0"),
            ("web-2", "2.0.0"),
            ("web-1", "1.0.0"),
            ("web-2", "2.0.0"),
        ] {
            append(table, sample(Some(pod), Some(version), None));
        }
    });
    let screen = panel_text(&mut panel, 60, 12);
    let lane = |name: &str| {
        let rows: Vec<&str> = screen.lines().filter(|row| row.starts_with(name)).collect();
        rows.last().map(|row| row.trim_end().to_owned())
    };
    assert!(lane("web-1").is_some_and(|row| row.ends_with("a·a·")), "{screen}");
    assert!(lane("web-2").is_some_and(|row| row.ends_with("·b·b")), "{screen}");
    assert!(!panel_text(&mut panel, 60, 6).contains("a·a·"), "no room, no lanes");
}

#[tokio::test]
async fn with_room_the_ribbon_has_as_many_rows_as_two_hundred_requests_take() {
    let (hub, context, mut panel) = open();
    samples(&hub, &context).source().write(|table| {
        for n in 0..RIBBON + 10 {
            let failed = (n == RIBBON + 9).then_some("refused");
            append(table, sample(Some("web-1"), Some("1.0.0"), failed));
        }
    });
    let ribbon = |screen: &str| {
        let cells = |row: &&str| !row.is_empty() && row.chars().all(|cell| cell == 'a' || cell == '!');
        screen.lines().filter(cells).map(str::len).sum::<usize>()
    };
    let screen = panel_text(&mut panel, 60, 20);
    assert_eq!(ribbon(&screen), RIBBON, "{screen}");
    assert!(
        screen.lines().any(|row| row.ends_with("aaa!")),
        "the newest is the last: {screen}"
    );
    assert_eq!(ribbon(&panel_text(&mut panel, 60, 4)), 60, "one row at least");
}

#[tokio::test]
async fn a_watch_that_has_ended_is_not_out_of_date_and_says_that_it_ended() {
    let (hub, context, mut panel) = open();
    assert!(panel.health().is_empty(), "nothing was watched");
    let watch = Watching::begin(&hub, &context);
    watch.add(sample(Some("web-1"), Some("1.0.0"), None));
    assert_eq!(panel.health()[0].health.state, HealthState::Live);
    assert!(!panel_text(&mut panel, 60, 6).contains("ended"));
    drop(watch);
    let health = panel.health().remove(0).health;
    assert_eq!(
        health.label(health.data_at.unwrap() + std::time::Duration::from_secs(48)),
        "ended 48s"
    );
    let screen = panel_text(&mut panel, 60, 6);
    assert!(
        screen.starts_with("last 1 requests  failed 0  the watch has ended"),
        "{screen}"
    );
}

#[tokio::test]
async fn shares_are_those_of_the_question_asked_last() {
    let (hub, context, mut panel) = open();
    let other = Sample {
        url: "http://other/".to_owned(),
        ..sample(Some("web-1"), Some("1.0.0"), None)
    };
    samples(&hub, &context).source().write(|table| {
        append(table, other.clone());
        append(table, sample(Some("web-2"), Some("2.0.0"), None));
    });
    let screen = panel_text(&mut panel, 60, 8);
    assert!(screen.contains("last 1 requests"), "{screen}");
    assert!(!screen.contains("1.0.0"), "{screen}");
}

#[tokio::test]
async fn failures_say_why_and_the_rate_has_its_maximum() {
    let (hub, context, mut panel) = open();
    let watch = Watching::begin(&hub, &context);
    for n in 0..40u64 {
        let error = match n {
            0..24 => Some("HTTP 503"),
            24..26 => Some("no answer within 5 s"),
            _ => None,
        };
        watch.add(Sample {
            at: Timestamp::UNIX_EPOCH + std::time::Duration::from_millis(n * 300),
            status: error.filter(|error| error.starts_with("HTTP")).map(|_| 503),
            ..sample(None, Some("1.0.0"), error)
        });
    }
    let screen = panel_text(&mut panel, 90, 10);
    let head = screen.lines().next().unwrap_or_default();
    assert!(
        head.starts_with("last 40 requests  failed 26  per second ") && head.contains(" max 4"),
        "{screen}"
    );
    assert!(
        screen.contains("! 24 x HTTP 503 Service Unavailable, 2 x no answer within 5 s"),
        "{screen}"
    );
    assert_eq!(panel.mark(), Some(Tone::Bad));
    assert!(
        !panel_text(&mut panel, 40, 10).contains("per second"),
        "no room, no rate"
    );
    drop(watch);
    assert_eq!(panel.mark(), None, "nobody asks any more");
}

#[tokio::test]
async fn an_answerer_that_is_only_a_version_has_no_lane_of_its_own() {
    let (hub, context, mut panel) = open();
    samples(&hub, &context).source().write(|table| {
        for version in ["1.0.0", "2.0.0", "2.0.0"] {
            append(
                table,
                Sample {
                    matched: Some(format!("Version: Inspector {version}")),
                    ..sample(None, Some(version), None)
                },
            );
        }
    });
    let screen = panel_text(&mut panel, 60, 12);
    assert_eq!(screen.matches("version 2.0.0").count(), 1, "{screen}");
    assert!(!screen.contains("Inspector"), "{screen}");
    assert!(screen.contains("no answer names its pod"), "{screen}");
    samples(&hub, &context).source().write(|table| {
        append(table, sample(Some("web-1"), Some("3.0.0"), None));
        append(table, sample(None, None, None));
    });
    let screen = panel_text(&mut panel, 60, 12);
    assert!(
        screen.contains("web-1 3.0.0") && screen.contains("no match"),
        "{screen}"
    );
    assert!(!screen.contains("names its pod"), "{screen}");
}

#[tokio::test]
async fn hostile_names_and_tiny_areas_are_harmless() {
    let (hub, context, mut panel) = open();
    let hostile = sample(Some("\u{1b}]52;c;eHg=\u{7}世界世界世界世界世界世界"), Some("\n1"), None);
    samples(&hub, &context).source().write(|table| append(table, hostile));
    for (columns, rows) in [(1, 1), (10, 2), (40, 6)] {
        assert!(!panel_text(&mut panel, columns, rows).contains('\u{1b}'));
    }
}
