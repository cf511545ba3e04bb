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

use super::feed::PATIENCE;
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
use crate::ui::panel::{Effect, Panel, PanelKey, Theme, Which};
use crate::verb::{Catalogue, Item, Operator};

type Answer = Result<(mpsc::Receiver<BlockEvent>, bool), Report>;

/// Answers what it was told to, one answer a run.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<String>>,
    contexts: Mutex<Vec<String>>,
}

impl Scripted {
    fn answer(&self, events: Vec<BlockEvent>) {
        let (sender, receiver) = mpsc::channel(64);
        events
            .into_iter()
            .for_each(|event| sender.try_send(event).unwrap_or(()));
        self.answers.lock().unwrap().push_back(Ok((receiver, false)));
    }

    fn stream(&self, follows: bool) -> mpsc::Sender<BlockEvent> {
        let (sender, receiver) = mpsc::channel(4_096);
        self.answers.lock().unwrap().push_back(Ok((receiver, follows)));
        sender
    }

    fn runs(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Runner for Scripted {
    fn start(&self, _: &str, _: Arc<dyn Operator>) -> Result<Running, Report> {
        Err(Report::refused("E-TEST-001", "nothing is typed here"))
    }
    fn hidden(&self, line: &str) -> String {
        line.to_owned()
    }
    fn problem(&self, _: &str) -> Option<Report> {
        None
    }
    fn observe(&self, line: &str, context: &Arc<Context>) -> Result<Observed, Report> {
        self.contexts.lock().unwrap().push(context.name.clone());
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
    fn meant_by(&self, _: &str) -> Option<Arc<Context>> {
        None
    }
    fn switch(&self, _: Arc<Context>, _: Vec<Arc<Context>>) {}
    fn open_until(&self, _: Option<jiff::Timestamp>) {}
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
    for _ in 0..3_000 {
        let text = screen(panel);
        if is(&text) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: {}", screen(panel));
}

fn pinned(hub: &Hub, scripted: &Arc<Scripted>) -> impl Panel + use<> {
    let runner: Arc<dyn Runner> = scripted.clone();
    let pinned = Pinned {
        id: "pin1".into(),
        line: "kubectl:get deploy".into(),
        every: 86_400_000,
    };
    panel(hub, &runner, &pinned)
}

fn bench() -> (Arc<Scripted>, impl Panel) {
    let scripted = Arc::new(Scripted::default());
    let panel = pinned(&Hub::new(Clock::real()), &scripted);
    (scripted, panel)
}

fn here() -> Arc<Context> {
    Arc::new(Context::empty("test"))
}

fn state(panel: &dyn Panel) -> HealthState {
    panel.health()[0].health.state
}

fn line(text: &str) -> BlockEvent {
    BlockEvent::Item(Item {
        record: json!({"line": text, "source": "x"}),
        view: None,
    })
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
    assert_eq!(panel.health()[0].health.state, HealthState::Live);

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
    let selected = panel.grid(Which::Selected, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(selected.rows, [["web", "3/3"]], "the selection is still on its row");
    let Some(Effect::Run(pipeline)) = panel.key(PanelKey::Open).pop() else {
        panic!("it runs in the chat")
    };
    assert_eq!(print(&pipeline), "kubectl:get deploy");

    scripted.answer(vec![end(Some(Report::failed(
        "E-KUBE-X",
        "connection refused\u{1b}[2J",
    )))]);
    panel.key(PanelKey::Act("again"));
    let text = until(&mut panel, "the error", |text| {
        text.contains("error: connection refused")
    })
    .await;
    assert!(text.contains("web   3/3") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(panel.health()[0].health.state, HealthState::Failed);
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
    let events = scripted.stream(true);
    panel.open(&here());
    let line = |n: usize| line(&format!("line {n}"));
    events.send(line(0)).await.unwrap();
    until(&mut panel, "the first", |text| text.contains("line 0")).await;
    for n in 1..=2 * rows::MOST {
        events.send(line(n)).await.unwrap();
    }
    let newest = format!("line {}", 2 * rows::MOST);
    let text = until(&mut panel, "the newest", |text| text.contains(&newest)).await;
    assert_eq!(text.lines().nth(1), Some(newest.as_str()), "on top: {text}");
    assert!(panel.title().as_str().ends_with("  follows"), "{}", panel.title());
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

    let long: Vec<Item> = (0..60)
        .map(|_| Item {
            record: json!({}),
            view: Some(View::Text(vec!["a line"; 50].join("\n"))),
        })
        .collect();
    let (rows, more) = (rows::of_answer(&long, 0), rows::of_answer(&long, 3));
    assert_eq!(rows.len(), rows::MOST + 1);
    assert_eq!(rows[rows::MOST].1.cells, ["… and 2000 more lines"]);
    assert_eq!(more[rows::MOST].1.cells, ["… and 2000 more lines, and 3 more records"]);
}

#[tokio::test]
async fn the_wish_to_run_again_reaches_the_panel_s_own_runs_and_what_is_closed_runs_no_more() {
    let (hub, scripted) = (Hub::new(Clock::real()), Arc::new(Scripted::default()));
    let mut first = pinned(&hub, &scripted);
    let followed = scripted.stream(true);
    first.open(&here());
    until(&mut first, "it runs", |_| scripted.runs() == 1).await;
    first.close();
    let ended = tokio::time::timeout(Duration::from_secs(30), followed.closed());
    assert!(ended.await.is_ok(), "unpinned: the run has ended");

    // Pinned again at once: it answers anew, and to its own key.
    let head = Header::new(["NAME", "READY"]);
    let answer = |cell: &'static str| scripted.answer(vec![row(&head, ["web", cell]), end(None)]);
    answer("1/3");
    let mut second = pinned(&hub, &scripted);
    second.open(&here());
    until(&mut second, "its first", |text| text.contains("1/3")).await;
    answer("2/3");
    second.key(PanelKey::Act("again"));
    until(&mut second, "its second", |text| text.contains("2/3")).await;

    // Another context and back: the key is about the one that is shown.
    for (context, cell) in [("staging", "4/4"), ("test", "5/5")] {
        answer(cell);
        second.open(&Arc::new(Context::empty(context)));
        until(&mut second, context, |text| text.contains(cell)).await;
    }
    answer("6/6");
    second.key(PanelKey::Act("again"));
    until(&mut second, "its key", |text| text.contains("6/6")).await;
    let contexts = scripted.contexts.lock().unwrap().clone();
    assert_eq!(contexts, ["test", "test", "test", "staging", "test", "test"]);
}

#[tokio::test]
async fn a_part_of_an_answer_shows_only_while_there_was_no_whole_one() {
    let (scripted, mut panel) = bench();
    let head = Header::new(["NAME", "READY"]);
    let events = scripted.stream(false);
    panel.open(&here());
    // The first record comes after the first look, and is shown at the next.
    tokio::time::sleep(PATIENCE * 4 / 3).await;
    events.send(row(&head, ["api", "1/1"])).await.unwrap();
    until(&mut panel, "a part", |text| text.contains("api")).await;
    assert_eq!(state(&panel), HealthState::Loading, "a part is no answer");
    events.send(row(&head, ["web", "2/2"])).await.unwrap();
    events.send(end(None)).await.unwrap();
    until(&mut panel, "the whole", |text| text.contains("web")).await;
    assert_eq!(state(&panel), HealthState::Live);

    // The next one takes long and fails: the whole one stays, to the end.
    let events = scripted.stream(false);
    panel.key(PanelKey::Act("again"));
    events.send(row(&head, ["api", "9/9"])).await.unwrap();
    tokio::time::sleep(PATIENCE * 4 / 3).await;
    let whole = screen(&mut panel);
    assert!(whole.contains("api   1/1") && whole.contains("web   2/2"), "{whole}");
    let broken = Report::failed("E-KUBE-X", "connection reset");
    events.send(end(Some(broken))).await.unwrap();
    let text = until(&mut panel, "the error", |text| text.contains("connection reset")).await;
    assert!(text.contains("api   1/1") && text.contains("web   2/2"), "{text}");
}

#[tokio::test]
async fn one_that_goes_on_and_says_nothing_is_live_and_its_failures_show_at_once() {
    let (scripted, mut panel) = bench();
    let events = scripted.stream(true);
    panel.open(&here());
    assert_eq!(state(&panel), HealthState::Loading);
    until(&mut panel, "it says nothing", |text| {
        text.contains("it answered nothing")
    })
    .await;
    assert_eq!(state(&panel), HealthState::Live);
    events.send(line("one")).await.unwrap();
    until(&mut panel, "a line", |text| text.contains("one")).await;
    // The stream is closed, and opened again without anything new.
    events.send(end(None)).await.unwrap();
    until(&mut panel, "its end", |text| text.contains("it has ended")).await;
    assert_eq!(state(&panel), HealthState::Stale);
    let events = scripted.stream(true);
    panel.key(PanelKey::Act("again"));
    until(&mut panel, "it follows again", |text| !text.contains("it has ended")).await;
    assert_eq!(state(&panel), HealthState::Live);
    assert!(screen(&mut panel).contains("one"), "what was there stays");
    // Records that fail one after another are no live answer.
    events
        .send(BlockEvent::Failed(Report::failed("E-X", "no such field")))
        .await
        .unwrap();
    until(&mut panel, "the failure", |text| text.contains("no such field")).await;
    assert_eq!(state(&panel), HealthState::Failed);
    events.send(line("two")).await.unwrap();
    until(&mut panel, "the next line", |text| text.contains("two")).await;
    assert_eq!(state(&panel), HealthState::Live);
}
