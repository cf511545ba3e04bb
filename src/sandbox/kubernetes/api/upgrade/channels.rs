//! The numbered channels of `exec` and `attach`, over a WebSocket or over SPDY, where each of them is a stream of its own.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::body::Reply;
use super::super::route::Query;
use super::super::status::ApiError;
use super::spdy;
use super::streams::{Streams, Writer};
use super::websocket::{self, Socket};

/// The protocols spoken, the newest first.
const PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// Keys for the program.
pub(in super::super) const STDIN: u8 = 0;
/// What it writes.
pub(in super::super) const STDOUT: u8 = 1;
/// What it complains about.
pub(in super::super) const STDERR: u8 = 2;
/// How it ended, as a Status.
pub(in super::super) const STATUS: u8 = 3;
/// The size of the client's terminal.
pub(in super::super) const RESIZE: u8 = 4;
/// The number of a channel that says no more.
pub(in super::super) const CLOSE: u8 = 255;
/// What a stream says it is (`streamType`), at the number of its channel.
const NAMES: [&str; 5] = ["stdin", "stdout", "stderr", "error", "resize"];
/// How long the client may take to open its streams.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that waits for its client to go over.
pub(in super::super) enum Waiting {
    WebSocket(websocket::Waiting),
    /// With the channels that there will be.
    Spdy(spdy::Waiting, [bool; 5]),
}

/// Agrees to the upgrade that is asked for. The answer goes out first.
pub(in super::super) fn accept(request: Request<Incoming>, query: &Query) -> Result<(Reply, Waiting), ApiError> {
    if spdy::is_asked(&request) {
        let tty = query.flag("tty");
        let expected = [
            query.flag("stdin"),
            query.flag("stdout"),
            query.flag("stderr") && !tty,
            true,
            tty,
        ];
        let (reply, waiting) = spdy::accept(request, PROTOCOLS)?;
        return Ok((reply, Waiting::Spdy(waiting, expected)));
    }
    let (reply, waiting) = websocket::accept(request, PROTOCOLS)?;
    Ok((reply, Waiting::WebSocket(waiting)))
}

impl Waiting {
    /// The channels, once the client has gone over and, with SPDY, has opened all of them.
    pub async fn open(self, stop: &CancellationToken) -> Option<Channels> {
        match self {
            Waiting::WebSocket(waiting) => waiting.open().await.map(Box::new).map(Channels::WebSocket),
            Waiting::Spdy(waiting, expected) => {
                let streams = Streams::new(stop, waiting.open().await?);
                let all = tokio::time::timeout(PATIENCE, Separate::all(streams, expected));
                all.await.ok().flatten().map(Box::new).map(Channels::Spdy)
            }
        }
    }
}

/// Messages of a channel number and bytes.
pub(in super::super) enum Channels {
    WebSocket(Box<Socket>),
    Spdy(Box<Separate>),
}

impl Channels {
    /// The next message with its channel; none when the client has gone.
    pub async fn receive(&mut self) -> Option<(u8, Bytes)> {
        match self {
            Channels::WebSocket(socket) => socket.receive().await,
            Channels::Spdy(streams) => streams.receive().await,
        }
    }

    /// Sends on a channel; false when the client has gone.
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) -> bool {
        match self {
            Channels::WebSocket(socket) => socket.send(channel, bytes).await,
            Channels::Spdy(streams) => streams.send(channel, bytes).await,
        }
    }

    /// Has said all.
    pub async fn close(self) {
        match self {
            Channels::WebSocket(socket) => socket.close().await,
            Channels::Spdy(streams) => streams.close().await,
        }
    }
}

/// A stream for each channel.
pub(in super::super) struct Separate {
    streams: Streams,
    writers: [Option<Writer>; 5],
    stdin: Option<mpsc::Receiver<Bytes>>,
    resize: Option<mpsc::Receiver<Bytes>>,
    /// Of the status's stream, which lasts to the end.
    over: CancellationToken,
}

impl Separate {
    /// Waits for each of the expected streams; none when the client goes before.
    async fn all(mut streams: Streams, expected: [bool; 5]) -> Option<Separate> {
        let mut writers = [const { None }; 5];
        let (mut stdin, mut resize, mut over) = (None, None, CancellationToken::new());
        while expected
            .iter()
            .zip(&writers)
            .any(|(is_expected, writer)| *is_expected && writer.is_none())
        {
            let stream = streams.next().await?;
            let name = stream.headers.text("streamtype");
            let Some(channel) = NAMES.iter().position(|known| *known == name) else {
                stream.refuse().await;
                continue;
            };
            match channel as u8 {
                STDIN => stdin = Some(stream.reader),
                RESIZE => resize = Some(stream.reader),
                STATUS => over = stream.over,
                _ => {}
            }
            if let Some(place) = writers.get_mut(channel) {
                *place = Some(stream.writer);
            }
        }
        Some(Separate {
            streams,
            writers,
            stdin,
            resize,
            over,
        })
    }

    async fn receive(&mut self) -> Option<(u8, Bytes)> {
        tokio::select! {
            biased;
            () = self.over.cancelled() => None,
            bytes = next(&mut self.resize) => Some(match bytes {
                Some(bytes) => (RESIZE, bytes),
                None => (CLOSE, Bytes::from_static(&[RESIZE])),
            }),
            bytes = next(&mut self.stdin) => Some(match bytes {
                Some(bytes) => (STDIN, bytes),
                None => (CLOSE, Bytes::from_static(&[STDIN])),
            }),
        }
    }

    async fn send(&mut self, channel: u8, bytes: &[u8]) -> bool {
        match self.writers.get(usize::from(channel)) {
            Some(Some(writer)) => !self.over.is_cancelled() && writer.write(Bytes::copy_from_slice(bytes)).await,
            // Not asked for.
            _ => true,
        }
    }

    async fn close(mut self) {
        for writer in self.writers.iter_mut().filter_map(Option::take) {
            writer.finish().await;
        }
        // The client goes by itself once it has read all.
        let gone = async { while self.streams.next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, gone).await;
    }
}

/// The next piece; never comes from a stream that has ended, which is told once.
async fn next(reader: &mut Option<mpsc::Receiver<Bytes>>) -> Option<Bytes> {
    let Some(open) = reader else {
        return std::future::pending().await;
    };
    let bytes = open.recv().await;
    if bytes.is_none() {
        *reader = None;
    }
    bytes
}
