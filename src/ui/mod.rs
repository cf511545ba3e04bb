//! The front ends: panels as features write them, the console, and the headless mode. The only room (with the panels
//! of the features) that knows ratatui.

pub mod console;
pub mod headless;
pub mod panel;
