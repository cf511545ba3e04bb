//! Ports over SPDY: the client opens two streams for each connection, one for its bytes and one for what goes wrong, and
//! tells by a number which belong together.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Pod;
use crate::sandbox::kubernetes::api::upgrade::spdy::Carrier;
use crate::sandbox::kubernetes::api::upgrade::streams::{Stream, Streams};

/// What is read from the pod at a time (bytes).
const PIECE: usize = 16 * 1024;

/// Carries connections until the client goes.
pub(super) async fn forward(stop: &CancellationToken, carrier: Carrier, pod: Pod) {
    let mut streams = Streams::new(stop, carrier);
    let pod = Arc::new(pod);
    // Halves without their other half; streams are bounded, and so are these.
    let mut halves: HashMap<String, (Stream, u16)> = HashMap::new();
    // Ends with this: nobody is left to carry to.
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = streams.next() => stream,
            Some(_) = connections.join_next() => continue,
        };
        let Some(stream) = stream else { return };
        halves.retain(|_, (half, _)| !half.over.is_cancelled());
        let Some((pair, port)) = place(&stream) else {
            stream.refuse().await;
            continue;
        };
        let (other, other_port) = match halves.remove(&pair) {
            None => {
                halves.insert(pair, (stream, port));
                continue;
            }
            Some(other) => other,
        };
        let (data, error) = match (is_data(&stream), is_data(&other)) {
            (true, false) => (stream, other),
            (false, true) => (other, stream),
            _ => {
                stream.refuse().await;
                halves.insert(pair, (other, other_port));
                continue;
            }
        };
        let pod = pod.clone();
        connections.spawn(async move { connection(&pod, port, data, error).await });
    }
}

fn is_data(stream: &Stream) -> bool {
    stream.headers.text("streamtype") == "data"
}

/// To which connection a stream belongs, and the port; none for what is no half of one.
fn place(stream: &Stream) -> Option<(String, u16)> {
    let id = stream.id();
    // Clients before 1.3 tell by the order of their streams: the error's first.
    let alone = match stream.headers.text("streamtype") {
        "error" => id,
        "data" => id.saturating_sub(2),
        _ => return None,
    };
    let port = stream.headers.text("port").parse().ok().filter(|port| *port != 0)?;
    let pair = match stream.headers.text("requestid") {
        "" => format!("stream {alone}"),
        number => format!("request {number}"),
    };
    Some((pair, port))
}

/// One connection, from its beginning to its end.
async fn connection(pod: &Pod, port: u16, data: Stream, error: Stream) {
    // Nothing is said to it: what comes all the same must not wait for a reader.
    let Stream { writer: error, .. } = error;
    match pod.connect(port).await {
        Err(told) => {
            error.write(told.into()).await;
        }
        Ok((stream, _route)) => {
            let (mut from_pod, mut to_pod) = stream.into_split();
            let (mut reader, writer) = (data.reader, &data.writer);
            // Owns what it reads: once it is over, what still comes is thrown away and holds nobody up.
            let up = async move {
                while let Some(bytes) = reader.recv().await {
                    if to_pod.write_all(&bytes).await.is_err() {
                        // It reads no more, and may write still.
                        return;
                    }
                }
                let _ = to_pod.shutdown().await;
            };
            let down = async {
                let mut piece = BytesMut::new();
                loop {
                    piece.reserve(PIECE);
                    match from_pod.read_buf(&mut piece).await {
                        Ok(1..) if writer.write(take(&mut piece)).await => {}
                        _ => return,
                    }
                }
            };
            tokio::pin!(up, down);
            let mut is_up = true;
            loop {
                tokio::select! {
                    () = &mut down => break,
                    () = &mut up, if is_up => is_up = false,
                    () = data.over.cancelled() => break,
                }
            }
        }
    }
    data.writer.finish().await;
    error.finish().await;
}

fn take(piece: &mut BytesMut) -> Bytes {
    piece.split().freeze()
}
