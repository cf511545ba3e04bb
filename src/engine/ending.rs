//! Why a line has to end early: a cancellation token that remembers the reason.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::core::report::{Report, Severity};

#[derive(Clone, Copy, Debug)]
enum Reason {
    Interrupted,
    TimedOut(Duration),
}

/// Ends a line; the first reason stays.
#[derive(Clone, Debug)]
pub struct Ending {
    token: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

impl Ending {
    /// Ends when `parent` does (then it counts as interrupted).
    pub fn below(parent: &CancellationToken) -> Self {
        Ending {
            token: parent.child_token(),
            reason: Arc::default(),
        }
    }

    /// The token that tasks look at.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The operator's wish.
    pub fn interrupt(&self) {
        self.end(Reason::Interrupted);
    }

    /// The time is up.
    pub fn time_out(&self, after: Duration) {
        self.end(Reason::TimedOut(after));
    }

    fn end(&self, reason: Reason) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Whether it has to end.
    pub fn is_ending(&self) -> bool {
        self.token.is_cancelled()
    }

    /// The report of whoever had to stop.
    pub fn report(&self) -> Report {
        match self.reason.get() {
            Some(Reason::TimedOut(after)) => timed_out(*after),
            Some(Reason::Interrupted) | None => Report::interrupted(),
        }
    }
}

/// The report of a time limit.
pub fn timed_out(after: Duration) -> Report {
    let message = format!("not done after {}", human(after));
    Report::new("E-RUN-124", message, Severity::TimedOut)
}

fn human(time: Duration) -> String {
    match time.as_millis() {
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}
