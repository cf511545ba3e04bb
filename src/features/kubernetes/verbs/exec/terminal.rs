//! A command in a container on the operator's own terminal: keys go there as they are, what it writes comes as it is. Runs
//! only while the front end has lent the terminal.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use crossterm::terminal;
use futures::SinkExt;
use kube::api::{AttachedProcess, TerminalSize};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::process::{fed, to_the_end};
use super::{BUFFER, lost};
use crate::core::report::Report;

/// Pieces of input that wait. Policy: the keyboard waits.
const QUEUE: usize = 16;
/// How long the keyboard is waited for before its reader looks whether it is still wanted (nanoseconds).
const PATIENCE: i64 = 50_000_000;

/// Carries keys and output until the command ends; its exit code.
pub async fn converse(mut process: AttachedProcess) -> Result<i32, Report> {
    let mut sizes = process.terminal_size();
    let _raw = sizes
        .is_some()
        .then(Raw::enter)
        .transpose()
        .map_err(|error| lost(&error))?;
    let mut resized = signal(SignalKind::window_change()).map_err(|error| lost(&error))?;
    let stdin = process.stdin();
    let keyboard = stdin.is_some().then(Keyboard::start);
    let (keys, _reader) = keyboard.map_or((None, None), |(keys, reader)| (Some(keys), Some(reader)));
    let out = copy(process.stdout(), std::io::stdout());
    let err = copy(process.stderr(), std::io::stderr());
    let ended = to_the_end(&mut process, async { tokio::try_join!(out, err) });
    let sizes = async {
        loop {
            tell(&mut sizes).await;
            if resized.recv().await.is_none() {
                return;
            }
        }
    };
    let feed = async {
        tokio::join!(hand_on(keys, stdin), sizes);
    };
    let (_, code) = fed(ended, feed).await?;
    Ok(code)
}

/// Hands keys on to the command, and the end of them: kube tells nobody of a pipe that is merely dropped.
async fn hand_on(keys: Option<mpsc::Receiver<Bytes>>, stdin: Option<impl AsyncWrite + Unpin>) {
    if let (Some(mut keys), Some(mut stdin)) = (keys, stdin) {
        while let Some(bytes) = keys.recv().await {
            if stdin.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // It has ended by itself: its status tells how.
        let _ = stdin.shutdown().await;
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
