//! What the panel of a pinned pipeline shows while it is run again, follows, and fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;
use tokio::sync::mpsc;

use super::panel::panel;
use super::{Pinned, rows};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::feed::{HealthState, Hub};
use crate::lang::print;
use crate::render::{Header, View};
use crate::ui::console::input::history::Earlier;
use crate::ui::console::ports::{BlockEvent, Ended, Observed, Runner, Running};
use crate::ui::panel::testing::rows as text_of;
use crate::ui::panel::{Effect, Panel, PanelKey, Theme};
use crate::verb::{Catalogue, Item, Operator};

type Answer = Result<(mpsc::Receiver<BlockEvent>, bool), Report>;

/// Answers what it was told to, one answer a run.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn answer(&self, events: Vec<BlockEvent>) {
        let (sender, receiver) = mpsc::channel(64);
        events
            .into_iter()
            .for_each(|event| sender.try_send(event).unwrap_or(()));
        self.answers.lock().unwrap().push_back(Ok((receiver, false)));
    }

    fn stream(&self) -> mpsc::Sender<BlockEvent> {
        let (sender, receiver) = mpsc::channel(4_096);
        self.answers.lock().unwrap().push_back(Ok((receiver, true)));
        sender
    }
}

#[async_trait]
impl Runner for Scripted {
    fn start(&self, _: &str, _: Arc<dyn Operator>) -> Result<Running, Report> {
        Err(Report::refused("E-TEST-001", "nothing is typed here"))
    }
    fn observe(&self, line: &str, _: &Arc<Context>) -> Result<Observed, Report> {
        self.asked.lock().unwrap().push(line.to_owned());
        let next = self.answers.lock().unwrap().pop_front();
        let (events, follows) = next.unwrap_or_else(|| Err(Report::refused("E-TEST-002", "no more answers")))?;
        Ok(Observed {
            events: Box::new(events),
            follows,
        })
    }
    fn context(&self) -> Arc<Context> {
        Arc::new(Context::empty("test"))
    }
    fn find_context(&self, _: &str) -> Option<Arc<Context>> {
        None
    }
    fn switch(&self, _: Arc<Context>) {}
    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::default()
    }
    fn contexts(&self) -> Vec<String> {
        Vec::new()
    }
    async fn history(&self, _: usize) -> Result<Vec<Earlier>, Report> {
        Ok(Vec::new())
    }
    fn records(&self, _: u64) -> Result<Arc<Vec<Record>>, String> {
        Err("nothing ran".to_owned())
    }
    fn stop_all(&self) {}
}

fn row(header: &Arc<Header>, cells: [&str; 2]) -> BlockEvent {
    BlockEvent::Item(Item {
        record: json!({"name": cells[0]}),
        view: Some(View::row(header, cells.map(str::to_owned).to_vec())),
    })
}

fn end(report: Option<Report>) -> BlockEvent {
    BlockEvent::Ended(Ended {
        exit_code: u8::from(report.is_some()),
        report,
        elapsed: Duration::ZERO,
    })
}

fn screen(panel: &mut dyn Panel) -> String {
    let area = Rect::new(0, 0, 44, 6);
    let mut buffer = Buffer::empty(area);
    panel.draw(area, &mut buffer, &Theme::plain(), true, Timestamp::UNIX_EPOCH);
    text_of(&buffer).join("\n")
}

async fn until(panel: &mut dyn Panel, what: &str, is: impl Fn(&str) -> bool) -> String {
    for _ in 0..400 {
        let text = screen(panel);
        if is(&text) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: {}", screen(panel));
}

fn bench() -> (Arc<Scripted>, impl Panel) {
    let scripted = Arc::new(Scripted::default());
    let runner: Arc<dyn Runner> = scripted.clone();
    let pinned = Pinned {
        id: "pin1".into(),
        line: "kubectl:get deploy".into(),
        every: 86_400_000,
    };
    let panel = panel(&Hub::new(Clock::real()), &runner, &pinned);
    (scripted, panel)
}

#[tokio::test]
async fn the_latest_answer_is_a_table_and_an_error_stands_below_the_one_before() {
    let (scripted, mut panel) = bench();
    let head = Header::new(["NAME", "READY"]);
    scripted.answer(vec![row(&head, ["api", "1/1"]), row(&head, ["web", "2/3"]), end(None)]);
    panel.open(&Arc::new(Context::empty("test")));
    assert_eq!(
        (panel.id(), panel.title().as_str()),
        ("pin1", "kubectl:get deploy  every 24h")
    );
    let text = until(&mut panel, "two rows", |text| text.contains("2/3")).await;
    assert!(text.starts_with("NAME  READY\napi   1/1\nweb   2/3"), "{text}");
    assert_eq!(panel.health()[0].1.state, HealthState::Live);

    // The selection stays on its row while one comes before it.
    panel.key(PanelKey::Move(crate::ui::panel::Motion::Down));
    scripted.answer(vec![
        row(&head, ["aaa", "1/1"]),
        row(&head, ["api", "1/1"]),
        row(&head, ["web", "3/3"]),
        end(None),
    ]);
    panel.key(PanelKey::Act("again"));
    until(&mut panel, "the answer after that", |text| text.contains("3/3")).await;
    let Some(Effect::Run(pipeline)) = panel.key(PanelKey::Open).pop() else {
        panic!("it runs in the chat")
    };
    assert_eq!(print(&pipeline), "kubectl:get deploy");

    scripted.answer(vec![end(Some(Report::failed(
        "E-KUBE-X",
        "connection refused\u{1b}[2J",
    )))]);
    panel.key(PanelKey::Act("again"));
    let text = until(&mut panel, "the error", |text| text.contains("connection refused")).await;
    assert!(text.contains("web   3/3") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(panel.health()[0].1.state, HealthState::Failed);
    assert_eq!(panel.key(PanelKey::Act("close")), [Effect::Unpin("pin1".into())]);
    assert_eq!(*scripted.asked.lock().unwrap(), ["kubectl:get deploy"; 3]);
}

#[tokio::test]
async fn what_is_refused_or_empty_says_so_and_can_be_closed() {
    let (scripted, mut panel) = bench();
    panel.open(&Arc::new(Context::empty("test")));
    until(&mut panel, "refused", |text| text.contains("error: no more answers")).await;
    assert_eq!(panel.key(PanelKey::Act("close")), [Effect::Unpin("pin1".into())]);
    scripted.answer(vec![end(None)]);
    panel.key(PanelKey::Act("again"));
    until(&mut panel, "empty", |text| text.contains("it answered nothing")).await;
}

#[tokio::test]
async fn one_that_goes_on_shows_the_newest_on_top_and_keeps_so_many() {
    let (scripted, mut panel) = bench();
    let events = scripted.stream();
    panel.open(&Arc::new(Context::empty("test")));
    let line = |n: usize| {
        BlockEvent::Item(Item {
            record: json!({"line": format!("line {n}"), "source": "x"}),
            view: None,
        })
    };
    events.send(line(0)).await.unwrap();
    until(&mut panel, "the first", |text| text.contains("line 0")).await;
    for n in 1..=2 * rows::MOST {
        events.send(line(n)).await.unwrap();
    }
    let newest = format!("line {}", 2 * rows::MOST);
    let text = until(&mut panel, "the newest", |text| text.contains(&newest)).await;
    assert_eq!(text.lines().nth(1), Some(newest.as_str()), "on top: {text}");
    panel.key(PanelKey::Move(crate::ui::panel::Motion::Last));
    let text = screen(&mut panel);
    assert!(text.ends_with(&format!("line {}", rows::MOST + 1)), "{text}");
    events.send(end(None)).await.unwrap();
    until(&mut panel, "its end", |text| text.contains("it has ended")).await;
}

#[test]
fn answers_that_are_no_table_are_lines_and_long_ones_are_counted() {
    let item = |record| Item { record, view: None };
    let mixed = [item(json!({"line": "a", "source": "x"})), item(json!([1, {"b": 2}]))];
    let lines: Vec<String> = rows::of_answer(&mixed, 0)
        .into_iter()
        .map(|(_, row)| row.cells.join("|"))
        .collect();
    assert_eq!(lines.first().map(String::as_str), Some("a"));
    assert!(lines.len() > 2, "{lines:?}");
    let same = [item(json!({"name": "x"})), item(json!({"name": "x"}))];
    let rows = rows::of_answer(&same, 7);
    assert_eq!(rows.len(), 3);
    assert_ne!(rows[0].0, rows[1].0, "rows of one name are two");
    assert_eq!(rows[2].1.cells, ["… and 7 more"]);
}
