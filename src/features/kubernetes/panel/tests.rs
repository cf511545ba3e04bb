//! A world for the panels without a cluster, and what the lists show in each state of their feeds.
#![allow(clippy::unwrap_used, clippy::panic)]

mod descent;
mod everywhere;
mod marks;
mod verbs;

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

pub struct Bench {
    pub hub: Hub,
    pub context: Arc<Context>,
    pub feeds: Vec<Box<dyn std::any::Any>>,
}

impl Bench {
    pub fn new() -> Self {
        Bench {
            hub: Hub::new(Clock::real()),
            context: Arc::new(Context::empty("test")),
            feeds: Vec::new(),
        }
    }

    /// The new replica set of the deployment `web`, whose only pod has this status and is not ready.
    pub fn stuck(self, status: &str) -> Self {
        let new = vec![("web-2", set("web-2", 2, 1, 0))];
        let pods = vec![("n1", pod("web-2-n1", "web-2", status, false))];
        self.with(new, HealthState::Live, None)
            .with(pods, HealthState::Live, None)
    }

    /// From here on feeds are those of another context.
    pub fn in_context(self, there: &Arc<Context>) -> Self {
        Bench {
            context: there.clone(),
            ..self
        }
    }

    /// A feed filled by the test instead of by a cluster.
    pub fn with<R: SlimRow>(mut self, rows: Vec<(&str, R)>, state: HealthState, reason: Option<&str>) -> Self {
        let key = FeedKey {
            context: self.context.clone(),
            kind: match self.context.kubernetes.everywhere {
                true => format!("kubernetes/{}/all", R::TYPE.2),
                false => format!("kubernetes/{}/own", R::TYPE.2),
            },
        };
        let feed: Subscription<R> = self.hub.subscribe(key, |source, _| {
            source.write(|table| {
                rows.into_iter().for_each(|(key, row)| match key.contains('/') {
                    true => table.upsert(key.to_owned(), row),
                    false => table.upsert(format!("default/{key}"), row),
                });
            });
            source.set_health(state, reason.map(Into::into));
        });
        self.feeds.push(Box::new(feed));
        self
    }
}

pub fn screen(panel: &mut dyn Panel, columns: u16, rows: u16) -> String {
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

pub fn deployment(name: &str, replicas: i64, updated: i64, available: i64) -> DeploymentRow {
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

pub fn set(name: &str, revision: i64, desired: i64, ready: i64) -> ReplicaSetRow {
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

pub fn pod(name: &str, set: &str, status: &str, ready: bool) -> PodRow {
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
    for (key, shown) in [(PanelKey::Open, "objects"), (PanelKey::Act("rollout"), "rollout")] {
        let effects = panel.key(key);
        let [Effect::Show { panel, subject }] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        assert_eq!((*panel, subject.target.name.as_str()), (shown, "web"));
    }
    let effects = panel.key(PanelKey::Act("image"));
    let [Effect::Compose(pipeline)] = effects.as_slice() else {
        panic!()
    };
    assert_eq!(print(pipeline), "kubectl:set-image deploy web c=i:2.0.0");
}

#[tokio::test]
async fn a_deployment_that_cannot_go_on_says_why_and_no_other_does() {
    let rows = vec![("api", deployment("api", 1, 1, 1)), ("web", deployment("web", 3, 1, 3))];
    let broken = |status: &str| Bench::new().with(rows.clone(), HealthState::Live, None).stuck(status);
    let bench = broken("ErrImagePull");
    let mut panel = super::deployments::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert_eq!(
        panel.folded().as_str(),
        "deployments 2  ! 1",
        "also before it was ever drawn"
    );
    let text = screen(&mut panel, 80, 5);
    let row = |n: usize| text.lines().nth(n).unwrap_or_default();
    assert!(row(1).ends_with("✓ available"), "{text}");
    assert!(row(2).ends_with("✗ ErrImagePull"), "{text}");
    // The pod moves and the deployment does not: the panel is due for a frame, and tells it.
    let before = panel.version();
    let feed = bench.feeds[2].downcast_ref::<Subscription<PodRow>>().unwrap();
    feed.source()
        .write(|table| table.upsert("default/n1", pod("web-2-n1", "web-2", "Running", false)));
    assert_ne!(panel.version(), before);
    assert!(screen(&mut panel, 80, 5).contains("~ updating"));
    assert_eq!(panel.folded().as_str(), "deployments 2");
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
async fn pods_tell_who_answers_while_traffic_is_watched() {
    use crate::features::traffic::model::{Sample, samples};
    let rows = ["a", "b"].map(|name| (name, pod(name, "s", "Running", true))).to_vec();
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert!(!screen(&mut panel, 100, 4).contains("REQUESTS"));
    let feed = samples(&bench.hub, &bench.context);
    let before = panel.version();
    feed.source().write(|rows| {
        let unnamed = Sample {
            at: Timestamp::UNIX_EPOCH,
            url: "http://inspector/".into(),
            status: Some(200),
            latency_ms: Some(3),
            matched: None,
            pod: None,
            version: None,
            error: None,
        };
        rows.upsert("0000".to_owned(), unnamed);
    });
    let text = screen(&mut panel, 100, 4);
    assert!(!text.contains("REQUESTS"), "nobody knows who answered: {text}");
    feed.source().write(|rows| {
        for n in 0..90 {
            let sample = Sample {
                at: Timestamp::UNIX_EPOCH,
                url: "http://inspector/".into(),
                status: Some(200),
                latency_ms: Some(3),
                matched: None,
                pod: Some(if n % 3 == 0 { "a" } else { "b" }.to_owned()),
                version: None,
                error: None,
            };
            rows.upsert(format!("{n:04}"), sample);
        }
    });
    assert_ne!(panel.version(), before, "a frame is due");
    let text = screen(&mut panel, 100, 4);
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].ends_with("REQUESTS"), "{text}");
    assert!(rows[1].ends_with("20/60") && rows[2].ends_with("40/60"), "{text}");
    let narrow = screen(&mut panel, 40, 4);
    assert!(
        narrow.contains("REQUESTS") && !narrow.contains("NODE"),
        "the node gives way before it: {narrow}"
    );
    feed.source().set_health(HealthState::Ended, None);
    assert!(!screen(&mut panel, 100, 4).contains("REQUESTS"), "that watch is over");
}

#[tokio::test]
async fn the_newest_event_is_in_sight_until_somebody_moves_away_from_it() {
    let event = |second: i64| EventRow {
        kind: "Normal".into(),
        reason: format!("Second{second}"),
        object_kind: "Pod".into(),
        object: "web-1".into(),
        at: Timestamp::from_second(second).ok(),
        ..EventRow::default()
    };
    let rows: Vec<(String, EventRow)> = (0..9).map(|second| (format!("e{second}"), event(second))).collect();
    let rows = rows.iter().map(|(key, row)| (key.as_str(), row.clone())).collect();
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::events::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let first = |panel: &mut dyn Panel| screen(panel, 60, 5).lines().nth(1).unwrap_or_default().to_owned();
    assert!(first(&mut panel).contains("Second8"));
    assert_eq!(panel.window(), Some((1, 4, 9)));
    let comes = |second: i64| {
        let feed = bench.feeds[0].downcast_ref::<Subscription<EventRow>>().unwrap();
        feed.source()
            .write(|table| table.upsert(format!("default/e{second}"), event(second)));
    };
    comes(9);
    assert!(
        first(&mut panel).contains("Second9"),
        "it does not stay on the row it was on"
    );
    panel.key(PanelKey::Move(Motion::Last));
    screen(&mut panel, 60, 5);
    comes(10);
    assert!(
        !first(&mut panel).contains("Second10"),
        "who looks at an older one goes on looking at it"
    );
}
