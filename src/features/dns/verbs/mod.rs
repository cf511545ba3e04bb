//! One file a verb.

pub mod dig;
