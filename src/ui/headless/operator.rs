//! The operator of a run without a screen: there is no one to ask. What was approved beforehand (`--yes`,
//! `--max-targets`) is in the origin, and the engine refuses the rest before it would ask.

use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use super::prompt;
use crate::core::change::{Origin, Plan, Requirement};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::verb::operator::{TerminalCommand, TerminalWork, nobody_to_ask};
use crate::verb::{Decision, Operator};

/// Answers every question with no; a secret is read where it can be.
pub struct NoOneToAsk {
    origin: Origin,
    /// Standard input holds the records of the first stage.
    input_taken: bool,
    /// Held while the terminal is asked: jobs share this operator, and two questions at once would end each other's
    /// silence.
    asking: tokio::sync::Mutex<()>,
    /// Standard input, once somebody asked for it.
    taken: OnceLock<Taken>,
}

/// What becomes of standard input.
enum Taken {
    /// Text for everybody: who asks next gets the same, also where the first one has gone before it was read.
    Text(Shared<BoxFuture<'static, Result<String, Report>>>),
    /// A secret, for the one who asked first: nothing tells that another line wants the same value.
    Secret,
}

impl NoOneToAsk {
    /// With these approvals given beforehand. `input_taken`: standard input holds records.
    pub fn new(origin: Origin, input_taken: bool) -> Self {
        NoOneToAsk {
            origin,
            input_taken,
            asking: tokio::sync::Mutex::default(),
            taken: OnceLock::new(),
        }
    }
}

#[async_trait]
impl Operator for NoOneToAsk {
    fn origin(&self) -> Origin {
        self.origin
    }

    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Declined("there is no one to ask: use --yes, or the console".to_owned())
    }

    async fn secret(&self, what: &str, from_input: bool) -> Result<Secret, Report> {
        if self.input_taken {
            let message = format!("{what} cannot be read: standard input holds the records");
            return Err(Report::refused("E-SECRET-007", message).hint("@FILE reads it from a file"));
        }
        match (io::stdin().is_terminal(), from_input) {
            (true, _) => {
                let _alone = self.asking.lock().await;
                prompt::ask(what).await
            }
            (false, true) if self.taken.set(Taken::Secret).is_ok() => prompt::of_input(what).await,
            (false, true) => {
                let message = format!("{what} cannot be read: something else has read standard input");
                Err(Report::refused("E-SECRET-007", message).hint("@FILE reads it from a file"))
            }
            (false, false) => Err(nobody_to_ask(what)),
        }
    }

    async fn input(&self) -> Result<String, Report> {
        let refuse = |why: &str| Report::refused("E-RUN-INPUT", format!("- means standard input: {why}"));
        if self.input_taken {
            return Err(refuse("it holds the records of --input").hint("leave --input out, or leave - out"));
        }
        if io::stdin().is_terminal() {
            return Err(
                refuse("nothing comes from there, it is the terminal").hint("name a file, or feed it from a pipe")
            );
        }
        let read = || Taken::Text(prompt::text_of_input().boxed().shared());
        match self.taken.get_or_init(read) {
            Taken::Text(text) => text.clone().await,
            Taken::Secret => Err(refuse("a secret was read from it").hint("name a file, or read the secret from one")),
        }
    }

    fn note(&self, _text: SafeText) {}

    fn progress(&self, _text: SafeText) {}

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        let program = command.argv.first().map_or("it", String::as_str);
        Err(Report::refused(
            "E-RUN-TERMINAL",
            format!("{program} needs a terminal, and this run has none to give"),
        )
        .hint("use the console"))
    }

    fn has_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        // Nothing of ours is on it: records are printed when the work has ended.
        work.await
    }
}
