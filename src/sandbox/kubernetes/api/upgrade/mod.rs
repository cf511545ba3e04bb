//! What a request goes over to when it wants streams: a WebSocket with numbered channels, or SPDY, plain or inside a
//! WebSocket. Not for what is said there.

pub(super) mod channels;
pub(super) mod spdy;
pub(super) mod streams;
pub(super) mod websocket;
