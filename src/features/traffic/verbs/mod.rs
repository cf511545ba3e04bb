//! One file a verb.

pub mod watch;
