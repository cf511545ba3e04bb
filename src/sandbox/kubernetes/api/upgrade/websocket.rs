//! Upgrades of a request to a WebSocket (RFC 6455) with one of Kubernetes' sub-protocols. Not for what is said on it.

use futures::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::super::body::{self, Reply};
use super::super::status::ApiError;

/// Longest message that is taken (bytes); clients send pieces of 32 KiB and less.
const LONGEST: usize = 1024 * 1024;

/// A connection that waits for its client to go over to WebSocket.
pub(in super::super) struct Waiting {
    upgrade: OnUpgrade,
    /// The sub-protocol that was chosen.
    pub protocol: &'static str,
}

/// Agrees to the upgrade, with the first of `spoken` that the client offers. The answer goes out first.
pub(in super::super) fn accept(
    mut request: Request<Incoming>,
    spoken: &[&'static str],
) -> Result<(Reply, Waiting), ApiError> {
    let headers = request.headers();
    let text = |name: &http::HeaderName| -> String {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(",")
    };
    let upgrade = text(&UPGRADE);
    if !upgrade.eq_ignore_ascii_case("websocket") {
        let got = if upgrade.is_empty() {
            "no upgrade at all".to_owned()
        } else {
            upgrade
        };
        return Err(ApiError::bad_request(format!(
            "Upgrade request required: the sandbox speaks WebSocket ({}) and SPDY/3.1, and was asked for {got}",
            spoken.join(", ")
        )));
    }
    let offered = text(&SEC_WEBSOCKET_PROTOCOL);
    let chosen = spoken
        .iter()
        .find(|known| offered.split(',').any(|one| one.trim() == **known));
    let (Some(&protocol), Some(key)) = (chosen, headers.get(SEC_WEBSOCKET_KEY)) else {
        return Err(ApiError::bad_request(format!(
            "no common WebSocket sub-protocol: the sandbox speaks {}, and was offered {offered:?}",
            spoken.join(", ")
        )));
    };
    if text(&SEC_WEBSOCKET_VERSION) != "13" {
        return Err(ApiError::bad_request("WebSocket version 13 is spoken here"));
    }
    let accepted = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| ApiError::bad_request("the WebSocket key is unusable"))?;
    let mut reply = body::reply(
        StatusCode::SWITCHING_PROTOCOLS.as_u16(),
        "application/json",
        Bytes::new(),
    );
    let headers = reply.headers_mut();
    headers.clear();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accepted);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    let upgrade = hyper::upgrade::on(&mut request);
    Ok((reply, Waiting { upgrade, protocol }))
}

/// An open connection: messages of a channel number and bytes.
pub(in super::super) struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Waiting {
    /// The connection, once the client has gone over.
    pub async fn open(self) -> Option<Socket> {
        self.stream().await.map(Socket)
    }

    /// The same, as messages of any sort.
    pub(super) async fn stream(self) -> Option<WebSocketStream<TokioIo<Upgraded>>> {
        let upgraded = self.upgrade.await.ok()?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        Some(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await)
    }
}

impl Socket {
    /// The next message with its channel; none when the client has gone. What is no binary message is passed over.
    pub async fn receive(&mut self) -> Option<(u8, Bytes)> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(mut bytes)) if !bytes.is_empty() => {
                    let channel = bytes.split_to(1);
                    return Some((channel.first().copied().unwrap_or_default(), bytes));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends on a channel; false when the client has gone.
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) -> bool {
        let mut message = Vec::with_capacity(bytes.len() + 1);
        message.push(channel);
        message.extend_from_slice(bytes);
        self.0.send(Message::binary(message)).await.is_ok()
    }

    /// Says goodbye, and waits a little for the client's.
    pub async fn close(mut self) {
        let normal = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        if self.0.close(Some(normal)).await.is_ok() {
            let rest = async { while let Some(Ok(_)) = self.0.next().await {} };
            let _ = tokio::time::timeout(std::time::Duration::from_secs(1), rest).await;
        }
    }
}
