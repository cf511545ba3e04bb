//! The Kubernetes feature against the built-in cluster, over TLS, as a user's own cluster would be reached.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod beside_kubectl;
mod completing;
mod connection;
mod examples;
mod faults;
mod feeds;
mod rights;
mod rollouts;
mod verbs;
