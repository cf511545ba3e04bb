//! The sandbox's Kubernetes API server as clients see it: recorded answers of a real one, and behaviour.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod behaviour;
mod recordings;
mod watches;
mod world;
