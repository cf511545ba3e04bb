//! The supervisor's side: one job, one thread, no runtime.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::tree;
use super::wire::{Job, Status, Word, receive_descriptor};

/// How long processes may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// Between two rounds of killing.
const ROUND: Duration = Duration::from_millis(20);
/// A process that the kernel does not let go of is given up after this, counted from the first SIGTERM.
const GIVE_UP: Duration = Duration::from_secs(10);

/// Runs the job that comes over stdin, a socket, to its end; the exit code.
pub fn serve() -> u8 {
    match supervise() {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "supervisor: {error}");
            2
        }
    }
}

fn supervise() -> io::Result<()> {
    let control = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let stdin = receive_descriptor(&control)?;
    let job = Job::decode(&control)?;
    // No controlling terminal: nothing below can read the console's keys or write over its screen.
    let _ = rustix::process::setsid();
    adopt_orphans()?;
    let wake = Wake::new()?;
    let command = match start(job, stdin) {
        Ok(command) => command,
        Err(error) => return say(&control, &Word::NotStarted(error.to_string())),
    };
    // The console sees the end of both streams when those who write into them have ended, not when we have.
    let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    watch(&control, &wake, command)
}

#[cfg(target_os = "linux")]
fn adopt_orphans() -> io::Result<()> {
    // Any process id stands for yes.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

fn start(job: Job, stdin: OwnedFd) -> io::Result<Pid> {
    let mut command = Command::new(&job.program);
    command.args(&job.arguments).env_clear().envs(&job.environment);
    command.current_dir(&job.directory).stdin(Stdio::from(stdin));
    // A group of its own: a `kill 0` in the command is not for us.
    let child = command.process_group(0).spawn()?;
    Ok(Pid::from_child(&child))
}

/// Until nothing is left below us.
fn watch(control: &UnixStream, wake: &Wake, command: Pid) -> io::Result<()> {
    let own = rustix::process::getpid();
    let mut ending: Option<Instant> = None;
    loop {
        if !reap(control, command) {
            return Ok(());
        }
        let now = Instant::now();
        match ending {
            None if wake.is_told_to_end() || is_readable(control)? => {
                ending = Some(now);
                tree::ask(own);
            }
            Some(since) if now - since > GIVE_UP => return Err(io::Error::other("some processes cannot be killed")),
            Some(since) if now - since > GRACE => tree::kill(own),
            _ => {}
        }
        wake.wait(control, ending.is_some())?;
    }
}

/// Takes the ends of whatever has ended, and tells the command's. False: nothing is left.
fn reap(control: &UnixStream, command: Pid) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((id, status))) if id == command => {
                if let Some(status) = ended(status) {
                    // A console that is gone needs no word.
                    let _ = say(control, &Word::Ended(status));
                }
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn ended(status: WaitStatus) -> Option<Status> {
    let code = status.exit_status().map(Status::Code);
    code.or_else(|| status.terminating_signal().map(Status::Signal))
}

fn say(mut control: &UnixStream, word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    control.write_all(&line)
}

/// The console sends nothing after the job: what can be read now is the end of the connection.
fn is_readable(control: &UnixStream) -> io::Result<bool> {
    let mut sources = [PollFd::new(control, PollFlags::IN)];
    Ok(polled(&mut sources, Duration::ZERO)? > 0)
}

fn polled(sources: &mut [PollFd<'_>], patience: Duration) -> io::Result<usize> {
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(sources, Some(&patience)) {
        Err(Errno::INTR) => Ok(0),
        other => Ok(other?),
    }
}

/// Signals to us, turned into something to wait for beside the socket.
struct Wake {
    bytes: UnixStream,
    told_to_end: Arc<AtomicBool>,
}

impl Wake {
    fn new() -> io::Result<Wake> {
        let (bytes, written) = UnixStream::pair()?;
        bytes.set_nonblocking(true)?;
        written.set_nonblocking(true)?;
        let told_to_end = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            // Before the byte, so that the flag is up when the byte is read.
            signal_hook::flag::register(signal, told_to_end.clone())?;
            signal_hook::low_level::pipe::register(signal, written.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, written)?;
        Ok(Wake { bytes, told_to_end })
    }

    fn is_told_to_end(&self) -> bool {
        self.told_to_end.load(Ordering::SeqCst)
    }

    /// Until a signal came or the console closed; a round long at most once everything has to end.
    fn wait(&self, control: &UnixStream, ending: bool) -> io::Result<()> {
        const LONG: Duration = Duration::from_secs(3600);
        match ending {
            // A closed connection would end every wait at once.
            true => polled(&mut [PollFd::new(&self.bytes, PollFlags::IN)], ROUND)?,
            false => {
                let mut sources = [
                    PollFd::new(&self.bytes, PollFlags::IN),
                    PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN),
                ];
                polled(&mut sources, LONG)?
            }
        };
        let mut spent = [0; 64];
        while matches!(io::Read::read(&mut &self.bytes, &mut spent), Ok(read) if read > 0) {}
        Ok(())
    }
}
