//! Streams of a SPDY connection, each with an end to read and an end to write. One task a connection moves the bytes.
//! What a stream's reader has no place for holds back the whole connection, as SPDY without windows does.

use std::collections::HashMap;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::spdy::{Carrier, Out};
use crate::sandbox::kubernetes::spdy::{Event, Headers, MOST_STREAMS, Malformed, Session};

/// Pieces of a stream that wait for its reader. Policy: the client waits.
const PIECES: usize = 32;
/// Longest of them (bytes).
const PIECE: usize = 16 * 1024;
/// What waits to be sent, of all streams. Policy: who writes waits.
const ORDERS: usize = 32;
/// When so much waits to be sent (bytes), nothing is taken from anybody until it is gone.
const FULL: usize = 256 * 1024;
/// How long a client may take to read what is left for it at the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the client may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection: the streams that the client opens. Who drops it has said all: what was written still goes out, then the
/// connection ends.
pub(in super::super) struct Streams(mpsc::Receiver<Stream>);

impl Streams {
    /// Over this carrier, until the server stops at the latest.
    pub fn new(stop: &CancellationToken, carrier: Carrier) -> Streams {
        let (opened, streams) = mpsc::channel(MOST_STREAMS);
        let work = Work::new(opened).serve(carrier);
        tokio::spawn(stop.clone().run_until_cancelled_owned(work));
        Streams(streams)
    }

    /// The next stream, which waits to be accepted; none when the client has gone.
    pub async fn next(&mut self) -> Option<Stream> {
        self.0.recv().await
    }
}

/// A stream that a client opened.
pub(in super::super) struct Stream {
    /// What it says about the stream.
    pub headers: Headers,
    /// What the client sends; ends with what it has to say.
    pub reader: mpsc::Receiver<Bytes>,
    /// The other direction.
    pub writer: Writer,
    /// Cancelled when nothing can be said any more: the client reset the stream, or is gone.
    pub over: CancellationToken,
}

impl Stream {
    /// The stream's number.
    pub fn id(&self) -> u32 {
        self.writer.id
    }

    /// Does not want it.
    pub async fn refuse(self) {
        self.writer.order(Order::Refuse).await;
    }
}

/// Writes on a stream.
pub(in super::super) struct Writer {
    id: u32,
    orders: mpsc::Sender<(u32, Order)>,
}

impl Writer {
    /// Sends bytes, once there is place; false when the client has gone.
    pub async fn write(&self, bytes: Bytes) -> bool {
        self.order(Order::Send(bytes)).await
    }

    /// Has said all.
    pub async fn finish(self) {
        self.order(Order::Finish).await;
    }

    async fn order(&self, order: Order) -> bool {
        self.orders.send((self.id, order)).await.is_ok()
    }
}

enum Order {
    Send(Bytes),
    Finish,
    Refuse,
}

/// What a connection keeps of a stream.
struct Kept {
    /// None once the client has said all.
    to_reader: Option<mpsc::Sender<Bytes>>,
    _over: DropGuard,
}

/// Bytes that a reader has no place for yet.
struct Held {
    id: u32,
    to_reader: mpsc::Sender<Bytes>,
    rest: Bytes,
}

struct Work {
    session: Session,
    opened: mpsc::Sender<Stream>,
    streams: HashMap<u32, Kept>,
    orders: mpsc::Receiver<(u32, Order)>,
    order: mpsc::Sender<(u32, Order)>,
    held: Option<Held>,
    /// The client opens no further streams.
    gone_away: bool,
    /// Something was handed to the carrier that may not be out yet.
    flushing: bool,
}

impl Work {
    fn new(opened: mpsc::Sender<Stream>) -> Self {
        let (order, orders) = mpsc::channel(ORDERS);
        Work {
            session: Session::default(),
            opened,
            streams: HashMap::new(),
            orders,
            order,
            held: None,
            gone_away: false,
            flushing: false,
        }
    }

    /// Moves bytes until the client goes, nobody is left to serve it, or it breaks the protocol.
    async fn serve(mut self, mut carrier: Carrier) {
        let opened = self.opened.clone();
        let reason = loop {
            if let Err(why) = self.heed() {
                tracing::debug!(%why, "a SPDY connection ends");
                self.session.go_away(true);
                break Some(why.to_string());
            }
            if self.gone_away && self.session.is_idle() {
                break None;
            }
            let is_full = self.session.pending() >= FULL;
            let has_output = self.session.pending() > 0;
            let is_held = self.held.is_some();
            let to_send = has_output || self.flushing;
            let (held, outgoing) = (&self.held, &mut carrier.outgoing);
            tokio::select! {
                ready = poll_fn(|context| match has_output {
                    true => outgoing.as_mut().poll_ready(context),
                    false => outgoing.as_mut().poll_flush(context),
                }), if to_send => {
                    self.flushing = has_output;
                    let output = Out::Bytes(self.session.output());
                    if ready.is_err() || (has_output && outgoing.as_mut().start_send(output).is_err()) {
                        return;
                    }
                }
                Some((id, order)) = self.orders.recv(), if !is_full => self.obey(id, order),
                place = async {
                    match held {
                        Some(held) => held.to_reader.reserve().await.is_ok(),
                        None => false,
                    }
                }, if is_held => self.hand_on(place),
                piece = carrier.incoming.next(), if !is_full && !is_held => match piece {
                    Some(piece) => self.session.push(&piece),
                    None => return,
                },
                () = opened.closed() => break None,
            }
        };
        self.end(carrier, reason).await;
    }

    /// What the client said so far, as far as there is place for it.
    fn heed(&mut self) -> Result<(), Malformed> {
        while self.held.is_none()
            && let Some(event) = self.session.next()?
        {
            match event {
                Event::Opened { id, headers } => self.open(id, headers),
                Event::Data { id, bytes } => {
                    let kept = self.streams.get(&id).and_then(|kept| kept.to_reader.clone());
                    self.held = kept.map(|to_reader| Held {
                        id,
                        to_reader,
                        rest: bytes,
                    });
                    self.hand_on(true);
                }
                Event::Finished { id } => {
                    if let Some(kept) = self.streams.get_mut(&id) {
                        kept.to_reader = None;
                    }
                    self.forget_closed(id);
                }
                Event::Reset { id } => {
                    self.streams.remove(&id);
                }
                Event::GoneAway => self.gone_away = true,
            }
        }
        Ok(())
    }

    fn open(&mut self, id: u32, headers: Headers) {
        let (to_reader, reader) = mpsc::channel(PIECES);
        let over = CancellationToken::new();
        let writer = Writer {
            id,
            orders: self.order.clone(),
        };
        let stream = Stream {
            headers,
            reader,
            writer,
            over: over.clone(),
        };
        self.session.accept(id);
        if self.opened.try_send(stream).is_err() {
            return self.session.refuse(id);
        }
        let kept = Kept {
            to_reader: Some(to_reader),
            _over: over.drop_guard(),
        };
        self.streams.insert(id, kept);
    }

    /// Hands held bytes to their reader, as far as it has place; `is_open`: it reads still.
    fn hand_on(&mut self, is_open: bool) {
        let Some(mut held) = self
            .held
            .take()
            .filter(|held| is_open && self.streams.contains_key(&held.id))
        else {
            return;
        };
        while !held.rest.is_empty() {
            let mut rest = held.rest.clone();
            let piece = rest.split_to(rest.len().min(PIECE));
            match held.to_reader.try_send(piece) {
                Ok(()) => held.rest = rest,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    self.held = Some(held);
                    return;
                }
                // Nobody reads: what comes is of no use.
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }

    fn obey(&mut self, id: u32, order: Order) {
        match order {
            Order::Send(bytes) => self.session.send(id, bytes),
            Order::Finish => {
                self.session.finish(id);
                self.forget_closed(id);
            }
            Order::Refuse => {
                self.session.refuse(id);
                self.streams.remove(&id);
            }
        }
    }

    /// A stream that has ended in both directions.
    fn forget_closed(&mut self, id: u32) {
        let is_heard = self.streams.get(&id).is_some_and(|kept| kept.to_reader.is_none());
        if is_heard && !self.session.is_open(id) {
            self.streams.remove(&id);
        }
    }

    /// Sends what is left, says goodbye, and waits a little for the client's. One that broke the protocol may not read.
    async fn end(mut self, mut carrier: Carrier, reason: Option<String>) {
        self.streams.clear();
        while let Ok((id, order)) = self.orders.try_recv() {
            self.obey(id, order);
        }
        let is_fault = reason.is_some();
        if !is_fault {
            self.session.go_away(false);
        }
        let output = Out::Bytes(self.session.output());
        let (outgoing, incoming) = (&mut carrier.outgoing, &mut carrier.incoming);
        let farewell = async {
            outgoing.send(output).await?;
            outgoing.send(Out::Goodbye(reason)).await
        };
        let mut listen = Box::pin(async { while incoming.next().await.is_some() {} });
        let parting = async {
            tokio::select! {
                said = farewell => if said.is_ok() {
                    let _ = tokio::time::timeout(FAREWELL, listen).await;
                },
                // Gone first.
                () = &mut listen => {}
            }
        };
        // One that reads slowly gets what is left; one that does not read at all is not waited for.
        let patience = if is_fault { 2 * FAREWELL } else { PATIENCE };
        let _ = tokio::time::timeout(patience, parting).await;
        let _ = tokio::time::timeout(FAREWELL, carrier.outgoing.close()).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use tokio_stream::wrappers::ReceiverStream;
    use tokio_util::sync::PollSender;

    use super::*;
    use crate::sandbox::kubernetes::spdy::client::{Client, Heard};

    /// The client's end of a connection.
    struct Peer {
        client: Client,
        to: mpsc::Sender<Bytes>,
        from: mpsc::Receiver<Out>,
    }

    fn connected() -> (Peer, Streams) {
        let (to, incoming) = mpsc::channel(1);
        let (outgoing, from) = mpsc::channel(1);
        let carrier = Carrier {
            incoming: ReceiverStream::new(incoming).boxed(),
            outgoing: Box::pin(PollSender::new(outgoing).sink_map_err(drop)),
        };
        let streams = Streams::new(&CancellationToken::new(), carrier);
        let client = Client::default();
        (Peer { client, to, from }, streams)
    }

    impl Peer {
        async fn open(&mut self, streams: &mut Streams, id: u32) -> Stream {
            let bytes = self.client.opens(id, &[("streamtype", "data")]);
            self.to.send(bytes).await.unwrap();
            let stream = in_time(streams.next()).await.unwrap();
            assert_eq!((stream.id(), stream.headers.text("streamtype")), (id, "data"));
            assert_eq!(self.hears().await, [Heard::Reply(id)]);
            stream
        }

        async fn sends(&mut self, bytes: Bytes) {
            in_time(self.to.send(bytes)).await.unwrap();
        }

        /// The frames of the next piece.
        async fn hears(&mut self) -> Vec<Heard> {
            match in_time(self.from.recv()).await.unwrap() {
                Out::Bytes(bytes) => self.client.hears(&bytes),
                Out::Goodbye(reason) => panic!("goodbye: {reason:?}"),
            }
        }
    }

    async fn in_time<F: Future>(of: F) -> F::Output {
        tokio::time::timeout(Duration::from_secs(20), of).await.unwrap()
    }

    #[tokio::test]
    async fn what_breaks_the_protocol_ends_the_connection_with_the_reason() {
        let (mut peer, mut streams) = connected();
        let stream = peer.open(&mut streams, 1).await;
        peer.sends(Bytes::from_static(b"\x80\x02\0\x06\0\0\0\x04\0\0\0\x01"))
            .await;
        assert_eq!(peer.hears().await, [Heard::GoAway(1)]);
        let Some(Out::Goodbye(Some(reason))) = in_time(peer.from.recv()).await else {
            panic!()
        };
        assert_eq!(reason, "a control frame of version 2: SPDY/3.1 is spoken here");
        drop(peer);
        in_time(stream.over.cancelled()).await;
        assert!(in_time(streams.next()).await.is_none());
    }

    #[tokio::test]
    async fn who_breaks_the_protocol_and_does_not_read_keeps_nothing() {
        let (mut peer, mut streams) = connected();
        let stream = peer.open(&mut streams, 1).await;
        // Nobody takes these, and the goodbye waits behind them.
        for _ in 0..ORDERS {
            assert!(stream.writer.write(Bytes::from(vec![7; PIECE])).await);
        }
        peer.sends(Bytes::from_static(&[0, 0, 0, 1, 0, 255, 255, 255])).await;
        in_time(stream.over.cancelled()).await;
        in_time(peer.to.closed()).await;
    }

    #[tokio::test]
    async fn who_does_not_read_the_goodbye_is_not_waited_for() {
        let (mut peer, mut streams) = connected();
        let stream = peer.open(&mut streams, 1).await;
        for _ in 0..ORDERS {
            assert!(stream.writer.write(Bytes::from(vec![7; PIECE])).await);
        }
        drop(streams);
        in_time(peer.to.closed()).await;
        drop(stream);
    }

    #[tokio::test]
    async fn what_was_written_goes_out_before_the_goodbye() {
        let (mut peer, mut streams) = connected();
        let stream = peer.open(&mut streams, 1).await;
        assert!(stream.writer.write(Bytes::from_static(b"last words")).await);
        stream.writer.finish().await;
        drop(streams);
        let mut heard = Vec::new();
        let reason = loop {
            match in_time(peer.from.recv()).await.unwrap() {
                Out::Bytes(bytes) => heard.extend(peer.client.hears(&bytes)),
                Out::Goodbye(reason) => break reason,
            }
        };
        let said = Heard::Data(1, Bytes::from_static(b"last words"), false);
        assert_eq!(heard, [said, Heard::Data(1, Bytes::new(), true), Heard::GoAway(0)]);
        assert_eq!(reason, None);
    }

    #[tokio::test]
    async fn a_reader_without_place_holds_the_client_back_and_no_writer() {
        let (mut peer, mut streams) = connected();
        let mut full = peer.open(&mut streams, 1).await;
        let other = peer.open(&mut streams, 3).await;
        // More than there is place for, until the connection takes no more.
        let piece = Bytes::from(vec![7; PIECE]);
        let mut sent = 0;
        loop {
            let bytes = peer.client.says(1, &piece, false);
            let send = tokio::time::timeout(Duration::from_secs(2), peer.to.send(bytes));
            if send.await.is_err() {
                break;
            }
            sent += PIECE;
            assert!(sent <= (PIECES + 8) * PIECE, "{sent} bytes were taken");
        }
        assert!(sent >= PIECES * PIECE / 2, "{sent} bytes were taken");
        assert!(other.writer.write(Bytes::from_static(b"still here")).await);
        assert_eq!(
            peer.hears().await,
            [Heard::Data(3, Bytes::from_static(b"still here"), false)]
        );
        // Read, everything arrives.
        let mut read = 0;
        while read < sent {
            read += in_time(full.reader.recv()).await.unwrap().len();
        }
        assert_eq!(read, sent);
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_or_that_is_reset_holds_nobody_back() {
        let (mut peer, mut streams) = connected();
        let deaf = peer.open(&mut streams, 1).await;
        let reset = peer.open(&mut streams, 3).await;
        drop(deaf.reader);
        let bytes = peer.client.says(1, &vec![7; 3 * PIECES * PIECE / 2], false);
        peer.sends(bytes).await;
        let bytes = peer.client.resets(3);
        peer.sends(bytes).await;
        in_time(reset.over.cancelled()).await;
        // The end of the other's reader comes with the client's going.
        drop(peer.to);
        in_time(deaf.over.cancelled()).await;
        assert!(in_time(streams.next()).await.is_none());
    }
}
