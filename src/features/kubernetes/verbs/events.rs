//! `kubectl:events`: what happened, oldest first.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::common::{READ, all_namespaces_option, declare, header, no_headers_option, until_stopped};
use super::completer::Names;
use super::get::print::{Format, Printer, list_of};
use super::get::table::Row;
use super::patience::Answer;
use super::watching::{News, Next, Told, Watching};
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::describe::{happened, interval};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::listing::Listing;
use crate::features::kubernetes::object::{self, text};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target, namespace_of};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Header, Input, Output, Read, Verb, View};

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
            OptionSpec::new("watch", OptionKind::Bool, "Go on with every event until cancelled").short('w'),
            OptionSpec::new(
                "output",
                OptionKind::String,
                "json, yaml, name, jsonpath=TEMPLATE; a table when not given",
            )
            .short('o')
            .value_name("format"),
            no_headers_option(),
        ])
        .following(&["watch"])
        .output("The event as the API gives it, oldest first.")
        .example("kubectl:events --types=Warning", "what went wrong in the namespace")
        .example(
            "kubectl:events --for deploy/inspector",
            "what happened to one deployment",
        )
        .example("kubectl:events -w", "from now on too")
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
        let wanted = |event: &Value| {
            types.is_empty() || types.iter().any(|kind| text(event, "/type").eq_ignore_ascii_case(kind))
        };
        let watching = call.arguments.flag("watch");
        let mut shown = Shown::new(call, &resource, everywhere).await?;
        let sorted = |found: Listing| {
            let mut events = found.items;
            events.retain(wanted);
            events.sort_by_key(happened);
            (found.version, events)
        };
        let (mut version, mut found) = sorted(Listing::whole(&session, &path, &query).await?);
        if !watching && shown.printer.as_ref().is_some_and(Printer::gathers) {
            let items = found.into_iter().map(|event| object::cleaned(event, "v1", "Event"));
            return shown.all(items.collect(), output).await;
        }
        if found.is_empty() && !watching {
            let words = if everywhere {
                "No events found.".to_owned()
            } else {
                format!("No events found in {namespace} namespace.")
            };
            call.operator.note(SafeText::line(&words));
            return Ok(());
        }
        let mut watching = watching.then(|| Watching::new(call, &session, &path, &query, JSON));
        let mut told = Told::default();
        loop {
            told.begin_list();
            for event in found {
                if told.see(&event, ()) != News::Known {
                    self.one(event, &mut shown, output).await?;
                }
            }
            told.end_list();
            let Some(watching) = &mut watching else {
                return Ok(());
            };
            watching.begin(&version);
            while let Next::Event(word, event) = watching.next().await? {
                match word {
                    "DELETED" => told.forget(&event),
                    _ if wanted(&event) && told.see(&event, ()) != News::Known => {
                        self.one(event, &mut shown, output).await?;
                    }
                    _ => {}
                }
            }
            let mut again = Listing::default();
            while again.more {
                if let Answer::Expired = watching.ask(again.page(&session, &path, &query)).await? {
                    again = Listing::default();
                }
            }
            (version, found) = sorted(again);
        }
    }

    async fn one(&self, event: Value, shown: &mut Shown, output: &Output) -> Result<(), Report> {
        let event = object::cleaned(event, "v1", "Event");
        if let Some(printer) = &mut shown.printer {
            let row = Row {
                object: event,
                cells: Vec::new(),
            };
            return printer.emit(&shown.resource, row, output).await;
        }
        let cells = self.cells(&event, shown.everywhere);
        output.emit_as(event, View::row(&shown.header, cells)).await
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

/// How events are shown: as rows, or as `-o` says.
struct Shown {
    header: Arc<Header>,
    everywhere: bool,
    resource: Arc<Resource>,
    printer: Option<Printer>,
}

impl Shown {
    async fn new(call: &Call, resource: &Arc<Resource>, everywhere: bool) -> Result<Self, Report> {
        let columns = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        let format = Format::parse(call.arguments.text("output").as_deref()).await?;
        let selection = Selection::Listed {
            resources: vec![resource.clone()],
            namespace: None,
        };
        Ok(Shown {
            header: header(call, columns.into_iter().skip(usize::from(!everywhere))),
            everywhere,
            resource: resource.clone(),
            printer: (!matches!(format, Format::Table | Format::Wide)).then(|| Printer::new(call, format, &selection)),
        })
    }

    /// All events as one list, for a format that wants it.
    async fn all(&mut self, items: Vec<Value>, output: &Output) -> Result<(), Report> {
        match &mut self.printer {
            Some(printer) => printer.emit_all(list_of(items), output).await,
            None => Ok(()),
        }
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
