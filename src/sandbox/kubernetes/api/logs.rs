//! `pods/NAME/log`: a container's output as plain text, past lines and, with `follow`, those to come.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use super::body::{self, Reply};
use super::dispatch::Call;
use super::read;
use super::status::ApiError;
use crate::sandbox::kubernetes::log::{LogLine, LogReader};

/// Batches of lines between a followed log and its connection. Policy: a slow reader holds its copy back; the log goes on
/// without it and keeps its newest lines.
const QUEUE: usize = 4;

/// `GET`.
pub(super) fn logs(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let pod = read::find(api, call)?;
    let (name, query) = (&call.target.name, &call.query);
    let container = choose(&pod, query.text("container"), name)?;
    let since = match (query.number("sinceSeconds"), query.text("sinceTime")) {
        (Some(seconds), _) => api
            .store
            .clock()
            .now()
            .checked_sub(SignedDuration::from_secs(seconds))
            .ok(),
        (None, "") => None,
        (None, text) => Some(
            text.parse::<Timestamp>()
                .map_err(|error| ApiError::bad_request(format!("sinceTime: Invalid value: {text:?}: {error}")))?,
        ),
    };
    let waiting = || {
        let why = state(&pod, &container).and_then(|state| state["waiting"]["reason"].as_str());
        match why {
            Some("ContainerCreating") | None => ApiError::bad_request(format!(
                "container \"{container}\" in pod \"{name}\" is waiting to start: ContainerCreating"
            )),
            Some("ErrImagePull" | "ImagePullBackOff") => ApiError::bad_request(format!(
                "container \"{container}\" in pod \"{name}\" is waiting to start: trying and failing to pull image"
            )),
            Some(other) => ApiError::bad_request(format!(
                "container \"{container}\" in pod \"{name}\" is waiting to start: {other}"
            )),
        }
    };
    let previous = query.flag("previous");
    let runtime = api.config.runtime.as_ref().ok_or_else(waiting)?;
    let reader = runtime.logs(&call.target.namespace, name, &container, previous);
    // A pod that the world began with has said nothing.
    let silent = || (!previous && runs(&pod, &container)).then(|| LogReader::new(Arc::default()));
    let mut reader = reader.or_else(silent).ok_or_else(|| match previous {
        true => ApiError::bad_request(format!(
            "previous terminated container \"{container}\" in pod \"{name}\" not found"
        )),
        false => waiting(),
    })?;

    let format = Format {
        timestamps: query.flag("timestamps"),
    };
    let mut past = reader.past();
    past.retain(|line| since.is_none_or(|since| line.at >= since));
    if let Some(tail) = query.number("tailLines") {
        let tail = usize::try_from(tail)
            .map_err(|_| ApiError::bad_request("tailLines: Invalid value: must be greater than or equal to 0"))?;
        past.drain(..past.len().saturating_sub(tail));
    }
    let mut text = format.lines(&past);
    if let Some(limit) = query.number("limitBytes").and_then(|limit| usize::try_from(limit).ok()) {
        text.truncate(text.floor_char_boundary(limit));
    }
    match query.flag("follow") {
        true => Ok(follow(text, reader, format)),
        false => Ok(body::reply(200, "text/plain", text)),
    }
}

/// The state of a container of a pod, as its status has it.
fn state<'p>(pod: &'p Value, container: &str) -> Option<&'p Value> {
    let mut all = pod["status"]["containerStatuses"].as_array()?.iter();
    all.find(|status| status["name"] == container)
        .map(|status| &status["state"])
}

fn runs(pod: &Value, container: &str) -> bool {
    state(pod, container).is_some_and(|state| state["running"].is_object())
}

/// The container meant: the named one, or the only one.
pub(super) fn choose(pod: &Value, wanted: &str, name: &str) -> Result<String, ApiError> {
    let names = |list: &str| -> Vec<String> {
        pod["spec"][list]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c["name"].as_str().map(str::to_owned))
            .collect()
    };
    let (containers, init) = (names("containers"), names("initContainers"));
    if wanted.is_empty() {
        return match containers.as_slice() {
            [one] => Ok(one.clone()),
            many => Err(ApiError::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                many.join(" ")
            ))),
        };
    }
    if containers.iter().chain(&init).any(|one| one == wanted) {
        return Ok(wanted.to_owned());
    }
    Err(ApiError::bad_request(format!(
        "container {wanted} is not valid for pod {name}"
    )))
}

#[derive(Clone, Copy)]
struct Format {
    timestamps: bool,
}

impl Format {
    fn lines(self, lines: &[LogLine]) -> String {
        let mut text = String::new();
        for line in lines {
            if self.timestamps {
                text.push_str(&format!("{:.9} ", line.at));
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }
}

fn follow(past: String, mut log: LogReader, format: Format) -> Reply {
    let (send, receive) = mpsc::channel::<Bytes>(QUEUE);
    tokio::spawn(async move {
        if !past.is_empty() && send.send(Bytes::from(past)).await.is_err() {
            return;
        }
        loop {
            let lines = tokio::select! {
                () = send.closed() => return,
                lines = log.next() => lines,
            };
            let Some(lines) = lines else { return };
            if send.send(Bytes::from(format.lines(&lines))).await.is_err() {
                return;
            }
        }
    });
    let frames = ReceiverStream::new(receive).map(|bytes| Ok::<_, io::Error>(Frame::data(bytes)));
    let mut reply = http::Response::new(StreamBody::new(frames).boxed_unsync());
    reply.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::header::HeaderValue::from_static("text/plain"),
    );
    reply
}
