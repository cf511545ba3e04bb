//! Everything between the console and the process around it: signals, panics, and programs that borrow the terminal.

use std::io;
use std::panic::PanicHookInfo;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use rustix::process::{Pid, kill_process};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::core::report::Report;
use crate::ui::console::app::SCRIPTS;
use crate::ui::console::operator::Borrower;
use crate::ui::console::terminal::Restore;
use crate::verb::operator::TerminalCommand;

/// What a signal asks for.
pub(super) enum Told {
    /// To end with this exit code.
    End(u8),
    /// To stop until it is continued.
    Stop,
    /// It was stopped, maybe without having been asked, and goes on: others had the terminal meanwhile.
    GoOn,
}

/// The signals that end the console, stop it and let it go on.
pub(super) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
    go_on: Signal,
    /// It was stopped here: that it goes on is no news.
    stopped: bool,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(SIGCONT))?,
            stopped: false,
        })
    }

    /// Lets the interrupts go that came while a program had the terminal: Ctrl-C was meant for it.
    pub(super) fn forget_interrupts(&mut self) -> io::Result<()> {
        self.interrupt = signal(SignalKind::interrupt())?;
        Ok(())
    }

    /// Resolves when one comes.
    pub(super) async fn next(&mut self) -> Told {
        self.hear(true).await
    }

    /// As [`Signals::next`], while a program has the terminal: an interrupt is the program's.
    pub(super) async fn next_but_interrupts(&mut self) -> Told {
        self.hear(false).await
    }

    async fn hear(&mut self, interrupts: bool) -> Told {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Told::End(TERMINATED),
                _ = self.hang_up.recv() => return Told::End(HUNG_UP),
                _ = self.interrupt.recv(), if interrupts => return Told::End(INTERRUPTED),
                _ = self.stop.recv() => return Told::Stop,
                _ = self.go_on.recv() => if !std::mem::take(&mut self.stopped) {
                    return Told::GoOn;
                }
            }
        }
    }

    /// Stops the process until somebody continues it, as Ctrl-Z does to a program without a screen.
    pub(super) fn stop_here(&mut self) -> io::Result<()> {
        self.stopped = true;
        emulate_default_handler(SIGTSTP)
    }
}

const HUNG_UP: u8 = 129;
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The signals that end the console, heard before there is a runtime: from the moment on when the terminal is taken.
#[derive(Default)]
pub(super) struct Early {
    heard: Vec<(u8, Arc<AtomicBool>)>,
}

impl Early {
    pub(super) fn listen() -> io::Result<Self> {
        let mut early = Early::default();
        for (signal, code) in [(SIGTERM, TERMINATED), (SIGHUP, HUNG_UP), (SIGINT, INTERRUPTED)] {
            let flag = Arc::new(AtomicBool::new(false));
            flag::register(signal, flag.clone())?;
            early.heard.push((code, flag));
        }
        Ok(early)
    }

    /// The exit code of one that came.
    pub(super) fn code(&self) -> Option<u8> {
        let mut heard = self.heard.iter().filter(|(_, flag)| flag.load(Ordering::SeqCst));
        heard.next().map(|(code, _)| *code)
    }
}

/// A script of more than this is none.
const SCRIPT_BYTES: u64 = 1 << 20;

/// The text of a script to present: one that comes along, else a file.
pub(super) async fn read_script(file: &str) -> Result<String, Report> {
    use tokio::io::AsyncReadExt;
    if let Some(supplied) = SCRIPTS.iter().find(|script| script.name == file) {
        return Ok(supplied.text.to_owned());
    }
    let failed = |error: io::Error| Report::refused("E-CONSOLE-006", format!("cannot read {file}")).because(&error);
    let opened = tokio::fs::File::open(file).await.map_err(failed)?;
    let mut text = String::new();
    let mut bounded = opened.take(SCRIPT_BYTES + 1);
    bounded.read_to_string(&mut text).await.map_err(failed)?;
    match text.len() as u64 > SCRIPT_BYTES {
        true => Err(Report::refused(
            "E-CONSOLE-006",
            format!("{file} is too long for a script"),
        )),
        false => Ok(text),
    }
}

/// A program that waits for the terminal.
pub(super) struct Program {
    pub(super) borrower: Borrower,
    pub(super) answer: oneshot::Sender<Result<i32, Report>>,
}

impl Program {
    /// Runs it on the process' own terminal until it ends, or `leaving` tells it to.
    pub(super) async fn run(mut self, leaving: CancellationToken) {
        let work = async {
            match self.borrower {
                Borrower::Program(command) => spawn(&command, None, &leaving).await,
                Borrower::Work(work) => work.await,
            }
        };
        let result = tokio::select! {
            result = work => result,
            // Nobody waits any more: what had the terminal gives it back.
            () = self.answer.closed() => return,
        };
        // The verb that asked was cancelled meanwhile.
        let _ = self.answer.send(result);
    }
}

/// Gives a program a text on its stdin and waits for its end; it gets no terminal.
pub(super) async fn feed(argv: &[String], text: String) -> Result<(), Report> {
    let command = TerminalCommand {
        argv: argv.to_vec(),
        environment: Default::default(),
    };
    let (mut process, program) = prepare(&command)?;
    let child = process
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| unstarted(&program, &error))?;
    write(&mut child, text).await;
    let status = child.wait().await.map_err(|error| unstarted(&program, &error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Report::failed("E-CONSOLE-005", format!("{program} took no copy"))),
    }
}

/// Runs a program on the process' own terminal. `input`: what it reads; none: the terminal. `leaving`: when the console
/// is left, and the program has to give the terminal back as it found it.
pub(super) async fn spawn(
    command: &TerminalCommand,
    input: Option<String>,
    leaving: &CancellationToken,
) -> Result<i32, Report> {
    let (mut process, program) = prepare(command)?;
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::inherit()
    };
    let child = process
        .stdin(stdin)
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .spawn();
    let mut child = child.map_err(|error| unstarted(&program, &error))?;
    // The number stays its own until it has been waited for.
    let process = child.id();
    let told = leaving.cancelled().map(|()| terminate(process));
    let ends = async {
        if let Some(text) = input {
            write(&mut child, text).await;
        }
        child.wait().await
    };
    let status = beside(ends, told).await.map_err(|error| unstarted(&program, &error))?;
    Ok(status.code().unwrap_or(130))
}

/// Does `work` to its end, with `other` beside it for as long.
async fn beside<T>(work: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
    let other = async {
        other.await;
        std::future::pending().await
    };
    tokio::select! {
        done = work => done,
        never = other => never,
    }
}

/// Tells a program to end, by its process id; none: it has ended.
fn terminate(process: Option<u32>) {
    let process = process.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(process) = process {
        // It ended at the same moment.
        let _ = kill_process(process, rustix::process::Signal::TERM);
    }
}

fn prepare(command: &TerminalCommand) -> Result<(tokio::process::Command, String), Report> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(Report::refused("E-CONSOLE-004", "no program was named"));
    };
    let mut process = tokio::process::Command::new(program);
    process.args(arguments).envs(&command.environment).kill_on_drop(true);
    Ok((process, program.clone()))
}

/// One that is closed before it has read all has read enough.
async fn write(child: &mut tokio::process::Child, text: String) {
    use tokio::io::AsyncWriteExt;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(text.as_bytes()).await;
    }
}

fn unstarted(program: &str, error: &io::Error) -> Report {
    Report::failed("E-CONSOLE-005", format!("{program} cannot be started")).because(error)
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// While it lives, a panic on the console's thread gives the terminal back before it is reported, and one in a task is
/// told to the console instead of being written over the screen. The terminal is given back at its end, whatever it was
/// that ended.
pub(super) struct PanicGuard(Restore);

impl PanicGuard {
    pub(super) fn install(restore: Restore, panics: mpsc::Sender<String>) -> Self {
        let console = std::thread::current().id();
        let before: Hook = std::panic::take_hook();
        let guarded = restore.clone();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == console {
                restore.leave();
                before(info);
            } else {
                // A full queue: the first ones say enough.
                let _ = panics.try_send(info.to_string());
            }
        }));
        PanicGuard(guarded)
    }
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        self.0.leave();
        if !std::thread::panicking() {
            // Back to the standard hook: the console was the one to set another.
            let _ = std::panic::take_hook();
        }
    }
}
