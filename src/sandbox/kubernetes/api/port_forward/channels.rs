//! Ports over channels of a WebSocket: two a port, data and error, each begun by the port's number. A port is one
//! connection.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::Pod;
use crate::sandbox::kubernetes::api::route::Query;
use crate::sandbox::kubernetes::api::status::ApiError;
use crate::sandbox::kubernetes::api::upgrade::websocket::Socket;

/// Ports of one request.
const MOST: usize = 32;
/// Pieces from the pod that wait for the client. Policy: the pod waits.
const QUEUE: usize = 16;

/// `?ports=80`.
pub(super) fn ports(query: &Query) -> Result<Vec<u16>, ApiError> {
    let words = query.all("ports").iter().flat_map(|ports| ports.split(','));
    let ports: Vec<u16> = words
        .map(|word| word.parse().ok().filter(|port| *port != 0))
        .collect::<Option<_>>()
        .ok_or_else(|| ApiError::bad_request("query parameter \"ports\" is no list of ports"))?;
    if ports.is_empty() || ports.len() > MOST {
        return Err(ApiError::bad_request("query parameter \"ports\" is required"));
    }
    Ok(ports)
}

/// Carries bytes until the client goes or every port has ended.
pub(super) async fn forward(mut socket: Socket, pod: &Pod, ports: &[u16]) {
    let (sender, mut from_pods) = mpsc::channel(QUEUE);
    let mut writers: Vec<Option<mpsc::Sender<Bytes>>> = Vec::new();
    let mut open = 0;
    let mut routes = Vec::new();
    for (index, port) in (0u8..).zip(ports) {
        for channel in [2 * index, 2 * index + 1] {
            if !socket.send(channel, &port.to_le_bytes()).await {
                return;
            }
        }
        let (stream, route) = match pod.connect(*port).await {
            Ok(connected) => connected,
            Err(told) => {
                if !socket.send(2 * index + 1, told.as_bytes()).await {
                    return;
                }
                writers.push(None);
                continue;
            }
        };
        routes.push(route);
        let (mut reader, mut writer) = stream.into_split();
        // Writing has a task of its own: a pod that does not read must not keep its own output back.
        let (to_pod, mut pieces) = mpsc::channel::<Bytes>(QUEUE);
        writers.push(Some(to_pod));
        tokio::spawn(async move {
            while let Some(bytes) = pieces.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        open += 1;
        let sender = sender.clone();
        tokio::spawn(async move {
            let mut piece = vec![0; 16 * 1024];
            loop {
                let count = reader.read(&mut piece).await.unwrap_or(0);
                let bytes = Bytes::copy_from_slice(piece.get(..count).unwrap_or_default());
                if sender.send((index, bytes)).await.is_err() || count == 0 {
                    return;
                }
            }
        });
    }
    // What one pod has no room for yet; the client waits, and the pods' output goes on.
    let mut held: Option<(mpsc::Sender<Bytes>, Bytes)> = None;
    while open > 0 {
        let room = async {
            match &held {
                Some((writer, _)) => writer.reserve().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((index, bytes)) = from_pods.recv() => {
                if bytes.is_empty() {
                    open -= 1;
                } else if !socket.send(2 * index, &bytes).await {
                    return;
                }
            }
            is_open = room => {
                let Some((writer, bytes)) = held.take() else { continue };
                if !is_open || writer.try_send(bytes).is_err() {
                    return;
                }
            }
            message = socket.receive(), if held.is_none() => {
                let Some((channel, bytes)) = message else { return };
                let writer = writers.get(usize::from(channel / 2)).and_then(Option::as_ref);
                held = writer.filter(|_| channel % 2 == 0).map(|writer| (writer.clone(), bytes));
            }
        }
    }
    socket.close().await;
}
