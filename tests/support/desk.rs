//! A console on a terminal that is memory, fed with 20,000 pods by whoever measures it: what a frame costs without a
//! cluster and without a process. Not for what the screen shows.
#![allow(
    dead_code,
    reason = "a test and a bench compile this module and use their own part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a measurement fails"
)]

#[path = "parts.rs"]
mod parts;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use serde_json::json;

use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::features::Shared;
use cogdeck::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, ReplicaSetRow, ServiceRow, SlimRow};
use cogdeck::features::kubernetes::{self, client::Clients};
use cogdeck::feed::{FeedKey, HealthState, Hub, Subscription};
use cogdeck::ui::console::app::{App, Event};
use cogdeck::ui::console::draw::draw;
use cogdeck::ui::console::ports::BlockEvent;
use cogdeck::ui::console::terminal::Screen;
use cogdeck::ui::panel::Theme;
use cogdeck::verb::Item;

use parts::parts;

/// Characters that are typed before the line is emptied: what a key costs grows with the line.
pub const LINE: u64 = 40;
const PODS: usize = 20_000;
const DEPLOYMENTS: usize = 200;

/// A console of 200 deployments and 20,000 pods whose feeds the test fills, on a terminal that is memory.
pub struct Desk {
    app: App,
    screen: Screen<Vec<u8>>,
    clock: Clock,
    pods: Subscription<PodRow>,
    _feeds: Vec<Box<dyn std::any::Any>>,
    _runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// A console of this size, drawn once.
    pub fn new(width: u16, height: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let inside = runtime.enter();
        let clock = Clock::paused(Timestamp::UNIX_EPOCH + Duration::from_secs(90 * 86_400));
        let hub = Hub::new(clock.clone());
        let context = Arc::new(Context::empty("measured"));
        let pods = filled(&hub, &context, (0..PODS).map(|n| (format!("load-{n:05}"), pod(n, 0))));
        let feeds: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(filled(
                &hub,
                &context,
                (0..DEPLOYMENTS).map(|n| (format!("load-{n:04}"), deployment(n))),
            )),
            Box::new(filled::<ReplicaSetRow>(&hub, &context, [])),
            Box::new(filled::<ServiceRow>(&hub, &context, [])),
            Box::new(filled::<EventRow>(&hub, &context, [])),
        ];
        // Panes 2, 3 and 4.
        let measured = ["deployments", "rollout", "pods"];
        let mut panels = kubernetes::panels(&Shared::alone(hub, clock.clone()), &Clients::new());
        panels.retain(|panel| measured.contains(&panel.id()));
        assert_eq!(panels.len(), measured.len(), "the panels that are measured");
        let mut app = App::new(parts(panels, Theme::standard(), &clock, &context));
        app.open_panels();
        drop(inside);
        let mut desk = Desk {
            app,
            screen: Screen::new(Vec::new(), width, height),
            clock,
            pods,
            _feeds: feeds,
            _runtime: runtime,
        };
        desk.frame();
        desk
    }

    /// A step by its name; the bytes that its frame wrote.
    pub fn step(&mut self, name: &str, round: u64) -> usize {
        match name {
            "pod-changed" => {
                let restarts = i64::try_from(round).expect("few rounds") + 1;
                self.pods
                    .source()
                    .write(|rows| rows.upsert("default/load-00001", pod(1, restarts)));
                self.frame()
            }
            "ages" => self.later(Duration::from_secs(1)),
            "typed" => {
                self.press(KeyCode::Char('x'));
                self.frame()
            }
            "selection-moved" => {
                if round == 0 {
                    self.app
                        .handle(Event::Key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::ALT)));
                }
                self.press(KeyCode::Down);
                self.frame()
            }
            "key-reduced" => {
                if round > 0 && round.is_multiple_of(LINE) {
                    self.empty_line();
                }
                self.press(KeyCode::Char('x'));
                0
            }
            "line-reduced" => {
                if round == 0 {
                    self.app.handle(Event::Started {
                        block: 1,
                        number: 1,
                        line: "kubectl:logs web".into(),
                        translation: None,
                        background: false,
                    });
                }
                let record = json!({"line": format!("GET /healthz 200 {round}")});
                let item = BlockEvent::Item(Item { record, view: None });
                self.app.handle(Event::Block(1, Box::new(item)));
                0
            }
            other => panic!("no step {other}"),
        }
    }

    pub fn press(&mut self, key: KeyCode) {
        self.app.handle(Event::Key(KeyEvent::new(key, KeyModifiers::NONE)));
    }

    /// Deletes what was typed.
    pub fn empty_line(&mut self) {
        self.app
            .handle(Event::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    }

    /// The pods on the whole screen, the selection where each step down scrolls by a line.
    pub fn fill_with_pods(&mut self) {
        self.app
            .handle(Event::Key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::ALT)));
        self.press(KeyCode::Char('z'));
        for _ in 0..70 {
            self.press(KeyCode::Down);
        }
        self.frame();
    }

    /// The frame of a tick after some time; its bytes.
    pub fn later(&mut self, span: Duration) -> usize {
        self.clock.advance(span);
        self.app.tick();
        self.frame()
    }

    /// Draws; the bytes that went to the terminal.
    pub fn frame(&mut self) -> usize {
        let app = &mut self.app;
        let written = self.screen.frame(|area, buffer| draw(app, area, buffer));
        self.app.drawn();
        written.expect("memory takes everything")
    }
}

/// A feed of the panels, filled by the test instead of by a cluster.
fn filled<R: SlimRow>(
    hub: &Hub,
    context: &Arc<Context>,
    rows: impl IntoIterator<Item = (String, R)>,
) -> Subscription<R> {
    let key = FeedKey {
        context: context.clone(),
        kind: format!("kubernetes/{}/own", R::TYPE.2),
    };
    hub.subscribe(key, |source, _| {
        source.write(|table| {
            for (name, row) in rows {
                table.upsert(format!("default/{name}"), row);
            }
        });
        source.set_health(HealthState::Live, None);
    })
}

fn deployment(n: usize) -> DeploymentRow {
    DeploymentRow {
        name: format!("load-{n:04}"),
        uid: format!("deployment-{n}").as_str().into(),
        replicas: 100,
        total: 100,
        updated: 100,
        ready: 100,
        available: 100,
        revision: Some(1),
        version: "1.0.0".into(),
        created: Some(Timestamp::UNIX_EPOCH),
        ..DeploymentRow::default()
    }
}

fn pod(n: usize, restarts: i64) -> PodRow {
    PodRow {
        name: format!("load-{n:05}"),
        namespace: "default".into(),
        status: "Running".into(),
        ready: 1,
        containers: 1,
        is_ready: true,
        restarts,
        ip: format!("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255),
        node: "node-1".into(),
        version: "1.0.0".into(),
        created: Some(Timestamp::UNIX_EPOCH),
        ..PodRow::default()
    }
}
