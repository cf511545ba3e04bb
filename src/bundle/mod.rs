//! Bundles: manifests in Cog's format, and the verbs they become. Not for running a command (that is `exec`) and not
//! yet for installing: a manifest is a file the configuration names.

pub mod manifest;
pub mod verbs;

pub use manifest::Manifest;
