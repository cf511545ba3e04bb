//! One file a verb.

use std::sync::Arc;

use super::Library;
use crate::verb::Verb;

/// All of them.
pub fn all(_library: &Arc<Library>) -> Vec<Verb> {
    Vec::new()
}
