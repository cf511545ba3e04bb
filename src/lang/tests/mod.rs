//! What the language promises, seen from outside: tables per checklist id, and properties over generated trees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod checklist;
mod properties;
