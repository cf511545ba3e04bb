//! The Kubernetes API server, its controllers, scheduler and kubelets of the sandbox.

pub mod kinds;
pub mod runtime;
pub mod store;
