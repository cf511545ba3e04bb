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

use crate::engine::ports::Journal;
use crate::verb::Verb;

/// All of them. `journal`: offers the changes that can be taken back.
pub fn all(journal: Option<Arc<dyn Journal>>) -> Vec<Verb> {
    let mut verbs = vec![
        audit::verb(),
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
