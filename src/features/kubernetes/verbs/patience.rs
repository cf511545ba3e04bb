//! Servers in trouble and connections that fail are waited out by what goes on until it is there or stopped; the operator
//! is told so once. Not for what the server refuses for good.

use kube::Error;
use tokio::time::{sleep, timeout};

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Session;
use crate::features::kubernetes::error;
use crate::features::kubernetes::feed::patience::PATIENCE;
use crate::features::kubernetes::feed::{Backoff, does_not_answer};
use crate::verb::Call;

/// What came of asking.
pub enum Answer<T> {
    /// The answer.
    Is(T),
    /// None yet: the time to ask again is now.
    Later,
    /// The version that was asked for is too old (410).
    Expired,
}

/// How often it failed in a row, and whether that was told.
pub struct Patience<'a> {
    call: &'a Call,
    session: &'a Session,
    /// `the watch`.
    what: &'static str,
    backoff: Backoff,
    failed: bool,
    told: bool,
}

impl<'a> Patience<'a> {
    /// Patience for this, as a sentence begins with it.
    pub fn new(call: &'a Call, session: &'a Session, what: &'static str) -> Self {
        Patience {
            call,
            session,
            what,
            backoff: Backoff::default(),
            failed: false,
            told: false,
        }
    }

    /// It works.
    pub fn reset(&mut self) {
        (self.failed, self.told) = (false, false);
        self.backoff.reset();
    }

    /// Asks, and waits out what may pass, a server that does not answer included. It is a beginning only: what follows
    /// tells whether it works.
    ///
    /// # Errors
    /// What no patience mends.
    pub async fn ask<T>(&mut self, asking: impl Future<Output = Result<T, Error>>) -> Result<Answer<T>, Report> {
        match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => Ok(Answer::Is(answer)),
            Ok(Err(error)) => {
                // A connection that is cut is nothing new; one that cannot be had is.
                self.failed = true;
                self.broken(&error).await
            }
            Err(_) => {
                self.tell(&does_not_answer(self.session));
                sleep(self.backoff.next(None)).await;
                Ok(Answer::Later)
            }
        }
    }

    /// Waits out what may pass.
    ///
    /// # Errors
    /// What no patience mends.
    pub async fn broken<T>(&mut self, error: &Error) -> Result<Answer<T>, Report> {
        let again = std::mem::replace(&mut self.failed, true);
        if error::code(error) == Some(410) {
            // A server to which everything is too old is not asked without a pause.
            if again {
                sleep(self.backoff.next(None)).await;
            }
            return Ok(Answer::Expired);
        }
        if !error::may_pass(error) {
            return Err(self.session.cluster.report(error));
        }
        if again {
            self.tell(&self.session.cluster.report(error));
        }
        sleep(self.backoff.next(error::pause(error))).await;
        Ok(Answer::Later)
    }

    fn tell(&mut self, report: &Report) {
        if !std::mem::replace(&mut self.told, true) {
            let words = format!(
                "{} is interrupted and goes on as soon as it can: {}",
                self.what,
                report.sentence()
            );
            self.call.operator.note(SafeText::line(&words));
        }
    }
}
