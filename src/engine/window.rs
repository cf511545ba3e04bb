//! For how long a context that is marked read-only takes changes all the same, because the operator said so. Not for
//! `--read-only`, which nothing opens, and not for who may say so: the front end.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::report::Report;

/// What refuses a change in a process that is read-only.
const LOCKED: &str = "E-READONLY-001";

/// What refuses a change in a context that is read-only.
const READ_ONLY: &str = "E-READONLY-002";

/// What to do about that.
const HINT: &str = "in the console rw 10m, typed alone on the line, opens it for ten minutes";

/// One session's window. Clones are the same.
#[derive(Clone)]
pub struct Window {
    clock: Clock,
    open: Arc<Mutex<Option<Open>>>,
}

struct Open {
    /// The context's name.
    context: String,
    until: Timestamp,
}

impl Window {
    /// One that is closed.
    pub fn new(clock: Clock) -> Self {
        Window {
            clock,
            open: Arc::default(),
        }
    }

    /// Opens a context until then, in place of any other; none: closes.
    pub fn open(&self, context: &str, until: Option<Timestamp>) {
        *self.lock() = until.map(|until| Open {
            context: context.to_owned(),
            until,
        });
    }

    /// The session goes over to a context: no other stays open.
    pub fn go_over(&self, context: &str) {
        self.lock().take_if(|open| open.context != context);
    }

    /// Whether a context takes changes now.
    fn permits(&self, context: &Context) -> bool {
        let now = self.clock.now();
        let open = |open: &Open| open.context == context.name && now < open.until;
        !context.read_only || self.lock().as_ref().is_some_and(open)
    }

    /// Refuses what would change something where nothing may be changed. `locked`: by this process; `what`: the
    /// sentence's beginning, `kubectl:scale changes something`.
    pub fn takes(&self, locked: bool, context: &Context, what: &str) -> Result<(), Report> {
        if locked {
            let message = format!("{what}, and this process runs with --read-only");
            return Err(Report::refused(LOCKED, message).hint("nothing opens that: start cogdeck without it"));
        }
        if self.permits(context) {
            return Ok(());
        }
        let name = &context.name;
        let message = format!("{what}, and context {name} is read-only");
        let hint = format!("[contexts.{name}] read_only in the configuration says so; {HINT}");
        Err(Report::refused(READ_ONLY, message).hint(hint))
    }

    /// What was planned while a context was open is not done after it has closed.
    pub fn still(&self, context: &Context) -> Result<(), Report> {
        match self.permits(context) {
            true => Ok(()),
            false => {
                let message = format!(
                    "context {} is read-only again: its time was over before this",
                    context.name
                );
                Err(Report::refused(READ_ONLY, message).hint(HINT))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
