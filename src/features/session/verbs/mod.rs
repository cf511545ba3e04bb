//! One file a verb.

mod audit;
mod help;
mod history;
mod jobs;
mod stop;
mod undo;
mod wait;

use crate::verb::Verb;

/// All of them.
pub fn all() -> Vec<Verb> {
    vec![
        audit::verb(),
        help::verb(),
        history::verb(),
        jobs::verb(),
        stop::verb(),
        undo::verb(),
        wait::verb(),
    ]
}
