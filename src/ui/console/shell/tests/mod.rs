//! The console's loop with a runner that is made up, keys from a stream and bytes instead of a terminal.

mod behind;
mod copying;
mod ending;
mod jobs;
mod leaving;

use std::sync::Mutex;

use async_trait::async_trait;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};

use super::*;
use crate::core::change::{Change, Plan, Requirement, Risk, Target};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Severity;
use crate::feed::Hub;
use crate::ui::console::input::history::Earlier;
use crate::ui::console::keymap::Keymap;
use crate::ui::console::ports::{BlockEvent, Ended, Observed, Running};
use crate::ui::panel::{Panel, Theme};
use crate::verb::{Catalogue, Decision, Item, Operator};

/// Answers `echo X`, follows `watch` until cancelled, asks for `delete`; `later` asks for an approval and then for a
/// secret, each when it is told to; `stubborn` ends when it is told to and not when it is cancelled; the job of `ask-bg` asks after its line has ended, that of `ask-bg early` before.
#[derive(Default)]
struct Fake {
    ask: Arc<tokio::sync::Notify>,
    started: Mutex<Vec<String>>,
    stopped: Mutex<bool>,
    catalogue: Mutex<Arc<Catalogue>>,
}

fn ended(severity: Option<Severity>) -> BlockEvent {
    let exit_code = severity.map_or(0, Severity::exit_code);
    BlockEvent::Ended(Ended {
        exit_code,
        report: None,
        elapsed: Duration::from_millis(5),
    })
}

fn text(line: &str) -> BlockEvent {
    BlockEvent::Item(Item {
        record: json!({"line": line, "source": "x"}),
        view: None,
    })
}

fn here() -> Arc<Context> {
    Arc::new(Context::empty("test"))
}

fn plan() -> Plan {
    let change = Change {
        verb: "delete".into(),
        summary: "delete it".into(),
        target: Target {
            kind: "X".into(),
            scope: String::new(),
            name: "it".into(),
        },
        before: json!(1),
        after: Value::Null,
        precondition: Value::Null,
        request: Value::Null,
        risk: Risk::Destroy,
        inverse: None,
        recovery: false,
    };
    Plan { changes: vec![change] }
}

/// A job, what makes its events, and what says that it is to end.
fn job(number: u64) -> (Running, mpsc::Sender<BlockEvent>, tokio_util::sync::CancellationToken) {
    let (sender, events) = mpsc::channel(4);
    let token = tokio_util::sync::CancellationToken::new();
    let ended_by = token.clone();
    let job = Running {
        number,
        line: "of the job".to_owned(),
        translation: None,
        background: true,
        events: Box::new(events),
        cancel: Arc::new(move || ended_by.cancel()),
    };
    (job, sender, token)
}

#[async_trait]
impl Runner for Fake {
    fn start(&self, line: &str, operator: Arc<dyn Operator>) -> Result<Running, Report> {
        let number = {
            let mut started = self.started.lock().unwrap();
            started.push(line.to_owned());
            started.len() as u64
        };
        if line.starts_with("nope") {
            return Err(Report::refused("E-RESOLVE-001", "unknown command nope").at(line, 0..4));
        }
        let (sender, events) = mpsc::channel(4);
        let cancel = tokio_util::sync::CancellationToken::new();
        let (token, line_sent, ask) = (cancel.clone(), line.to_owned(), self.ask.clone());
        tokio::spawn(async move {
            match line_sent.split_once(' ') {
                Some(("echo", rest)) => {
                    let _ = sender.send(text(rest)).await;
                    let _ = sender.send(ended(None)).await;
                }
                Some(("delete", _)) => {
                    let plan = plan();
                    let decision = operator.ask(&plan, Requirement::Name("it".into()), &here()).await;
                    let approved = decision == Decision::Approved(plan.digest());
                    let _ = sender.send(text(if approved { "deleted" } else { "kept" })).await;
                    let _ = sender.send(ended(None)).await;
                }
                Some(("later", _)) => {
                    ask.notified().await;
                    let approved = operator.ask(&plan(), Requirement::Enter, &here()).await;
                    let _ = sender.send(text(&format!("{approved:?}"))).await;
                    ask.notified().await;
                    let given = operator.secret("a token", false).await;
                    let _ = sender.send(text(if given.is_ok() { "given" } else { "none" })).await;
                    let _ = sender.send(ended(None)).await;
                }
                Some(("ask-bg", when)) => {
                    let (job, sender_of_job, _) = job(number + 1);
                    let operator = operator.of_job(number + 1).expect("an operator of the job's own");
                    let _ = sender.send(BlockEvent::Job(job)).await;
                    if !when.starts_with("early") {
                        let _ = sender.send(ended(None)).await;
                        ask.notified().await;
                    }
                    let over = async {
                        if when.starts_with("early") {
                            ask.notified().await;
                            let _ = sender.send(ended(None)).await;
                        }
                    };
                    let (plan, here) = (plan(), here());
                    let (decision, ()) = tokio::join!(operator.ask(&plan, Requirement::Enter, &here), over);
                    let approved = decision == Decision::Approved(plan.digest());
                    let _ = sender_of_job
                        .send(text(if approved { "deleted" } else { "kept" }))
                        .await;
                    let _ = sender_of_job.send(ended(None)).await;
                }
                Some(("bg", _)) => {
                    let (job, sender_of_job, token) = job(number + 1);
                    let _ = sender.send(BlockEvent::Job(job)).await;
                    let _ = sender.send(ended(None)).await;
                    let _ = sender_of_job.send(text("from the job")).await;
                    token.cancelled().await;
                    let _ = sender_of_job.send(ended(Some(Severity::Interrupted))).await;
                }
                Some(("stubborn", _)) => {
                    ask.notified().await;
                    let _ = sender.send(BlockEvent::Note("undo 7 takes it back".into())).await;
                    let _ = sender.send(ended(Some(Severity::Interrupted))).await;
                }
                Some(("flood", _)) => {
                    for n in 0..20_000 {
                        let _ = sender.send(text(&format!("line {n}"))).await;
                    }
                    let _ = sender.send(ended(None)).await;
                }
                _ => {
                    token.cancelled().await;
                    let _ = sender.send(ended(Some(Severity::Interrupted))).await;
                }
            }
        });
        Ok(Running {
            number,
            line: line.to_owned(),
            translation: None,
            background: false,
            events: Box::new(events),
            cancel: Arc::new(move || cancel.cancel()),
        })
    }

    fn hidden(&self, line: &str) -> String {
        line.replace("hunter2", "•••")
    }

    fn problem(&self, line: &str) -> Option<Report> {
        let wrong = Report::refused("E-RESOLVE-004", "unknown command nope");
        line.starts_with("nope").then(|| wrong.at(line, 0..4))
    }

    fn observe(&self, line: &str, _: &Arc<Context>) -> Result<Observed, Report> {
        self.started.lock().unwrap().push(format!("observe {line}"));
        let (sender, events) = mpsc::channel(4);
        sender.try_send(text("seen")).unwrap();
        sender.try_send(ended(None)).unwrap();
        Ok(Observed {
            events: Box::new(events),
            follows: false,
        })
    }

    fn context(&self) -> Arc<Context> {
        let mut context = Context::empty("test");
        context.aws.region = Some("r".into());
        Arc::new(context)
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
        self.catalogue.lock().unwrap().clone()
    }

    fn contexts(&self) -> Vec<String> {
        Vec::new()
    }

    async fn history(&self, _: usize) -> Result<Vec<Earlier>, Report> {
        Ok(vec![Earlier {
            line: "echo from before".into(),
            context: "test".into(),
            ok: Some(true),
        }])
    }

    fn records(&self, number: u64) -> Result<Arc<Vec<Record>>, String> {
        match number {
            1 => Ok(Arc::new(vec![json!({"name": "web"})])),
            _ => Err("gone".to_owned()),
        }
    }

    fn stop_all(&self) {
        *self.stopped.lock().unwrap() = true;
    }
}

/// What a screen shows after some bytes, as a terminal would.
fn screen_of(bytes: &[u8]) -> String {
    view_of(bytes).contents()
}

fn view_of(bytes: &[u8]) -> vt100::Screen {
    let mut terminal = vt100::Parser::new(30, 110, 0);
    terminal.process(bytes);
    terminal.screen().clone()
}

/// What a screen shows as wrong: nothing else of these consoles is underlined.
fn marked_in(bytes: &[u8]) -> String {
    let view = view_of(bytes);
    let places = (0..30).flat_map(|row| (0..110).map(move |column| (row, column)));
    let cells = places.filter_map(|(row, column)| view.cell(row, column));
    cells
        .filter(|cell| cell.underline())
        .map(vt100::Cell::contents)
        .collect()
}

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keys as crossterm gives them: until one comes, only who asked first is woken.
struct Keys {
    events: mpsc::UnboundedReceiver<io::Result<TerminalEvent>>,
    first: Option<std::task::Waker>,
}

impl Stream for Keys {
    type Item = io::Result<TerminalEvent>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        let first = self.first.get_or_insert_with(|| context.waker().clone()).clone();
        let next = self.events.poll_recv(&mut std::task::Context::from_waker(&first));
        if next.is_ready() {
            self.first = None;
        }
        next
    }
}

/// A console of a fake runner, its keys and where they are typed, and what it writes.
fn shell(fake: &Arc<Fake>, change: impl FnOnce(&mut ConsoleConfig)) -> (Shell<Bytes>, (Typing, Keys), Bytes) {
    let (typing, events) = mpsc::unbounded_channel();
    let bytes = Bytes::default();
    let mut config = ConsoleConfig {
        runner: fake.clone(),
        hub: Hub::new(Clock::real()),
        panels: Vec::new(),
        theme: Theme::standard(),
        themes: Arc::new(|name: &str| Ok((Theme::preset(name)?, Vec::new()))),
        by_background: None,
        keymap: Keymap::preset("default").unwrap(),
        clock: Clock::real(),
        user: "maria".into(),
        read_only: false,
        arrangement: crate::ui::console::arrangement::Arrangement::default(),
        pinned: Vec::new(),
        remember: None,
        behind: None,
        sandbox: None,
        programs: Programs::default(),
        dresses: None,
        remote: false,
        remarks: vec![Report::refused("E-THEME-001", "unknown meaning x")],
    };
    change(&mut config);
    let screen = Screen::new(bytes.clone(), 110, 30);
    let (_, panics) = mpsc::channel(1);
    let shell = Shell::new(config, screen, Restore::default(), panics);
    (shell, (typing, Keys { events, first: None }), bytes)
}

fn type_line(keys: &Typing, line: &str) {
    let symbols = line.chars().map(KeyCode::Char);
    for code in symbols.chain([KeyCode::Enter]) {
        keys.send(Ok(TerminalEvent::Key(code.into()))).unwrap();
    }
}

type Typing = mpsc::UnboundedSender<io::Result<TerminalEvent>>;

struct Terminal {
    keys: Typing,
    bytes: Bytes,
    fake: Arc<Fake>,
    run: tokio::task::JoinHandle<(io::Result<u8>, String)>,
}

impl Terminal {
    fn open() -> Self {
        Self::with(|_| {})
    }

    /// A console made like this.
    fn with(change: impl FnOnce(&mut ConsoleConfig)) -> Self {
        let fake = Arc::new(Fake::default());
        let (mut shell, keys, bytes) = shell(&fake, change);
        let mut events = Some(keys.1);
        let keys = keys.0;
        let run = tokio::spawn(async move {
            let mut result = shell.run(|| Ok(events.take().unwrap())).await;
            if shell.detached {
                result = shell.wait_for_the_rest().await;
            }
            let mut farewell = Vec::new();
            shell.close(&mut farewell).await;
            (result, String::from_utf8(farewell).unwrap())
        });
        Terminal { keys, bytes, fake, run }
    }

    fn key(&self, code: KeyCode, modifiers: KeyModifiers) {
        self.keys
            .send(Ok(TerminalEvent::Key(KeyEvent::new(code, modifiers))))
            .unwrap();
    }

    fn line(&self, line: &str) {
        type_line(&self.keys, line);
    }

    async fn sees(&self, wanted: &str) {
        self.waits_for(wanted, |bytes| screen_of(bytes).contains(wanted)).await;
    }

    async fn waits_for(&self, what: &str, seen: impl Fn(&[u8]) -> bool) {
        for _ in 0..500 {
            if seen(&self.bytes.0.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what} did not appear in\n{}", screen_of(&self.bytes.0.lock().unwrap()));
    }
}

#[tokio::test]
async fn lines_run_and_their_answers_reach_the_terminal() {
    let terminal = Terminal::open();
    terminal.sees("unknown meaning x").await;
    terminal.line("echo hello there");
    terminal.sees("  hello there").await;
    terminal.line("nope hunter2");
    terminal.sees("error[E-RESOLVE-001]: unknown command nope").await;
    terminal.sees("nope •••").await;
    terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    let (code, farewell) = terminal.run.await.unwrap();
    assert_eq!((code.unwrap(), farewell.as_str()), (0, ""));
    assert_eq!(
        *terminal.fake.started.lock().unwrap(),
        ["echo hello there", "nope hunter2"]
    );
}

#[tokio::test]
async fn what_is_wrong_in_a_line_is_marked_while_it_is_typed_and_nothing_is_run() {
    use crate::ui::panel::theme::Meaning;
    let wrong = Theme::standard().style(Meaning::SyntaxError);
    assert!(wrong.add_modifier.contains(ratatui::style::Modifier::UNDERLINED));
    let terminal = Terminal::open();
    for symbol in "nope x".chars() {
        terminal.key(KeyCode::Char(symbol), KeyModifiers::NONE);
    }
    terminal.sees("❯ nope x").await;
    terminal.waits_for("a mark", |bytes| marked_in(bytes) == "nope").await;
    terminal.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    terminal.waits_for("no mark", |bytes| marked_in(bytes).is_empty()).await;
    assert!(terminal.fake.started.lock().unwrap().is_empty());
    terminal.run.abort();
}

#[tokio::test]
async fn a_key_after_a_quiet_while_is_shown_before_the_next_second() {
    let terminal = Terminal::open();
    terminal.sees("unknown meaning x").await;
    let begun = Instant::now();
    let mut typed = "❯ ".to_owned();
    for symbol in "abcdef".chars() {
        terminal.key(KeyCode::Char(symbol), KeyModifiers::NONE);
        typed.push(symbol);
        terminal.sees(&typed).await;
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "six keys took {:?}: each waited for the clock",
        begun.elapsed()
    );
    terminal.run.abort();
}

#[tokio::test]
async fn an_approval_typed_reaches_the_block() {
    let terminal = Terminal::open();
    terminal.line("delete it");
    terminal.sees("type it and Enter to apply").await;
    terminal.line("it");
    terminal.sees("  deleted").await;
    terminal.run.abort();
}

#[tokio::test]
async fn ctrl_c_ends_a_block_that_follows() {
    let terminal = Terminal::open();
    terminal.line("watch");
    terminal.sees("running").await;
    terminal.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    terminal.sees("cancelled").await;
    terminal.run.abort();
}

#[tokio::test]
async fn a_flood_does_not_hold_back_keys_and_loses_nothing_unsaid() {
    let terminal = Terminal::open();
    terminal.line("flood x");
    terminal.line("echo between");
    terminal.sees("  between").await;
    terminal.sees("done").await;
    terminal.run.abort();
}

#[tokio::test]
async fn nothing_is_written_while_nothing_changes() {
    let terminal = Terminal::open();
    terminal.line("echo hello");
    terminal.sees("  hello").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Between two ticks of the clock nothing moves; over a window of them only the clock does.
    let before = terminal.bytes.0.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let written = terminal.bytes.0.lock().unwrap().len() - before;
    assert!(written < 300, "{written} bytes in 2.5 s of idleness");
    terminal.run.abort();
}
