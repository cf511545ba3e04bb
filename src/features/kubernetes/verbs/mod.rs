//! The bundle `kubectl`: one file a verb.

mod common;
mod completer;
mod delete;
mod expose;
mod get;
mod mutation;
mod rollout;
mod run;
mod scale;
mod set_image;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use super::client::Clients;
use crate::verb::Verb;

/// All verbs of the bundle.
pub fn all(clients: &Arc<Clients>) -> Vec<Verb> {
    vec![
        delete::verb(clients),
        expose::verb(clients),
        get::verb(clients),
        rollout::history::verb(clients),
        rollout::undo::verb(clients),
        run::verb(clients),
        scale::verb(clients),
        set_image::verb(clients),
    ]
}
