//! One file a verb.

mod alias;
mod audit;
mod help;
mod history;
mod history_exec;
mod jobs;
mod may;
mod pin;
mod pipeline;
mod stop;
mod undo;
mod wait;

use std::sync::Arc;

use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::engine::ports::Journal;
use crate::verb::{Call, Verb};

/// All of them. `journal`: offers the changes that can be taken back.
pub fn all(clock: &Clock, journal: Option<Arc<dyn Journal>>) -> Vec<Verb> {
    let mut verbs = vec![
        audit::verb(clock),
        help::verb(),
        history::verb(),
        history_exec::verb(),
        jobs::verb(),
        may::verb(),
        pin::verb(),
        stop::verb(),
        undo::verb(journal),
        wait::verb(),
    ];
    verbs.extend(alias::all());
    verbs.extend(pipeline::all());
    verbs
}

/// An option that says how many are wanted: 1 or more.
fn limit(call: &Call, name: &str) -> Result<usize, Report> {
    let given = call.arguments.int(name).and_then(|limit| usize::try_from(limit).ok());
    given
        .filter(|limit| *limit > 0)
        .ok_or_else(|| Report::refused("E-SESSION-001", format!("--{name} must be 1 or more")))
}
