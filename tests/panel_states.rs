//! Every panel in every state of its data, at the three sizes, as the console draws it: one table, a snapshot a panel and
//! size, and of each apart from it: the rows, the state's word, and why the rows are not live.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/parts.rs"]
mod parts;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
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
use cogdeck::ui::console::app::{App, Event};
use cogdeck::ui::console::draw::draw;
use cogdeck::ui::panel::{Panel, Theme};
use cogdeck::verb::session::{AuditEntry, Job, JobState};

use parts::parts;

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
const STATES: [(&str, HealthState, bool); 9] = [
    ("loading", HealthState::Loading, false),
    ("live", HealthState::Live, true),
    ("stale", HealthState::Stale, true),
    ("login", HealthState::Login, true),
    ("denied", HealthState::Denied, true),
    ("error", HealthState::Failed, true),
    ("denied", HealthState::Denied, false),
    ("empty", HealthState::Live, false),
    ("error", HealthState::Failed, false),
];

/// The rollout panel once more, with several that go on.
const SEVERAL: &str = "rollouts";

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

    /// `updated`: of three pods of each deployment.
    fn new(state: HealthState, filled: bool, updated: i64) -> Self {
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
            updated,
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
        for panel in panels.iter_mut().filter(|panel| panel.id() == "objects") {
            panel.open(&self.context);
            panel.visit("configmaps");
        }
        panels
    }
}

/// A console of the chat and one panel, on a screen of this size.
struct Desk {
    app: App,
    clock: Clock,
    screen: Rect,
}

impl Desk {
    fn new(world: &World, id: &str, (columns, lines): (u16, u16)) -> Self {
        let clock = Clock::paused(START);
        let mut panels = world.panels();
        panels.retain(|panel| panel.id() == id);
        let mut app = App::new(parts(panels, Theme::plain(), &clock, &world.context));
        app.open_panels();
        Desk {
            app,
            clock,
            screen: Rect::new(0, 0, columns, lines),
        }
    }

    fn draw(&mut self) -> Buffer {
        let mut buffer = Buffer::empty(self.screen);
        draw(&mut self.app, self.screen, &mut buffer);
        self.app.drawn();
        buffer
    }

    /// The panel gets the keys.
    fn focus(&mut self) {
        let key = KeyEvent::new(KeyCode::Char('2'), KeyModifiers::ALT);
        self.app.handle(Event::Key(key));
    }

    /// A second passes.
    fn wait(&mut self) {
        self.clock.advance(Duration::from_secs(1));
        self.app.tick();
    }
}

/// The panel with its frame or title line: it is the second pane, at the right end of the screen.
fn pane(screen: &Buffer) -> Option<Buffer> {
    let area = screen.area;
    let begins = |x: u16, y: u16, text: &str| {
        let cells = (x..area.right()).zip(text.chars());
        cells.fold(
            text.chars().count() <= usize::from(area.right() - x),
            |same, (x, sign)| same && screen[(x, y)].symbol() == sign.to_string(),
        )
    };
    let places = (area.top()..area.bottom()).flat_map(|y| (area.left()..area.right()).map(move |x| (x, y)));
    let (left, top) = places
        .into_iter()
        .find(|(x, y)| begins(*x, *y, "╭─ 2 ") || begins(*x, *y, "── 2 "))?;
    let is_end = |y: &u16| begins(left, *y, "╰─") || begins(left, *y, "──");
    let last = (top + 1..area.bottom()).find(is_end)?;
    // A title line has the frame of the input below it, which is not its own.
    let bottom = last + u16::from(begins(left, last, "╰─"));
    let mut own = Buffer::empty(Rect::new(0, 0, area.right() - left, bottom - top));
    for y in 0..own.area.height {
        for x in 0..own.area.width {
            own[(x, y)] = screen[(left + x, top + y)].clone();
        }
    }
    Some(own)
}

/// Rows that stand for an item, and those of them shown in reverse: the selected one, of which a long cell may go on in
/// the next line.
fn facts(buffer: &Buffer) -> (usize, usize) {
    let area = buffer.area;
    let reversed = |y: u16| (area.left()..area.right()).any(|x| buffer[(x, y)].modifier.contains(Modifier::REVERSED));
    let lines = rows(buffer);
    let items = || {
        (area.top()..area.bottom())
            .zip(&lines)
            .filter(|(_, row)| row.contains("item-"))
    };
    (items().count(), items().filter(|(y, _)| reversed(*y)).count())
}

/// The case is the panel's id, or that of the rollout panel with several.
fn check(case: &str, (word, state, filled): (&str, HealthState, bool), size: (u16, u16)) -> String {
    let (id, updated) = if case == SEVERAL { ("rollout", 1) } else { (case, 3) };
    let world = World::new(state, filled, updated);
    let mut desk = Desk::new(&world, id, size);
    // With rows and without a word in their place: why they are not live.
    let ill = filled && state != HealthState::Live;
    let told = format!("{word}: {REASON}");
    // Beside the chat it says so, too, where it does not have the keys.
    let beside = pane(&desk.draw());
    let is_beside = beside
        .as_ref()
        .is_some_and(|pane| rows(pane).join("\n").contains(&told));
    assert!(
        !ill || beside.is_none() || is_beside,
        "{case} {word} at {size:?} without the keys"
    );
    desk.focus();
    let buffer = pane(&desk.draw()).unwrap_or_else(|| panic!("{case} at {size:?}"));
    let (items, selected) = facts(&buffer);
    let lines = rows(&buffer);
    let text = lines.join("\n");
    let place = format!("{case} {word} at {size:?}:\n{text}");
    match (filled, case) {
        // It has no rows of objects.
        (true, "traffic") => assert!(text.contains("last 3 requests"), "{place}"),
        // Its title and its sentence name the deployment, too.
        (true, "rollout") => assert_eq!((items, selected), (ROWS + 2, 1), "{place}"),
        (true, _) => assert_eq!((items, selected), (ROWS, 1), "rows, selected rows: {place}"),
        (false, _) => assert_eq!((items, selected), (0, 0), "{place}"),
    }
    let says = match (word, case) {
        ("loading", "traffic") => text.contains("no traffic yet"),
        ("loading", _) => text.contains("loading"),
        ("empty", _) => lines.iter().any(|line| line.contains("live")) && !text.contains(REASON),
        // That all is well gives way to a long title.
        ("live", "traffic") => !text.contains(REASON),
        ("live", _) => lines[0].contains("live") && !text.contains(REASON),
        // The title has the word, the content why.
        _ => lines[0].contains(word) && text.matches(&told).count() == 1,
    };
    assert!(says, "{place}");
    // Rows that are there hide that they are old: it is told as well, once for all sources.
    desk.wait();
    let screen = desk.draw();
    let whole = rows(&screen).join("\n");
    let toasts = whole.matches(&format!(": {told}")).count();
    assert_eq!(toasts, usize::from(ill), "{case} {word} at {size:?}:\n{whole}");
    let rows_are = if filled { "" } else { ", no rows" };
    let mut kept = lines;
    // Of lines that are blank below each other one stands for all.
    kept.dedup();
    format!("== {word}{rows_are}\n{}\n", kept.join("\n").trim_end())
}

#[tokio::test]
async fn every_panel_says_what_it_has_in_every_state_at_every_size() {
    let world = World::new(HealthState::Live, true, 3);
    let mut cases: Vec<String> = world.panels().iter().map(|panel| panel.id().to_owned()).collect();
    assert!(cases.len() >= 12, "{cases:?}");
    cases.push(SEVERAL.to_owned());
    for case in &cases {
        for size in SIZES {
            let all = STATES.map(|state| check(case, state, size)).concat();
            insta::with_settings!({snapshot_path => "snapshots/panels", prepend_module_to_snapshot => false}, {
                insta::assert_snapshot!(format!("{case}_{}x{}", size.0, size.1), all);
            });
        }
    }
}
