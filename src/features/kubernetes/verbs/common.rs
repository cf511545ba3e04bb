//! What the verbs share: options, sentence records, ending with the pipeline. Not for any one verb's meaning.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::kubernetes::target::Target;
use crate::render::Header;
use crate::verb::{Call, Declaration, OptionKind, OptionSpec, Output, Positional, View};

pub use crate::features::kubernetes::BUNDLE;
/// Permission to look.
pub const READ: &str = "kubectl:read";
/// Permission to change.
pub const WRITE: &str = "kubectl:write";
/// Permission to delete.
pub const ADMIN: &str = "kubectl:admin";

/// What kubectl takes behind each of its commands, and what stands for it here.
const ABSENT: &[(&str, &str)] = &[
    (
        "as",
        "a user of the kubeconfig with `as: NAME` acts as another, under a context of its own: @NAME COMMAND",
    ),
    (
        "as-group",
        "a user of the kubeconfig with `as:` and `as-groups:` acts as another: @NAME COMMAND",
    ),
];

/// A declaration in this bundle, with `--namespace`.
pub fn declare(name: &str, summary: &str) -> Declaration {
    Declaration::new(BUNDLE, name, summary)
        .option(namespace_option())
        .without(ABSENT)
}

/// What manifests come from in kubectl beside files.
pub const NO_KUSTOMIZE: &[(&str, &str)] = &[
    (
        "k",
        "folders for kustomize are not built here: sh 'kubectl kustomize DIR' > file:all.yaml, then -f all.yaml",
    ),
    (
        "kustomize",
        "folders for kustomize are not built here: sh 'kubectl kustomize DIR' > file:all.yaml, then -f all.yaml",
    ),
];

/// The first word about objects: `TYPE`, `TYPE/NAME` or `TYPE,TYPE`.
pub fn types_or_objects(help: &str) -> Positional {
    Positional::new("TYPE[/NAME]", OptionKind::String, help)
}

/// The words after it.
pub fn more_names() -> Positional {
    Positional::new("NAME", OptionKind::String, "Names of that type, or further TYPE/NAME")
        .optional()
        .variadic()
}

/// `-n, --namespace`.
pub fn namespace_option() -> OptionSpec {
    OptionSpec::new(
        "namespace",
        OptionKind::String,
        "Namespace to act in; the context's when not given",
    )
    .short('n')
    .value_name("namespace")
}

/// `-l, --selector`.
pub fn selector_option() -> OptionSpec {
    OptionSpec::new(
        "selector",
        OptionKind::String,
        "Only objects with these labels (a=b,c!=d,e in (f,g),!h)",
    )
    .short('l')
    .value_name("selector")
}

/// `--field-selector`.
pub fn field_selector_option() -> OptionSpec {
    OptionSpec::new(
        "field-selector",
        OptionKind::String,
        "Only objects with these field values (status.phase=Running)",
    )
    .value_name("selector")
}

/// `--record`, which kubectl has deprecated: who changed what is always written down.
pub fn record_option() -> OptionSpec {
    OptionSpec::new(
        "record",
        OptionKind::Bool,
        "Accepted and without effect: the audit always tells who changed what",
    )
}

/// `-A, --all-namespaces`.
pub fn all_namespaces_option() -> OptionSpec {
    OptionSpec::new("all-namespaces", OptionKind::Bool, "Look in all namespaces").short('A')
}

/// The record of verbs that answer with a sentence: `{"kind","name","namespace","action","message"}`.
pub fn sentence(target: &Target, action: &str, message: &str) -> Record {
    json!({
        "kind": target.resource.kind,
        "name": target.name,
        "namespace": target.namespace,
        "action": action,
        "message": message,
    })
}

/// Emits a record that is shown as its `message`.
pub async fn say(output: &Output, record: Record) -> Result<(), Report> {
    let message = record["message"].as_str().unwrap_or_default().to_owned();
    output.emit_as(record, View::Text(message)).await
}

/// Runs work until it ends, the pipeline is cancelled, or nobody reads its records any more.
pub async fn until_stopped<T>(
    call: &Call,
    output: &Output,
    work: impl Future<Output = Result<T, Report>>,
) -> Result<T, Report> {
    tokio::select! {
        biased;
        () = call.cancel.cancelled() => Err(Report::interrupted()),
        () = output.closed() => Err(Report::failed(crate::verb::invocation::NOBODY_READS, "the next stage ended")),
        done = work => done,
    }
}

/// `--no-headers`.
pub fn no_headers_option() -> OptionSpec {
    OptionSpec::new("no-headers", OptionKind::Bool, "Rows only")
}

/// A table's header; without names where the call says `--no-headers`.
pub fn header<T: Into<String>>(call: &Call, columns: impl IntoIterator<Item = T>) -> Arc<Header> {
    let none = call.arguments.flag("no-headers");
    Header::new(columns.into_iter().filter(|_| !none))
}

/// Calls remembered at a time; the oldest is forgotten first. More are never under way between plan and approval.
const REMEMBERED: usize = 64;

/// What a verb found out while it planned, for the second plan of the same call: a plan is made again after it was
/// approved, and must not ask again what was answered.
pub struct Remembered<T>(Mutex<VecDeque<(String, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Remembered(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// What was kept for this call and subject (empty: the call as a whole).
    pub fn get(&self, call: &Call, subject: &str) -> Option<T> {
        let key = key(call, subject);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.clone())
    }

    /// Keeps it.
    pub fn keep(&self, call: &Call, subject: &str, value: T) {
        let key = key(call, subject);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != key);
        kept.push_back((key, value));
        if kept.len() > REMEMBERED {
            kept.pop_front();
        }
    }
}

fn key(call: &Call, subject: &str) -> String {
    format!("{}/{}/{subject}", call.pipeline_id, call.stage)
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn what_is_remembered_belongs_to_one_call_and_is_bounded() {
        let kept = Remembered::default();
        let first = call(&[], json!({}));
        kept.keep(&first, "a", 1);
        kept.keep(&first, "a", 2);
        assert_eq!((kept.get(&first, "a"), kept.get(&first, "b")), (Some(2), None));
        let mut other = call(&[], json!({}));
        other.stage = 2;
        assert_eq!(kept.get(&other, "a"), None);
        for number in 0..REMEMBERED {
            kept.keep(&other, &number.to_string(), 3);
        }
        assert_eq!(kept.get(&first, "a"), None);
    }

    #[test]
    fn no_headers_leaves_the_rows_only() {
        assert_eq!(header(&call(&[], json!({})), ["A"]).columns, ["A"]);
        assert!(
            header(&call(&[], json!({"no-headers": true})), ["A"])
                .columns
                .is_empty()
        );
    }
}
