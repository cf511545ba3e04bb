//! `kubectl:apply`: manifests become objects, by server-side apply. The plan is the difference that the server itself
//! computes by a dry run.

pub mod difference;
mod documents;

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::common::{WRITE, declare};
use super::mutation::{self, Draft, Write};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{self, CONFLICT, UNKNOWN_TYPE, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{Target, namespace_of};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};
use documents::Document;

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
        .options([
            OptionSpec::new("filename", OptionKind::List, "A file, a folder, an address; - or none: the incoming record")
                .short('f')
                .value_name("file"),
            OptionSpec::new("server-side", OptionKind::Bool, "Accepted and without effect: it is always so"),
            OptionSpec::new("force-conflicts", OptionKind::Bool, "Take over fields that somebody else manages"),
            OptionSpec::new("field-manager", OptionKind::String, "Who manages the fields from now on")
                .default("kubectl")
                .value_name("name"),
            OptionSpec::new("dry-run", OptionKind::Enum(&["none", "server"]), "server: say what would be, change nothing")
                .default("none"),
        ])
        .output("{kind, name, namespace, action, message}, one an object.")
        .example("kubectl:apply -f deploy.yaml", "what the file says")
        .example("kubectl:apply -f deploy.yaml --dry-run=server", "what would become different")
        .example("kubectl:get deploy inspector | jq '.spec.replicas = 4 | {apiVersion, kind, metadata: {name: .metadata.name}, spec: {replicas: .spec.replicas}}' | kubectl:apply", "from the pipe");
    Verb::mutate(
        declaration,
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
        let documents = documents(call).await?;
        if documents.is_empty() {
            return Err(usage("no objects passed to apply"));
        }
        let session = self.clients.planning(call).await?;
        let mut changes = Vec::new();
        let mut created: Vec<String> = Vec::new();
        for document in documents {
            let target = target(call, &session, &document).await?;
            if target.resource.kind == "Namespace" {
                created.push(target.name.clone());
            }
            let change = change(call, &session, &target, document.object, &created).await?;
            if call.arguments.text("dry-run").as_deref() == Some("server") {
                tell(call, &target, &change);
            } else {
                changes.push(change);
            }
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let view = |live: &Value| difference::at(live, &change.before);
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
            .map_err(|report| conflict(report, call))
    }
}

async fn documents(call: &Call) -> Result<Vec<Document>, Report> {
    let sources = call.arguments.list("filename");
    let (piped, named): (Vec<String>, Vec<String>) = sources.into_iter().partition(|source| source == "-");
    let mut found = Vec::new();
    match &call.record {
        Some(record) if !piped.is_empty() || named.is_empty() => {
            documents::flatten(object::as_manifest(record.clone()), "STDIN", &mut found)?;
        }
        None if !piped.is_empty() => return Err(usage("-f - takes a record from the pipe, and nothing comes")),
        None if named.is_empty() => {
            return Err(usage("must specify one of -f and -k").hint("-f FILE, or feed it from a pipe"));
        }
        _ => {}
    }
    found.extend(documents::read(&call.context, &named).await?);
    Ok(found)
}

/// The type, namespace and name of a document.
async fn target(call: &Call, session: &Session, document: &Document) -> Result<Target, Report> {
    let (object, source) = (&document.object, &document.source);
    let (version, kind) = (object::text(object, "/apiVersion"), object::text(object, "/kind"));
    let (own, name) = (object::namespace(object), object::name(object));
    let exact = |discovery: &crate::features::kubernetes::discovery::Discovery| {
        discovery
            .of_kind(Some(version), kind)
            .filter(|resource| resource.api_version() == version)
    };
    let known = exact(&*session.cluster.discovery().await?);
    // The type may have been installed since the server was asked.
    let known = match known {
        Some(resource) => Some(resource),
        None => exact(&*session.cluster.rediscover().await?),
    };
    let Some(resource) = known else {
        return Err(Report::failed(
            UNKNOWN_TYPE,
            format!(
                "resource mapping not found for name: \"{name}\" namespace: \"{own}\" from \"{source}\": no matches for \
                 kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first"
            ),
        ));
    };
    if name.is_empty() {
        return Err(usage("resource name may not be empty"));
    }
    let asked = call.arguments.text("namespace").filter(|name| !name.is_empty());
    if let (true, Some(asked)) = (resource.namespaced, &asked)
        && !own.is_empty()
        && own != asked
    {
        return Err(usage(format!(
            "the namespace from the provided object \"{own}\" does not match the namespace \"{asked}\". You must pass \
             '--namespace={own}' to perform this operation."
        )));
    }
    let namespace = match (resource.namespaced, own) {
        (false, _) => String::new(),
        (true, "") => namespace_of(call, session),
        (true, own) => own.to_owned(),
    };
    Ok(Target {
        resource,
        namespace,
        name: name.to_owned(),
    })
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
        Err(error) => return Err(conflict(cluster.report(&error), call)),
    };
    let write = Write::Patch {
        subresource: query.on(""),
        media: APPLY.to_owned(),
        body,
    };
    let (action, message) = ("serverside-applied", format!("{} serverside-applied", target.title()));
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

/// A dry run says what would be, in notes: nothing changes, so there is no record and no journal entry.
fn tell(call: &Call, target: &Target, change: &Change) {
    let note = |text: &str| call.operator.note(SafeText::line(text));
    note(&format!("{} serverside-applied (server dry run)", target.title()));
    if let (Value::Object(before), Value::Object(after)) = (&change.before, &change.after) {
        for (field, new) in after {
            let old = before.get(field).unwrap_or(&Value::Null);
            note(&format!("  {field}: {old} → {new}"));
        }
    }
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
