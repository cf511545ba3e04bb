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

use crate::verb::Verb;

/// All of them.
pub fn all() -> Vec<Verb> {
    let mut verbs = vec![
        audit::verb(),
        help::verb(),
        history::verb(),
        history_exec::verb(),
        jobs::verb(),
        may::verb(),
        pin::verb(),
        stop::verb(),
        undo::verb(),
        wait::verb(),
    ];
    verbs.extend(alias::all());
    verbs.extend(pipeline::all());
    verbs
}
