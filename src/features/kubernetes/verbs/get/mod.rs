//! `kubectl:get`: objects as records, shown as the server's own table.

mod pages;
pub(super) mod print;
mod raw;
pub(super) mod table;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::common::{
    NO_KUSTOMIZE, READ, all_namespaces_option, declare, field_selector_option, more_names, no_headers_option,
    selector_option, types_or_objects, until_stopped,
};
use super::completer::Names;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{self, usage};
use crate::features::kubernetes::jsonpath::JsonPath;
use crate::features::kubernetes::nearby;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb};
use pages::Pages;
use print::{Format, Printer, list_of};
use table::Row;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("get", "Show objects")
        .permission(READ)
        .without(NO_KUSTOMIZE)
        .without(&[("subresource", "--raw reads one: kubectl:get --raw /apis/apps/v1/namespaces/default/deployments/NAME/scale")])
        .positional(types_or_objects("Types (po,svc), a type and names, or type/name").optional())
        .positional(more_names())
        .options(documents::options())
        .options([
            all_namespaces_option(),
            selector_option(),
            field_selector_option(),
            OptionSpec::new(
                "output",
                OptionKind::String,
                "table (default), wide, json, yaml, name, jsonpath=TEMPLATE, custom-columns=HEADER:PATH,…, and -file=FILE of both",
            )
            .short('o')
            .value_name("format")
            .values(&["wide", "json", "yaml", "name", "jsonpath=", "custom-columns="]),
            OptionSpec::new(
                "sort-by",
                OptionKind::String,
                "Sort by this field, e.g. .metadata.creationTimestamp",
            )
            .value_name("path")
            .values(&[".metadata.name", ".metadata.creationTimestamp"]),
            no_headers_option(),
            OptionSpec::new("show-labels", OptionKind::Bool, "Add a column with all labels"),
            OptionSpec::new(
                "label-columns",
                OptionKind::List,
                "Add a column for each of these labels",
            )
            .short('L')
            .value_name("keys"),
            OptionSpec::new("ignore-not-found", OptionKind::Bool, "A missing name is no error"),
            OptionSpec::new("watch", OptionKind::Bool, "Go on with every change until cancelled").short('w'),
            OptionSpec::new("watch-only", OptionKind::Bool, "Only the changes from now on"),
            OptionSpec::new("output-watch-events", OptionKind::Bool, "With --watch: what happened to each, ADDED, MODIFIED, DELETED"),
            OptionSpec::new("show-kind", OptionKind::Bool, "Names with their type"),
            OptionSpec::new("raw", OptionKind::String, "Any address of the server, shown as it answers (up to 16 MiB); alone").value_name("path"),
            OptionSpec::new("chunk-size", OptionKind::Int, "Accepted and without effect: long lists come in pages").default("500"),
            // Accepted for the sake of old habits: everything is shown anyway.
            OptionSpec::new(
                "show-all",
                OptionKind::Bool,
                "Accepted and without effect: nothing is hidden",
            )
            .short('a'),
        ])
        .following(&["watch", "watch-only"])
        .page_with("output", &["yaml", "json"])
        .output("The object as the API gives it, without managedFields; rendered as the server's own table.")
        .example("kubectl:get deploy", "the deployments of the context's namespace")
        .example(
            "kubectl:get po -l run=inspector -o wide",
            "one app's pods, with addresses and nodes",
        )
        .example("kubectl:get deploy,svc -A", "of all namespaces")
        .example(
            "kubectl:get po --sort-by=.status.startTime -o custom-columns=NAME:.metadata.name,IP:.status.podIP",
            "columns of one's own",
        )
        .example(
            "kubectl:get svc inspector -o 'jsonpath={.status.loadBalancer.ingress[0].hostname}'",
            "one value",
        );
    Verb::read(
        declaration,
        Get {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Get {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Get {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.get(call, output)).await
    }
}

impl Get {
    async fn get(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let words = call.arguments.texts();
        if let Some(path) = call.arguments.text("raw") {
            return raw::show(call, &self.clients, &path, output).await;
        }
        let format = Format::parse(call.arguments.text("output").as_deref()).await?;
        let named = words.len() > 1 || words.iter().any(|word| word.contains('/'));
        let filtered = call.arguments.text("selector").is_some() || call.arguments.text("field-selector").is_some();
        if named && filtered {
            return Err(usage("name cannot be provided when a selector is specified"));
        }
        if named && call.arguments.flag("all-namespaces") {
            return Err(usage("a resource cannot be retrieved by name across all namespaces"));
        }
        let session = self.clients.session(&call.context).await?;
        let selection = target::selection(call, &session, &words).await?;
        let printer = Printer::new(call, format, &selection);
        let watching = call.arguments.flag("watch") || call.arguments.flag("watch-only");
        if call.arguments.flag("output-watch-events") && !watching {
            return Err(usage(
                "--output-watch-events option can only be used with --watch or --watch-only",
            ));
        }
        if watching {
            return watch::show(call, &session, selection, printer, output).await;
        }
        show(call, &session, selection, printer, output).await
    }
}

/// Lists or reads once.
async fn show(
    call: &Call,
    session: &Session,
    selection: Selection,
    mut printer: Printer,
    output: &Output,
) -> Result<(), Report> {
    let sort = match call.arguments.text("sort-by").filter(|path| !path.is_empty()) {
        Some(path) => Some((
            JsonPath::relaxed(&path).map_err(|error| usage(error.to_string()))?,
            path,
        )),
        None => None,
    };
    let keeps = sort.is_some() || printer.gathers();
    let mut shown = 0usize;
    let mut failures = Vec::new();
    let mut kept: Vec<(Arc<Resource>, Row)> = Vec::new();
    // Once at most, and before the first record.
    let mut looks_ahead = !keeps && call.shown && call.record.is_none() && call.operator.shows_previews();
    for (resource, path, query, named) in requests(call, &selection) {
        let by_name = named.is_some();
        let mut pages = Pages::new(session, &path, query, by_name);
        loop {
            let ahead = std::mem::take(&mut looks_ahead) && !by_name && printer.needs_only_cells();
            let answer = match ahead {
                true => pages.next_after_preview(call, &resource, &printer).await,
                false => pages.next(&resource).await,
            };
            let page = match (answer, named) {
                (Ok(None), _) => break,
                (Ok(Some(page)), _) => page,
                // One missing name does not hide the others; kubectl shows them, then the error.
                (Err(report), Some(target)) if report.code == error::NOT_FOUND => {
                    if !call.arguments.flag("ignore-not-found") {
                        failures.push((target, report));
                    }
                    break;
                }
                (Err(report), _) => return Err(report),
            };
            printer.columns(&resource, &page);
            shown += page.rows.len();
            for row in page.rows {
                if keeps {
                    kept.push((resource.clone(), row));
                } else {
                    printer.emit(&resource, row, output).await?;
                }
            }
        }
    }
    if let Some((path, text)) = sort {
        kept = sort_rows(kept, &path, &text)?;
    }
    let one = matches!(&selection, Selection::Named(targets) if targets.len() == 1);
    match (printer.gathers(), one && failures.is_empty()) {
        (true, _) if shown == 0 && call.arguments.flag("ignore-not-found") => {}
        (true, false) if shown > 0 || failures.is_empty() => {
            let items: Vec<Value> = kept.into_iter().map(|(_, row)| row.object).collect();
            printer.emit_all(list_of(items), output).await?;
            return nearby::missing(call, session, failures).await.map_or(Ok(()), Err);
        }
        (true, _) => {
            for (_, row) in kept {
                printer.emit_all(row.object, output).await?;
            }
        }
        (false, _) => {
            for (resource, row) in kept {
                printer.emit(&resource, row, output).await?;
            }
        }
    }
    if shown == 0 && failures.is_empty() && !call.arguments.flag("ignore-not-found") {
        call.operator.note(SafeText::line(&nothing_found(&selection)));
    }
    nearby::missing(call, session, failures).await.map_or(Ok(()), Err)
}

fn nothing_found(selection: &Selection) -> String {
    match selection {
        Selection::Listed {
            resources,
            namespace: Some(namespace),
        } if resources.iter().any(|r| r.namespaced) => {
            format!("No resources found in {namespace} namespace.")
        }
        _ => "No resources found".to_owned(),
    }
}

/// One request for each named object, or for each listed type: `(type, path, query, by name)`.
fn requests<'s>(call: &Call, selection: &'s Selection) -> Vec<(Arc<Resource>, String, Query, Option<&'s Target>)> {
    match selection {
        Selection::Named(targets) => targets
            .iter()
            .map(|t| (t.resource.clone(), t.path(), Query::new(), Some(t)))
            .collect(),
        Selection::Listed { resources, namespace } => resources
            .iter()
            .map(|resource| {
                (
                    resource.clone(),
                    resource.collection(namespace.as_deref()),
                    target::selectors(call),
                    None,
                )
            })
            .collect(),
    }
}

type Rows = Vec<(Arc<Resource>, Row)>;

/// Rows by the first value at a path, those without one first.
fn sort_rows(rows: Rows, path: &JsonPath, text: &str) -> Result<Rows, Report> {
    let mut keyed = Vec::new();
    for row in rows {
        let found = path.values(&row.1.object).map_err(|error| usage(error.to_string()))?;
        keyed.push((found.into_iter().next(), row));
    }
    if !keyed.is_empty() && keyed.iter().all(|(key, _)| key.is_none()) {
        return Err(usage(format!(
            "couldn't find any field with path \"{text}\" in the list of objects"
        )));
    }
    keyed.sort_by(|(a, _), (b, _)| compare(a.as_ref(), b.as_ref()));
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> std::cmp::Ordering {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a
            .as_f64()
            .unwrap_or_default()
            .total_cmp(&b.as_f64().unwrap_or_default()),
        (Some(a), Some(b)) => crate::core::record::to_text(a).cmp(&crate::core::record::to_text(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_sort_as_numbers_and_missing_values_come_first() {
        let row = |value: Value| {
            (
                Arc::new(Resource::default()),
                Row {
                    object: value,
                    cells: Vec::new(),
                },
            )
        };
        let rows = vec![row(json!({"n": 10})), row(json!({"n": 9})), row(json!({}))];
        let path = |text: &str| JsonPath::relaxed(text).unwrap();
        let sorted = sort_rows(rows, &path("{.n}"), "{.n}").unwrap();
        let order: Vec<Value> = sorted.into_iter().map(|(_, row)| row.object).collect();
        assert_eq!(order, [json!({}), json!({"n": 9}), json!({"n": 10})]);
        assert!(sort_rows(vec![row(json!({"n": 10}))], &path(".m"), ".m").is_err());
    }
}
