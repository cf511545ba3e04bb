//! The streams of one connection, as the server keeps them: which are open in which direction, what the client may do
//! with them, and what it is answered.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::Malformed;
use super::frame::{Decoder, Encoder, Frame};
use super::headers::Headers;

/// Streams that are open at a time. Policy: further ones are refused (REFUSED_STREAM).
pub const MOST_STREAMS: usize = 256;

/// Why a stream is reset (2.6.3 of the specification).
const PROTOCOL_ERROR: u32 = 1;
const INVALID_STREAM: u32 = 2;
const REFUSED_STREAM: u32 = 3;
const STREAM_ALREADY_CLOSED: u32 = 9;

/// What the client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It opened a stream; [`Session::accept`] or [`Session::refuse`] answers it.
    Opened {
        /// The stream's number.
        id: u32,
        /// What it says about the stream.
        headers: Headers,
    },
    /// It sent bytes on a stream.
    Data {
        /// The stream's number.
        id: u32,
        /// Never empty.
        bytes: Bytes,
    },
    /// It says no more on a stream.
    Finished {
        /// The stream's number.
        id: u32,
    },
    /// A stream is over in both directions.
    Reset {
        /// The stream's number.
        id: u32,
    },
    /// It opens no further streams.
    GoneAway,
}

/// Which directions of a stream are open.
#[derive(Debug, Clone, Copy)]
struct Open {
    to_us: bool,
    to_client: bool,
}

/// A connection's state. Bounds: streams by [`MOST_STREAMS`], input by one frame and the piece pushed last, output by
/// what its user sends and by little more than was pushed.
pub struct Session {
    decoder: Decoder,
    encoder: Encoder,
    streams: BTreeMap<u32, Open>,
    /// The highest number of a stream so far.
    last: u32,
    /// An end that comes with the frame whose event was told already.
    finished: Option<u32>,
    out: BytesMut,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            streams: BTreeMap::new(),
            last: 0,
            finished: None,
            out: BytesMut::new(),
        }
    }
}

impl Session {
    /// Bytes from the client; [`Session::next`] tells what they mean.
    pub fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// What the client did next; none: more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`]: the connection is to be ended, with [`Session::go_away`].
    pub fn next(&mut self) -> Result<Option<Event>, Malformed> {
        if let Some(id) = self.finished.take()
            && self.heard_out(id)
        {
            return Ok(Some(Event::Finished { id }));
        }
        while let Some(frame) = self.decoder.next()? {
            if let Some(event) = self.take(frame)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Event>, Malformed> {
        match frame {
            Frame::SynStream { id, headers, finished } => {
                if id % 2 == 0 || id <= self.last {
                    return Err(Malformed::Order { id, last: self.last });
                }
                self.last = id;
                if self.streams.len() >= MOST_STREAMS {
                    self.reset(id, REFUSED_STREAM);
                    return Ok(None);
                }
                let open = Open {
                    to_us: true,
                    to_client: true,
                };
                self.streams.insert(id, open);
                self.finished = finished.then_some(id);
                Ok(Some(Event::Opened { id, headers }))
            }
            Frame::Data { id, bytes, finished } => match self.streams.get(&id) {
                Some(open) if open.to_us => {
                    if bytes.is_empty() {
                        return Ok((finished && self.heard_out(id)).then_some(Event::Finished { id }));
                    }
                    self.finished = finished.then_some(id);
                    Ok(Some(Event::Data { id, bytes }))
                }
                Some(_) => {
                    self.reset(id, STREAM_ALREADY_CLOSED);
                    Ok(Some(Event::Reset { id }))
                }
                None if id > self.last || id % 2 == 0 => {
                    self.reset(id, INVALID_STREAM);
                    Ok(None)
                }
                // It was sent before the client knew that the stream is over.
                None => Ok(None),
            },
            Frame::Headers { id, finished, .. } => {
                Ok((finished && self.heard_out(id)).then_some(Event::Finished { id }))
            }
            Frame::Reset { id, .. } => Ok(self.streams.remove(&id).map(|_| Event::Reset { id })),
            Frame::SynReply { id, .. } => {
                // The server opens no streams.
                self.reset(id, PROTOCOL_ERROR);
                Ok(None)
            }
            Frame::Ping(id) => {
                // An even number would answer a ping of ours.
                if id % 2 == 1 {
                    self.write(&Frame::Ping(id));
                }
                Ok(None)
            }
            Frame::GoAway { .. } => Ok(Some(Event::GoneAway)),
            Frame::Other => Ok(None),
        }
    }

    /// The client says no more on this stream; whether it could have.
    fn heard_out(&mut self, id: u32) -> bool {
        let Some(open) = self.streams.get_mut(&id).filter(|open| open.to_us) else {
            return false;
        };
        open.to_us = false;
        if !open.to_client {
            self.streams.remove(&id);
        }
        true
    }

    /// Whether anything can be said on the stream still.
    pub fn is_open(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|open| open.to_client)
    }

    /// Whether no stream is open.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Agrees to a stream. Before it nothing can be sent on it.
    pub fn accept(&mut self, id: u32) {
        if self.is_open(id) {
            self.write(&Frame::SynReply {
                id,
                headers: Headers::default(),
                finished: false,
            });
        }
    }

    /// Refuses a stream.
    pub fn refuse(&mut self, id: u32) {
        if self.is_open(id) {
            self.reset(id, REFUSED_STREAM);
        }
    }

    /// Sends bytes on a stream; nothing happens when it is over.
    pub fn send(&mut self, id: u32, bytes: Bytes) {
        if self.is_open(id) && !bytes.is_empty() {
            let finished = false;
            self.write(&Frame::Data { id, bytes, finished });
        }
    }

    /// Says no more on a stream.
    pub fn finish(&mut self, id: u32) {
        let Some(open) = self.streams.get_mut(&id).filter(|open| open.to_client) else {
            return;
        };
        open.to_client = false;
        if !open.to_us {
            self.streams.remove(&id);
        }
        self.write(&Frame::Data {
            id,
            bytes: Bytes::new(),
            finished: true,
        });
    }

    /// Takes no further streams; `is_fault`: because of what the client sent.
    pub fn go_away(&mut self, is_fault: bool) {
        self.write(&Frame::GoAway {
            last: self.last,
            status: u32::from(is_fault),
        });
    }

    /// Bytes that wait to be taken.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// What is to be sent.
    pub fn output(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    fn reset(&mut self, id: u32, status: u32) {
        self.streams.remove(&id);
        self.write(&Frame::Reset { id, status });
    }

    fn write(&mut self, frame: &Frame) {
        if let Err(error) = self.encoder.write(frame, &mut self.out) {
            tracing::debug!(%error, "a frame was not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// A client: what it sends, and what it is answered.
    struct Client {
        encoder: Encoder,
        decoder: Decoder,
        session: Session,
    }

    impl Client {
        fn new() -> Self {
            Client {
                encoder: Encoder::new(),
                decoder: Decoder::new(),
                session: Session::default(),
            }
        }

        fn send(&mut self, frame: &Frame) -> Result<Vec<Event>, Malformed> {
            let mut bytes = BytesMut::new();
            self.encoder.write(frame, &mut bytes).unwrap();
            self.session.push(&bytes);
            let mut events = Vec::new();
            while let Some(event) = self.session.next()? {
                events.push(event);
            }
            Ok(events)
        }

        fn says(&mut self, frame: &Frame) -> Vec<Event> {
            self.send(frame).unwrap()
        }

        /// Opens a stream that is agreed to.
        fn open(&mut self, id: u32) {
            assert_eq!(self.says(&open(id)).len(), 1);
            self.session.accept(id);
        }

        fn hears(&mut self) -> Vec<Frame> {
            self.decoder.push(&self.session.output());
            let mut frames = Vec::new();
            while let Some(frame) = self.decoder.next().unwrap() {
                frames.push(frame);
            }
            frames
        }
    }

    fn open(id: u32) -> Frame {
        Frame::SynStream {
            id,
            headers: Headers(vec![("streamtype".into(), "data".into())]),
            finished: false,
        }
    }

    fn data(id: u32, text: &'static str, finished: bool) -> Frame {
        let bytes = Bytes::from_static(text.as_bytes());
        Frame::Data { id, bytes, finished }
    }

    #[test]
    fn a_stream_is_opened_used_and_closed_by_both() {
        let mut client = Client::new();
        let headers = Headers(vec![("streamtype".into(), "data".into())]);
        assert_eq!(client.says(&open(1)), [Event::Opened { id: 1, headers }]);
        client.session.accept(1);
        let reply = Frame::SynReply {
            id: 1,
            headers: Headers::default(),
            finished: false,
        };
        assert_eq!(client.hears(), [reply]);
        let bytes = Bytes::from_static(b"ask");
        assert_eq!(
            client.says(&data(1, "ask", true)),
            [Event::Data { id: 1, bytes }, Event::Finished { id: 1 }]
        );
        client.session.send(1, Bytes::from_static(b"answer"));
        client.session.finish(1);
        client.session.send(1, Bytes::from_static(b"too late"));
        client.session.finish(1);
        assert_eq!(client.hears(), [data(1, "answer", false), data(1, "", true)]);
        assert!(client.session.is_idle());
        // What comes late for a stream that is over is of no consequence.
        assert_eq!(client.says(&data(1, "late", false)), []);
        assert_eq!(client.hears(), []);
    }

    #[test]
    fn a_stream_may_be_opened_and_finished_at_once() {
        let mut client = Client::new();
        let Frame::SynStream { id, headers, .. } = open(1) else {
            panic!()
        };
        let frame = Frame::SynStream {
            id,
            headers: headers.clone(),
            finished: true,
        };
        assert_eq!(
            client.says(&frame),
            [Event::Opened { id, headers }, Event::Finished { id }]
        );
        client.session.accept(1);
        client.session.finish(1);
        assert!(client.session.is_idle());
    }

    #[test]
    fn pings_of_the_client_are_answered() {
        let mut client = Client::new();
        for id in [1, 2, 3] {
            assert_eq!(client.says(&Frame::Ping(id)), []);
        }
        assert_eq!(client.hears(), [Frame::Ping(1), Frame::Ping(3)]);
    }

    #[test]
    fn a_reset_ends_both_directions() {
        let mut client = Client::new();
        client.open(1);
        client.hears();
        assert_eq!(
            client.says(&Frame::Reset { id: 1, status: 5 }),
            [Event::Reset { id: 1 }]
        );
        client.session.send(1, Bytes::from_static(b"x"));
        client.session.finish(1);
        assert_eq!((client.hears(), client.session.is_open(1)), (vec![], false));
        // Data after the client's own end.
        client.open(3);
        assert_eq!(client.says(&data(3, "", true)), [Event::Finished { id: 3 }]);
        assert_eq!(client.says(&data(3, "more", false)), [Event::Reset { id: 3 }]);
        let reset = Frame::Reset {
            id: 3,
            status: STREAM_ALREADY_CLOSED,
        };
        assert_eq!(client.hears().last(), Some(&reset));
    }

    #[test]
    fn streams_that_are_not_there_are_told() {
        let mut client = Client::new();
        assert_eq!(client.says(&data(5, "x", false)), []);
        assert_eq!(
            client.hears(),
            [Frame::Reset {
                id: 5,
                status: INVALID_STREAM
            }]
        );
        assert_eq!(client.says(&Frame::Reset { id: 5, status: 1 }), []);
        let headers = Headers::default();
        assert_eq!(
            client.says(&Frame::Headers {
                id: 5,
                headers,
                finished: true
            }),
            []
        );
        assert_eq!(client.hears(), []);
        assert_eq!(client.says(&Frame::GoAway { last: 0, status: 0 }), [Event::GoneAway]);
    }

    #[test]
    fn numbers_of_streams_are_odd_and_rise() {
        for (first, second) in [(0, None), (2, None), (3, Some(3)), (3, Some(1))] {
            let mut client = Client::new();
            let last = client.send(&open(first));
            let last = second.map_or(last, |id| client.send(&open(id)));
            assert!(matches!(last, Err(Malformed::Order { .. })), "{first} {second:?}");
            client.session.go_away(true);
            assert!(matches!(client.hears().last(), Some(Frame::GoAway { status: 1, .. })));
        }
    }

    #[test]
    fn streams_beyond_the_most_are_refused_until_one_ends() {
        let mut client = Client::new();
        let ids: Vec<u32> = (0..).map(|n| 2 * n + 1).take(MOST_STREAMS).collect();
        for id in &ids {
            client.open(*id);
        }
        client.hears();
        let next = *ids.last().unwrap() + 2;
        assert_eq!(client.says(&open(next)), []);
        let refused = Frame::Reset {
            id: next,
            status: REFUSED_STREAM,
        };
        assert_eq!(client.hears(), [refused]);
        client.says(&Frame::Reset { id: 1, status: 5 });
        client.open(next + 2);
        assert!(client.session.is_open(next + 2));
        client.session.refuse(next + 2);
        assert!(!client.session.is_open(next + 2));
    }

    proptest! {
        /// Whatever comes: no panic, and what is kept stays within its bounds.
        #[test]
        fn hostile_frames_stay_within_bounds(
            frames in proptest::collection::vec((0_u16..11, any::<u8>(), 0_u32..8, 0_usize..20), 0..400),
        ) {
            let mut client = Client::new();
            let mut sent = 0;
            for (kind, flags, id, length) in frames {
                let mut bytes = match kind {
                    0 => id.to_be_bytes().to_vec(),
                    kind => [&[0x80, 3][..], &kind.to_be_bytes()].concat(),
                };
                bytes.push(flags);
                bytes.extend_from_slice(&[0, 0, length as u8]);
                bytes.extend(id.to_be_bytes().iter().cycle().take(length));
                sent += bytes.len();
                client.session.push(&bytes);
                loop {
                    match client.session.next() {
                        Ok(Some(Event::Opened { id, .. })) => client.session.accept(id),
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
                prop_assert!(client.session.pending() <= 4 * sent + 64);
            }
        }
    }
}
