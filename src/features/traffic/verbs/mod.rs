//! One file a verb.

pub mod logs;
pub mod watch;
