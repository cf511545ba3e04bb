//! `kubectl:events`: what happened, oldest first.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::common::{READ, all_namespaces_option, declare, header, no_headers_option, until_stopped};
use super::completer::Names;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::describe::{happened, interval};
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::object::{self, text};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target, namespace_of};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb, View};

/// The verb.
pub fn verb(clients: &Arc<Clients>, clock: &Clock) -> Verb {
    let declaration = declare("events", "Show what happened")
        .permission(READ)
        .options([
            all_namespaces_option(),
            OptionSpec::new(
                "for",
                OptionKind::String,
                "Only events about this object; an incoming object means the same",
            )
            .value_name("type/name"),
            OptionSpec::new("types", OptionKind::List, "Only events of these types: Normal, Warning")
                .value_name("types"),
            no_headers_option(),
        ])
        .output("The event as the API gives it, oldest first.")
        .example("kubectl:events --types=Warning", "what went wrong in the namespace")
        .example(
            "kubectl:events --for deploy/inspector",
            "what happened to one deployment",
        )
        .example("kubectl:get pods | kubectl:events", "to each of these pods");
    Verb::read(
        declaration,
        Events {
            clients: clients.clone(),
            clock: clock.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Events {
    clients: Arc<Clients>,
    clock: Clock,
}

#[async_trait]
impl Read for Events {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.show(call, output)).await
    }
}

impl Events {
    async fn show(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let types = types(&call.arguments.list("types"))?;
        let session = self.clients.session(&call.context).await?;
        let about = about(call, &session).await?;
        let everywhere = call.arguments.flag("all-namespaces");
        let namespace = match &about {
            Some(target) if !target.namespace.is_empty() => target.namespace.clone(),
            _ => namespace_of(call, &session),
        };
        let query = match &about {
            None => Query::new(),
            Some(target) => Query::new().with(
                "fieldSelector",
                format!(
                    "involvedObject.kind={},involvedObject.name={}",
                    target.resource.kind, target.name
                ),
            ),
        };
        // A cluster's own object has its events in the namespace `default` or in none: they are looked for everywhere.
        let own = about.as_ref().is_some_and(|target| target.namespace.is_empty());
        let resource = session.cluster.discovery().await?.find("events")?;
        let path = resource.collection((!everywhere && !own).then_some(namespace.as_str()));
        let mut found = target::list(&session, &path, &query).await?;
        found.retain(|event| {
            types.is_empty() || types.iter().any(|kind| text(event, "/type").eq_ignore_ascii_case(kind))
        });
        found.sort_by_key(happened);
        if found.is_empty() {
            let words = if everywhere {
                "No events found.".to_owned()
            } else {
                format!("No events found in {namespace} namespace.")
            };
            call.operator.note(SafeText::line(&words));
            return Ok(());
        }
        let columns = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        let header = header(call, columns.into_iter().skip(usize::from(!everywhere)));
        for event in found {
            let event = object::cleaned(event, "v1", "Event");
            let cells = self.cells(&event, everywhere);
            output.emit_as(event, View::row(&header, cells)).await?;
        }
        Ok(())
    }

    fn cells(&self, event: &Value, everywhere: bool) -> Vec<String> {
        let mut cells = Vec::new();
        if everywhere {
            cells.push(object::namespace(event).to_owned());
        }
        let object = format!(
            "{}/{}",
            text(event, "/involvedObject/kind"),
            text(event, "/involvedObject/name")
        );
        cells.extend([
            interval(event, self.clock.now()),
            text(event, "/type").to_owned(),
            text(event, "/reason").to_owned(),
            object,
            text(event, "/message").trim().to_owned(),
        ]);
        cells
    }
}

fn types(given: &[String]) -> Result<Vec<String>, Report> {
    match given.iter().find(|kind| {
        !["Normal", "Warning"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(kind))
    }) {
        Some(_) => Err(usage("valid --types are Normal or Warning")),
        None => Ok(given.to_vec()),
    }
}

/// The object the events shall be about: of `--for`, or the incoming one.
async fn about(call: &Call, session: &Session) -> Result<Option<Target>, Report> {
    let words: Vec<String> = call.arguments.text("for").into_iter().collect();
    if words.iter().any(|word| !word.contains('/')) {
        return Err(usage("--for must be in resource/name form"));
    }
    if words.is_empty() && call.record.is_none() {
        return Ok(None);
    }
    match target::selection(call, session, &words).await? {
        Selection::Named(targets) => Ok(targets.into_iter().next()),
        Selection::Listed { .. } => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known() {
        assert!(types(&["warning".into(), "Normal".into()]).is_ok());
        assert!(types(&["Foo".into()]).is_err());
    }
}
