//! Lines that pods write, for those who read many pods at once.

use std::time::Duration;

use jiff::Timestamp;

/// A line of a pod's container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodLine {
    /// The pod's name.
    pub pod: String,
    /// Version of its images; empty when they tell none.
    pub version: String,
    /// When the node received the line.
    pub at: Option<Timestamp>,
    /// The line without its end.
    pub text: String,
}

/// Which lines are wanted of the pods of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedLines {
    /// What names the object: `deploy/web`, or `deploy` and `web`.
    pub words: Vec<String>,
    /// One container; the pod's default one when not given.
    pub container: Option<String>,
    /// Go on with new lines, and with new pods.
    pub follow: bool,
    /// Only lines younger than this.
    pub since: Option<Duration>,
    /// Only the last lines of each pod.
    pub tail: Option<i64>,
}
