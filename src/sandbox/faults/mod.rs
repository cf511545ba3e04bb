//! Faults on demand: the admin API that makes the sandbox misbehave for tests.

use std::time::Duration;

/// What to do to a request instead of, or before, answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Cut the connection without an answer.
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
    /// Never answer.
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
}
