//! The built-in world: a Kubernetes API, AWS endpoints, DNS and an HTTP proxy on loopback, reached over the same
//! protocols as the real services. Not for sharing types with the client side: it imports nothing else of this
//! crate, so that a misunderstanding of a protocol cannot hide on both sides at once.

mod assembly;
pub mod aws;
pub mod clock;
pub mod cloud;
pub mod cluster;
pub mod dns;
pub mod faults;
mod guard;
pub mod inspector;
pub mod kubernetes;
pub mod proxy;
pub mod random;

pub use assembly::{CONTEXT, GUEST_CONTEXT, Sandbox, SandboxConfig, SandboxError};
