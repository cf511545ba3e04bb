//! The Kubernetes API server, its controllers, scheduler and kubelets of the sandbox.

pub mod api;
pub mod churn;
mod container;
pub mod control_plane;
pub mod controllers;
pub mod graceful;
pub mod kinds;
pub mod kubelet;
pub mod log;
pub mod network;
pub mod objects;
pub mod quota;
pub mod runtime;
pub mod scheduler;
pub mod schema;
mod spdy;
pub mod store;
pub mod world;

/// The release this cluster answers as: the one whose recorded traffic it is held to.
pub const RELEASE: &str = "v1.36.2";
