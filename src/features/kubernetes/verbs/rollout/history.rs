//! `kubectl:rollout-history`: the revisions of a deployment, as its replica sets remember them, or of a stateful or daemon
//! set, as its ControllerRevisions do.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{NOT_FOUND, usage};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::object::{self, CHANGE_CAUSE, REVISION};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{READ, declare, more_names, types_or_objects, until_stopped};
use crate::features::kubernetes::verbs::completer::Names;
use crate::render::Header;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb, View};

/// A revision of a deployment, daemon set or stateful set.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// Why it came about, `<none>` when nobody said.
    pub cause: String,
    /// The replica set or ControllerRevision that keeps it.
    pub holder: Value,
    /// Its pod template.
    pub template: Value,
}

/// Instead of other formats.
const RECORDS: &str = "its records hold revision, cause, images and holder: | jq '.revision', or run -o json";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-history", "Show the revisions of a deployment, daemon set or stateful set")
        .permission(READ)
        .without(&[("o", RECORDS), ("output", RECORDS)])
        .positional(types_or_objects("Whose history, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .option(OptionSpec::new("revision", OptionKind::Int, "Show this revision's pod template").value_name("number"))
        .output("{kind, name, namespace, revision, change_cause, images, replica_set}, one a revision (controller_revision for daemon and stateful sets); with --revision its pod template.")
        .example("kubectl:rollout history deploy/inspector", "which revisions can be gone back to");
    Verb::read(
        declaration,
        History {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct History {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for History {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.show(call, output)).await
    }
}

impl History {
    async fn show(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let wanted = call.arguments.int("revision").filter(|number| *number != 0);
        if let Some(number) = wanted.filter(|number| *number < 0) {
            return Err(usage(format!("revision must be a positive integer: {number}")));
        }
        let session = self.clients.session(&call.context).await?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        for (target, live) in target::objects(call, &session, selection).await? {
            only_with_revisions(&target, "history")?;
            let revisions = revisions(&session, &target, &live).await?;
            match wanted {
                None => table(&target, &revisions, output).await?,
                Some(number) => template(&target, &revisions, number, output).await?,
            }
        }
        Ok(())
    }
}

async fn table(target: &Target, revisions: &[Revision], output: &Output) -> Result<(), Report> {
    if revisions.is_empty() {
        let text = format!("{}\nNo rollout history found.", target.title());
        let record = json!({"kind": target.resource.kind, "name": target.name, "namespace": target.namespace});
        return output.emit_as(record, View::Text(text)).await;
    }
    let kept_by = match target.resource.kind.as_str() {
        "Deployment" => "replica_set",
        _ => "controller_revision",
    };
    let header = Arc::new(Header {
        columns: vec!["REVISION".to_owned(), "CHANGE-CAUSE".to_owned()],
        title: Some(target.title()),
    });
    for revision in revisions {
        let spec = revision.template.get("spec").cloned().unwrap_or_default();
        let record = json!({
            "kind": target.resource.kind,
            "name": target.name,
            "namespace": target.namespace,
            "revision": revision.number,
            "change_cause": object::annotation(&revision.holder, CHANGE_CAUSE),
            "images": object::images(&spec),
            kept_by: object::name(&revision.holder),
        });
        let cells = vec![revision.number.to_string(), revision.cause.clone()];
        output.emit_as(record, View::row(&header, cells)).await?;
    }
    Ok(())
}

async fn template(target: &Target, revisions: &[Revision], number: i64, output: &Output) -> Result<(), Report> {
    let Some(revision) = revisions.iter().find(|revision| revision.number == number) else {
        let what = "unable to find the specified revision";
        return Err(Report::failed(NOT_FOUND, what).hint(format!("there are: {}", numbers(revisions))));
    };
    let template = revision.template.clone();
    let cause = (target.resource.kind == "Deployment").then_some(revision.cause.as_str());
    let text = format!(
        "{} with revision #{number}\n{}",
        target.title(),
        crate::features::kubernetes::describe::pod_template(&template, cause)
    );
    output.emit_as(template, View::Text(text)).await
}

/// `1, 2, 4`.
pub fn numbers(revisions: &[Revision]) -> String {
    revisions
        .iter()
        .map(|revision| revision.number.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Refuses what keeps no revisions; `what` is kubectl's word for who would read them.
pub fn only_with_revisions(target: &Target, what: &str) -> Result<(), Report> {
    match target.resource.kind.as_str() {
        "Deployment" | "DaemonSet" | "StatefulSet" => Ok(()),
        kind => {
            let group = &target.resource.group;
            let qualified = [kind, group].join(".");
            let qualified = qualified.trim_end_matches('.');
            let message =
                format!("error retrieving {what} for \"{qualified}\", no visitor method exists for {{{group} {kind}}}");
            Err(usage(message).hint("name a deployment, a daemon set or a stateful set"))
        }
    }
}

/// The revisions of the deployment of this name, oldest first.
pub async fn revisions_of(session: &Session, namespace: &str, name: &str) -> Result<Vec<Revision>, Report> {
    let resource = session.cluster.discovery().await?.find("deployments.apps")?;
    let target = Target {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let live = target.read(session).await?;
    revisions(session, &target, &live).await
}

/// The revisions of an object, oldest first: those of its own replica sets or ControllerRevisions that carry a number.
pub async fn revisions(session: &Session, target: &Target, live: &Value) -> Result<Vec<Revision>, Report> {
    let holders = match target.resource.kind.as_str() {
        "Deployment" => replica_sets(session, live).await?,
        _ => controller_revisions(session, live).await?,
    };
    Ok(numbered(live, holders))
}

/// The replica sets a deployment owns.
pub async fn replica_sets(session: &Session, deployment: &Value) -> Result<Vec<Value>, Report> {
    owned(session, "replicasets.apps", deployment).await
}

/// The ControllerRevisions a daemon or stateful set owns.
pub async fn controller_revisions(session: &Session, set: &Value) -> Result<Vec<Value>, Report> {
    owned(session, "controllerrevisions.apps", set).await
}

async fn owned(session: &Session, resource: &str, owner: &Value) -> Result<Vec<Value>, Report> {
    let resource = session.cluster.discovery().await?.find(resource)?;
    let selector = object::selector_query(owner.pointer("/spec/selector").unwrap_or(&Value::Null));
    let query = Query::new().with_some("labelSelector", Some(selector));
    let mut found = listing::list(session, &resource.collection(Some(object::namespace(owner))), &query).await?;
    found.retain(|object| {
        object::controller(object).is_some_and(|found| object::text(found, "/uid") == object::uid(owner))
    });
    Ok(found)
}

/// The number of a holder: a ControllerRevision has a field for it, a replica set an annotation.
fn number(holder: &Value) -> Option<i64> {
    holder
        .get("revision")
        .and_then(Value::as_i64)
        .or_else(|| object::annotation(holder, REVISION)?.parse().ok())
}

/// The pod template a holder keeps. A ControllerRevision keeps it as a patch, with a mark that says so.
fn kept_template(holder: &Value) -> Value {
    let at = ["/spec/template", "/data/spec/template"];
    let mut template = at.iter().find_map(|at| holder.pointer(at)).cloned().unwrap_or_default();
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    template
}

fn numbered(owner: &Value, holders: Vec<Value>) -> Vec<Revision> {
    let mut revisions: Vec<Revision> = holders
        .into_iter()
        .filter(|holder| {
            object::controller(holder).is_none_or(|found| object::text(found, "/uid") == object::uid(owner))
        })
        .filter_map(|holder| {
            let number = number(&holder)?;
            let cause = object::annotation(&holder, CHANGE_CAUSE)
                .filter(|cause| !cause.is_empty())
                .unwrap_or("<none>")
                .to_owned();
            Some(Revision {
                number,
                cause,
                template: kept_template(&holder),
                holder,
            })
        })
        .collect();
    revisions.sort_by_key(|revision| revision.number);
    revisions
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A replica set of the deployment with uid `d`.
    pub(crate) fn set(name: &str, revision: &str, image: &str) -> Value {
        json!({"metadata": {"name": name, "annotations": {REVISION: revision},
            "ownerReferences": [{"uid": "d", "controller": true}]},
            "spec": {"template": {"metadata": {"labels": {"run": "web", "pod-template-hash": name}},
                "spec": {"containers": [{"name": "web", "image": image}]}}}})
    }

    #[test]
    fn a_controller_revision_gives_its_template_without_the_mark() {
        let holder = json!({"metadata": {"name": "agent-x"}, "revision": 4,
            "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}}});
        let found = numbered(&json!({}), vec![holder]);
        assert_eq!(
            (found[0].number, &found[0].template),
            (4, &json!({"spec": {"containers": []}}))
        );
    }

    #[test]
    fn revisions_sort_by_number_and_strangers_are_left_out() {
        let deployment = json!({"metadata": {"uid": "d"}});
        let mut stranger = set("x", "7", "i");
        stranger["metadata"]["ownerReferences"][0]["uid"] = json!("other");
        let mut unnumbered = set("y", "7", "i");
        unnumbered["metadata"]["annotations"] = json!({});
        let found = numbered(
            &deployment,
            vec![set("b", "10", "i:2"), set("a", "9", "i:1"), stranger, unnumbered],
        );
        assert_eq!(numbers(&found), "9, 10");
        assert_eq!(found[0].cause, "<none>");
    }
}
