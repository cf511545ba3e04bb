//! jq filters. A filter is a program: it may recurse without end, ask for more memory than there is, or never yield; and
//! a stack that overflows ends its whole process. So it runs in a process of its own, which is this program in a hidden
//! mode: it has limits, and it can be killed. Not the verb: that declares the options and moves records in and out.

mod convert;
mod filter;
mod paths;
mod serve;
mod wire;
mod worker;

pub use paths::Paths;
pub use serve::serve;
pub use wire::{Fault, LARGEST_OUTPUT, MODE, Options};
pub use worker::{Reply, Worker};
