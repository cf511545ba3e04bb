//! What the two panels show in each state of their feeds.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::rollout::RolloutPanel;
use crate::core::change::Target;
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::model::{
    Container, DeploymentRow, EventRow, PodRow, ReplicaSetRow, ServiceRow, SlimRow,
};
use crate::feed::{FeedKey, HealthState, Hub, Subscription};
use crate::lang::print;
use crate::ui::panel::{Effect, Motion, Panel, PanelKey, Theme};

struct Bench {
    hub: Hub,
    context: Arc<Context>,
    feeds: Vec<Box<dyn std::any::Any>>,
}

impl Bench {
    fn new() -> Self {
        Bench {
            hub: Hub::new(Clock::real()),
            context: Arc::new(Context::empty("test")),
            feeds: Vec::new(),
        }
    }

    /// A feed filled by the test instead of by a cluster.
    fn with<R: SlimRow>(mut self, rows: Vec<(&str, R)>, state: HealthState, reason: Option<&str>) -> Self {
        let key = FeedKey {
            context: self.context.clone(),
            kind: format!("kubernetes/{}/own", R::TYPE.2),
        };
        let feed: Subscription<R> = self.hub.subscribe(key, |source, _| {
            source.write(|table| {
                rows.into_iter()
                    .for_each(|(key, row)| table.upsert(format!("default/{key}"), row))
            });
            source.set_health(state, reason.map(Into::into));
        });
        self.feeds.push(Box::new(feed));
        self
    }
}

fn screen(panel: &mut dyn Panel, columns: u16, rows: u16) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    panel.draw(area, &mut buffer, &Theme::plain(), true, Timestamp::UNIX_EPOCH);
    let line = |y| {
        (0..columns)
            .map(|x| buffer[(x, y)].symbol().to_owned())
            .collect::<String>()
            .trim_end()
            .to_owned()
    };
    (0..rows).map(line).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn deployment(name: &str, replicas: i64, updated: i64, available: i64) -> DeploymentRow {
    DeploymentRow {
        name: name.into(),
        uid: name.into(),
        replicas,
        total: replicas,
        updated,
        ready: available,
        available,
        revision: Some(2),
        version: "2.0.0".into(),
        containers: vec![Container {
            name: "c".into(),
            image: "i:2.0.0".into(),
        }],
        created: Some(Timestamp::UNIX_EPOCH),
        ..DeploymentRow::default()
    }
}

fn set(name: &str, revision: i64, desired: i64, ready: i64) -> ReplicaSetRow {
    ReplicaSetRow {
        name: name.into(),
        uid: name.into(),
        owner_uid: "web".into(),
        revision: Some(revision),
        desired,
        current: desired,
        ready,
        version: format!("{revision}.0.0"),
        ..ReplicaSetRow::default()
    }
}

fn pod(name: &str, set: &str, status: &str, ready: bool) -> PodRow {
    PodRow {
        name: name.into(),
        owner_uid: set.into(),
        status: status.into(),
        is_ready: ready,
        ip: "100.96.1.5".into(),
        version: "1".into(),
        created: Some(Timestamp::UNIX_EPOCH),
        ..PodRow::default()
    }
}

#[tokio::test]
async fn deployments_are_rows_with_a_state_in_words() {
    let rows = vec![("api", deployment("api", 0, 0, 0)), ("web", deployment("web", 3, 1, 3))];
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::deployments::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 80, 5);
    assert!(text.starts_with("NAME"), "{text}");
    assert!(
        text.contains("· scaled to 0") && text.contains("3/3") && text.contains("~ updating"),
        "{text}"
    );
    assert_eq!(panel.title().as_str(), "deployments 2");
    panel.key(PanelKey::Move(Motion::Down));
    let effects = panel.key(PanelKey::Open);
    let [
        Effect::Show {
            panel: "rollout",
            subject,
        },
    ] = effects.as_slice()
    else {
        panic!()
    };
    assert_eq!(subject.name, "web");
    let effects = panel.key(PanelKey::Act("image"));
    let [Effect::Compose(pipeline)] = effects.as_slice() else {
        panic!()
    };
    assert_eq!(print(pipeline), "kubectl:set-image deploy web c=i:2.0.0");
}

#[tokio::test]
async fn an_empty_table_says_why() {
    let cases = [
        (HealthState::Live, None, "no deployment in this namespace"),
        (HealthState::Loading, None, "loading"),
        (
            HealthState::Denied,
            Some("deployments.apps is forbidden"),
            "denied: deployments.apps is forbidden",
        ),
        (
            HealthState::Stale,
            Some("the server does not answer"),
            "stale: the server does not answer",
        ),
    ];
    for (state, reason, wanted) in cases {
        let bench = Bench::new()
            .with::<DeploymentRow>(vec![], state, reason)
            .with::<ReplicaSetRow>(vec![], state, reason)
            .with::<PodRow>(vec![], state, reason);
        let mut panel = super::deployments::panel(&bench.hub, &Clients::new());
        panel.open(&bench.context);
        assert!(screen(&mut panel, 80, 5).contains(wanted), "{wanted}");
        let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
        panel.open(&bench.context);
        assert!(!screen(&mut panel, 80, 8).is_empty());
    }
}

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
    assert!(
        lines[0].contains("1 out of 3 new replicas have been updated..."),
        "{text}"
    );
    assert!(lines[1].contains("3 wanted  +1 surge  -0 unavailable"), "{text}");
    assert!(
        lines[2].starts_with("new 2.0.0") && lines[2].contains('▒') && lines[2].ends_with("0/1 ready"),
        "{text}"
    );
    assert!(
        lines[3].starts_with("old 1.0.0") && lines[3].contains('█') && lines[3].ends_with("3/3 ready"),
        "{text}"
    );
    assert!(lines[4].contains("✗ ErrImagePull web-2-n1"), "{text}");
    assert!(text.contains("web-1-o1") && !text.contains("stranger"), "{text}");
    let effects = panel.key(PanelKey::Act("undo"));
    let [Effect::Run(pipeline)] = effects.as_slice() else {
        panic!()
    };
    assert_eq!(print(pipeline), "kubectl:rollout-undo deploy web");
}

#[tokio::test]
async fn it_follows_the_last_change_made_here() {
    let bench = rolling();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let before = panel.version();
    panel.focus_on(&Target {
        kind: "Service".into(),
        scope: "default".into(),
        name: "api".into(),
    });
    assert_eq!(panel.version(), before, "a service rolls nothing out");
    panel.focus_on(&Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: "api".into(),
    });
    assert_ne!(panel.version(), before);
    assert!(screen(&mut panel, 80, 12).contains("deployment \"api\" successfully rolled out"));
    assert_eq!(panel.title().as_str(), "rollout api");
}

#[tokio::test]
async fn hostile_names_and_small_areas_do_no_harm() {
    let bench = Bench::new()
        .with(
            vec![("x", deployment("\u{1b}]52;c;x\u{7}$(rm)", 3, 1, 3))],
            HealthState::Live,
            None,
        )
        .with::<ReplicaSetRow>(vec![], HealthState::Live, None)
        .with::<PodRow>(vec![], HealthState::Live, None);
    let mut panels: Vec<Box<dyn Panel>> = vec![
        Box::new(super::deployments::panel(&bench.hub, &Clients::new())),
        Box::new(RolloutPanel::new(&bench.hub, &Clients::new())),
    ];
    for panel in &mut panels {
        panel.open(&bench.context);
        for (columns, rows) in [(1, 1), (5, 2), (20, 3), (200, 60)] {
            assert!(!screen(panel.as_mut(), columns, rows).contains('\u{1b}'));
        }
    }
}

/// One screen of a list of two rows in a state at a size, and what must be seen of it.
#[tokio::test]
async fn every_list_in_every_state_at_the_three_sizes() {
    let states = [
        (HealthState::Loading, None, "loading…"),
        (HealthState::Live, None, "no "),
        (
            HealthState::Stale,
            Some("no answer for 48s"),
            "stale: no answer for 48s",
        ),
        (
            HealthState::Denied,
            Some("pods is forbidden"),
            "denied: pods is forbidden",
        ),
        (
            HealthState::Failed,
            Some("connection refused"),
            "error: connection refused",
        ),
    ];
    for (columns, rows) in [(78, 20), (52, 12), (60, 18)] {
        for (state, reason, wanted) in states {
            let bench = Bench::new()
                .with::<DeploymentRow>(vec![], state, reason)
                .with::<PodRow>(vec![], state, reason)
                .with::<ServiceRow>(vec![], state, reason)
                .with::<EventRow>(vec![], state, reason);
            for mut panel in lists(&bench) {
                panel.open(&bench.context);
                let text = screen(panel.as_mut(), columns, rows);
                let wanted = match (state, panel.id()) {
                    (HealthState::Live, "events") => "nothing happened",
                    _ => wanted,
                };
                assert!(text.contains(wanted), "{} {state:?}: {text}", panel.id());
            }
        }
        let service = |name: &str| ServiceRow {
            name: name.into(),
            kind: "LoadBalancer".into(),
            ingress: vec!["ab4ea5ab1f1234567890abcdef012345-1234567890.ap-southeast-2.elb.amazonaws.com".into()],
            ..ServiceRow::default()
        };
        let event = |message: &str| EventRow {
            kind: "Warning".into(),
            reason: "BackOff".into(),
            message: message.into(),
            object_kind: "Pod".into(),
            object: "web-1".into(),
            ..EventRow::default()
        };
        let bench = Bench::new()
            .with(
                vec![("a", deployment("a", 1, 1, 1)), ("b", deployment("b", 1, 1, 0))],
                HealthState::Live,
                None,
            )
            .with(
                vec![
                    ("p", pod("p", "s", "Running", true)),
                    ("q", pod("q", "s", "CrashLoopBackOff", false)),
                ],
                HealthState::Live,
                None,
            )
            .with(vec![("s", service("s")), ("t", service("t"))], HealthState::Live, None)
            .with(
                vec![("e", event("restarting")), ("f", event("pulling"))],
                HealthState::Live,
                None,
            );
        let facts = [
            ("deployments", "✓ available"),
            ("pods", "✗ CrashLoopBackOff"),
            ("services", "amazonaws.com"),
            ("events", "! BackOff"),
        ];
        for (mut panel, (id, fact)) in lists(&bench).into_iter().zip(facts) {
            panel.open(&bench.context);
            let text = screen(panel.as_mut(), columns, rows);
            assert_eq!((panel.id(), panel.title().as_str()), (id, format!("{id} 2").as_str()));
            assert!(text.contains(fact), "{id}: {text}");
        }
    }
}

fn lists(bench: &Bench) -> Vec<Box<dyn Panel>> {
    let clients = Clients::new();
    vec![
        Box::new(super::deployments::panel(&bench.hub, &clients)),
        Box::new(super::pods::panel(&bench.hub, &clients)),
        Box::new(super::services::panel(&bench.hub, &clients)),
        Box::new(super::events::panel(&bench.hub, &clients)),
    ]
}

#[tokio::test]
async fn rows_of_pods_and_services_are_acted_on_by_pipelines() {
    let hostile = "web; kubectl:delete ns default";
    let bench = Bench::new()
        .with(vec![("p", pod(hostile, "s", "Running", true))], HealthState::Live, None)
        .with(
            vec![(
                "s",
                ServiceRow {
                    name: "web".into(),
                    cluster_ip: "100.64.0.9".into(),
                    ..ServiceRow::default()
                },
            )],
            HealthState::Live,
            None,
        );
    let mut pods = super::pods::panel(&bench.hub, &Clients::new());
    pods.open(&bench.context);
    let run = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Run(pipeline)] => print(pipeline),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        run(pods.key(PanelKey::Open)),
        format!("kubectl:logs '{hostile}' --tail=50")
    );
    assert_eq!(
        run(pods.key(PanelKey::Act("yaml"))),
        format!("kubectl:get po '{hostile}' --output=yaml")
    );
    let mut services = super::services::panel(&bench.hub, &Clients::new());
    services.open(&bench.context);
    assert_eq!(run(services.key(PanelKey::Open)), "kubectl:describe svc web");
    assert_eq!(
        services.key(PanelKey::Act("copy-address")),
        [Effect::Copy("100.64.0.9".into())]
    );
}

/// Marks are by row, have a column of their own, and what a filter hides is not acted on.
#[tokio::test]
async fn an_action_is_about_all_marked_rows_in_one_pipeline() {
    let names = ["a-1", "a-2", "b-1"];
    let rows = names.map(|name| (name, pod(name, "s", "Running", true))).to_vec();
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let line = |effects: &[Effect]| match effects {
        [Effect::Run(pipeline) | Effect::Compose(pipeline)] => print(pipeline),
        other => panic!("{other:?}"),
    };
    assert_eq!(line(&panel.key(PanelKey::Act("delete"))), "kubectl:delete po a-1");
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    assert_eq!(panel.title().as_str(), "pods 3  3 marked");
    assert_eq!(
        line(&panel.key(PanelKey::Act("delete"))),
        "kubectl:delete po a-1 a-2 b-1"
    );
    let logs = line(&panel.key(PanelKey::Act("logs")));
    assert_eq!(logs, "kubectl:get po a-1 a-2 b-1 | kubectl:logs --tail=50 --prefix");
    let text = screen(&mut panel, 80, 5);
    assert_eq!(text.lines().filter(|row| row.starts_with('●')).count(), 3, "{text}");
    // Opening is about the selected row alone; a mark under a filter sleeps.
    assert_eq!(line(&panel.key(PanelKey::Open)), "kubectl:logs b-1 --tail=50");
    panel.filter("a-");
    assert_eq!(line(&panel.key(PanelKey::Act("delete"))), "kubectl:delete po a-1 a-2");
    assert_eq!(panel.title().as_str(), "pods 3  /a- 2  2 of 3 marked");
    panel.filter("nothing");
    assert!(matches!(
        panel.key(PanelKey::Act("delete")).as_slice(),
        [Effect::Toast(_)]
    ));
    assert!(panel.subjects().is_empty());
    panel.filter("b-");
    screen(&mut panel, 80, 5);
    assert_eq!(panel.subjects().len(), 1);
    panel.key(PanelKey::Mark);
    let effects = panel.key(PanelKey::Act("delete"));
    assert!(
        matches!(effects.as_slice(), [Effect::Toast(_)]),
        "not the selected row while others are marked: {effects:?}"
    );
    panel.key(PanelKey::Mark);
    panel.filter("");
    panel.key(PanelKey::Move(Motion::First));
    panel.key(PanelKey::Mark);
    assert_eq!(
        line(&panel.key(PanelKey::Act("describe"))),
        "kubectl:describe po a-2 b-1"
    );
    assert!(panel.back() && !panel.back());
    assert_eq!(panel.title().as_str(), "pods 3");
}

#[tokio::test]
async fn marks_of_rows_that_went_and_of_another_context_are_gone() {
    let rows = vec![
        ("a", pod("a", "s", "Running", true)),
        ("b", pod("b", "s", "Running", true)),
    ];
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    let feed: Subscription<PodRow> = bench.hub.subscribe(
        FeedKey {
            context: bench.context.clone(),
            kind: "kubernetes/pods/own".into(),
        },
        |_, _| unreachable!("it runs"),
    );
    feed.source().write(|rows| rows.remove("default/a"));
    screen(&mut panel, 60, 4);
    assert_eq!(panel.title().as_str(), "pods 1  1 marked");
    panel.open(&Arc::new(Context::empty("other")));
    assert_eq!(panel.title().as_str(), "pods");
}

/// Deployment, replica sets, pods, containers, logs; and back, each level as it was left.
#[tokio::test]
async fn the_way_down_from_a_deployment_and_back() {
    use crate::features::kubernetes::feed::containers::ContainerRow;
    let owned = |name: &str, owner: &str| PodRow {
        owner_kind: "ReplicaSet".into(),
        owner: owner.into(),
        namespace: "default".into(),
        ..pod(name, owner, "Running", true)
    };
    let mut deployments = vec![("web", deployment("web", 3, 3, 3))];
    deployments[0].1.namespace = "default".into();
    let sets = ["web-1", "web-2"].map(|name| {
        let revision = if name == "web-1" { 1 } else { 2 };
        let mut row = set(name, revision, 1, 1);
        row.namespace = "default".into();
        (name, row)
    });
    let bench = Bench::new()
        .with(deployments, HealthState::Live, None)
        .with(sets.to_vec(), HealthState::Live, None)
        .with(
            vec![
                ("a", owned("a", "web-1")),
                ("b", owned("b", "web-1")),
                ("c", owned("c", "web-2")),
            ],
            HealthState::Live,
            None,
        );
    let containers: Subscription<ContainerRow> = bench.hub.subscribe(
        FeedKey {
            context: bench.context.clone(),
            kind: "kubernetes/containers/default/b".into(),
        },
        |source, _| {
            source.replace([(
                "0".to_owned(),
                ContainerRow {
                    name: "app".into(),
                    image: "i:1".into(),
                    state: "Running".into(),
                    ready: true,
                    ..ContainerRow::default()
                },
            )]);
        },
    );
    let mut panel = super::objects::Objects::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert!(screen(&mut panel, 80, 3).contains("any kind by its name"));
    panel.show(&Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: "web".into(),
    });
    assert_eq!(panel.title().as_str(), "replica sets of web");
    let text = screen(&mut panel, 80, 4);
    let row = |n: usize| text.lines().nth(n).unwrap_or_default().to_owned();
    assert!(
        row(1).starts_with("web-2") && row(2).starts_with("web-1"),
        "the newest first: {text}"
    );
    let subjects = panel.subjects();
    assert_eq!(
        subjects
            .iter()
            .map(|set| (set.kind.as_str(), set.name.as_str()))
            .collect::<Vec<_>>(),
        [("ReplicaSet", "web-2")],
        "for pipelines that a keymap binds to rows"
    );
    let actions: Vec<&str> = panel.all_actions().iter().map(|action| action.name).collect();
    for level in ["open", "delete", "pods", "logs"] {
        assert!(actions.contains(&level), "{level}: {actions:?}");
    }
    panel.key(PanelKey::Move(Motion::Last));
    let mut seen = vec![panel.version()];
    panel.key(PanelKey::Open);
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "< pods of web-1");
    assert!(!screen(&mut panel, 80, 5).contains("\nc "), "pods of the other set");
    panel.key(PanelKey::Move(Motion::Last));
    panel.key(PanelKey::Open);
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "< containers of b");
    assert!(screen(&mut panel, 80, 3).contains("✓ Running"));
    let effects = panel.key(PanelKey::Open);
    let [Effect::Run(logs)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(print(logs), "kubectl:logs b --container app --tail=50");
    assert!(panel.back());
    seen.push(panel.version());
    let effects = panel.key(PanelKey::Act("describe"));
    let [Effect::Run(line)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(print(line), "kubectl:describe po b", "the selection is where it was");
    panel.key(PanelKey::Move(Motion::Left));
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "replica sets of web");
    assert!(!panel.back());
    assert!(seen.is_sorted_by(|a, b| a < b), "a frame is due at each step: {seen:?}");
    drop(containers);
}
