//! `pods/NAME/portforward`: connections to ports of a pod. kubectl carries each of them on two SPDY streams, others on two
//! channels of a WebSocket.

mod channels;
mod streams;

use std::net::Ipv4Addr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpStream;

use super::Api;
use super::body::Reply;
use super::exec::running;
use super::route::{Query, Target};
use super::status::ApiError;
use super::upgrade::spdy::{self, Carrier};
use super::upgrade::websocket;
use crate::sandbox::kubernetes::network::Route;
use crate::sandbox::kubernetes::objects::{name, text, uid};

/// SPDY with two streams a connection; inside a WebSocket.
const STREAMS: &str = "portforward.k8s.io";
const TUNNELLED: &str = "SPDY/3.1+portforward.k8s.io";

/// `GET` with `?ports=80` for channels; `GET` and `POST` for streams, which name their ports themselves.
pub(super) fn port_forward(
    api: &Arc<Api>,
    request: Request<Incoming>,
    target: &Target,
    query: &Query,
) -> Result<Reply, ApiError> {
    let pod = running(api, target)?;
    let pod = Pod {
        address: text(&pod, "/status/podIP").parse().unwrap_or(Ipv4Addr::UNSPECIFIED),
        name: name(&pod).to_owned(),
        uid: uid(&pod).to_owned(),
        api: api.clone(),
        target: target.clone(),
    };
    let stop = api.stop.clone();
    if spdy::is_asked(&request) {
        let (reply, waiting) = spdy::accept(request, &[STREAMS])?;
        tokio::spawn(api.stop.clone().run_until_cancelled_owned(async move {
            if let Some(carrier) = waiting.open().await {
                streams::forward(&stop, carrier, pod).await;
            }
        }));
        return Ok(reply);
    }
    // Looked at before the upgrade: a refusal is an answer that can be read.
    let ports = channels::ports(query);
    let (reply, waiting) = websocket::accept(request, &[TUNNELLED, "v4.channel.k8s.io", "v5.channel.k8s.io"])?;
    if waiting.protocol == TUNNELLED {
        tokio::spawn(api.stop.clone().run_until_cancelled_owned(async move {
            if let Some(carrier) = Carrier::tunnel(waiting).await {
                streams::forward(&stop, carrier, pod).await;
            }
        }));
        return Ok(reply);
    }
    let ports = ports?;
    tokio::spawn(api.stop.clone().run_until_cancelled_owned(async move {
        if let Some(socket) = waiting.open().await {
            channels::forward(socket, &pod, &ports).await;
        }
    }));
    Ok(reply)
}

/// The pod whose ports are asked for.
struct Pod {
    api: Arc<Api>,
    target: Target,
    name: String,
    uid: String,
    address: Ipv4Addr,
}

impl Pod {
    /// A connection to a port, and what keeps it counted; or why there is none.
    async fn connect(&self, port: u16) -> Result<(TcpStream, Route), String> {
        let why = |why: &str| {
            format!(
                "error forwarding port {port} to pod {}, uid {}: {why}",
                self.name, self.uid
            )
        };
        let store = &self.api.store;
        let there = store.get(self.target.kind.resource, &self.target.namespace, &self.target.name);
        // Another pod of this name, or none: the address may be somebody else's by now.
        if there.is_none_or(|there| uid(&there) != self.uid) {
            let full = format!("{}_{}", self.target.name, self.target.namespace);
            return Err(why(&format!("pod not found ({full:?})")));
        }
        let refused = || why(&format!("dial tcp 127.0.0.1:{port}: connect: connection refused"));
        let runtime = self.api.config.runtime.as_ref().ok_or_else(refused)?;
        let route = runtime.dial(self.address, port);
        let listener = route.listener.ok_or_else(refused)?;
        let stream = TcpStream::connect(listener).await.map_err(|_| refused())?;
        Ok((stream, route))
    }
}
