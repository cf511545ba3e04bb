//! The bundle `kubectl`: one file a verb.

mod common;
mod completer;
mod delete;
mod describe;
mod expose;
mod get;
mod logs;
mod mutation;
mod rollout;
mod run;
mod scale;
mod set_image;
#[cfg(test)]
mod testing;
mod wait;

use std::sync::Arc;

use super::client::Clients;
use crate::core::clock::Clock;
use crate::verb::Verb;

/// All verbs of the bundle.
pub fn all(clients: &Arc<Clients>, clock: &Clock) -> Vec<Verb> {
    vec![
        delete::verb(clients),
        describe::verb(clients, clock),
        expose::verb(clients),
        get::verb(clients),
        logs::verb(clients),
        rollout::history::verb(clients),
        rollout::status::verb(clients),
        rollout::undo::verb(clients),
        run::verb(clients),
        scale::verb(clients),
        set_image::verb(clients),
        wait::verb(clients),
    ]
}
