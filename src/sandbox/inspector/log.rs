//! A container's output: the last lines, and a stream of new ones for those who follow. Not for reading it over the API.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::sandbox::kubernetes::runtime::{LogLine, LogStream};

/// Lines kept of one container. Policy: the oldest go, as when the kubelet rotates the file.
const KEPT: usize = 2_000;
/// Queue of one follower. Policy: a slow one loses the oldest lines.
const FOLLOW_QUEUE: usize = 512;
/// Longest line kept; the rest is cut off.
const LINE: usize = 4_096;

/// The output of one run of a container.
#[derive(Debug)]
pub struct ContainerLog {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lines: VecDeque<LogLine>,
    /// None after the end.
    live: Option<broadcast::Sender<LogLine>>,
}

impl Default for ContainerLog {
    fn default() -> Self {
        let state = State {
            lines: VecDeque::new(),
            live: Some(broadcast::channel(FOLLOW_QUEUE).0),
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl ContainerLog {
    /// Writes a line.
    pub fn line(&self, text: impl Into<String>) {
        let mut text: String = text.into();
        if text.len() > LINE {
            text = text.chars().take(LINE / 4).collect();
        }
        let line = LogLine {
            at: Timestamp::now(),
            text,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back(line.clone());
        // Sent under the lock, so that a follower gets each line once. Nobody listening is no fault.
        if let Some(live) = &state.live {
            let _ = live.send(line);
        }
    }

    /// The run is over: who follows has read everything.
    pub fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).live = None;
    }

    /// The lines so far and all that follow, without a gap.
    pub fn follow(&self) -> LogStream {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        LogStream {
            past: state.lines.iter().cloned().collect(),
            live: state.live.as_ref().map(broadcast::Sender::subscribe),
        }
    }

    /// The access log's line for one request, in the inspector's format (a 12-hour clock without am or pm).
    pub(super) fn request(
        &self,
        remote: Ipv4Addr,
        port: u16,
        request: &Request<Incoming>,
        bytes: usize,
        took: Duration,
    ) {
        let at = Timestamp::now().strftime("%d/%b/%Y %I:%M:%S");
        let target = request.uri().path_and_query().map_or("/", |p| p.as_str());
        self.line(format!(
            "{remote}:{port} - [{at}] \"{} {target} {:?} 200 {bytes}\" {} {:.6}",
            request.method(),
            request.version(),
            super::user_agent(request),
            took.as_secs_f64()
        ));
    }
}
