//! What the requests of a running watch say about a rollout.

use super::*;

#[tokio::test]
async fn requests_of_a_running_watch_are_a_gate() {
    use crate::features::traffic::model::{Sample, samples};
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let feed = samples(&bench.hub, &bench.context);
    let sample = |failed: bool, pod: &str| Sample {
        at: Timestamp::UNIX_EPOCH,
        url: "http://inspector/".into(),
        status: (!failed).then_some(200),
        latency_ms: Some(3),
        matched: None,
        pod: (!failed).then(|| pod.to_owned()),
        version: None,
        error: failed.then(|| "refused".to_owned()),
    };
    assert!(!screen(&mut panel, 120, 14).contains("traffic"), "no watch runs");
    let of = |pod: &str| {
        feed.source().write(|rows| {
            for n in 0..30 {
                rows.upsert(format!("{n:04}"), sample(n % 10 == 0, pod));
            }
        });
    };
    of("api-5d8c7f-x2x4z");
    let text = screen(&mut panel, 120, 16);
    assert!(
        text.contains("· traffic of http://inspector/ is not counted: others answer it"),
        "{text}"
    );
    assert!(!text.contains("requests failed"), "{text}");
    of("web-1-o1");
    let text = screen(&mut panel, 120, 16);
    assert!(
        text.contains("✗ traffic 3 of 30 requests failed, 10.0 % is above 5.0 %"),
        "{text}"
    );
    drop(feed);
}

#[tokio::test]
async fn bars_say_how_much_each_version_answers_of_what_is_asked_now() {
    use crate::features::traffic::model::{Sample, append, samples};
    let bench = surging(["Running", "Running"]);
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let feed = samples(&bench.hub, &bench.context);
    feed.source().write(|rows| {
        for n in 0..10 {
            let (pod, version) = if n < 7 {
                ("web-1-ccccc", "1.0.0")
            } else {
                ("web-2-aaaaa", "2.0.0")
            };
            append(
                rows,
                Sample {
                    at: Timestamp::UNIX_EPOCH,
                    url: "http://inspector/".into(),
                    status: Some(200),
                    latency_ms: Some(3),
                    matched: None,
                    pod: Some(pod.to_owned()),
                    version: Some(version.to_owned()),
                    error: None,
                },
            );
        }
    });
    let text = screen(&mut panel, 80, 12);
    let row = |begin: &str| text.lines().find(|line| line.starts_with(begin)).unwrap_or_default();
    assert!(row("new 2.0.0").ends_with("0/2 ready  answers 3 of 10"), "{text}");
    assert!(row("old 1.0.0").ends_with("2/2 ready  answers 7 of 10"), "{text}");
    assert!(!screen(&mut panel, 60, 12).contains("answers"), "no room for it");
}
