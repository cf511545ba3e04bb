//! A terminal to run a program in: types keys, reads the screen as a person would see it, and keeps the raw bytes.
//! Not for measuring frames inside the program, and it knows nothing of what the program draws.
//!
//! The program starts with a clean environment and a home of its own, so that no test reads or writes the settings of
//! whoever runs it.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::KeyEvent;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

pub use super::keys::Key;

/// How often a program's end is asked for; screens are waited for without polling.
const POLL: Duration = Duration::from_millis(10);
/// The beginning and the end of a synchronised update: what stands between them is no screen.
const FRAME: [&[u8; 8]; 2] = [b"\x1b[?2026h", b"\x1b[?2026l"];
/// A program that was stopped in the midst of a frame never ends it.
const TORN: Duration = Duration::from_secs(1);
/// How long a program may take to react to a hang-up before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Why a wait ended without what was waited for, with the screen as it was then.
pub struct Unseen {
    reason: String,
    screen: String,
}

/// Shown as the failure of an `expect`, the screen should look like one: `Debug` is `Display`.
impl fmt::Debug for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; the screen:", self.reason)?;
        self.screen.lines().try_for_each(|row| writeln!(f, "│{row}"))
    }
}

impl std::error::Error for Unseen {}

/// A running program and the terminal it runs in. Dropping it hangs up, and kills what does not react.
pub struct Terminal {
    shared: Arc<Shared>,
    writer: Writer,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    home: TempDir,
}

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser<Replies>,
    raw: Vec<u8>,
    /// When the last byte came.
    last: Instant,
    /// A frame has begun and not ended: a terminal hands it on in pieces.
    in_frame: bool,
    /// Every process has closed the terminal.
    closed: bool,
}

impl Shared {
    /// A test that failed while it held the lock has poisoned nothing worth protecting.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    /// Starts a program with `args` in a terminal of `cols` × `rows`. Its environment is `PATH`, `LANG`, `TERM`, a new
    /// home, and `envs`, which may replace any of them. It runs in the caller's folder.
    pub fn spawn(program: impl AsRef<Path>, args: &[&str], envs: &[(&str, &str)], cols: u16, rows: u16) -> Self {
        let home = TempDir::new().expect("a folder for the program's home");
        let pair = native_pty_system()
            .openpty(size(cols, rows))
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program.as_ref());
        command.args(args);
        command.cwd(std::env::current_dir().expect("a current folder"));
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8");
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        for (name, value) in envs {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        // Our copy of the program's side must go, or the end of the program would never close the terminal.
        drop(pair.slave);

        let writer: Writer = Arc::new(Mutex::new(pair.master.take_writer().expect("the terminal's input")));
        let parser = vt100::Parser::new_with_callbacks(rows, cols, 0, Replies::default());
        let state = State {
            parser,
            raw: Vec::new(),
            last: Instant::now(),
            in_frame: false,
            closed: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let output = pair.master.try_clone_reader().expect("the terminal's output");
        std::thread::spawn({
            let (shared, writer) = (Arc::clone(&shared), Arc::clone(&writer));
            move || read(output, &shared, &writer)
        });
        Self {
            shared,
            writer,
            master: pair.master,
            child,
            home,
        }
    }

    /// The folder that is the program's `HOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sends text as keys; a line break is the Enter key.
    pub fn type_text(&self, text: &str) {
        self.send(text.replace('\n', "\r").as_bytes());
    }

    /// Sends one key, cursor keys in the mode that the program asked for.
    pub fn key(&self, key: impl Into<KeyEvent>) {
        let application = self.shared.lock().parser.screen().application_cursor();
        self.send(&super::keys::bytes(key.into(), application));
    }

    /// Pastes text as a terminal does: bracketed when the program asked for it, as keys otherwise.
    pub fn paste(&self, text: &str) {
        if self.shared.lock().parser.screen().bracketed_paste() {
            self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
        } else {
            self.type_text(text);
        }
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) {
        write(&self.writer, bytes);
    }

    /// The screen's rows, blanks at their ends left out, one line each; empty rows too.
    pub fn screen(&self) -> String {
        rows(self.shared.lock().parser.screen())
    }

    /// One cell of the screen with its colours and attributes; row and column count from 0.
    pub fn cell(&self, row: u16, col: u16) -> vt100::Cell {
        self.shared
            .lock()
            .parser
            .screen()
            .cell(row, col)
            .expect("a cell on the screen")
            .clone()
    }

    /// A copy of the whole terminal: cursor, alternate screen, paste and mouse modes.
    pub fn view(&self) -> vt100::Screen {
        self.shared.lock().parser.screen().clone()
    }

    /// Waits until `seen` says yes to the screen and answers that screen. Fails when the time is over, and at once
    /// when the program has ended without it. `seen` may ask the terminal for more than the text it is given. Half a
    /// frame is not looked at: it is neither the screen before nor the one behind.
    pub fn wait_for(&self, seen: impl Fn(&str) -> bool, timeout: Duration) -> Result<String, Unseen> {
        let deadline = Instant::now() + timeout;
        loop {
            let state = self.shared.lock();
            let (screen, read, closed) = (rows(state.parser.screen()), state.raw.len(), state.closed);
            let torn = match state.in_frame && !closed {
                true => TORN.saturating_sub(state.last.elapsed()),
                false => Duration::ZERO,
            };
            drop(state);
            let left = deadline.saturating_duration_since(Instant::now());
            let whole = torn.is_zero() || left.is_zero();
            if whole && seen(&screen) {
                return Ok(screen);
            }
            if closed || left.is_zero() {
                let reason = if closed {
                    "the program ended".to_owned()
                } else {
                    format!("not within {timeout:?}")
                };
                return Err(Unseen { reason, screen });
            }
            let unchanged = |state: &mut State| state.raw.len() == read && !state.closed;
            let left = if whole { left } else { left.min(torn) };
            drop(
                self.shared
                    .changed
                    .wait_timeout_while(self.shared.lock(), left, unchanged),
            );
        }
    }

    /// Waits until `text` stands on the screen.
    pub fn wait_for_text(&self, text: &str, timeout: Duration) -> Result<String, Unseen> {
        self.wait_for(|screen| screen.contains(text), timeout)
            .map_err(|unseen| Unseen {
                reason: format!("{text:?}: {}", unseen.reason),
                ..unseen
            })
    }

    /// Waits until the program has written nothing for `quiet`, or has ended, and answers the screen.
    pub fn wait_until_idle(&self, quiet: Duration, timeout: Duration) -> Result<String, Unseen> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            let left = (state.last + quiet).saturating_duration_since(now);
            if left.is_zero() || state.closed {
                return Ok(rows(state.parser.screen()));
            }
            if now >= deadline {
                let reason = format!("still writing after {timeout:?}");
                return Err(Unseen {
                    reason,
                    screen: rows(state.parser.screen()),
                });
            }
            let left = left.min(deadline.saturating_duration_since(now));
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Gives the terminal another size; the program gets its signal.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.shared.lock().parser.screen_mut().set_size(rows, cols);
        self.master.resize(size(cols, rows)).expect("a new size");
    }

    /// Gives the program another size, and the screen that is read here none: the emulator breaks at some that follow
    /// each other quickly.
    pub fn resize_unseen(&self, cols: u16, rows: u16) {
        self.master.resize(size(cols, rows)).expect("a new size");
    }

    /// A place in the program's output, for [`Terminal::raw_output_since`].
    pub fn mark(&self) -> usize {
        self.shared.lock().raw.len()
    }

    /// The bytes that the program wrote since a mark; 0 is the start.
    pub fn raw_output_since(&self, mark: usize) -> Vec<u8> {
        self.shared.lock().raw.get(mark..).unwrap_or_default().to_vec()
    }

    /// Waits for the program's end and for all that it wrote before.
    pub fn exit_status(&mut self, timeout: Duration) -> Result<ExitStatus, Unseen> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child to ask") {
                // A grandchild may hold the terminal open: then what is there must do.
                let state = self.shared.lock();
                let _ = self
                    .shared
                    .changed
                    .wait_timeout_while(state, GRACE, |state| !state.closed);
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(Unseen {
                    reason: format!("still running after {timeout:?}"),
                    screen: self.screen(),
                });
            }
            std::thread::sleep(POLL);
        }
    }

    /// The program's process.
    pub fn pid(&self) -> Option<u32> {
        self.child.process_id()
    }

    /// Sends the program a signal by its name without `SIG`: `INT`, `TERM`, `KILL`, `STOP`, `CONT`. One that has ended
    /// gets none: its process id may be another's by now.
    pub fn kill(&mut self, signal: &str) {
        if let Ok(None) = self.child.try_wait() {
            super::signal(self.child.process_id().expect("a running program"), signal);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.kill("HUP");
        if self.exit_status(GRACE).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a terminal answers by itself, as if it had been typed: where the cursor is, and what it is (a VT220). Programs
/// that ask would otherwise wait in vain.
#[derive(Default)]
struct Replies(Vec<u8>);

impl vt100::Callbacks for Replies {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        i1: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        command: char,
    ) {
        match (i1, params.first().and_then(|param| param.first()), command) {
            (None, Some(6), 'n') => {
                let (row, col) = screen.cursor_position();
                self.0.extend(format!("\x1b[{};{}R", row + 1, col + 1).bytes());
            }
            (None, None | Some(0), 'c') => self.0.extend(b"\x1b[?62;22c"),
            _ => {}
        }
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn rows(screen: &vt100::Screen) -> String {
    let (_, cols) = screen.size();
    screen
        .rows(0, cols)
        .map(|row| format!("{}\n", row.trim_end()))
        .collect()
}

/// Reads until every process has closed the terminal (Linux then answers with an error, not with an end).
fn read(mut output: Box<dyn Read + Send>, shared: &Shared, writer: &Writer) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        let mut state = shared.lock();
        state.parser.process(&buffer[..count]);
        // A mark may come in two pieces.
        let news = state.raw.len().saturating_sub(FRAME[0].len() - 1);
        state.raw.extend(&buffer[..count]);
        let mut marks = state.raw[news..].windows(FRAME[0].len()).rev();
        if let Some(mark) = marks.find(|bytes| FRAME.iter().any(|mark| *bytes == *mark)) {
            state.in_frame = mark == FRAME[0];
        }
        state.last = Instant::now();
        let replies = std::mem::take(&mut state.parser.callbacks_mut().0);
        drop(state);
        shared.changed.notify_all();
        if !replies.is_empty() {
            write(writer, &replies);
        }
    }
    shared.lock().closed = true;
    shared.changed.notify_all();
}

/// What is typed at a program that is gone is lost, as at a real terminal.
fn write(writer: &Writer, bytes: &[u8]) {
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writer.write_all(bytes).and_then(|()| writer.flush());
}
