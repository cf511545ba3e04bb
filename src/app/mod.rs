//! The composition root: the command line and one file a mode. May import everything; nobody imports it.

pub mod cli;
pub mod config;
pub mod contexts;
pub mod environment;
