//! The terminal in other hands: lent to an editor, a pager, a login or a shell, given back while the console is stopped,
//! and taken again after either. Not for what runs in it (`programs`).
//!
//! Keys that the console has read ahead by then are dropped with its keyboard: a terminal takes none back, and as they were
//! typed for the console, another program could do anything by them. What is typed from here on lies in the terminal and is
//! the program's.

use std::io::{self, Write};

use super::programs::{Signals, Told};
use super::{FAREWELL, Shell};

impl<W: Write> Shell<W> {
    /// Gives the terminal to those who wait for it, one after another. What runs beside goes on; a signal ends it all,
    /// with this exit code.
    pub(super) async fn lend_terminal(&mut self, signals: &mut Signals) -> io::Result<Option<u8>> {
        self.restore.leave();
        if std::mem::take(&mut self.suspend) {
            signals.stop_here()?;
        }
        while let Some(program) = self.programs.pop_front() {
            let mut program = std::pin::pin!(program.run(self.leaving.clone()));
            loop {
                tokio::select! {
                    biased;
                    told = signals.next_but_interrupts() => match told {
                        Told::End(code) => {
                            self.leaving.cancel();
                            self.runner.stop_all();
                            // One that does not end is killed.
                            let _ = tokio::time::timeout(FAREWELL, program).await;
                            return Ok(Some(code));
                        }
                        // The program that has the terminal was stopped with it.
                        Told::Stop => signals.stop_here()?,
                        Told::GoOn => {}
                    },
                    () = &mut program => break,
                    Some(request) = self.requests.recv() => self.request(request),
                    Some(message) = self.inbox.recv() => self.message(message),
                    Some(text) = self.panics.recv() => self.tell_panic(&text),
                }
            }
        }
        self.take()?;
        Ok(None)
    }

    fn take(&mut self) -> io::Result<()> {
        self.restore.enter(&mut self.screen)?;
        if let Ok((width, height)) = crossterm::terminal::size() {
            self.screen.resize(width, height);
        }
        self.app.tick();
        Ok(())
    }

    /// The process was stopped from outside: whoever had the terminal meanwhile left it as he liked.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        self.restore.leave();
        self.take()
    }
}
