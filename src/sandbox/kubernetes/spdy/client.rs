//! The other end of a connection, for tests.
#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};

use super::frame::{Decoder, Encoder, Frame};
use super::headers::Headers;

/// Frames of a client as bytes, and what it hears.
pub struct Client {
    encoder: Encoder,
    decoder: Decoder,
}

/// What a client hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A stream was agreed to.
    Reply(u32),
    /// Bytes of a stream, and whether they are the last.
    Data(u32, Bytes, bool),
    /// A stream was reset, and why.
    Reset(u32, u32),
    /// An answer.
    Ping(u32),
    /// The server takes no more streams, and why.
    GoAway(u32),
}

impl Default for Client {
    fn default() -> Self {
        Client {
            encoder: Encoder::new(),
            decoder: Decoder::new(),
        }
    }
}

impl Client {
    /// Opens a stream.
    pub fn opens(&mut self, id: u32, headers: &[(&str, &str)]) -> Bytes {
        let pairs = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let headers = Headers(pairs.collect());
        self.write(&Frame::SynStream {
            id,
            headers,
            finished: false,
        })
    }

    /// Sends bytes on a stream.
    pub fn says(&mut self, id: u32, bytes: &[u8], finished: bool) -> Bytes {
        let bytes = Bytes::copy_from_slice(bytes);
        self.write(&Frame::Data { id, bytes, finished })
    }

    /// Ends a stream at once.
    pub fn resets(&mut self, id: u32) -> Bytes {
        self.write(&Frame::Reset { id, status: 5 })
    }

    /// What these bytes of the server say.
    pub fn hears(&mut self, bytes: &[u8]) -> Vec<Heard> {
        self.decoder.push(bytes);
        let mut heard = Vec::new();
        while let Some(frame) = self.decoder.next().unwrap() {
            match frame {
                Frame::SynReply { id, .. } => heard.push(Heard::Reply(id)),
                Frame::Data { id, bytes, finished } => heard.push(Heard::Data(id, bytes, finished)),
                Frame::Reset { id, status } => heard.push(Heard::Reset(id, status)),
                Frame::Ping(id) => heard.push(Heard::Ping(id)),
                Frame::GoAway { status, .. } => heard.push(Heard::GoAway(status)),
                Frame::SynStream { .. } | Frame::Headers { .. } | Frame::Other => {}
            }
        }
        heard
    }

    fn write(&mut self, frame: &Frame) -> Bytes {
        let mut out = BytesMut::new();
        self.encoder.write(frame, &mut out).unwrap();
        out.freeze()
    }
}
