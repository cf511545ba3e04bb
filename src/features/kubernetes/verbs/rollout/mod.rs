//! The `kubectl:rollout-…` verbs.

pub mod history;
pub mod status;
pub mod undo;
