//! `kubectl:describe`: an object with what belongs to it, as text. The record stays the object.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::common::{
    READ, all_namespaces_option, declare, more_names, selector_option, types_or_objects, until_stopped,
};
use super::completer::Names;
use super::rollout::history::replica_sets;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::describe::{Related, about, describe};
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{self, NOT_FOUND};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::render::View;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>, clock: &Clock) -> Verb {
    let declaration = declare("describe", "Show an object with what belongs to it")
        .permission(READ)
        .positional(types_or_objects("What to describe, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options(documents::options())
        .options([
            selector_option(),
            all_namespaces_option(),
            OptionSpec::new("show-events", OptionKind::Bool, "Tell the object's events too").default("true"),
        ])
        .output("The object as the API gives it; rendered as kubectl's text.")
        .page()
        .notes("A name that no object has matches every object whose name begins with it.")
        .example(
            "kubectl:describe deploy inspector",
            "one deployment, its replica sets and events",
        )
        .example(
            "kubectl:get deploy | kubectl:describe",
            "each object that comes down the pipe",
        );
    Verb::read(
        declaration,
        Describe {
            clients: clients.clone(),
            clock: clock.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Describe {
    clients: Arc<Clients>,
    clock: Clock,
}

#[async_trait]
impl Read for Describe {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.all(call, output)).await
    }
}

impl Describe {
    async fn all(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let session = self.clients.session(&call.context).await?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        let place = match &selection {
            Selection::Listed {
                resources,
                namespace: Some(namespace),
            } if resources.iter().any(|one| one.namespaced) => {
                format!(" in {namespace} namespace.")
            }
            _ => String::new(),
        };
        let mut told = 0usize;
        let (found, missing) = find(call, &session, selection).await?;
        for (target, live) in found {
            let related = self.related(call, &session, &target, &live).await?;
            let text = describe(&live, &related);
            // kubectl leaves two empty lines between descriptions.
            let text = if told == 0 { text } else { format!("\n\n{text}") };
            told += 1;
            output.emit_as(live, View::Text(text)).await?;
        }
        if let Some(report) = error::all(missing) {
            return Err(report);
        }
        if told == 0 {
            call.operator
                .note(SafeText::line(&format!("No resources found{place}")));
        }
        Ok(())
    }

    async fn related(&self, call: &Call, session: &Session, target: &Target, live: &Value) -> Result<Related, Report> {
        let mut related = Related {
            now: self.clock.now(),
            ..Related::default()
        };
        if call
            .arguments
            .options
            .get("show-events")
            .and_then(Value::as_bool)
            .unwrap_or(true)
        {
            related.events = events(session, target, live).await;
        }
        match target.resource.kind.as_str() {
            "Deployment" => related.replica_sets = replica_sets(session, live).await?,
            "ReplicaSet" => related.pods = pods(session, target, live).await?,
            "Node" => {
                let query = Query::new().with("fieldSelector", format!("spec.nodeName={}", target.name));
                let mut found = list(session, "pods", None, &query).await?;
                found.retain(|pod| !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed"));
                related.pods = found;
                related.lease = Some(lease(session, &target.name).await);
            }
            "Namespace" => {
                let inside = Some(target.name.as_str());
                related.quotas = list(session, "resourcequotas", inside, &Query::new())
                    .await
                    .unwrap_or_default();
                related.limit_ranges = list(session, "limitranges", inside, &Query::new())
                    .await
                    .unwrap_or_default();
            }
            "Service" => {
                let query = Query::new().with("labelSelector", format!("kubernetes.io/service-name={}", target.name));
                related.slices = list(
                    session,
                    "endpointslices.discovery.k8s.io",
                    Some(&target.namespace),
                    &query,
                )
                .await?;
            }
            _ => {}
        }
        Ok(related)
    }
}

async fn list(session: &Session, kind: &str, namespace: Option<&str>, query: &Query) -> Result<Vec<Value>, Report> {
    let resource = session.cluster.discovery().await?.find(kind)?;
    listing::list(session, &resource.collection(namespace), query).await
}

async fn pods(session: &Session, target: &Target, live: &Value) -> Result<Vec<Value>, Report> {
    let selector = object::selector_query(&live["spec"]["selector"]);
    let query = Query::new().with_some("labelSelector", Some(selector));
    let mut found = list(session, "pods", Some(&target.namespace), &query).await?;
    found.retain(|pod| object::controller(pod).is_some_and(|owner| object::text(owner, "/uid") == object::uid(live)));
    Ok(found)
}

/// Events about the object. Without the right to see events the description goes without them, as in kubectl.
async fn events(session: &Session, target: &Target, live: &Value) -> Option<Vec<Value>> {
    let namespace = Some(target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let query = Query::new().with("fieldSelector", format!("involvedObject.name={}", target.name));
    let found = list(session, "events", namespace, &query).await.ok()?;
    let mut told = about(found.clone(), object::uid(live));
    if target.resource.kind == "Node" {
        // The kubelet names its node by its name in place of a uid.
        told.extend(about(found, &target.name));
    }
    Some(told)
}

/// The lease of a node, or why there is none to tell.
async fn lease(session: &Session, node: &str) -> Result<Value, String> {
    let discovery = session.cluster.discovery().await.map_err(|report| report.message)?;
    let resource = discovery
        .find("leases.coordination.k8s.io")
        .map_err(|report| report.message)?;
    let found = session.cluster.get(&resource.object("kube-node-lease", node)).await;
    found.map_err(|error| match error {
        kube::Error::Api(status) => status.message,
        other => session.cluster.report(&other).message,
    })
}

type Found = (Vec<(Target, Value)>, Vec<Report>);

/// The objects, and what is said about those that are missing; a name that does not exist matches by its beginning.
async fn find(call: &Call, session: &Session, selection: Selection) -> Result<Found, Report> {
    let Selection::Named(targets) = selection else {
        return Ok((target::objects(call, session, selection).await?, Vec::new()));
    };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for wanted in targets {
        match wanted.read(session).await {
            Ok(live) => found.push((wanted, live)),
            Err(report) if report.code == NOT_FOUND => {
                let matching = by_prefix(call, session, &wanted).await?;
                if matching.is_empty() {
                    missing.push(report);
                }
                found.extend(matching);
            }
            Err(report) => return Err(report),
        }
    }
    Ok((found, missing))
}

async fn by_prefix(call: &Call, session: &Session, wanted: &Target) -> Result<Vec<(Target, Value)>, Report> {
    let namespace = Some(wanted.namespace.clone()).filter(|namespace| !namespace.is_empty());
    let all = Selection::Listed {
        resources: vec![wanted.resource.clone()],
        namespace,
    };
    let mut found = target::objects(call, session, all).await?;
    found.retain(|(target, _)| target.name.starts_with(&wanted.name));
    Ok(found)
}
