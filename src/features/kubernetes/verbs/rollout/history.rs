//! `kubectl:rollout-history`: the revisions of a deployment, as its replica sets remember them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{NOT_FOUND, usage};
use crate::features::kubernetes::object::{self, CHANGE_CAUSE, REVISION};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{READ, declare, more_names, types_or_objects, until_stopped};
use crate::features::kubernetes::verbs::completer::Names;
use crate::render::Header;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb, View};

/// A revision of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// Why it came about, `<none>` when nobody said.
    pub cause: String,
    /// The replica set that holds its template.
    pub replica_set: Value,
}

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-history", "Show the revisions of a deployment")
        .permission(READ)
        .positional(types_or_objects("Whose history, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .option(OptionSpec::new("revision", OptionKind::Int, "Show this revision's pod template").value_name("number"))
        .output("{kind, name, namespace, revision, change_cause, images, replica_set}, one a revision; with --revision its pod template.")
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
        let session = self.clients.session(&call.context).await?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        for (target, live) in target::objects(call, &session, selection).await? {
            only_deployments(&target, "history")?;
            let revisions = revisions(&session, &live).await?;
            match call.arguments.int("revision").filter(|number| *number != 0) {
                None => table(&target, &revisions, output).await?,
                Some(number) => template(&target, &revisions, number, output).await?,
            }
        }
        Ok(())
    }
}

async fn table(target: &Target, revisions: &[Revision], output: &Output) -> Result<(), Report> {
    let header = Arc::new(Header {
        columns: vec!["REVISION".to_owned(), "CHANGE-CAUSE".to_owned()],
        title: Some(target.title()),
    });
    for revision in revisions {
        let spec = revision
            .replica_set
            .pointer("/spec/template/spec")
            .cloned()
            .unwrap_or_default();
        let record = json!({
            "kind": target.resource.kind,
            "name": target.name,
            "namespace": target.namespace,
            "revision": revision.number,
            "change_cause": object::annotation(&revision.replica_set, CHANGE_CAUSE),
            "images": object::images(&spec),
            "replica_set": object::name(&revision.replica_set),
        });
        let cells = vec![revision.number.to_string(), revision.cause.clone()];
        output.emit_as(record, View::row(&header, cells)).await?;
    }
    Ok(())
}

async fn template(target: &Target, revisions: &[Revision], number: i64, output: &Output) -> Result<(), Report> {
    let Some(revision) = revisions.iter().find(|revision| revision.number == number) else {
        return Err(
            Report::failed(NOT_FOUND, format!("unable to find the specified revision {number}"))
                .hint(format!("there are: {}", numbers(revisions))),
        );
    };
    let template = revision
        .replica_set
        .pointer("/spec/template")
        .cloned()
        .unwrap_or_default();
    let text = format!(
        "{} with revision #{number}\n{}",
        target.title(),
        crate::features::kubernetes::describe::pod_template(&template, Some(&revision.cause))
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

/// Refuses what keeps no revisions we can read yet.
pub fn only_deployments(target: &Target, what: &str) -> Result<(), Report> {
    match target.resource.kind.as_str() {
        "Deployment" => Ok(()),
        kind => Err(usage(format!("no {what} viewer has been implemented for \"{kind}\"")).hint("name a deployment")),
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
    revisions(session, &target.read(session).await?).await
}

/// The revisions of a deployment, oldest first: its own replica sets that carry a number.
pub async fn revisions(session: &Session, deployment: &Value) -> Result<Vec<Revision>, Report> {
    Ok(numbered(deployment, replica_sets(session, deployment).await?))
}

/// The replica sets a deployment owns.
pub async fn replica_sets(session: &Session, deployment: &Value) -> Result<Vec<Value>, Report> {
    let resource = session.cluster.discovery().await?.find("replicasets.apps")?;
    let selector = object::selector_query(deployment.pointer("/spec/selector").unwrap_or(&Value::Null));
    let query = Query::new().with_some("labelSelector", Some(selector));
    let mut found = target::list(
        session,
        &resource.collection(Some(object::namespace(deployment))),
        &query,
    )
    .await?;
    found.retain(|set| {
        object::controller(set).is_some_and(|owner| object::text(owner, "/uid") == object::uid(deployment))
    });
    Ok(found)
}

fn numbered(deployment: &Value, sets: Vec<Value>) -> Vec<Revision> {
    let mut revisions: Vec<Revision> = sets
        .into_iter()
        .filter(|set| {
            object::controller(set).is_none_or(|owner| object::text(owner, "/uid") == object::uid(deployment))
        })
        .filter_map(|set| {
            let number = object::annotation(&set, REVISION)?.parse().ok()?;
            let cause = object::annotation(&set, CHANGE_CAUSE)
                .filter(|cause| !cause.is_empty())
                .unwrap_or("<none>")
                .to_owned();
            Some(Revision {
                number,
                cause,
                replica_set: set,
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
