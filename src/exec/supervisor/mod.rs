//! A command of the host under a supervisor of ours, so that it never outlives its invocation. The supervisor is this
//! program in a hidden mode and becomes the reaper of everything the command starts: processes that left the group,
//! began a session of their own or lost their parent stay below it. It ends them all when the command has ended and its
//! output is read, when the console says so, and when the console is gone, be it by SIGKILL.
//!
//! Between the two is one socket, which the supervisor has as its stdin: the job goes in (with the command's stdin as a
//! descriptor), one word about its end comes out, and its closing means the end. Not for what a command's output means.

mod client;
mod serve;
mod tree;
mod wire;

pub use client::Process;
pub use serve::serve;
pub use wire::{Job, Status};

/// The hidden mode's name.
pub const MODE: &str = "__supervise";
