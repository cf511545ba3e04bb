//! How long a watch lasts and how long a server is waited for: the same for rows, logs and verbs. Not the pauses between
//! attempts: those are the backoff's.

use std::time::Duration;

/// How long the server shall keep one watch open. A connection that nobody serves any more (a tunnel that is gone, a
/// machine that slept) says nothing: that it did not end in its time tells it from one on which nothing happens.
pub const WATCH: Duration = Duration::from_secs(20);
/// A watch that is silent for longer, although the server should have ended it, hangs.
pub const SILENCE: Duration = Duration::from_secs(25);
/// How long a page or the beginning of a watch may take.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// A watch that ended well sooner is followed by the next one after a pause.
pub const BRIEF: Duration = Duration::from_secs(1);
