//! Which right an action of a panel needs, and whether the user is known not to have it. Not the act itself: the server
//! decides about that.

use std::sync::Arc;

use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::rights::Need;

/// Why an action on objects of this type is not allowed; none: it is, or nobody knows.
pub fn denied(
    clients: &Arc<Clients>,
    context: &Arc<Context>,
    action: &str,
    (group, plural): (&str, &str),
    namespaced: bool,
) -> Option<SafeText> {
    let (verb, group, resource) = match action {
        "describe" | "yaml" => ("get", group, plural.to_owned()),
        "edit" | "image" | "undo" | "cordon" | "uncordon" | "drain" => ("patch", group, plural.to_owned()),
        "scale" => ("patch", group, format!("{plural}/scale")),
        "delete" => ("delete", group, plural.to_owned()),
        "expose" => ("create", "", "services".to_owned()),
        "logs" | "previous" => ("get", "", "pods/log".to_owned()),
        "shell" => ("create", "", "pods/exec".to_owned()),
        _ => return None,
    };
    let need = Need {
        verb,
        group,
        resource: &resource,
        namespaced,
    };
    clients.denied(context, &need)
}
