//! A watch's answer that a fault may cut in the middle of its stream, as a network does: not ended, broken.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior};

use super::body::{Body, Reply};
use crate::sandbox::faults::Gate;

/// How often a stream asks whether it is to break.
const LOOK: Duration = Duration::from_millis(20);

struct Cuttable {
    inner: Body,
    gate: Arc<dyn Gate>,
    method: String,
    target: String,
    look: Interval,
}

/// The same answer, which breaks once the gate says so for its request.
pub(super) fn cuttable(reply: Reply, gate: Arc<dyn Gate>, method: String, target: String) -> Reply {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    reply.map(|inner| {
        Cuttable {
            inner,
            gate,
            method,
            target,
            look,
        }
        .boxed_unsync()
    })
}

impl hyper::body::Body for Cuttable {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        while self.look.poll_tick(context).is_ready() {
            if self.gate.cuts(&self.method, &self.target) {
                let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault");
                return Poll::Ready(Some(Err(broken)));
            }
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
