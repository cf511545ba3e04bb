//! Installed bundles: which there are, which version of each is in use, and how they are configured. Not for reading
//! manifests nor for running their commands: that is `bundle`.

mod brings;
mod library;
mod verbs;

pub use library::{Library, Loaded};

use std::sync::Arc;

use super::Feature;

/// The verbs about bundles. They belong to the built-in bundle, whose page is that of `records`.
pub fn feature(library: &Arc<Library>) -> Feature {
    Feature {
        verbs: verbs::all(library),
        ..Feature::default()
    }
}
