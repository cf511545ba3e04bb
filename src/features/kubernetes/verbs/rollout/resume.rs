//! `kubectl:rollout-resume`: a held rollout goes on.

use std::sync::Arc;

use super::pause::Hold;
use crate::core::change::Risk;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::verbs::common::{WRITE, declare, more_names, selector_option, types_or_objects};
use crate::features::kubernetes::verbs::completer::Names;
use crate::verb::Verb;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-resume", "Let a held rollout go on")
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(types_or_objects("What goes on, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .option(selector_option())
        .output("{kind, name, namespace, action, message}.")
        .example("kubectl:rollout resume deploy/inspector", "go on after rollout pause");
    Verb::mutate(declaration, Hold::new(clients, false)).completed_by(Names::of(clients))
}
