//! A command in a container on the operator's own terminal: keys go there as they are, what it writes comes as it is. Runs
//! only while the front end has lent the terminal.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use crossterm::terminal;
use futures::SinkExt;
use kube::api::{AttachedProcess, TerminalSize};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{BUFFER, exit_code, lost};
use crate::core::report::Report;

/// Pieces of input that wait. Policy: the keyboard waits.
const QUEUE: usize = 16;
/// How long the keyboard is waited for before its reader looks whether it is still wanted (nanoseconds).
const PATIENCE: i64 = 50_000_000;

/// Whether there is a terminal to hand over.
pub fn is_one() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Carries keys and output until the command ends; its exit code.
pub async fn converse(mut process: AttachedProcess) -> Result<i32, Report> {
    let mut sizes = process.terminal_size();
    let _raw = sizes
        .is_some()
        .then(Raw::enter)
        .transpose()
        .map_err(|error| lost(&error))?;
    let mut resized = signal(SignalKind::window_change()).map_err(|error| lost(&error))?;
    let mut stdin = process.stdin();
    let keyboard = stdin.is_some().then(Keyboard::start);
    let (mut keys, _reader) = keyboard.map_or((None, None), |(keys, reader)| (Some(keys), Some(reader)));
    let status = process.take_status();
    let out = copy(process.stdout(), std::io::stdout());
    let err = copy(process.stderr(), std::io::stderr());
    let ended = async {
        tokio::try_join!(out, err)?;
        match status {
            Some(status) => exit_code(status.await),
            None => exit_code(None),
        }
    };
    tokio::pin!(ended);
    tell(&mut sizes).await;
    loop {
        tokio::select! {
            code = &mut ended => return code,
            key = async { match &mut keys { Some(keys) => keys.recv().await, None => std::future::pending().await } } => {
                match (key, &mut stdin) {
                    (Some(bytes), Some(writer)) => {
                        if writer.write_all(&bytes).await.is_err() {
                            keys = None;
                        }
                    }
                    _ => {
                        // The input has ended: so has the command's.
                        stdin = None;
                        keys = None;
                    }
                }
            }
            _ = resized.recv() => tell(&mut sizes).await,
        }
    }
}

/// Tells the size of the terminal, as far as somebody wants to know.
async fn tell(sizes: &mut Option<impl SinkExt<TerminalSize> + Unpin>) {
    if let (Some(sizes), Ok((width, height))) = (sizes, terminal::size()) {
        // The command has ended, and its end is on the way.
        let _ = sizes.send(TerminalSize { width, height }).await;
    }
}

async fn copy(from: Option<impl AsyncRead + Unpin>, mut to: impl Write) -> Result<(), Report> {
    let Some(mut from) = from else { return Ok(()) };
    let mut piece = vec![0; BUFFER];
    loop {
        let count = from.read(&mut piece).await.map_err(|error| lost(&error))?;
        let bytes = piece.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        to.write_all(bytes)
            .and_then(|()| to.flush())
            .map_err(|error| lost(&error))?;
    }
}

/// The terminal hands every key on as it is, until this is dropped.
struct Raw;

impl Raw {
    fn enter() -> std::io::Result<Self> {
        terminal::enable_raw_mode().map(|()| Raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}

/// Reads the standard input on a thread of its own, and not one key more once it is dropped.
struct Keyboard(Arc<AtomicBool>);

impl Keyboard {
    fn start() -> (mpsc::Receiver<Bytes>, Keyboard) {
        let (sender, keys) = mpsc::channel(QUEUE);
        let wanted = Arc::new(AtomicBool::new(true));
        let reader = Keyboard(wanted.clone());
        std::thread::spawn(move || {
            let stdin = rustix::stdio::stdin();
            let mut piece = vec![0; 4096];
            while wanted.load(Ordering::Acquire) {
                let patience = Timespec {
                    tv_sec: 0,
                    tv_nsec: PATIENCE,
                };
                let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&patience));
                if !matches!(ready, Ok(1..)) || !wanted.load(Ordering::Acquire) {
                    continue;
                }
                let count = rustix::io::read(stdin, &mut piece).unwrap_or(0);
                let bytes = Bytes::copy_from_slice(piece.get(..count).unwrap_or_default());
                if bytes.is_empty() || sender.blocking_send(bytes).is_err() {
                    return;
                }
            }
        });
        (keys, reader)
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
