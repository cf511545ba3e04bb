//! `kubectl:label`: sets and removes labels.

use std::sync::Arc;

use super::completer::Names;
use super::metadata::{Edit, Field, declaration};
use crate::features::kubernetes::client::Clients;
use crate::verb::Verb;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declaration("label", "Set and remove labels")
        .example("kubectl:label deploy inspector tier=web", "a new label")
        .example(
            "kubectl:get pods -l run=inspector | kubectl:label quarantine=yes",
            "every pod that comes down the pipe",
        )
        .example(
            "kubectl:label pod/web-1 run-",
            "take a pod out of its service: its replica set makes another",
        );
    Verb::mutate(declaration, Edit::new(clients, Field::Labels)).completed_by(Names::of(clients))
}
