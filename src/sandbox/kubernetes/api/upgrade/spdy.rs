//! What SPDY goes over: a connection that was upgraded to it, as clients before kubectl 1.31 do, or the binary messages
//! of a WebSocket, whose bounds mean nothing.

use std::future;
use std::pin::Pin;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Sink, SinkExt, StreamExt};
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::{HeaderName, Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::codec::{BytesCodec, Framed};

use super::super::body::{self, Reply};
use super::super::status::ApiError;
use super::websocket;

const NAME: &str = "SPDY/3.1";
/// Which protocol is spoken on the streams: the client's offers, and the server's choice.
const PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// Longest reason that a WebSocket's last message has room for (bytes).
const LONGEST_REASON: usize = 120;

/// Whether the request is to go over to SPDY.
pub(in super::super) fn is_asked(request: &Request<Incoming>) -> bool {
    let asked = request.headers().get(UPGRADE);
    asked.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(NAME.as_bytes()))
}

/// A connection that waits for its client to go over to SPDY.
pub(in super::super) struct Waiting(OnUpgrade);

/// Agrees to the upgrade, with the first of `spoken` that the client offers. The answer goes out first.
pub(in super::super) fn accept(
    mut request: Request<Incoming>,
    spoken: &[&'static str],
) -> Result<(Reply, Waiting), ApiError> {
    let offers = request.headers().get_all(PROTOCOL);
    let offered: Vec<&str> = offers
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let chosen = spoken.iter().find(|known| offered.contains(known)).ok_or_else(|| {
        ApiError::forbidden(format!(
            "unable to negotiate protocol: the sandbox speaks {}, and was offered {offered:?}",
            spoken.join(", ")
        ))
    })?;
    let code = StatusCode::SWITCHING_PROTOCOLS.as_u16();
    let mut reply = body::reply(code, "application/json", Bytes::new());
    let headers = reply.headers_mut();
    headers.clear();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(NAME));
    headers.insert(PROTOCOL, HeaderValue::from_static(chosen));
    let upgrade = hyper::upgrade::on(&mut request);
    Ok((reply, Waiting(upgrade)))
}

impl Waiting {
    /// The connection, once the client has gone over.
    pub async fn open(self) -> Option<Carrier> {
        let upgraded = self.0.await.ok()?;
        let (outgoing, incoming) = Framed::new(TokioIo::new(upgraded), BytesCodec::new()).split();
        let pieces = incoming.scan((), |(), piece| future::ready(piece.ok()));
        Some(Carrier {
            incoming: pieces.map(Into::into).boxed(),
            outgoing: Box::pin(outgoing.sink_map_err(drop).with(|out| {
                future::ready(Ok::<_, ()>(match out {
                    Out::Bytes(bytes) => bytes,
                    Out::Goodbye(_) => Bytes::new(),
                }))
            })),
        })
    }
}

/// What goes to the client.
pub(super) enum Out {
    /// Bytes of frames.
    Bytes(Bytes),
    /// The end, because of something that the client did or because all is said.
    Goodbye(Option<String>),
}

/// A connection that carries SPDY: pieces of bytes in either direction.
pub(in super::super) struct Carrier {
    /// Ends when the client has gone.
    pub(super) incoming: BoxStream<'static, Bytes>,
    pub(super) outgoing: Pin<Box<dyn Sink<Out, Error = ()> + Send>>,
}

impl Carrier {
    /// Inside a WebSocket.
    pub async fn tunnel(waiting: websocket::Waiting) -> Option<Carrier> {
        let stream: WebSocketStream<TokioIo<Upgraded>> = waiting.stream().await?;
        let (outgoing, incoming) = stream.split();
        let messages = incoming.scan((), |(), message| {
            future::ready(match message {
                Ok(Message::Close(_)) | Err(_) => None,
                Ok(Message::Binary(bytes)) => Some(Some(bytes)),
                Ok(_) => Some(None),
            })
        });
        Some(Carrier {
            incoming: messages.filter_map(future::ready).boxed(),
            outgoing: Box::pin(outgoing.sink_map_err(drop).with(|out| {
                future::ready(Ok::<_, ()>(match out {
                    Out::Bytes(bytes) => Message::Binary(bytes),
                    Out::Goodbye(reason) => Message::Close(Some(goodbye(reason))),
                }))
            })),
        })
    }
}

fn goodbye(reason: Option<String>) -> CloseFrame {
    let code = match &reason {
        Some(_) => CloseCode::Protocol,
        None => CloseCode::Normal,
    };
    let mut reason = reason.unwrap_or_default();
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    CloseFrame {
        code,
        reason: reason.into(),
    }
}
