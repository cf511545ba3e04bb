//! The console on the process' terminal, from its first frame until the terminal is given back. Not its loop (`shell`).

use std::io;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;

use super::programs::{Early, PanicGuard};
use super::{ConsoleConfig, Shell};
use crate::core::report::Report;
use crate::ui::console::keyboard::Keyboard;
use crate::ui::console::terminal::{Restore, Screen};

/// A console on the process' terminal, which shows its first frame.
pub struct Console {
    shell: Shell<io::Stdout>,
    restore: Restore,
    guard: PanicGuard,
}

impl Console {
    /// Takes the terminal and draws the first frame. Needs no runtime: threads are started behind the frame, which would
    /// have to share the machine with them.
    pub fn open(config: ConsoleConfig) -> Result<Self, Report> {
        let (width, height) = crossterm::terminal::size().map_err(unusable)?;
        let restore = Restore::default();
        let (panics, panic_messages) = mpsc::channel(16);
        let guard = PanicGuard::install(restore.clone(), panics);
        let early = Early::listen().map_err(unusable)?;
        let mut screen = Screen::new(io::stdout(), width, height);
        restore.enter(&mut screen).map_err(unusable)?;
        let mut shell = Shell::new(config, screen, restore.clone(), panic_messages);
        shell.early = early;
        shell.draw().map_err(unusable)?;
        Ok(Console { shell, restore, guard })
    }

    /// Runs it until it is left; the exit code. To be polled on the thread that opened it, by a runtime's `block_on`: a
    /// panic there gives the terminal back before it is reported.
    pub async fn run(self) -> Result<u8, Report> {
        let Console {
            mut shell,
            restore,
            guard,
        } = self;
        // A panic has given the terminal back already; what runs is ended and named all the same, then it goes on.
        let (mut result, panic) = match AssertUnwindSafe(shell.run(Keyboard::open)).catch_unwind().await {
            Ok(result) => (result, None),
            Err(panic) => (Ok(0), Some(panic)),
        };
        if shell.detached && panic.is_none() {
            restore.leave();
            result = shell.wait_for_the_rest().await;
        }
        shell.close(io::stderr()).await;
        drop(guard);
        if let Some(panic) = panic {
            std::panic::resume_unwind(panic);
        }
        result.map_err(unusable)
    }
}

fn unusable(error: io::Error) -> Report {
    Report::failed("E-CONSOLE-001", "the terminal cannot be used").because(&error)
}
