//! What the rollout panel shows of one rollout, of several, of what is pinned.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use jiff::Timestamp;

use super::RolloutPanel;
use crate::core::change::Target;
use crate::core::context::Context;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::panel::tests::{Bench, deployment, pod, screen, set};
use crate::feed::HealthState;
use crate::ui::panel::testing::pipelines;
use crate::ui::panel::{Effect, Motion, Panel, PanelKey, Scope, Subject};

fn rolling() -> Bench {
    let mut row = deployment("web", 3, 1, 3);
    row.progress_deadline = 600;
    Bench::new()
        .with(
            vec![("api", deployment("api", 1, 1, 1)), ("web", row)],
            HealthState::Live,
            None,
        )
        .with(
            vec![("web-1", set("web-1", 1, 3, 3)), ("web-2", set("web-2", 2, 1, 0))],
            HealthState::Live,
            None,
        )
        .with(
            vec![
                ("n1", pod("web-2-n1", "web-2", "ErrImagePull", false)),
                ("o1", pod("web-1-o1", "web-1", "Running", true)),
                ("x", pod("stranger", "x", "Running", true)),
            ],
            HealthState::Live,
            None,
        )
}

#[tokio::test]
async fn a_rollout_is_two_bars_pods_and_its_cause() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 80, 12);
    assert_eq!(
        panel.title().as_str(),
        "rollout web",
        "what moves is shown, not what rests"
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "✗ ErrImagePull: new 0/1, old 3/3 serve", "{text}");
    assert!(lines[1].contains("3 wanted  +1 surge  -0 unavailable"), "{text}");
    assert!(
        lines[3].starts_with("new 2.0.0") && lines[3].contains('▒') && lines[3].ends_with("0/1 ready"),
        "{text}"
    );
    assert!(
        lines[4].starts_with("old 1.0.0") && lines[4].contains('█') && lines[4].ends_with("3/3 ready"),
        "{text}"
    );
    assert!(lines[5].contains("✗ ErrImagePull web-2-n1"), "{text}");
    assert!(text.contains("web-1-o1") && !text.contains("stranger"), "{text}");
    assert_eq!(
        pipelines(&panel.key(PanelKey::Act("undo"))),
        ["kubectl:rollout-undo deploy web"]
    );
}

#[tokio::test]
async fn it_follows_the_last_change_made_here() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let before = panel.version();
    let service = Target {
        kind: "Service".into(),
        ..deployment_named("api")
    };
    assert!(!panel.focus_on(&service.clone().into()));
    assert_eq!(panel.version(), before, "a service rolls nothing out");
    assert!(panel.focus_on(&deployment_named("api").into()), "it turned to it");
    assert!(panel.focus_on(&deployment_named("api").into()), "it shows it already");
    assert_ne!(panel.version(), before);
    assert!(screen(&mut panel, 80, 12).contains("deployment \"api\" successfully rolled out"));
    assert_eq!(panel.title().as_str(), "rollout api");
}

/// What goes on in several at once: three of them, one with a broken image.
fn several() -> Bench {
    let moving = |name: &str, second: i64| {
        let mut row = deployment(name, 3, 1, 3);
        row.created = Timestamp::from_second(second).ok();
        row
    };
    let own = |name: &str, owner: &str, revision: i64, desired: i64, ready: i64| {
        let mut row = set(name, revision, desired, ready);
        row.owner_uid = owner.into();
        row
    };
    Bench::new()
        .with(
            vec![
                ("api", deployment("api", 1, 1, 1)),
                ("one", moving("one", 1)),
                ("three", moving("three", 3)),
                ("two", moving("two", 2)),
            ],
            HealthState::Live,
            None,
        )
        .with(
            vec![
                ("one-1", own("one-1", "one", 1, 3, 3)),
                ("one-2", own("one-2", "one", 2, 1, 0)),
                ("two-1", own("two-1", "two", 1, 2, 2)),
                ("two-2", own("two-2", "two", 2, 2, 1)),
                ("three-2", own("three-2", "three", 2, 3, 2)),
            ],
            HealthState::Live,
            None,
        )
        .with(
            vec![("n1", pod("one-2-n1", "one-2", "ErrImagePull", false))],
            HealthState::Live,
            None,
        )
}

fn deployment_named(name: &str) -> Target {
    Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: name.into(),
    }
}

#[tokio::test]
async fn several_rollouts_are_a_bar_each_and_one_can_be_opened() {
    let bench = several();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 80, 12);
    assert_eq!(panel.title().as_str(), "rollouts 3");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("3 rollouts go on"), "{text}");
    assert!(
        lines[1].starts_with("three  [█") && lines[1].contains("2/3 of 2.0.0"),
        "the last to move first: {text}"
    );
    assert!(
        lines[2].starts_with("two") && lines[2].contains('▒') && lines[2].contains("~ updating"),
        "{text}"
    );
    assert!(
        lines[3].starts_with("one") && lines[4].contains("✗ ErrImagePull one-2-n1"),
        "{text}"
    );
    assert!(!text.contains("api"), "what rests is not there: {text}");
    // What was changed here stands first.
    panel.focus_on(&deployment_named("one").into());
    assert!(screen(&mut panel, 80, 12).lines().nth(1).unwrap().starts_with("one"));
    panel.key(PanelKey::Move(Motion::Last));
    screen(&mut panel, 80, 12);
    assert!(panel.key(PanelKey::Open).is_empty());
    let text = screen(&mut panel, 80, 12);
    assert_eq!(panel.title().as_str(), "rollout two");
    assert!(text.lines().any(|line| line.starts_with("new 2.0.0")), "{text}");
    assert!(panel.back() && !panel.back());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    for (columns, rows) in [(1, 1), (10, 3), (40, 6), (200, 60)] {
        screen(&mut panel, columns, rows);
    }
    assert!(screen(&mut panel, 40, 3).contains("two"), "the selected one is in view");
}

#[tokio::test]
async fn what_is_pinned_wins_over_changes_and_over_several() {
    let bench = several();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let told = panel.hold(&deployment_named("api").into()).unwrap();
    assert_eq!(told.as_str(), "the rollout panel stays on api");
    assert!(!panel.focus_on(&deployment_named("one").into()));
    assert_eq!(panel.title().as_str(), "rollout api  pinned");
    assert!(screen(&mut panel, 80, 12).contains("✓ available 1 of 1"));
    assert!(!panel.back(), "back does not let go of it");
    screen(&mut panel, 80, 12);
    let effects = panel.key(PanelKey::Act("hold"));
    let [Effect::Toast(told)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(told.as_str(), "the rollout panel follows the last change again");
    assert_eq!(panel.title().as_str(), "rollouts 3");
    // Shown from another panel it stays until something else is changed here.
    panel.show(&deployment_named("api").into());
    assert_eq!(panel.title().as_str(), "rollout api");
    panel.focus_on(&deployment_named("two").into());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    // A pin on a deployment that is gone holds nothing up.
    panel.hold(&deployment_named("gone").into());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    let service = Target {
        kind: "Service".into(),
        ..deployment_named("api")
    };
    assert!(panel.hold(&service.clone().into()).is_none());
}

#[tokio::test]
async fn the_gates_say_what_it_waits_for_and_give_way_where_there_is_no_room() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 100, 14);
    assert!(
        text.contains("~ updated 1 of 3  ~ new ready 0 of 3  ~ new available 0 of 3"),
        "{text}"
    );
    let low = screen(&mut panel, 100, 8);
    assert!(
        !low.contains("updated 1 of 3") && low.contains("✗ ErrImagePull web-2-n1"),
        "{low}"
    );
    let narrow = screen(&mut panel, 30, 20);
    let gates: Vec<&str> = narrow.lines().filter(|line| line.contains(" of 3")).collect();
    assert!(
        gates.len() > 1 && gates.iter().all(|line| line.chars().count() <= 30),
        "{narrow}"
    );
}

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
async fn a_finished_rollout_is_a_full_bar_and_the_surge_has_room_only_while_it_is_there() {
    let world = |updated, old: i64| {
        let row = deployment("web", 3, updated, 3);
        let sets = vec![
            ("web-1", set("web-1", 1, old, old)),
            ("web-2", set("web-2", 2, updated, updated)),
        ];
        Bench::new()
            .with(vec![("web", row)], HealthState::Live, None)
            .with(sets, HealthState::Live, None)
            .with::<crate::features::kubernetes::model::PodRow>(vec![], HealthState::Live, None)
    };
    let new = |bench: &Bench| {
        let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
        panel.open(&bench.context);
        let text = screen(&mut panel, 80, 12);
        let bar = text.lines().find(|line| line.starts_with("new 2.0.0")).unwrap();
        bar.matches(['█', '·']).collect::<String>()
    };
    assert!(!new(&world(3, 0)).contains('·'));
    let surging = new(&world(2, 2));
    let full = surging.matches('█').count();
    assert_eq!(full * 2, surging.chars().count(), "two of four: {surging}");
}

#[tokio::test]
async fn the_pod_that_fails_is_selected_until_another_is_chosen_and_undo_comes_first() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    screen(&mut panel, 80, 14);
    let described = |panel: &mut RolloutPanel| pipelines(&panel.key(PanelKey::Act("describe"))).join("; ");
    assert_eq!(described(&mut panel), "kubectl:describe po web-2-n1");
    assert_eq!(panel.actions()[0].name, "undo");
    panel.key(PanelKey::Move(Motion::Last));
    screen(&mut panel, 80, 14);
    assert_eq!(described(&mut panel), "kubectl:describe po web-1-o1");
    panel.show(&deployment_named("api").into());
    screen(&mut panel, 80, 14);
    assert_eq!(panel.actions()[0].name, "describe", "nothing fails there");
}

#[tokio::test]
async fn a_cause_takes_the_lines_that_nothing_else_needs() {
    let mut broken = pod("web-2-n1", "web-2", "ErrImagePull", false);
    broken.message = "failed to pull and unpack image: ".repeat(6) + "the registry says not found";
    let bench = Bench::new()
        .with(vec![("web", deployment("web", 3, 1, 3))], HealthState::Live, None)
        .with(vec![("web-2", set("web-2", 2, 1, 0))], HealthState::Live, None)
        .with(vec![("n1", broken)], HealthState::Live, None);
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let high = screen(&mut panel, 50, 24);
    assert!(high.replace('\n', " ").contains("says not found"), "{high}");
    assert!(high.contains("POD"), "{high}");
    let low = screen(&mut panel, 50, 9);
    assert!(low.contains("POD") && !low.contains("says not found"), "{low}");
}

#[tokio::test]
async fn it_turns_to_a_deployment_by_its_name() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert_eq!(panel.turn_to("api"), Some(Ok(())));
    assert_eq!(panel.title().as_str(), "rollout api");
    let wrong = panel.turn_to("wep");
    assert_eq!(wrong, Some(Err("no deployment wep here  did you mean web?".into())));
    assert_eq!(panel.title().as_str(), "rollout api");
}

#[tokio::test]
async fn it_shows_one_context_and_says_which() {
    let bench = rolling();
    let here = bench.context.clone();
    let there = Arc::new(Context::empty("green"));
    let bench = bench
        .in_context(&there)
        .with(vec![("db", deployment("db", 2, 2, 2))], HealthState::Live, None);
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    let scope = Scope::with(&here, std::slice::from_ref(&there));
    panel.open_in(&scope);
    assert_eq!(panel.title().as_str(), "rollout web @test", "the session's own");
    let db = Subject::of(deployment_named("db"), &there);
    panel.show(&db);
    assert_eq!(panel.title().as_str(), "rollout db @green", "what was chosen");
    assert!(panel.folded().as_str().starts_with("rollout db @green  "));
    assert!(
        panel
            .health()
            .iter()
            .all(|source| source.context == Some("green".into()))
    );
    screen(&mut panel, 80, 12);
    assert_eq!(
        pipelines(&panel.key(PanelKey::Act("undo"))),
        ["@green kubectl:rollout-undo deploy db"]
    );
    // It stays there when it is looked at again, and follows changes into the contexts that are shown.
    panel.close();
    panel.open_in(&scope);
    assert_eq!(panel.title().as_str(), "rollout db @green");
    screen(&mut panel, 80, 12);
    assert!(panel.focus_on(&deployment_named("api").into()));
    assert_eq!(panel.title().as_str(), "rollout api @test");
    assert_eq!(
        panel.key(PanelKey::Act("undo")),
        [Effect::Toast(super::NOTHING.into())],
        "nothing of the context before is acted on"
    );
    let elsewhere = Subject::of(deployment_named("web"), &Arc::new(Context::empty("red")));
    assert!(!panel.focus_on(&elsewhere));
    assert_eq!(panel.title().as_str(), "rollout api @test", "red is not shown");
    panel.hold(&deployment_named("api").into());
    assert!(!panel.focus_on(&db), "what is pinned stays");
    assert_eq!(panel.title().as_str(), "rollout api @test  pinned");
    // One context again: it is not said, and what was followed among several is not.
    panel.open(&here);
    assert_eq!(panel.title().as_str(), "rollout web");
}

#[tokio::test]
async fn a_rollout_that_goes_on_has_the_sentence_of_kubectl_and_a_stuck_one_its_cause_when_folded() {
    let world = |status: &str| {
        Bench::new()
            .with(vec![("web", deployment("web", 3, 1, 3))], HealthState::Live, None)
            .with(
                vec![("web-1", set("web-1", 1, 3, 3)), ("web-2", set("web-2", 2, 1, 0))],
                HealthState::Live,
                None,
            )
            .with(
                vec![("n1", pod("web-2-n1", "web-2", status, false))],
                HealthState::Live,
                None,
            )
    };
    let look = |bench: &Bench| {
        let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
        panel.open(&bench.context);
        let folded = panel.folded().as_str().to_owned();
        (folded, screen(&mut panel, 80, 12).lines().next().unwrap().to_owned())
    };
    let (folded, head) = look(&world("ContainerCreating"));
    assert_eq!(folded, "rollout web  updating 1/3");
    assert_eq!(head, "~ updating  1 out of 3 new replicas have been updated...");
    let (folded, head) = look(&world("CrashLoopBackOff"));
    assert_eq!(folded, "rollout web  ! CrashLoopBackOff: new 0/1, old 3/3 serve");
    assert_eq!(head, "✗ CrashLoopBackOff: new 0/1, old 3/3 serve");
    // A word from the cluster is no way into the terminal.
    let (folded, head) = look(&world("Init:Err\u{1b}]52;c;x\u{7}"));
    assert!(
        !folded.contains('\u{1b}') && !head.contains('\u{1b}'),
        "{folded} {head}"
    );
}

#[tokio::test]
async fn what_is_stuck_comes_before_what_is_degraded() {
    let mut sick = deployment("api", 1, 1, 0);
    sick.conditions = vec![crate::features::kubernetes::model::Condition {
        kind: "Available".into(),
        status: "False".into(),
        ..Default::default()
    }];
    let bench = Bench::new()
        .with(
            vec![("api", sick), ("web", deployment("web", 3, 1, 3))],
            HealthState::Live,
            None,
        )
        .stuck("ErrImagePull");
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert_eq!(panel.title().as_str(), "rollout web");
}

#[tokio::test]
async fn enter_on_a_pod_goes_down_to_its_containers() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    screen(&mut panel, 80, 14);
    let effects = panel.key(PanelKey::Open);
    let [
        Effect::Show {
            panel: "objects",
            subject,
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (subject.target.kind.as_str(), subject.target.name.as_str()),
        ("Pod", "web-2-n1")
    );
}

/// Three pods that roll: two of each version, as a status each.
fn surging(new: [&str; 2]) -> Bench {
    let row = deployment("web", 3, 2, 4);
    let pods = vec![
        ("n1", pod("web-2-aaaaa", "web-2", new[0], false)),
        ("n2", pod("web-2-bbbbb", "web-2", new[1], false)),
        ("o1", pod("web-1-ccccc", "web-1", "Running", true)),
        ("o2", pod("web-1-ddddd", "web-1", "Running", true)),
    ];
    Bench::new()
        .with(vec![("web", row)], HealthState::Live, None)
        .with(
            vec![("web-1", set("web-1", 1, 2, 2)), ("web-2", set("web-2", 2, 2, 0))],
            HealthState::Live,
            None,
        )
        .with(pods, HealthState::Live, None)
}

#[tokio::test]
async fn ten_rows_show_the_pods_of_both_versions_and_the_newest_first() {
    let bench = surging(["Pending", "Running"]);
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 80, 10);
    for pod in ["aaaaa", "bbbbb", "ccccc", "ddddd"] {
        assert!(text.contains(pod), "{pod}: {text}");
    }
    assert!(text.contains("~ new ready 0 of 3"), "whose count it is: {text}");
    // Fewer rows: the new ones stay in sight, whatever was drawn before.
    let low = screen(&mut panel, 80, 8);
    assert!(low.contains("aaaaa") && low.contains("bbbbb"), "{low}");
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
