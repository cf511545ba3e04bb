//! Every panel in every state of its data, at the three sizes: one table, a snapshot a panel and size, and one fact of
//! each asserted apart from it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::any::Any;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use serde_json::json;

use cogdeck::core::change::{Change, Risk, Target};
use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::features::ec2::model::InstanceRow;
use cogdeck::features::kubernetes::model::{
    DeploymentRow, EventRow, PodRow, ReplicaSetRow, ServiceRow, TableColumn, TableHead, TableRow,
};
use cogdeck::features::route53::model::{DnsRow, RecordSet};
use cogdeck::features::session::panel::{SessionFeeds, panels as session_panels};
use cogdeck::features::traffic::model::Sample;
use cogdeck::features::{Features, Shared};
use cogdeck::feed::{FeedKey, HealthState, Hub, Subscription};
use cogdeck::store::Store;
use cogdeck::ui::panel::{Panel, Theme};
use cogdeck::verb::session::{AuditEntry, Job, JobState};

/// The lines of what was drawn, without what is empty at their ends.
fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let line: String = (area.left()..area.right()).map(|x| buffer[(x, y)].symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect()
}

const START: Timestamp = Timestamp::UNIX_EPOCH;
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const ROWS: usize = 3;
const REASON: &str = "the reason in words";

/// Word, state, whether there are rows.
const STATES: [(&str, HealthState, bool); 6] = [
    ("loading", HealthState::Loading, false),
    ("live", HealthState::Live, true),
    ("stale", HealthState::Stale, true),
    ("denied", HealthState::Denied, false),
    ("empty", HealthState::Live, false),
    ("error", HealthState::Failed, false),
];

/// A world in one state: every feed filled by the test, none started.
struct World {
    hub: Hub,
    context: Arc<Context>,
    state: HealthState,
    filled: bool,
    kept: Vec<Box<dyn Any>>,
}

/// A pod of the deployment that rolls out.
fn pod_of_last(n: usize) -> String {
    format!("item-3-5d8c7f-{n}")
}

impl World {
    fn feed<R: Send + Sync + 'static>(&mut self, kind: &str, row: impl Fn(usize, &str) -> R) {
        let key = FeedKey {
            context: self.context.clone(),
            kind: kind.to_owned(),
        };
        let (state, filled) = (self.state, self.filled);
        let feed: Subscription<R> = self.hub.subscribe(key, |source, _| {
            if filled {
                source.write(|table| {
                    for n in 1..=ROWS {
                        table.upsert(format!("default/{n}"), row(n, &format!("item-{n}")));
                    }
                });
            }
            if state != HealthState::Loading {
                let reason = (state != HealthState::Live).then(|| REASON.into());
                source.set_health(state, reason);
            }
        });
        self.kept.push(Box::new(feed));
    }

    fn new(state: HealthState, filled: bool) -> Self {
        let mut world = World {
            hub: Hub::new(Clock::paused(START)),
            context: Arc::new(Context::empty("test")),
            state,
            filled,
            kept: Vec::new(),
        };
        world.feed("kubernetes/deployments/own", |n, name| DeploymentRow {
            name: name.into(),
            namespace: "default".into(),
            uid: name.into(),
            replicas: 3,
            total: 3,
            updated: 3,
            ready: 3,
            available: 3,
            revision: Some(2),
            version: format!("{n}.0.0"),
            ..DeploymentRow::default()
        });
        world.feed("kubernetes/replicasets/own", |_, name| ReplicaSetRow {
            name: format!("{name}-5d8c7f"),
            owner_uid: "item-3".into(),
            revision: Some(2),
            desired: 3,
            current: 3,
            ready: 3,
            available: 3,
            version: "3.0.0".into(),
            uid: "set".into(),
            ..ReplicaSetRow::default()
        });
        world.feed("kubernetes/pods/own", |n, _| PodRow {
            name: pod_of_last(n),
            owner_uid: "set".into(),
            status: "Running".into(),
            ready: 1,
            containers: 1,
            is_ready: true,
            ..PodRow::default()
        });
        world.feed("kubernetes/services/own", |_, name| ServiceRow {
            name: name.into(),
            cluster_ip: "100.64.0.1".into(),
            ..ServiceRow::default()
        });
        world.feed("kubernetes/events/own", |_, name| EventRow {
            object: name.into(),
            message: "pulled".into(),
            ..EventRow::default()
        });
        let head = Arc::new(TableHead {
            resource: "nodes".into(),
            kind: "Node".into(),
            columns: vec![
                TableColumn::new("Name", 0, "string"),
                TableColumn::new("Status", 0, "string"),
            ],
            ..TableHead::default()
        });
        for kind in ["nodes", "configmaps"] {
            world.feed(&format!("kubernetes/table/{kind}/own"), |_, name| {
                TableRow::new(&head, "default", name, None, &[json!(name), json!("Ready")])
            });
        }
        world.feed("ec2/instances", |_, name| InstanceRow {
            id: format!("i-{name}"),
            name: name.into(),
            state: "running".into(),
            ..InstanceRow::default()
        });
        world.feed("route53/records", |_, name| DnsRow::Record {
            zone: "Z1".into(),
            set: RecordSet {
                name: format!("{name}.spawnhub.com."),
                kind: "A".into(),
                ttl: Some(60),
                values: vec!["203.0.113.1".into()],
                alias: None,
                identifier: None,
                special: false,
            },
            pending: false,
        });
        // Its own pods answer: the requests are those of the deployment that rolls out.
        world.feed("traffic/samples", |n, _| Sample {
            at: START,
            url: "http://inspector.spawnhub.com/".into(),
            status: Some(200),
            latency_ms: Some(3),
            matched: None,
            pod: Some(pod_of_last(n)),
            version: Some("1.0.0".into()),
            error: None,
        });
        world.feed("session/jobs", |n, name| Job {
            number: n as u64,
            pipeline: name.into(),
            state: JobState::Running,
            background: true,
            started: START,
            records: 1,
        });
        world.feed("session/changes", |n, name| AuditEntry {
            number: n as u64,
            at: START,
            user: "ops".into(),
            context: "test".into(),
            pipeline: format!("kubectl:delete po {name}"),
            change: Change {
                verb: "kubectl:delete".into(),
                summary: format!("delete {name}"),
                target: Target {
                    kind: "Pod".into(),
                    scope: "default".into(),
                    name: name.into(),
                },
                before: json!(1),
                after: json!(null),
                precondition: json!(null),
                request: json!(null),
                risk: Risk::Destroy,
                inverse: None,
                recovery: false,
            },
            outcome: "applied".into(),
            undoes: None,
            hash: String::new(),
        });
        world
    }

    fn panels(&self) -> Vec<Box<dyn Panel>> {
        let shared = Shared::alone(self.hub.clone(), Clock::paused(START));
        let mut panels = Features::new(shared.clone()).panels();
        panels.extend(session_panels(&SessionFeeds {
            hub: self.hub.clone(),
            jobs: Arc::new(Vec::new),
            journal: Arc::new(Store::in_memory(Clock::real())),
        }));
        for panel in &mut panels {
            panel.open(&self.context);
            if panel.id() == "objects" {
                panel.visit("configmaps");
            }
        }
        panels
    }
}

/// Rows that stand for an item, and the rows shown in reverse: the selected one.
fn facts(buffer: &Buffer) -> (usize, usize) {
    let area = buffer.area;
    let items = rows(buffer).iter().filter(|row| row.contains("item-")).count();
    let reversed = |y: &u16| (area.left()..area.right()).any(|x| buffer[(x, *y)].modifier.contains(Modifier::REVERSED));
    (items, (area.top()..area.bottom()).filter(reversed).count())
}

#[tokio::test]
async fn every_panel_says_what_it_has_in_every_state_at_every_size() {
    let ids: Vec<String> = World::new(HealthState::Live, true)
        .panels()
        .iter()
        .map(|panel| panel.id().to_owned())
        .collect();
    assert!(ids.len() >= 12, "{ids:?}");
    for (at, id) in ids.iter().enumerate() {
        for (columns, lines) in SIZES {
            let mut all = String::new();
            for (word, state, filled) in STATES {
                let world = World::new(state, filled);
                let mut panels = world.panels();
                let panel = panels[at].as_mut();
                let area = Rect::new(0, 0, columns, lines);
                let mut buffer = Buffer::empty(area);
                panel.draw(area, &mut buffer, &Theme::plain(), true, START);
                let (items, selected) = facts(&buffer);
                let text = rows(&buffer).join("\n");
                let place = format!("{id} {word} at {columns}x{lines}:\n{text}");
                let health = panel.health();
                match (filled, id.as_str()) {
                    // It has no rows of objects, and says the same whatever keeps requests away.
                    (true, "traffic") => assert!(text.contains("last 3 requests"), "{place}"),
                    (false, "traffic") => assert!(text.contains("no traffic yet"), "{place}"),
                    // Its sentence names the deployment, too.
                    (true, "rollout") => assert_eq!((items, selected), (ROWS + 1, 1), "{place}"),
                    (true, _) => assert_eq!((items, selected), (ROWS, 1), "rows, selected rows: {place}"),
                    (false, _) => {
                        assert_eq!((items, selected), (0, 0), "{place}");
                        let says = match word {
                            "loading" => text.contains("loading"),
                            "empty" => !text.trim().is_empty() && !text.contains(REASON),
                            _ => text.contains(&format!("{word}: {REASON}")),
                        };
                        assert!(says, "{place}");
                    }
                }
                if id != "traffic" {
                    assert!(health.iter().all(|source| source.health.state == state), "{place}");
                }
                write!(all, "== {word}\n{}\n", text.trim_end()).unwrap();
            }
            insta::with_settings!({snapshot_path => "snapshots/panels", prepend_module_to_snapshot => false}, {
                insta::assert_snapshot!(format!("{id}_{columns}x{lines}"), all);
            });
        }
    }
}
