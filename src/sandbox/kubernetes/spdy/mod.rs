//! SPDY/3.1 as a server speaks it, without IO: kubectl's `port-forward`, and `exec`, `attach` and `cp` of older clients,
//! carry their streams in it. Bytes go in, events come out; what is to be sent is collected until somebody takes it.
//!
//! Not here: streams that the server opens, priorities, settings and flow control. The client is moby/spdystream, which
//! neither sends WINDOW_UPDATE nor heeds it: a window would stop every stream for good after 64 KiB. A sender is held
//! back by the connection below instead, which is not read while there is no place.

#[cfg(test)]
pub mod client;
mod frame;
mod headers;
mod session;

pub use headers::Headers;
pub use session::{Event, MOST_STREAMS, Session};

/// Longest payload of a DATA frame (bytes); kubectl sends pieces of 32 KiB.
const LONGEST_DATA: usize = 1024 * 1024;
/// Longest payload of a control frame (bytes).
const LONGEST_CONTROL: usize = 16 * 1024;

/// The client broke the protocol: nothing it says can be understood any more, and the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A control frame of another version than 3.
    #[error("a control frame of version {0}: SPDY/3.1 is spoken here")]
    Version(u16),
    /// A frame beyond what is taken.
    #[error("a frame of {length} bytes: {most} are taken at most")]
    TooLong {
        /// As the frame says it.
        length: usize,
        /// For this sort of frame.
        most: usize,
    },
    /// A control frame that is shorter or longer than its type.
    #[error("a control frame of type {kind} has {length} bytes")]
    Length {
        /// The frame's type.
        kind: u16,
        /// Its payload's length.
        length: usize,
    },
    /// A header block, and what is wrong with it.
    #[error("a header block that {0}")]
    Headers(&'static str),
    /// A stream's number that is even, zero, or not above those before.
    #[error("stream {id} opened after stream {last}: a client's streams have rising odd numbers")]
    Order {
        /// The stream's number.
        id: u32,
        /// The highest before.
        last: u32,
    },
}
