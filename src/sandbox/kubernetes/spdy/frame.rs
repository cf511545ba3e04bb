//! Frames of SPDY/3.1: from bytes and to bytes. Not what they mean for a stream.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::headers::{Headers, Pack, Unpack};
use super::{LONGEST_CONTROL, LONGEST_DATA, Malformed};

const VERSION: u16 = 3;
const HEAD: usize = 8;
const FIN: u8 = 1;
/// A stream's number, and other numbers beside a reserved bit.
const LOW: u32 = 0x7fff_ffff;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const SETTINGS: u16 = 4;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const HEADERS: u16 = 8;
const WINDOW_UPDATE: u16 = 9;

/// One frame. `id` is a stream's number; `finished`: its sender says no more on this stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// Opens a stream.
    SynStream { id: u32, headers: Headers, finished: bool },
    /// Agrees to a stream.
    SynReply { id: u32, headers: Headers, finished: bool },
    /// Further headers of a stream.
    Headers { id: u32, headers: Headers, finished: bool },
    /// Bytes of a stream.
    Data { id: u32, bytes: Bytes, finished: bool },
    /// Ends a stream at once.
    Reset { id: u32, status: u32 },
    /// Wants to be answered.
    Ping(u32),
    /// Opens and takes no further streams.
    GoAway { last: u32, status: u32 },
    /// SETTINGS, WINDOW_UPDATE, and what this version does not know: of no consequence here.
    Other,
}

/// Bytes to frames, in whatever pieces the bytes come.
pub(super) struct Decoder {
    /// At most one frame that is not whole, and the piece that came last.
    buffer: BytesMut,
    unpack: Unpack,
}

impl Decoder {
    pub fn new() -> Self {
        Decoder {
            buffer: BytesMut::new(),
            unpack: Unpack::new(),
        }
    }

    /// More bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some(mut head) = self.buffer.get(..HEAD) else {
            return Ok(None);
        };
        let (first, second) = (head.get_u32(), head.get_u32());
        let length = usize::try_from(second & 0x00ff_ffff).unwrap_or(usize::MAX);
        let is_control = first & !LOW != 0;
        // What is too long is refused by its head: nobody waits for the rest.
        let most = if is_control { LONGEST_CONTROL } else { LONGEST_DATA };
        if length > most {
            return Err(Malformed::TooLong { length, most });
        }
        let version = (first >> 16) as u16 & 0x7fff;
        if is_control && version != VERSION {
            return Err(Malformed::Version(version));
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        let payload = self.buffer.split_to(length);
        let finished = (second >> 24) as u8 & FIN != 0;
        if !is_control {
            return Ok(Some(Frame::Data {
                id: first,
                // Of its own, so that a few kept bytes do not keep the whole buffer.
                bytes: Bytes::copy_from_slice(&payload),
                finished,
            }));
        }
        self.control(first as u16, &payload, finished).map(Some)
    }

    fn control(&mut self, kind: u16, mut payload: &[u8], finished: bool) -> Result<Frame, Malformed> {
        let length = payload.len();
        let fixed = match kind {
            SYN_STREAM => 10,
            SYN_REPLY | HEADERS => 4,
            RST_STREAM | GOAWAY | WINDOW_UPDATE => 8,
            PING => 4,
            SETTINGS => 4,
            _ => return Ok(Frame::Other),
        };
        let may_go_on = matches!(kind, SYN_STREAM | SYN_REPLY | HEADERS | SETTINGS);
        if length < fixed || (length > fixed && !may_go_on) {
            return Err(Malformed::Length { kind, length });
        }
        let id = payload.get_u32();
        Ok(match kind {
            SYN_STREAM => {
                // The stream it belongs to, its priority and a slot for credentials.
                payload.advance(6);
                let (id, headers) = (id & LOW, self.unpack.read(payload)?);
                Frame::SynStream { id, headers, finished }
            }
            SYN_REPLY => {
                let (id, headers) = (id & LOW, self.unpack.read(payload)?);
                Frame::SynReply { id, headers, finished }
            }
            HEADERS => {
                let (id, headers) = (id & LOW, self.unpack.read(payload)?);
                Frame::Headers { id, headers, finished }
            }
            RST_STREAM => Frame::Reset {
                id: id & LOW,
                status: payload.get_u32(),
            },
            GOAWAY => Frame::GoAway {
                last: id & LOW,
                status: payload.get_u32(),
            },
            PING => Frame::Ping(id),
            _ => Frame::Other,
        })
    }
}

/// Frames to bytes.
pub(super) struct Encoder(Pack);

impl Encoder {
    pub fn new() -> Self {
        Encoder(Pack::new())
    }

    /// Appends a frame. Fails only when headers cannot be packed.
    pub fn write(&mut self, frame: &Frame, out: &mut BytesMut) -> Result<(), Malformed> {
        match frame {
            Frame::SynStream { id, headers, finished } => {
                let block = self.0.write(headers)?;
                control(out, SYN_STREAM, *finished, 10 + block.len());
                out.put_u32(*id);
                out.put_bytes(0, 6);
                out.extend_from_slice(&block);
            }
            Frame::SynReply { id, headers, finished } => self.headers(SYN_REPLY, *id, headers, *finished, out)?,
            Frame::Headers { id, headers, finished } => self.headers(HEADERS, *id, headers, *finished, out)?,
            Frame::Data { id, bytes, finished } => data(*id, bytes, *finished, out),
            Frame::Reset { id, status } => {
                control(out, RST_STREAM, false, 8);
                out.put_u32(*id);
                out.put_u32(*status);
            }
            Frame::Ping(id) => {
                control(out, PING, false, 4);
                out.put_u32(*id);
            }
            Frame::GoAway { last, status } => {
                control(out, GOAWAY, false, 8);
                out.put_u32(*last);
                out.put_u32(*status);
            }
            Frame::Other => {}
        }
        Ok(())
    }

    fn headers(
        &mut self,
        kind: u16,
        id: u32,
        headers: &Headers,
        finished: bool,
        out: &mut BytesMut,
    ) -> Result<(), Malformed> {
        let block = self.0.write(headers)?;
        control(out, kind, finished, 4 + block.len());
        out.put_u32(id);
        out.extend_from_slice(&block);
        Ok(())
    }
}

/// Appends bytes of a stream, in as many frames as they need.
fn data(id: u32, mut bytes: &[u8], finished: bool, out: &mut BytesMut) {
    loop {
        let (piece, rest) = bytes.split_at(bytes.len().min(LONGEST_DATA));
        bytes = rest;
        out.put_u32(id & LOW);
        put_length(out, finished && rest.is_empty(), piece.len());
        out.extend_from_slice(piece);
        if rest.is_empty() {
            return;
        }
    }
}

fn control(out: &mut BytesMut, kind: u16, finished: bool, length: usize) {
    out.put_u16(0x8000 | VERSION);
    out.put_u16(kind);
    put_length(out, finished, length);
}

/// Flags, and the length in three bytes.
fn put_length(out: &mut BytesMut, finished: bool, length: usize) {
    out.put_u8(if finished { FIN } else { 0 });
    out.put_uint(length as u64, 3);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn port() -> Headers {
        Headers(vec![("port".into(), "80".into())])
    }

    fn samples() -> Vec<Frame> {
        let bytes = Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
        vec![
            Frame::SynStream {
                id: 1,
                headers: port(),
                finished: false,
            },
            Frame::SynReply {
                id: 1,
                headers: Headers::default(),
                finished: true,
            },
            Frame::Ping(7),
            Frame::Data {
                id: 1,
                bytes,
                finished: false,
            },
            Frame::Headers {
                id: 1,
                headers: port(),
                finished: false,
            },
            Frame::Data {
                id: 1,
                bytes: Bytes::new(),
                finished: true,
            },
            Frame::Reset { id: 1, status: 5 },
            Frame::GoAway { last: 1, status: 0 },
        ]
    }

    fn encoded(frames: &[Frame]) -> BytesMut {
        let (mut encoder, mut out) = (Encoder::new(), BytesMut::new());
        for frame in frames {
            encoder.write(frame, &mut out).unwrap();
        }
        out
    }

    fn decoded(pieces: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Frame>, Malformed> {
        let (mut decoder, mut frames) = (Decoder::new(), Vec::new());
        for piece in pieces {
            decoder.push(&piece);
            while let Some(frame) = decoder.next()? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn frames_are_the_bytes_of_the_specification() {
        let bytes = |frame: Frame| encoded(&[frame]).to_vec();
        assert_eq!(bytes(Frame::Ping(1)), [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]);
        let reset = Frame::Reset { id: 3, status: 5 };
        assert_eq!(bytes(reset), [0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5]);
        let data = Frame::Data {
            id: 5,
            bytes: Bytes::from_static(b"hi"),
            finished: true,
        };
        assert_eq!(bytes(data), [0, 0, 0, 5, 1, 0, 0, 2, b'h', b'i']);
        let gone = Frame::GoAway { last: 3, status: 1 };
        assert_eq!(bytes(gone), [0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 1]);
        let reply = bytes(samples().remove(1));
        assert_eq!(reply.get(..5).unwrap(), [0x80, 3, 0, 2, 1]);
        assert_eq!(reply.get(5..12).unwrap(), [0, 0, reply.len() as u8 - 8, 0, 0, 0, 1]);
    }

    #[test]
    fn frames_come_back_from_bytes_in_any_pieces() {
        let bytes = encoded(&samples());
        for size in [1, 2, 7, 8, 9, 64, bytes.len()] {
            let pieces = bytes.chunks(size).map(<[u8]>::to_vec);
            assert_eq!(decoded(pieces).unwrap(), samples(), "{size}");
        }
    }

    #[test]
    fn settings_windows_and_unknown_frames_are_passed_over() {
        let settings = [0x80, 3, 0, 4, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 0];
        let window = [0x80, 3, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 1, 0];
        let unknown = [0x80, 3, 0, 99, 0, 0, 0, 1, 42];
        let all = [&settings[..], &window, &unknown].map(<[u8]>::to_vec);
        assert_eq!(decoded(all).unwrap(), [Frame::Other, Frame::Other, Frame::Other]);
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let why = |bytes: &[u8]| decoded([bytes.to_vec()]).unwrap_err().to_string();
        assert_eq!(
            why(b"\x80\x02\0\x06\0\0\0\x04\0\0\0\x01"),
            "a control frame of version 2: SPDY/3.1 is spoken here"
        );
        // By the head alone.
        assert_eq!(
            why(&[0, 0, 0, 1, 0, 255, 255, 255]),
            "a frame of 16777215 bytes: 1048576 are taken at most"
        );
        assert_eq!(
            why(&[0x80, 3, 0, 1, 0, 1, 0, 0]),
            "a frame of 65536 bytes: 16384 are taken at most"
        );
        assert_eq!(
            why(&[0x80, 3, 0, 6, 0, 0, 0, 0]),
            "a control frame of type 6 has 0 bytes"
        );
        assert_eq!(
            why(&[0x80, 3, 0, 6, 0, 0, 0, 5, 0, 0, 0, 1, 1]),
            "a control frame of type 6 has 5 bytes"
        );
        assert_eq!(
            why(&[0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
            "a control frame of type 1 has 4 bytes"
        );
    }

    #[test]
    fn much_data_goes_out_in_frames_that_may_come_in() {
        let bytes = Bytes::from(vec![7; 3 * LONGEST_DATA + 5]);
        let frames = decoded([encoded(&[Frame::Data {
            id: 1,
            bytes: bytes.clone(),
            finished: true,
        }])
        .to_vec()])
        .unwrap();
        let (mut joined, mut ends) = (Vec::new(), Vec::new());
        for frame in frames {
            let Frame::Data { id: 1, bytes, finished } = frame else {
                panic!("{frame:?}")
            };
            joined.extend_from_slice(&bytes);
            ends.push(finished);
        }
        assert_eq!((joined == bytes, ends), (true, vec![false, false, false, true]));
    }

    proptest! {
        #[test]
        fn anything_is_frames_or_is_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            size in 1_usize..50,
        ) {
            let _ = decoded(bytes.chunks(size).map(<[u8]>::to_vec));
            // As the payload of each control frame.
            for kind in 0..12 {
                let mut frame = vec![0x80, 3, 0, kind, 0, 0];
                frame.extend_from_slice(&u16::try_from(bytes.len()).unwrap().to_be_bytes());
                frame.extend_from_slice(&bytes);
                let _ = decoded([frame]);
            }
        }
    }
}
