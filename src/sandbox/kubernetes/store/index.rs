//! The properties objects can be found by without walking all of them: owner, label, node.

use serde_json::Value;

/// An indexed property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'a> {
    /// The UID in one of `metadata.ownerReferences`.
    Owner(&'a str),
    /// A label and its value.
    Label(&'a str, &'a str),
    /// `spec.nodeName`.
    Node(&'a str),
}

impl Term<'_> {
    pub(super) fn key(&self) -> String {
        match self {
            Term::Owner(uid) => format!("o{uid}"),
            Term::Label(name, value) => format!("l{name}={value}"),
            Term::Node(node) => format!("n{node}"),
        }
    }
}

/// The index keys of one object, in a stable order.
pub(super) fn terms(object: &Value) -> Vec<String> {
    let meta = &object["metadata"];
    let owners = meta["ownerReferences"].as_array().into_iter().flatten();
    let mut terms: Vec<String> = owners
        .filter_map(|owner| Some(Term::Owner(owner["uid"].as_str()?).key()))
        .collect();
    for (name, value) in meta["labels"].as_object().into_iter().flatten() {
        terms.extend(value.as_str().map(|value| Term::Label(name, value).key()));
    }
    terms.extend(object["spec"]["nodeName"].as_str().map(|node| Term::Node(node).key()));
    terms
}
