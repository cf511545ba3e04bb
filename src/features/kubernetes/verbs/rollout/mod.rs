//! The `kubectl:rollout-…` verbs.

pub mod history;
pub mod undo;
