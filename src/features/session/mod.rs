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
use crate::core::clock::Clock;
use crate::engine::ports::Journal;

/// The verbs about the session. Their bundle's page is that of `records`. `clock`: that of the journal.
pub fn feature(clock: &Clock, journal: Option<Arc<dyn Journal>>) -> Feature {
    Feature {
        verbs: verbs::all(clock, journal),
        ..Feature::default()
    }
}
