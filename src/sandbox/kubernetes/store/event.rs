//! Events of the store and the two ways to receive them: a watch of one resource, and a subscription to all.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};

use super::Object;
use super::history::Past;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change of one object.
#[derive(Debug)]
pub struct StoreEvent {
    /// What happened.
    pub kind: EventKind,
    /// The resource's plural name, as in [`super::super::kinds`].
    pub resource: &'static str,
    /// The object after the change; for a deletion its last state, with the deletion's version.
    pub object: Object,
    /// The object before the change; `None` when it is new.
    pub previous: Option<Object>,
    /// The store's version of this change.
    pub version: u64,
    /// The object as JSON text, written once for all watchers.
    json: OnceLock<Bytes>,
}

impl StoreEvent {
    pub(super) fn new(
        kind: EventKind,
        resource: &'static str,
        object: Object,
        previous: Option<Object>,
        version: u64,
    ) -> Self {
        Self {
            kind,
            resource,
            object,
            previous,
            version,
            json: OnceLock::new(),
        }
    }

    /// An event whose object was encoded before, as `json`.
    pub(super) fn written(
        kind: EventKind,
        resource: &'static str,
        object: Object,
        previous: Option<Object>,
        version: u64,
        json: Bytes,
    ) -> Self {
        Self {
            json: OnceLock::from(json),
            ..Self::new(kind, resource, object, previous, version)
        }
    }

    /// The object as compact JSON, encoded at the first call and shared by all watchers.
    pub fn json(&self) -> Bytes {
        self.json.get_or_init(|| Bytes::from(self.object.to_string())).clone()
    }
}

/// The receiver was too slow and events are lost: list again. Also the end of a stream that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lagged {
    /// So many events were dropped.
    #[error("{0} events were dropped because the receiver was too slow")]
    Dropped(u64),
    /// The stream was cut (restart of the API server, or the store is gone).
    #[error("the stream of events was cut")]
    Cut,
}

impl From<RecvError> for Lagged {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(count) => Lagged::Dropped(count),
            RecvError::Closed => Lagged::Cut,
        }
    }
}

/// Every event of every resource, from the moment of subscribing.
#[derive(Debug)]
pub struct StoreEvents {
    receiver: broadcast::Receiver<Arc<StoreEvent>>,
}

impl StoreEvents {
    pub(super) fn new(receiver: broadcast::Receiver<Arc<StoreEvent>>) -> Self {
        Self { receiver }
    }

    /// The next event. Safe to cancel.
    ///
    /// # Errors
    /// [`Lagged`]: after `Dropped` the stream goes on with newer events; list again first.
    pub async fn recv(&mut self) -> Result<Arc<StoreEvent>, Lagged> {
        Ok(self.receiver.recv().await?)
    }

    /// The next event if one waits already.
    ///
    /// # Errors
    /// As [`StoreEvents::recv`].
    pub fn try_recv(&mut self) -> Result<Option<Arc<StoreEvent>>, Lagged> {
        match self.receiver.try_recv() {
            Ok(event) => Ok(Some(event)),
            Err(broadcast::error::TryRecvError::Empty) => Ok(None),
            Err(broadcast::error::TryRecvError::Lagged(count)) => Err(Lagged::Dropped(count)),
            Err(broadcast::error::TryRecvError::Closed) => Err(Lagged::Cut),
        }
    }
}

/// The events of one resource: first those of the history, then live ones.
#[derive(Debug)]
pub struct Watch {
    backlog: VecDeque<Past>,
    live: broadcast::Receiver<Arc<StoreEvent>>,
}

impl Watch {
    pub(super) fn new(backlog: VecDeque<Past>, live: broadcast::Receiver<Arc<StoreEvent>>) -> Self {
        Self { backlog, live }
    }

    /// The next event. Safe to cancel.
    ///
    /// # Errors
    /// [`Lagged`]: the watch is over; start again from a list.
    pub async fn next(&mut self) -> Result<Arc<StoreEvent>, Lagged> {
        match self.backlog.pop_front() {
            Some(past) => past.event().map(Arc::new).ok_or(Lagged::Cut),
            None => Ok(self.live.recv().await?),
        }
    }
}
