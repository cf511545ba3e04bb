//! What the traffic panel shows of the requests it is given.

use super::super::model::{Watching, append, tests::sample};
use super::*;
use crate::core::clock::Clock;
use crate::ui::panel::Motion;

fn drawn(panel: &mut TrafficPanel, columns: u16, rows: u16) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    panel.draw(area, &mut buffer, &Theme::plain(), false, Timestamp::UNIX_EPOCH);
    (0..rows)
        .map(|y| {
            (0..columns)
                .map(|x| buffer[(x, y)].symbol().to_owned())
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn shares_and_the_ribbon_follow_the_samples() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    assert!(drawn(&mut panel, 60, 6).contains("no traffic yet"));
    let before = panel.version();
    let feed = samples(&hub, &context);
    feed.source().write(|table| {
        append(table, sample(Some("web-1"), Some("1.0.0"), None));
        append(table, sample(Some("web-1"), Some("1.0.0"), None));
        append(table, sample(None, None, Some("refused")));
        append(table, sample(Some("web-2"), Some("2.0.0"), None));
    });
    assert_ne!(panel.version(), before);
    let screen = drawn(&mut panel, 60, 8);
    assert!(screen.contains("last 4 requests  failed 1"), "{screen}");
    let ribbon = format!("{:>60}", "aa!b");
    assert_eq!(screen.lines().nth(1), Some(ribbon.as_str()), "{screen}");
    for (row, begins) in [
        (2, "! 1 x refused"),
        (3, "a version 1.0.0        2  50% ["),
        (4, "b version 2.0.0        1  25% ["),
        (5, "a web-1                2  50%"),
        (6, "b web-2                1  25%"),
    ] {
        assert!(
            screen.lines().nth(row).is_some_and(|line| line.starts_with(begins)),
            "{begins}: {screen}"
        );
    }
    // Without room for lanes the count comes last and the version stands with the name.
    let narrow = drawn(&mut panel, 30, 8);
    let ends = |begins: &str, end: &str| narrow.lines().any(|l| l.starts_with(begins) && l.ends_with(end));
    assert!(ends("b …n 2.0.0", "1  25%") && ends("b …2 2.0.0", "1  25%"), "{narrow}");
}

#[tokio::test]
async fn each_pod_has_a_lane_with_its_requests_under_those_of_the_ribbon() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
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
    // As few rows as a stage of 40 rows leaves to it.
    for (columns, rows) in [(60, 12), (56, 6), (31, 6)] {
        let screen = drawn(&mut panel, columns, rows);
        let lane = |name: &str| screen.lines().find(|row| row.starts_with(name)).map(str::to_owned);
        let ends = |name: &str, cells: &str| {
            lane(name).is_some_and(|row| row.ends_with(cells) && row.chars().count() == usize::from(columns))
        };
        assert!(ends("a web-1", "a·a·") && ends("b web-2", "·b·b"), "{screen}");
    }
    assert!(!drawn(&mut panel, 30, 12).contains("a·a·"), "no room, no lanes");
}

#[tokio::test]
async fn pods_of_the_old_version_stand_before_those_of_the_new_one() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    samples(&hub, &context).source().write(|table| {
        for (pod, version) in [("web-z", "1.0.0"), ("web-a", "2.0.0"), ("web-b", "1.0.0")] {
            append(table, sample(Some(pod), Some(version), None));
        }
    });
    let screen = drawn(&mut panel, 60, 12);
    let place = |name: &str| screen.lines().position(|row| row.starts_with(name));
    let places = [place("a web-b"), place("a web-z"), place("b web-a")];
    assert!(places.is_sorted() && places[0].is_some(), "{screen}");
}

#[tokio::test]
async fn with_room_the_ribbon_has_as_many_rows_as_two_hundred_requests_take() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    samples(&hub, &context).source().write(|table| {
        for n in 0..RIBBON + 10 {
            let failed = (n == RIBBON + 9).then_some("refused");
            append(table, sample(Some("web-1"), Some("1.0.0"), failed));
        }
    });
    let ribbon = |screen: &str| {
        let cells = |row: &&str| !row.is_empty() && row.chars().all(|cell| cell == 'a' || cell == '!');
        screen
            .lines()
            .map(str::trim_start)
            .filter(cells)
            .map(str::len)
            .sum::<usize>()
    };
    let screen = drawn(&mut panel, 60, 20);
    assert_eq!(ribbon(&screen), RIBBON, "{screen}");
    assert!(
        screen.lines().any(|row| row.ends_with("aaa!")),
        "the newest is the last: {screen}"
    );
    assert_eq!(ribbon(&drawn(&mut panel, 60, 4)), 60, "one row at least");
}

#[tokio::test]
async fn a_watch_that_has_ended_is_not_out_of_date_and_says_that_it_ended() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    assert!(panel.health().is_empty(), "nothing was watched");
    let watch = Watching::begin(&hub, &context);
    watch.add(sample(Some("web-1"), Some("1.0.0"), None));
    assert_eq!(panel.health()[0].health.state, HealthState::Live);
    assert!(!drawn(&mut panel, 60, 6).contains("ended"));
    drop(watch);
    let health = panel.health().remove(0).health;
    assert_eq!(
        health.label(health.data_at.unwrap() + std::time::Duration::from_secs(48)),
        "ended 48s"
    );
    let screen = drawn(&mut panel, 60, 6);
    assert!(
        screen.starts_with("last 1 requests  failed 0  the watch has ended"),
        "{screen}"
    );
}

#[tokio::test]
async fn shares_are_those_of_the_question_asked_last() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    let other = Sample {
        url: "http://other/".to_owned(),
        ..sample(Some("web-1"), Some("1.0.0"), None)
    };
    samples(&hub, &context).source().write(|table| {
        append(table, other.clone());
        append(table, sample(Some("web-2"), Some("2.0.0"), None));
    });
    let screen = drawn(&mut panel, 60, 8);
    assert!(screen.contains("last 1 requests"), "{screen}");
    assert!(!screen.contains("1.0.0"), "{screen}");
}

#[tokio::test]
async fn failures_say_why_and_the_rate_has_its_maximum() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
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
    let screen = drawn(&mut panel, 90, 10);
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
    assert!(!drawn(&mut panel, 40, 10).contains("per second"), "no room, no rate");
    drop(watch);
    assert_eq!(panel.mark(), None, "nobody asks any more");
}

#[tokio::test]
async fn an_answerer_that_is_only_a_version_has_no_lane_of_its_own() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
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
    let screen = drawn(&mut panel, 60, 12);
    assert_eq!(screen.matches("version 2.0.0").count(), 1, "{screen}");
    assert!(!screen.contains("Inspector"), "{screen}");
    assert!(screen.contains("no answer names its pod"), "{screen}");
    samples(&hub, &context).source().write(|table| {
        append(table, sample(Some("web-1"), Some("3.0.0"), None));
        append(table, sample(None, None, None));
    });
    let screen = drawn(&mut panel, 60, 12);
    assert!(
        screen.contains("c web-1 ") && screen.contains("c version 3.0.0") && screen.contains("no match"),
        "{screen}"
    );
    assert!(!screen.contains("names its pod"), "{screen}");
}

#[tokio::test]
async fn answers_that_all_tell_their_version_are_not_counted_again_and_percents_add_up() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    samples(&hub, &context).source().write(|table| {
        for n in 0..60 {
            let version = if n < 31 { "1.0.0" } else { "2.0.0" };
            append(table, sample(None, Some(version), None));
        }
    });
    let screen = drawn(&mut panel, 60, 12);
    let row = |begin: &str, end: &str| screen.lines().any(|row| row.starts_with(begin) && row.ends_with(end));
    assert!(row("a version 1.0.0", " 31  52%"), "{screen}");
    assert!(row("b version 2.0.0", " 29  48%"), "{screen}");
    assert!(!screen.contains("no match"), "{screen}");
    // One that tells none makes them worth a line, which is no version's.
    samples(&hub, &context)
        .source()
        .write(|table| append(table, sample(None, None, None)));
    let screen = drawn(&mut panel, 60, 12);
    assert!(screen.lines().any(|row| row.starts_with("no match ")), "{screen}");
}

#[tokio::test]
async fn hostile_names_and_tiny_areas_are_harmless() {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    let hostile = sample(Some("\u{1b}]52;c;eHg=\u{7}世界世界世界世界世界世界"), Some("\n1"), None);
    samples(&hub, &context).source().write(|table| append(table, hostile));
    for (columns, rows) in [(1, 1), (10, 2), (40, 6)] {
        assert!(!drawn(&mut panel, columns, rows).contains('\u{1b}'));
    }
}

/// Three pods of each of two versions, more than two hundred requests spread over them; the first one shown is of 1.0.0.
fn rolling() -> (Hub, TrafficPanel) {
    let hub = Hub::new(Clock::real());
    let mut panel = TrafficPanel::new(hub.clone());
    let context = Arc::new(Context::empty("test"));
    panel.open(&context);
    samples(&hub, &context).source().write(|table| {
        for n in 0..RIBBON + 6 {
            let version = if n % 6 < 3 { "1.0.0" } else { "2.0.0" };
            append(table, sample(Some(&format!("web-{}", n % 6)), Some(version), None));
        }
    });
    (hub, panel)
}

/// The pods that have a lane, by their numbers.
fn lanes(screen: &str) -> String {
    let lane = |row: &str| row.split_once("web-").and_then(|(_, rest)| rest.chars().next());
    screen.lines().filter_map(lane).collect()
}

#[tokio::test]
async fn a_stage_of_a_usual_screen_shows_two_hundred_requests_and_all_pods_of_both_versions() {
    let (_hub, mut panel) = rolling();
    // What the stage leaves inside the frame of the second of two panels on 120 x 40.
    let screen = drawn(&mut panel, 56, 17);
    let is_ribbon =
        |row: &&str| !row.trim().is_empty() && row.trim_start().chars().all(|cell| cell == 'a' || cell == 'b');
    let shown: usize = screen.lines().filter(is_ribbon).map(|row| row.trim_start().len()).sum();
    assert_eq!(
        (shown, lanes(&screen).as_str(), panel.window()),
        (RIBBON, "012345", None),
        "{screen}"
    );
}

#[tokio::test]
async fn where_not_all_pods_have_room_the_newest_version_is_in_sight_and_the_title_tells_it() {
    let (_hub, mut panel) = rolling();
    // Head, ribbon, two versions: three of six pods.
    let mut after = |keys: &[Motion]| {
        keys.iter().for_each(|motion| drop(panel.key(PanelKey::Move(*motion))));
        (lanes(&drawn(&mut panel, 56, 7)), panel.window())
    };
    let at = |pods: &str, first| (pods.to_owned(), Some((first, first + 2, 6)));
    assert_eq!(after(&[]), at("345", 4));
    assert_eq!(after(&[Motion::First]), at("012", 1));
    assert_eq!(after(&[Motion::Down]), at("123", 2));
    assert_eq!(after(&[Motion::Last]), at("345", 4));
    // Past the end nothing is owed.
    assert_eq!(after(&[Motion::Down; 20]), at("345", 4));
    assert_eq!(after(&[Motion::Up]), at("234", 3));
    assert_eq!(after(&[Motion::PageUp; 2]), at("012", 1));
    // With room for all, and without it again, the operator's place is kept as far as it goes.
    assert_eq!(lanes(&drawn(&mut panel, 56, 17)), "012345");
    assert_eq!(panel.window(), None);
    // Without any lane there is no window onto them.
    assert_eq!(lanes(&drawn(&mut panel, 56, 4)), "");
    assert_eq!(panel.window(), None);
}
