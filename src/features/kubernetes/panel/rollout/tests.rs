//! What the rollout panel shows of one rollout, of several, of what is pinned.
#![allow(clippy::unwrap_used, clippy::panic)]

mod several;
mod traffic;

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

fn deployment_named(name: &str) -> Target {
    Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: name.into(),
    }
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
    // Both ends of it.
    assert!(
        low.contains("POD") && low.contains("✗ ErrImagePull") && low.contains('…'),
        "{low}"
    );
    assert!(low.replace('\n', " ").contains("not found"), "{low}");
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
