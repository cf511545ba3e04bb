#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod checklist;
mod contexts;
mod flow;
mod marks;
mod pinning;
mod refusals;
mod window;
