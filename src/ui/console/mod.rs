//! The full-screen console: a state that events reduce (`app`), a shell that performs what the state asks for, and one
//! drawing of it all. Knows no feature by name: commands come from the catalogue, panels through the trait.

pub mod app;
pub mod approval;
pub mod arrangement;
pub mod background;
pub mod chat;
pub mod complete;
mod contexts;
pub mod draw;
pub mod help;
pub mod input;
mod keyboard;
pub mod keymap;
pub mod layout;
pub mod operator;
mod pace;
mod painted;
pub mod pin;
pub mod popup;
pub mod ports;
pub mod samples;
pub mod session;
pub mod shell;
pub mod status;
pub mod syntax;
pub mod terminal;
pub mod toast;

pub use app::Dress;
pub use input::history::Earlier;
pub use keymap::Keymap;
pub use ports::{BlockEvent, Ended, Events, Observed, Runner, Running, StartSandbox};
pub use session::SessionRunner;
pub use shell::{ByBackground, Console, ConsoleConfig, Programs};
