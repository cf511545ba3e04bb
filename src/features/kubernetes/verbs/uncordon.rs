//! `kubectl:uncordon`: a node takes new pods again.

use std::sync::Arc;

use super::completer::Names;
use super::cordon::{Cordon, declaration};
use crate::features::kubernetes::client::Clients;
use crate::verb::Verb;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declaration("uncordon", "Let pods be scheduled on a node again")
        .example("kubectl:uncordon ip-172-20-77-209", "after maintenance");
    Verb::mutate(declaration, Cordon::new(clients, false)).completed_by(Names::of_type(clients, "nodes"))
}
