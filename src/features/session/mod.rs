//! The session itself: help, jobs, and what was changed. They ask the session port; they change nothing by themselves. Its
//! panels are made once there is a session to look at.

mod feed;
mod page;
pub mod panel;
#[cfg(test)]
mod testing;
mod verbs;

use std::sync::Arc;

use super::Feature;
use crate::engine::ports::Journal;

/// The verbs about the session. Their bundle's page is that of `records`.
pub fn feature(journal: Option<Arc<dyn Journal>>) -> Feature {
    Feature {
        verbs: verbs::all(journal),
        ..Feature::default()
    }
}
