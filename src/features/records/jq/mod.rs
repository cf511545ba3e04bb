//! jq filters: compiled once a stage, run on a thread of their own with a large stack. Not the verb: that declares the
//! options and moves records in and out.

mod convert;
mod filter;
mod worker;

pub use filter::{Fault, Options};
pub use worker::{Reply, Worker, start};
