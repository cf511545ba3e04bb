//! Faults on demand: the rules that make the sandbox misbehave for tests, and the admin API that sets them. Not for
//! what a fault does to an answer: each server translates a [`Fault`] in its own protocol.

use std::time::Duration;

mod admin;
mod rules;

pub use admin::{Admin, AdminError, Levers};
pub use rules::{Faults, RuleError};

/// What to do to a request instead of, or before, answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Cut the connection without an answer, or in the middle of a watch that is open.
    Cut,
    /// Answer 410 Gone: the resource version asked for is too old.
    Gone410,
    /// Answer 429 Too Many Requests.
    TooMany429 {
        /// Value of the `Retry-After` header, in seconds.
        retry_after: u32,
    },
    /// Answer 500 Internal Server Error.
    Internal500,
    /// Do not answer; the connection is cut when the faults are removed.
    Hang,
    /// Answer properly, but only after this time.
    Slow(Duration),
    /// Answer 403 Forbidden.
    Forbidden403,
    /// Answer 401 Unauthorized.
    Unauthorized401,
}

/// Asked before each request is served.
pub trait Gate: Send + Sync {
    /// The fault for this request, if any. `path` is the request target with its query.
    fn check(&self, method: &str, path: &str) -> Option<Fault>;

    /// Whether a stream that answers this request, and is open already, breaks now.
    fn cuts(&self, _method: &str, _path: &str) -> bool {
        false
    }

    /// Changes whenever all faults were removed: what hangs because of one is then let go.
    fn round(&self) -> u64 {
        0
    }
}
