//! cogdeck: a full-screen terminal console for operators.
//!
//! The crate is a library with a thin binary. ARCHITECTURE.md names the rooms (the modules below) and which
//! room may import which; `tests/architecture.rs` holds the code to that table.

pub mod access;
pub mod app;
pub mod bundle;
pub mod core;
pub mod engine;
pub mod exec;
pub mod features;
pub mod feed;
pub mod lang;
pub mod render;
pub mod sandbox;
pub mod store;
pub mod ui;
pub mod verb;
