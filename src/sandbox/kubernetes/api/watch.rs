//! Watches: an answer that does not end. Events are filtered per watcher; the object's JSON is encoded once for all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use super::accept::Form;
use super::body::{self, Reply};
use super::dispatch::Call;
use super::read;
use super::render::{self, Include};
use super::selector::Filter;
use super::status::ApiError;
use super::table;
use crate::sandbox::kubernetes::store::{EventKind, Object, StoreError, StoreEvent, Watch};

/// Chunks between the watch and its connection. Policy: a slow connection holds its watch back; what the store
/// then drops ends the watch, and the client lists again.
const QUEUE: usize = 64;
/// How often a client that asked for bookmarks gets one.
const BOOKMARK: Duration = Duration::from_secs(60);
/// How long a watch lasts when the client does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// `GET` with `watch=true`.
pub(super) fn watch(api: Arc<Api>, call: Call) -> Result<Reply, ApiError> {
    let include = Include::parse(call.query.text("includeObject"))?;
    if !matches!(call.form, Form::Object | Form::Table | Form::Metadata) {
        return Err(ApiError::not_acceptable());
    }
    read::check_version(&api, &call)?;
    let filter = read::filter(&call)?;
    let initial = initial_state(&call)?;
    let timeout = call
        .query
        .number("timeoutSeconds")
        .and_then(|s| u64::try_from(s).ok())
        .filter(|s| *s > 0);
    let (send, receive) = mpsc::channel(QUEUE);
    let mut stream = Stream {
        deadline: Instant::now() + timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
        bookmarks: call.query.flag("allowWatchBookmarks"),
        send,
        filter,
        include,
        headers_sent: false,
        api,
        call,
    };
    tokio::spawn(async move {
        // The receiver is gone when the client is: nothing to tell anybody.
        let _ = stream.run(initial).await;
    });
    let frames = ReceiverStream::new(receive).map(|bytes| Ok::<_, io::Error>(Frame::data(bytes)));
    let body: UnsyncBoxBody<Bytes, io::Error> = StreamBody::new(frames).boxed_unsync();
    let mut reply = http::Response::new(body);
    let json = http::header::HeaderValue::from_static("application/json");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(reply)
}

/// What is sent before live events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Initial {
    /// The present objects as `ADDED`; then, if asked for, a bookmark that marks their end.
    State { marked: bool },
    /// What happened since a version.
    Since(u64),
}

fn initial_state(call: &Call) -> Result<Initial, ApiError> {
    let version = call.query.text("resourceVersion");
    if call.query.flag("sendInitialEvents") {
        if call.query.text("resourceVersionMatch") != "NotOlderThan" {
            return Err(ApiError::bad_request(
                "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        return Ok(Initial::State { marked: true });
    }
    match version.parse::<u64>() {
        Ok(from) if from > 0 => Ok(Initial::Since(from)),
        _ => Ok(Initial::State { marked: false }),
    }
}

struct Stream {
    api: Arc<Api>,
    call: Call,
    filter: Filter,
    include: Include,
    bookmarks: bool,
    deadline: Instant,
    send: mpsc::Sender<Bytes>,
    headers_sent: bool,
}

/// The client has gone.
struct Gone;

impl Stream {
    async fn run(&mut self, initial: Initial) -> Result<(), Gone> {
        let resource = self.call.target.kind.resource;
        let (mut watch, mut version) = match initial {
            Initial::Since(from) => match self.api.store.watch(resource, from) {
                Ok(watch) => (watch, from),
                Err(error) => return self.refuse(error, from).await,
            },
            Initial::State { marked } => {
                let (objects, version) = read::select(&self.api, &self.call, &self.filter);
                let watch = match self.api.store.watch(resource, version) {
                    Ok(watch) => watch,
                    Err(error) => return self.refuse(error, version).await,
                };
                for object in &objects {
                    let frame = self.frame("ADDED", object, None);
                    self.push(frame).await?;
                }
                if marked && self.bookmarks {
                    let frame = self.bookmark(version, true);
                    self.push(frame).await?;
                }
                (watch, version)
            }
        };
        let end = self.follow(&mut watch, &mut version).await;
        if end.is_ok() && self.bookmarks {
            let frame = self.bookmark(version, false);
            self.push(frame).await?;
        }
        end
    }

    /// Sends live events until the deadline, the client's leaving, or the store's cut.
    async fn follow(&mut self, watch: &mut Watch, version: &mut u64) -> Result<(), Gone> {
        let mut bookmark = Instant::now() + BOOKMARK;
        loop {
            let event = tokio::select! {
                biased;
                () = self.send.closed() => return Err(Gone),
                () = tokio::time::sleep_until(self.deadline) => return Ok(()),
                event = watch.next() => event,
                () = tokio::time::sleep_until(bookmark), if self.bookmarks => {
                    bookmark = Instant::now() + BOOKMARK;
                    let frame = self.bookmark(*version, false);
                    self.push(frame).await?;
                    continue;
                }
            };
            // Too slow, or the server "restarts": the stream ends and the client starts again.
            let Ok(event) = event else { return Err(Gone) };
            *version = event.version;
            if let Some(frame) = self.event(&event) {
                self.push(frame).await?;
            }
        }
    }

    /// The frame of an event as this watcher sees it: an object may enter or leave its selection by a change.
    fn event(&mut self, event: &StoreEvent) -> Option<Bytes> {
        let now = event.kind != EventKind::Deleted && self.filter.matches(&event.object);
        let before = match (&event.previous, event.kind) {
            (_, EventKind::Added) | (None, EventKind::Modified) => false,
            (Some(previous), _) => self.filter.matches(previous),
            (None, EventKind::Deleted) => self.filter.matches(&event.object),
        };
        let kind = match (before, now) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(self.frame(kind, &event.object, Some(event)))
    }

    fn frame(&mut self, kind: &str, object: &Object, event: Option<&StoreEvent>) -> Bytes {
        match self.call.form {
            Form::Table => {
                let now = self.api.store.clock().now();
                let row = table::row(self.call.target.kind, object, self.include, now);
                let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let headers = !std::mem::replace(&mut self.headers_sent, true);
                let table = table::table(self.call.target.kind, meta, vec![row], headers);
                wrap(kind, &body::bytes(&table))
            }
            Form::Metadata => wrap(kind, render::metadata_only(object).to_string().as_bytes()),
            _ => match event {
                Some(event) => wrap(kind, &event.json()),
                None => wrap(kind, object.to_string().as_bytes()),
            },
        }
    }

    fn bookmark(&self, version: u64, initial_end: bool) -> Bytes {
        let kind = self.call.target.kind;
        let mut meta = json!({"resourceVersion": version.to_string()});
        if initial_end {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.call.form {
            Form::Table => {
                let meta = json!({"resourceVersion": version.to_string()});
                return wrap("BOOKMARK", &body::bytes(&table::table(kind, meta, Vec::new(), false)));
            }
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
            }
            _ => json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": meta}),
        };
        wrap("BOOKMARK", object.to_string().as_bytes())
    }

    async fn refuse(&self, error: StoreError, asked: u64) -> Result<(), Gone> {
        let current = self.api.store.version();
        let error = match error {
            StoreError::TooLarge => ApiError::too_large_version(asked, current),
            _ => ApiError::expired(format!("too old resource version: {asked} ({current})")),
        };
        let status: Value = error.status();
        self.push(wrap("ERROR", status.to_string().as_bytes())).await
    }

    async fn push(&self, bytes: Bytes) -> Result<(), Gone> {
        self.send.send(bytes).await.map_err(|_| Gone)
    }
}

fn wrap(kind: &str, object: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(object.len() + kind.len() + 24);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    Bytes::from(out)
}
