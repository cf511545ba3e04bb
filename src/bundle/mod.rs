//! Bundles: manifests in Cog's format, where they come from, the layers of their configuration, their secrets, and the
//! verbs they become. Not for running a command (that is `exec`) nor for keeping what is installed (`store`).

pub mod depot;
pub mod layers;
pub mod manifest;
pub mod package;
pub mod secret;
pub mod source;
pub mod verbs;

pub use layers::Layers;
pub use manifest::Manifest;
pub use package::Package;
