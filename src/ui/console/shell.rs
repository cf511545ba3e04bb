//! The shell: the console's loop. Takes in keys, blocks, questions, feeds and timers, lets the app reduce them, performs
//! what it asks for, and draws once when something changed. All IO of the console is here and in `terminal`.

mod background;
mod blocks;
mod config;
mod console;
mod editor;
mod hands;
mod leaving;
mod lending;
mod perform;
mod programs;
mod remembered;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::background::Asked;
pub use self::background::ByBackground;
use self::blocks::Blocks;
pub use self::config::{ConsoleConfig, Dresses, Programs, Themes};
pub use self::console::Console;
use self::programs::{Early, Signals, Told};
use super::app::{App, Dress, Event, Parts};
use super::arrangement;
use super::draw::draw;
use super::operator::Request;
use super::pace::Pace;
use super::pin::kept;
use super::ports::{Runner, StartSandbox};
use super::terminal::{Restore, Screen};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::panel::Tone;

/// Between two frames in the long run: here, and where the terminal is far away.
const FRAME: Duration = Duration::from_millis(16);
const FRAME_REMOTE: Duration = Duration::from_millis(50);
/// Block events and answers that wait for the loop; when full, blocks wait (backpressure through their pipelines).
const INBOX: usize = 1_024;
/// Events reduced before a frame at most, so that a flood cannot hold back keys.
const BATCH: usize = 2_048;
/// Earlier lines loaded at the start.
const HISTORY: usize = 2_000;
/// How long a completer may take.
const COMPLETER: Duration = Duration::from_secs(3);
/// How long blocks may take to end when the console closes.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// What reaches the loop from tasks.
pub(super) enum Message {
    /// For the app.
    App(Event),
    /// A background job started inside a block.
    Job(Box<super::ports::Running>),
    /// A block's line was one job and nothing else: from now on it is the job, with this number and this way to end it.
    Turned(u64, u64, Arc<dyn Fn() + Send + Sync>),
    /// A block's last event was handed on.
    Gone(u64),
    /// The session knows what could not be waited for at the start, but for these.
    Loaded(Vec<Report>),
}

/// What the first frame does without.
struct Behind {
    load: Option<BoxFuture<'static, Vec<Report>>>,
    dresses: Option<Dresses>,
    /// Where the screen is remembered.
    folder: Option<PathBuf>,
}

struct Shell<W: Write> {
    app: App,
    runner: Arc<dyn Runner>,
    hub_changes: watch::Receiver<u64>,
    sandbox: Option<Arc<dyn StartSandbox>>,
    own: Programs,
    themes: Themes,
    screen: Screen<W>,
    restore: Restore,
    remember: Option<remembered::Writer>,
    keep_pins: Option<remembered::Keeper>,
    blocks: Blocks,
    inbox: mpsc::Receiver<Message>,
    outbox: mpsc::Sender<Message>,
    requests: mpsc::Receiver<Request>,
    panics: mpsc::Receiver<String>,
    dresses: Option<mpsc::Receiver<Dress>>,
    /// What begins behind the first frame.
    behind: Option<Behind>,
    /// The terminal was asked for its background and has not answered.
    asked: Option<Asked>,
    pace: Pace,
    /// The next frame shows what the operator did, or answers him.
    awaited: bool,
    /// Programs that wait for the terminal, in their order: one a block or key at most, since whoever asked waits.
    programs: VecDeque<programs::Program>,
    /// Tells the one that has it to end.
    leaving: CancellationToken,
    /// Signals that came before there was a loop to hear them.
    early: Early,
    suspend: bool,
    quit: Option<u8>,
    /// The screen is given back, and what runs goes on to its end.
    detached: bool,
}

impl<W: Write> Shell<W> {
    fn new(config: ConsoleConfig, screen: Screen<W>, restore: Restore, panics: mpsc::Receiver<String>) -> Self {
        let (outbox, inbox) = mpsc::channel(INBOX);
        let (asking, requests) = mpsc::channel(INBOX);
        let mut app = App::new(Parts {
            panels: config.panels,
            keymap: config.keymap,
            theme: config.theme,
            clock: config.clock,
            user: config.user,
            context: config.runner.context(),
            contexts: config.runner.contexts(),
            // The verbs are made behind the first frame.
            catalogue: Arc::default(),
            can_start_sandbox: config.sandbox.is_some(),
            read_only: config.read_only,
            arrangement: config.arrangement,
            pinned: config.pinned,
            pins: super::pin::maker(&config.hub, &config.runner),
        });
        app.remark(&config.remarks);
        Shell {
            app,
            hub_changes: config.hub.changes(),
            sandbox: config.sandbox,
            own: config.programs,
            themes: config.themes,
            screen,
            restore,
            remember: None,
            keep_pins: None,
            blocks: Blocks::new(config.runner.clone(), outbox.clone(), asking),
            runner: config.runner,
            inbox,
            outbox,
            requests,
            panics,
            dresses: None,
            behind: Some(Behind {
                load: config.behind,
                dresses: config.dresses,
                folder: config.remember,
            }),
            asked: config.by_background.map(Asked::new),
            pace: Pace::new(if config.remote { FRAME_REMOTE } else { FRAME }),
            awaited: false,
            programs: VecDeque::new(),
            leaving: CancellationToken::new(),
            early: Early::default(),
            suspend: false,
            quit: None,
            detached: false,
        }
    }

    /// The loop. `open` makes the stream of terminal events; it is closed while a program has the terminal.
    async fn run<S>(&mut self, mut open: impl FnMut() -> io::Result<S>) -> io::Result<u8>
    where
        S: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        if let Some(behind) = self.behind.take() {
            self.begin(behind);
        }
        self.ask_background()?;
        self.app.open_panels();
        self.load_history();
        let mut events = open()?;
        let mut signals = Signals::new()?;
        if let Some(code) = self.early.code() {
            return Ok(code);
        }
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let frame_at = self.frame_due();
            let due = self.app.rests_for().map(|rest| Instant::now() + rest);
            let held = self.asked.as_ref().and_then(Asked::due);
            tokio::select! {
                biased;
                told = signals.next() => match told {
                    Told::End(code) => return Ok(code),
                    Told::Stop => self.suspend = true,
                    Told::GoOn => self.take_again()?,
                },
                event = events.next() => match event {
                    Some(event) => self.terminal_event(event?),
                    // The terminal is gone.
                    None => return Ok(129),
                },
                Some(request) = self.requests.recv() => self.request(request),
                Some(message) = self.inbox.recv() => self.message(message),
                Some(dress) = next_dress(&mut self.dresses) => self.reduce(Event::Dress(Box::new(dress))),
                Some(text) = self.panics.recv() => self.tell_panic(&text),
                Ok(()) = self.hub_changes.changed() => {}
                () = sleep_until(due) => self.app.advance(),
                () = sleep_until(held) => self.typed_after_all(),
                () = sleep_until(frame_at) => {}
                _ = tick.tick() => self.second(),
            }
            self.drain(&mut events).await;
            if let Some(code) = self.quit {
                self.hear_out(&mut events).await;
                return Ok(code);
            }
            if self.suspend || !self.programs.is_empty() {
                drop(events);
                if let Some(code) = self.lend_terminal(&mut signals).await? {
                    return Ok(code);
                }
                signals.forget_interrupts()?;
                events = open()?;
            }
            if self.frame_due().is_some_and(|due| due <= Instant::now()) {
                self.draw()?;
            }
        }
    }

    fn begin(&mut self, behind: Behind) {
        self.know_session();
        if let Some(load) = behind.load {
            let outbox = self.outbox.clone();
            tokio::spawn(async move {
                let _ = outbox.send(Message::Loaded(load.await)).await;
            });
        }
        self.dresses = behind.dresses.map(|begin| begin());
        if let Some(folder) = behind.folder {
            let outbox = || self.outbox.clone();
            self.remember = Some(remembered::Writer::new(folder.join(arrangement::FILE), outbox()));
            self.keep_pins = Some(remembered::Keeper::new(folder.join(kept::FILE), outbox()));
        }
    }

    /// Takes in what is there already, so that one frame shows all of it. Never waits.
    async fn drain<S>(&mut self, events: &mut S)
    where
        S: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        for _ in 0..BATCH {
            // Asked on behalf of the loop, which is to be woken.
            let asked = poll_fn(|context| Poll::Ready(events.poll_next_unpin(context)));
            let Poll::Ready(Some(Ok(event))) = asked.await else {
                break;
            };
            self.terminal_event(event);
        }
        while let Ok(request) = self.requests.try_recv() {
            self.request(request);
        }
        for _ in 0..BATCH {
            let Ok(message) = self.inbox.try_recv() else { break };
            self.message(message);
        }
    }

    /// When the next frame is to be drawn; none while nothing changed.
    fn frame_due(&self) -> Option<Instant> {
        let due = || self.pace.due(Instant::now(), self.awaited);
        self.app.is_dirty().then(due)
    }

    /// The line as it is typed is checked behind the frame that shows it, so that what is wrong in it is marked: nobody's
    /// key waits for that.
    fn check_line(&mut self) {
        if let Some(text) = self.app.unchecked() {
            let problem = App::is_for_engine(&text).then(|| self.runner.problem(&text)).flatten();
            self.app.check(text, problem);
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let app = &mut self.app;
        let rows = !self.awaited || self.pace.due(now, false) <= now;
        app.let_rows_wait(!rows);
        self.screen.frame(|area, buffer| draw(app, area, buffer))?;
        self.app.drawn();
        self.pace.drawn(now, rows);
        self.awaited = false;
        self.check_line();
        Ok(())
    }

    fn terminal_event(&mut self, event: TerminalEvent) {
        self.awaited = true;
        match event {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            TerminalEvent::Mouse(event) => self.reduce(Event::Mouse(event)),
            TerminalEvent::Paste(text) => self.reduce(Event::Paste(text)),
            TerminalEvent::Resize(width, height) => {
                self.screen.resize(width, height);
                self.app.tick();
            }
            _ => {}
        }
    }

    /// A second passed. A change of size that was missed, as in a storm of them, is found out here.
    fn second(&mut self) {
        if self.restore.is_entered()
            && let Ok((width, height)) = crossterm::terminal::size()
            && (width, height) != (self.screen.area().width, self.screen.area().height)
        {
            self.screen.resize(width, height);
        }
        self.app.tick();
    }

    fn reduce(&mut self, event: Event) {
        for effect in self.app.handle(event) {
            self.perform(effect);
        }
    }

    fn request(&mut self, request: Request) {
        self.awaited = true;
        match request {
            Request::Ask {
                id,
                block,
                plan,
                requirement,
                context,
                answer,
            } => {
                self.blocks.await_answer(id, answer);
                self.reduce(Event::Question {
                    id,
                    block,
                    plan,
                    requirement,
                    context,
                });
            }
            Request::Secret {
                id,
                block,
                what,
                answer,
            } => {
                self.blocks.await_answer(id, answer);
                self.reduce(Event::SecretWanted { id, block, what });
            }
            Request::Note(block, text) => {
                self.reduce(Event::Block(block, Box::new(super::ports::BlockEvent::Note(text))));
            }
            Request::Progress(block, text) => {
                self.reduce(Event::Block(block, Box::new(super::ports::BlockEvent::Progress(text))));
            }
            Request::Terminal(borrower, answer) => self.programs.push_back(programs::Program { borrower, answer }),
            Request::Context(name, answer) => {
                // The verb was cancelled meanwhile: the context is another one all the same, and the status line says so.
                let _ = answer.send(self.switch_context(&name));
            }
            Request::Pin(pin, answer) => {
                let (name, effects) = self.app.pin(&pin);
                effects.into_iter().for_each(|effect| self.perform(effect));
                // The line was cancelled meanwhile: the panel is there all the same, and can be closed.
                let _ = answer.send(name);
            }
            Request::ActingOn(subject) => self.reduce(Event::ActingOn(subject)),
            Request::Withdraw(id) => {
                if self.blocks.withdraw(id) {
                    self.reduce(Event::Withdrawn(id));
                }
            }
        }
    }

    fn message(&mut self, message: Message) {
        self.awaited = true;
        match message {
            Message::App(event) => self.reduce(event),
            Message::Job(running) => {
                let block = self.app.adopt(running.number, running.line.clone());
                self.blocks.follow(block, *running);
            }
            Message::Turned(block, number, cancel) => {
                self.blocks.turn(block, number, cancel);
                self.app.turn(block, number);
            }
            Message::Gone(block) => {
                self.blocks.forget(block);
                // A verb may have switched the context or installed a bundle.
                self.know_session();
            }
            Message::Loaded(problems) => {
                self.app.remark(&problems);
                self.know_session();
            }
        }
    }

    fn know_session(&mut self) {
        self.reduce(Event::Session(self.runner.context(), self.runner.catalogue()));
    }

    fn load_history(&self) {
        let (runner, outbox) = (self.runner.clone(), self.outbox.clone());
        tokio::spawn(async move {
            let event = match runner.history(HISTORY).await {
                Ok(lines) => Event::History(lines),
                Err(report) => Event::Tell(report.told(), Tone::Warn),
            };
            let _ = outbox.send(Message::App(event)).await;
        });
    }

    fn tell_panic(&mut self, text: &str) {
        let text = format!("a task of the console broke: {text}");
        self.reduce(Event::Tell(SafeText::line(&text), Tone::Bad));
    }
}

async fn next_dress(dresses: &mut Option<mpsc::Receiver<Dress>>) -> Option<Dress> {
    match dresses {
        Some(dresses) => dresses.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
