//! The bundle `kubectl`: one file a verb.

mod annotate;
mod api_resources;
mod apply;
mod auth_can_i;
pub(super) mod behind;
pub(super) mod common;
pub(super) mod completer;
mod config_get_contexts;
mod config_use_context;
mod cordon;
mod cp;
mod create;
mod create_deployment;
mod delete;
mod describe;
mod drain;
mod dry_run;
mod edit;
mod events;
mod exec;
mod expose;
mod get;
mod label;
mod login;
pub(super) mod logs;
mod metadata;
mod mutation;
mod patience;
mod port_forward;
mod rollout;
mod run;
mod scale;
mod set_env;
mod set_image;
mod set_resources;
mod template;
#[cfg(test)]
pub(super) mod testing;
mod top;
mod uncordon;
mod wait;
mod watching;

use std::sync::Arc;

use super::client::Clients;
use crate::core::clock::Clock;
use crate::feed::Hub;
use crate::verb::Verb;

/// All verbs of the bundle. The hub has the traffic that a rollout is judged by.
pub fn all(clients: &Arc<Clients>, hub: &Hub, clock: &Clock) -> Vec<Verb> {
    vec![
        annotate::verb(clients),
        api_resources::verb(clients),
        apply::verb(clients),
        auth_can_i::verb(clients),
        config_get_contexts::verb(clients),
        config_use_context::verb(clients),
        cordon::verb(clients),
        cp::verb(clients),
        create::verb(clients),
        create_deployment::verb(clients),
        delete::verb(clients),
        describe::verb(clients, clock),
        drain::verb(clients),
        edit::verb(clients),
        events::verb(clients, clock),
        exec::verb(clients),
        expose::verb(clients),
        get::verb(clients),
        label::verb(clients),
        login::verb(clients),
        logs::verb(clients),
        port_forward::verb(clients),
        rollout::history::verb(clients),
        rollout::pause::verb(clients),
        rollout::restart::verb(clients, clock),
        rollout::resume::verb(clients),
        rollout::status::verb(clients, hub),
        rollout::undo::verb(clients),
        run::verb(clients),
        scale::verb(clients),
        set_env::verb(clients),
        set_image::verb(clients),
        set_resources::verb(clients),
        top::verb(clients),
        uncordon::verb(clients),
        wait::verb(clients),
    ]
}
