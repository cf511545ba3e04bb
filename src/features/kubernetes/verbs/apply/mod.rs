//! `kubectl:apply`: manifests become objects, by server-side apply. The plan is the difference that the server itself
//! computes by a dry run.

pub mod difference;

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::common::{NO_KUSTOMIZE, WRITE, declare, record_option};
use super::dry_run::{DryRun, dry_run, on_server_only};
use super::mutation::{self, Draft, Write};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::documents::{self, Document};
use crate::features::kubernetes::error::{
    self, CONFLICT, FORBIDDEN, NOT_FOUND, REFUSED_BY_SERVER, UNKNOWN_TYPE, UNREADABLE, USAGE, usage,
};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::secrecy;
use crate::features::kubernetes::target::{self, Target};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// What the server or we say against one document; anything else (no connection, no login) ends the call.
const PER_OBJECT: [&str; 7] = [
    USAGE,
    UNKNOWN_TYPE,
    CONFLICT,
    NOT_FOUND,
    FORBIDDEN,
    REFUSED_BY_SERVER,
    UNREADABLE,
];

/// Media type of server-side apply; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("apply", "Make objects as manifests say")
        .description(
            "Sends each object of the manifests by server-side apply. The plan shows what would become different, as \
             the server's own dry run says. Without -f the incoming record is the manifest.",
        )
        .permission(WRITE)
        .risk(Risk::Change)
        .without(NO_KUSTOMIZE)
        .without(&[("prune", "nothing is deleted on the side: kubectl:get TYPE -l LABELS shows what is there, kubectl:delete removes it by name")])
        .option(record_option())
        .options(documents::options())
        .options([
            OptionSpec::new("server-side", OptionKind::Bool, "Accepted and without effect: it is always so"),
            OptionSpec::new("force-conflicts", OptionKind::Bool, "Take over fields that somebody else manages"),
            OptionSpec::new("field-manager", OptionKind::String, "Who manages the fields from now on")
                .default("kubectl")
                .value_name("name"),
        ])
        .output("{kind, name, namespace, action, message}, one an object; of a dry run also what differs, before and after.")
        .example("kubectl:apply -f deploy.yaml", "what the file says")
        .example("kubectl:apply -f deploy.yaml --dry-run=server", "what would become different")
        .example("kubectl:get deploy inspector | jq '.spec.replicas = 4 | {apiVersion, kind, metadata: {name: .metadata.name}, spec: {replicas: .spec.replicas}}' | kubectl:apply", "from the pipe");
    Verb::mutate(
        dry_run(declaration),
        Apply {
            clients: clients.clone(),
        },
    )
}

struct Apply {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Apply {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        on_server_only(call)?;
        let documents = documents(call).await?;
        if documents.is_empty() {
            return Err(usage("no objects passed to apply"));
        }
        let session = self.clients.planning(call).await?;
        let (mut changes, mut failures) = (Vec::new(), Vec::new());
        let mut created: Vec<String> = Vec::new();
        let all = documents.len();
        for document in documents {
            match planned(call, &session, &document, &mut created).await {
                Ok(change) => changes.push(change),
                Err(report) if PER_OBJECT.contains(&report.code) => failures.push((document, report)),
                Err(report) => return Err(report),
            }
        }
        refused(failures, all).map_or(Ok(changes), Err)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let view = |live: &Value| difference::at(&change.target.kind, live, &change.before);
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
            .map_err(|report| secrecy::told(&change.target.kind, conflict(report, call)))
    }
}

async fn documents(call: &Call) -> Result<Vec<Document>, Report> {
    if !call.arguments.list("filename").is_empty() {
        return documents::of(call).await;
    }
    let Some(record) = &call.record else {
        return Err(
            usage("must specify one of -f and -k").hint("-f FILE, -f - for standard input, or feed it from a pipe")
        );
    };
    let mut found = Vec::new();
    documents::flatten(object::as_manifest(record.clone()), "STDIN", &mut found)?;
    Ok(found)
}

/// Every document that was refused, with its file and object, and that none of the others was sent. The server's words
/// about a single one stand alone, its place is in the hint.
fn refused(refused: Vec<(Document, Report)>, all: usize) -> Option<Report> {
    let place = |document: &Document| {
        let (kind, name) = (object::text(&document.object, "/kind"), object::name(&document.object));
        format!("{} ({kind} \"{name}\")", document.source)
    };
    let only = match refused.as_slice() {
        [(document, _)] => Some(place(document)),
        _ => None,
    };
    let told = refused.into_iter().map(|(document, mut report)| {
        if only.is_none() {
            report.message = format!("{}: {}", place(&document), report.message);
        }
        report
    });
    let mut report = error::all(told.collect())?;
    let nothing = (all > 1).then(|| format!("nothing was changed: all {all} objects have to pass"));
    let hints: Vec<String> = [nothing, only.map(|place| format!("in {place}")), report.hint.take()]
        .into_iter()
        .flatten()
        .collect();
    report.hint = Some(hints.join("; "));
    Some(report)
}

async fn planned(
    call: &Call,
    session: &Session,
    document: &Document,
    created: &mut Vec<String>,
) -> Result<Change, Report> {
    let generated = object::text(&document.object, "/metadata/generateName");
    if object::name(&document.object).is_empty() && !generated.is_empty() {
        return Err(usage(format!("from {generated}: cannot use generate name with apply")).hint("give it a name"));
    }
    let target = target::of_document(call, session, document).await?;
    if target.resource.kind == "Namespace" {
        created.push(target.name.clone());
    }
    change(call, session, &target, document.object.clone(), created).await
}

/// What applying one document would do, as the server says.
async fn change(
    call: &Call,
    session: &Session,
    target: &Target,
    body: Value,
    created: &[String],
) -> Result<Change, Report> {
    let cluster = &session.cluster;
    let query = Query::new()
        .with(
            "fieldManager",
            call.arguments
                .text("field-manager")
                .unwrap_or_else(|| "kubectl".to_owned()),
        )
        .with("fieldValidation", "Strict")
        .with_some("force", call.arguments.flag("force-conflicts").then_some("true"));
    let live: Option<Value> = match cluster.get(&target.path()).await {
        Ok(live) => Some(live),
        Err(error) if error::code(&error) == Some(404) => None,
        Err(error) => return Err(cluster.report(&error)),
    };
    let path = query.clone().with("dryRun", "All").on(&target.path());
    let wanted = match cluster.write(Method::PATCH, &path, APPLY, &body).await {
        Ok(wanted) => wanted,
        // Its namespace is made by an earlier document of the same call: nothing to ask the server about yet.
        Err(error) if error::code(&error) == Some(404) && created.contains(&target.namespace) => body.clone(),
        Err(error) => {
            return Err(secrecy::told(
                &target.resource.kind,
                conflict(cluster.report(&error), call),
            ));
        }
    };
    let write = Write::Patch {
        subresource: query.on(""),
        media: APPLY.to_owned(),
        body,
    };
    let (action, message) = ("serverside-applied", format!("{} serverside-applied", target.title()));
    if DryRun::of(call).is_some() {
        let (before, after) = match &live {
            Some(live) => difference::between(&target.resource.kind, live, &wanted),
            None => (Value::Null, mutation::essence(&target.resource.kind, &wanted)),
        };
        // The server has tried it just now.
        return Draft::new(call, target, target.title(), before, after).answering(action, message);
    }
    let Some(live) = live else {
        let after = mutation::essence(&target.resource.kind, &wanted);
        let back = Stage::new("kubectl:delete")
            .arg(&target.resource.type_name())
            .arg(&target.name);
        return Draft::new(call, target, format!("create {}", target.title()), Value::Null, after)
            .undone_by(back)
            .sending(write, action, message);
    };
    let (before, after) = difference::between(&target.resource.kind, &live, &wanted);
    let summary = match before.as_object().map_or(0, serde_json::Map::len) {
        0 => format!("apply {}: no difference", target.title()),
        1 => format!("apply {}: 1 field becomes different", target.title()),
        fields => format!("apply {}: {fields} fields become different", target.title()),
    };
    Draft::new(call, target, summary, before, after)
        .of(&live)
        .sending(write, action, message)
}

/// The server's word about fields that others manage, as kubectl begins it, and what can be done.
fn conflict(report: Report, call: &Call) -> Report {
    let words = report.message.strip_prefix("Error from server (Conflict): ");
    match words.filter(|words| words.starts_with("Apply failed")) {
        Some(words) if !call.arguments.flag("force-conflicts") => Report::failed(CONFLICT, words.to_owned())
            .hint("--force-conflicts takes the fields over; or leave them out"),
        _ => report,
    }
}
