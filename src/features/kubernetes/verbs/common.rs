//! What the verbs share: options, sentence records, ending with the pipeline. Not for any one verb's meaning.

use serde_json::{Value, json};

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::kubernetes::target::Target;
use crate::verb::{Call, Declaration, OptionKind, OptionSpec, Output, Positional, View};

/// The bundle's name.
pub const BUNDLE: &str = "kubectl";
/// Permission to look.
pub const READ: &str = "kubectl:read";
/// Permission to change.
pub const WRITE: &str = "kubectl:write";
/// Permission to delete.
pub const ADMIN: &str = "kubectl:admin";

/// A declaration in this bundle, with `--namespace`.
pub fn declare(name: &str, summary: &str) -> Declaration {
    Declaration::new(BUNDLE, name, summary).option(namespace_option())
}

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

/// Parts of a JSON path as kubectl takes it for sorting and waiting: `{.metadata.name}`, `.status.phase`, `a.b[0]`,
/// `.metadata.labels.app\.kubernetes\.io/name`.
pub fn path_steps(path: &str) -> Vec<String> {
    let inner = path.trim().trim_start_matches('{').trim_end_matches('}');
    let mut steps = vec![String::new()];
    let mut symbols = inner.chars();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => steps
                .last_mut()
                .into_iter()
                .for_each(|step| step.extend(symbols.next())),
            '.' | '[' => steps.push(String::new()),
            ']' | '\'' | '"' => {}
            other => steps.last_mut().into_iter().for_each(|step| step.push(other)),
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

/// The value at such a path.
pub fn at_path<'a>(object: &'a Value, steps: &[String]) -> Option<&'a Value> {
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    crate::core::record::at(object, &steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_take_kubectl_s_spellings() {
        let object = json!({"metadata": {"labels": {"app.kubernetes.io/name": "x"}}, "status": {"list": [{"a": 1}]}});
        let at = |path: &str| at_path(&object, &path_steps(path)).cloned();
        assert_eq!(at(r"{.metadata.labels.app\.kubernetes\.io/name}"), Some(json!("x")));
        assert_eq!(at("status.list[0].a"), Some(json!(1)));
        assert_eq!(at("{.status.list[0]['a']}"), Some(json!(1)));
        assert_eq!(at("{.nope}"), None);
    }
}
