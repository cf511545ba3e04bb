#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod checklist;
mod contexts;
mod flow;
mod pinning;
mod refusals;
