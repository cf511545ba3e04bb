//! The `kubectl:rollout-…` verbs.

pub mod history;
pub mod pause;
pub mod restart;
pub mod resume;
pub mod status;
pub mod undo;

use crate::core::report::Report;
use crate::features::kubernetes::client::Session;
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::verb::Call;

/// What a rollout verb acts on. A type alone means all of it, as in kubectl; nothing at all is refused.
async fn selected(call: &Call, session: &Session) -> Result<Selection, Report> {
    let words = call.arguments.texts();
    if words.is_empty() && call.record.is_none() {
        return Err(usage("required resource not specified").hint("for example: deploy/NAME"));
    }
    target::selection(call, session, &words).await
}

/// `services "x" restarting is not supported`.
fn unsupported(target: &Target, what: &str) -> Report {
    usage(format!(
        "{} \"{}\" {what}",
        target.resource.group_resource(),
        target.name
    ))
}
