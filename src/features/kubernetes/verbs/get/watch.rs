//! `kubectl:get --watch`: the list, then every change of it. Not for how a watch outlasts its connection.

use serde_json::json;

use super::pages::Pages;
use super::print::Printer;
use super::table::{Row, Table};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Session, TABLE};
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection};
use crate::features::kubernetes::verbs::patience::Answer;
use crate::features::kubernetes::verbs::watching::{News, Next, Told, Watching};
use crate::verb::{Call, Output};

/// Shows the list, then every change, until cancelled. One type at a time, as kubectl.
pub(super) async fn show(
    call: &Call,
    session: &Session,
    selection: Selection,
    mut printer: Printer,
    output: &Output,
) -> Result<(), Report> {
    let (resource, path, query) = match &selection {
        Selection::Named(targets) => match targets.as_slice() {
            [one] => {
                let query = Query::new().with("fieldSelector", format!("metadata.name={}", one.name));
                (
                    one.resource.clone(),
                    one.resource.collection(Some(&one.namespace)),
                    query,
                )
            }
            [first, rest @ ..] if rest.iter().all(|other| other.resource.plural == first.resource.plural) => {
                let what = "you may only watch a single resource or type of resource at a time";
                return Err(usage(what));
            }
            _ => return Err(usage("you may only specify a single resource type")),
        },
        Selection::Listed { resources, namespace } => match resources.as_slice() {
            [one] => (
                one.clone(),
                one.collection(namespace.as_deref()),
                target::selectors(call),
            ),
            _ => return Err(usage("you may only specify a single resource type")),
        },
    };
    let changes = query.clone().with("includeObject", "Object");
    let mut watching = Watching::new(call, session, &path, &changes, TABLE);
    let mut told = Told::default();
    let mut quiet = call.arguments.flag("watch-only");
    let mut first = true;
    loop {
        let mut pages = Pages::new(session, &path, query.clone(), false);
        told.begin_list();
        loop {
            // What cannot be listed to begin with is an error, as in kubectl; later it is waited for.
            let page = match first {
                true => pages.next(&resource).await?,
                false => match watching.ask(pages.ask(&resource)).await? {
                    Answer::Is(page) => page,
                    Answer::Later => continue,
                    Answer::Expired => {
                        pages = Pages::new(session, &path, query.clone(), false);
                        continue;
                    }
                },
            };
            let Some(page) = page else { break };
            printer.columns(&resource, &page);
            for row in page.rows {
                // Listed again, only what became of it meanwhile is told.
                let (word, replaced) = match told.see(&row.object, last_of(&row)) {
                    News::New => ("ADDED", None),
                    News::Replaced(before) => ("ADDED", Some(before)),
                    News::Changed => ("MODIFIED", None),
                    News::Known => continue,
                };
                if quiet {
                    continue;
                }
                if let Some(before) = replaced {
                    printer.emit_event("DELETED", &resource, before, output).await?;
                }
                printer.emit_event(word, &resource, row, output).await?;
            }
        }
        for gone in told.end_list() {
            printer.emit_event("DELETED", &resource, gone, output).await?;
        }
        // A name that does not exist yet is an error, as in kubectl.
        if let (true, 0, false, Selection::Named(targets)) = (first, printer.emitted, quiet, &selection)
            && let Some(target) = targets.first()
        {
            target.read(session).await?;
        }
        first = false;
        quiet = false;
        watching.begin(&pages.version);
        while let Next::Event(word, value) = watching.next().await? {
            let table = Table::read(value, &resource);
            printer.columns(&resource, &table);
            for row in table.rows {
                match word {
                    "DELETED" => told.forget(&row.object),
                    _ => drop(told.see(&row.object, last_of(&row))),
                }
                printer.emit_event(word, &resource, row, output).await?;
            }
        }
    }
}

/// What is told of an object that went while nobody watched: its cells as they were told last, and of itself who it was.
/// Whole objects are not kept, there may be very many.
fn last_of(row: &Row) -> Row {
    let part = |at: &str| row.object.pointer(at).cloned().unwrap_or_default();
    let mut object = json!({
        "apiVersion": part("/apiVersion"),
        "kind": part("/kind"),
        "metadata": {"name": part("/metadata/name"), "uid": part("/metadata/uid")},
    });
    if let Some(namespace) = row.object.pointer("/metadata/namespace") {
        object["metadata"]["namespace"] = namespace.clone();
    }
    Row {
        object,
        cells: row.cells.clone(),
    }
}
