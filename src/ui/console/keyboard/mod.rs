//! What the terminal sends, as a stream: keys, mouse, pastes and changes of its size. A thread reads whenever something is
//! there, so that no burst is left lying, and waits while nobody takes what it has read. Not for what a key means.
//!
//! crossterm 0.29 has such a stream. Waiting for edges it reads a kilobyte of a burst and learns of the rest with the next
//! key; with `use-dev-tty` it wakes a thread for every key, and 20,000 keys took over a minute.

mod parser;

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, PipeReader, PipeWriter};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crossterm::event::Event;
use futures::Stream;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use self::parser::Parser;

/// Bytes read at once: no more can lie in a terminal's queue.
const CHUNK: usize = 4_096;
/// Reads ahead of who takes them; what is typed beyond waits in the terminal.
const AHEAD: usize = 4;
/// How long the beginning of a sequence may be all that was pressed: terminals send a sequence in one piece, and only a
/// line far away tears it.
const TORN: Duration = Duration::from_millis(20);

/// What was read at once: who takes it may come later.
struct Chunk {
    bytes: Vec<u8>,
    /// The terminal sent nothing for so long before it that what is held back was a key.
    apart: bool,
}

/// The process' terminal as a source of events. Dropped, it reads no more. It ends when the terminal is gone.
pub(super) struct Keyboard {
    chunks: mpsc::Receiver<io::Result<Chunk>>,
    sizes: Signal,
    parser: Parser,
    events: VecDeque<Event>,
    /// When what is held back was a key.
    whole: Option<Pin<Box<Sleep>>>,
    /// The thread reads for as long as this is open.
    _open: PipeWriter,
}

impl Keyboard {
    /// Begins to read. To be called within a runtime.
    pub(super) fn open() -> io::Result<Self> {
        let sizes = signal(SignalKind::window_change())?;
        let (closed, open) = io::pipe()?;
        let (sender, chunks) = mpsc::channel(AHEAD);
        std::thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(move || read(&closed, &sender))?;
        Ok(Keyboard {
            chunks,
            sizes,
            parser: Parser::default(),
            events: VecDeque::new(),
            whole: None,
            _open: open,
        })
    }
}

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match this.chunks.poll_recv(context) {
                Poll::Ready(Some(Ok(chunk))) => {
                    this.take(&chunk);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            if this.sizes.poll_recv(context).is_ready() {
                let (width, height) = crossterm::terminal::size()?;
                return Poll::Ready(Some(Ok(Event::Resize(width, height))));
            }
            let Some(whole) = &mut this.whole else {
                return Poll::Pending;
            };
            ready!(whole.as_mut().poll(context));
            this.whole = None;
            this.parser.give_up(&mut this.events);
        }
    }
}

impl Keyboard {
    /// Keys that were pressed apart stay apart, however late they are taken: Esc and a letter behind it are no Alt.
    fn take(&mut self, chunk: &Chunk) {
        if chunk.apart {
            self.parser.give_up(&mut self.events);
        }
        self.parser.take(&chunk.bytes, &mut self.events);
        self.whole = self.parser.may_be_whole().then(|| Box::pin(sleep(TORN)));
    }
}

/// Hands on what the terminal sends until nobody wants it any more, or the terminal is gone.
fn read(closed: &PipeReader, sender: &mpsc::Sender<io::Result<Chunk>>) {
    let terminal = rustix::stdio::stdin();
    // Not while nobody takes what was read: the rest of a sequence lies in the terminal then.
    let mut waits_since = Instant::now();
    loop {
        let mut waited = [
            PollFd::new(&terminal, PollFlags::IN),
            PollFd::new(closed, PollFlags::IN),
        ];
        match poll(&mut waited, None) {
            Ok(_) if !waited[1].revents().is_empty() => return,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return drop(sender.blocking_send(Err(error.into()))),
        }
        let apart = waits_since.elapsed() >= TORN;
        let mut bytes = vec![0; CHUNK];
        let sent = match rustix::io::read(terminal, &mut bytes) {
            Ok(0) | Err(Errno::IO) => return,
            Ok(count) => {
                bytes.truncate(count);
                sender.blocking_send(Ok(Chunk { bytes, apart }))
            }
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return drop(sender.blocking_send(Err(error.into()))),
        };
        if sent.is_err() {
            return;
        }
        waits_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use futures::StreamExt;

    use super::*;

    /// The keys of Esc and `i`, pressed apart or not while nobody took them.
    async fn pressed(apart: bool) -> Vec<Event> {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let (_, open) = io::pipe().unwrap();
        let mut keyboard = Keyboard {
            chunks,
            sizes: signal(SignalKind::window_change()).unwrap(),
            parser: Parser::default(),
            events: VecDeque::new(),
            whole: None,
            _open: open,
        };
        for (bytes, apart) in [(b"\x1b", false), (b"i", apart)] {
            let bytes = bytes.to_vec();
            assert!(sender.try_send(Ok(Chunk { bytes, apart })).is_ok());
        }
        drop(sender);
        keyboard.by_ref().map(Result::unwrap).collect().await
    }

    #[tokio::test]
    async fn keys_pressed_apart_stay_apart_when_they_are_taken_late() {
        let esc = Event::Key(KeyCode::Esc.into());
        assert_eq!(pressed(true).await, [esc, Event::Key(KeyCode::Char('i').into())]);
        let alt = KeyEvent::new(KeyCode::Char('i'), KeyModifiers::ALT);
        assert_eq!(pressed(false).await, [Event::Key(alt)]);
    }
}
