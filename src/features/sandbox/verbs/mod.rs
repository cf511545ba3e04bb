//! One file a verb.

pub mod speed;
