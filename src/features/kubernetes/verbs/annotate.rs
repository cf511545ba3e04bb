//! `kubectl:annotate`: sets and removes annotations.

use std::sync::Arc;

use super::completer::Names;
use super::metadata::{Edit, Field, declaration};
use crate::features::kubernetes::client::Clients;
use crate::verb::Verb;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declaration("annotate", "Set and remove annotations")
        .example("kubectl:annotate deploy inspector team=web", "a new annotation")
        .example(
            "kubectl:annotate svc --all checked-",
            "remove one everywhere in the namespace",
        );
    Verb::mutate(declaration, Edit::new(clients, Field::Annotations)).completed_by(Names::of(clients))
}
