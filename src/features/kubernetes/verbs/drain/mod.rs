//! `kubectl:drain`: closes a node and evicts its pods, as far as disruption budgets let them go.

mod pods;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{StreamExt, iter};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::common::{ADMIN, declare, say, selector_option, sentence};
use super::completer::Names;
use super::cordon;
use super::mutation::{Draft, MOVED, Write};
use crate::core::change::{Change, Inverse, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, JSON, MERGE_PATCH, Session};
use crate::features::kubernetes::error::{self, CONFLICT, NOT_REACHED};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::object::{self, text};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::Target;
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};
use pods::Allowed;

/// Evictions under way at once.
const AT_ONCE: usize = 16;
/// Before an eviction that a budget refused is tried again, as in kubectl.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two looks whether a pod is gone.
const LOOK: Duration = Duration::from_millis(250);

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("drain", "Close a node and send its pods away")
        .permission(ADMIN)
        .risk(Risk::Destroy)
        .positional(cordon::node_names())
        .options([
            selector_option(),
            OptionSpec::new(
                "ignore-daemonsets",
                OptionKind::Bool,
                "Leave the pods of daemon sets where they are",
            ),
            OptionSpec::new(
                "delete-emptydir-data",
                OptionKind::Bool,
                "Go on although pods lose what they keep in an emptyDir",
            ),
            OptionSpec::new("force", OptionKind::Bool, "Go on although nobody makes some pods again"),
            OptionSpec::new(
                "grace-period",
                OptionKind::Int,
                "Seconds a pod gets to end; below 0: what it says itself",
            )
            .default("-1")
            .value_name("seconds"),
            OptionSpec::new("timeout", OptionKind::Duration, "Longest wait; 0: no limit").default("0"),
            OptionSpec::new("pod-selector", OptionKind::String, "Only pods with these labels").value_name("selector"),
            OptionSpec::new(
                "disable-eviction",
                OptionKind::Bool,
                "Delete the pods, which no disruption budget holds up",
            ),
        ])
        .output("{kind, name, namespace, action, message}: the node, each pod, the node again.")
        .notes("The plan names every pod. A pod that a disruption budget holds is tried again every 5 seconds.")
        .example(
            "kubectl:drain ip-172-20-77-209 --ignore-daemonsets",
            "before maintenance",
        );
    Verb::mutate(
        declaration,
        Drain {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of_type(clients, "nodes"))
}

struct Drain {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Drain {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let flag = |name: &str| call.arguments.flag(name);
        let allowed = Allowed {
            ignore_daemon_sets: flag("ignore-daemonsets"),
            delete_empty_dir: flag("delete-emptydir-data"),
            force: flag("force"),
        };
        let mut changes = Vec::new();
        for (target, live) in cordon::nodes(call, &session).await? {
            let sorted = pods::sort(pods_on(call, &session, &target.name).await?, allowed);
            if !sorted.refusals.is_empty() {
                let name = &target.name;
                let why = sorted.refusals.join(", ");
                return Err(
                    Report::failed(CONFLICT, format!("unable to drain node \"{name}\" due to error: {why}"))
                        .hint("nothing was evicted, and the node is as it was"),
                );
            }
            for warning in &sorted.warnings {
                call.operator.note(SafeText::line(&format!("Warning: {warning}")));
            }
            changes.push(change(call, &target, &live, &sorted.evicted)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let session = self.clients.planned(call).await?;
        let node = Target {
            resource: session.cluster.discovery().await?.find("nodes")?,
            namespace: String::new(),
            name: change.target.name.clone(),
        };
        close(&session, &node, change, output).await?;
        let limit = call.arguments.duration("timeout").filter(|limit| !limit.is_zero());
        let work = Evictions {
            call,
            session: &session,
            output,
            until: limit.map(|limit| Instant::now() + limit),
        };
        let planned: Vec<Value> = object::list(&change.before, "/pods").to_vec();
        let evictions: Vec<_> = planned.into_iter().map(|pod| work.one(pod)).collect();
        let done: Vec<Result<(), Report>> = iter(evictions).buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect::<Result<Vec<()>, Report>>()?;
        say(output, sentence(&node, "drained", &format!("{} drained", node.title()))).await
    }
}

/// All pods on a node, or those that `--pod-selector` takes.
async fn pods_on(call: &Call, session: &Session, node: &str) -> Result<Vec<Value>, Report> {
    let resource = session.cluster.discovery().await?.find("pods")?;
    let query = Query::new()
        .with("fieldSelector", format!("spec.nodeName={node}"))
        .with_some("labelSelector", call.arguments.text("pod-selector"));
    let mut found = listing::list(session, &resource.collection(None), &query).await?;
    found.sort_by(|a, b| (object::namespace(a), object::name(a)).cmp(&(object::namespace(b), object::name(b))));
    Ok(found)
}

fn change(call: &Call, target: &Target, live: &Value, evicted: &[Value]) -> Result<Change, Report> {
    let mut before = cordon::view(live);
    before["pods"] = evicted.iter().map(pods::slip).collect();
    let after = json!({"unschedulable": true, "pods": []});
    let names: Vec<&str> = evicted.iter().map(object::name).collect();
    let (word, past) = match call.arguments.flag("disable-eviction") {
        true => ("delete", ", past their disruption budgets"),
        false => ("evict", ""),
    };
    let summary = match names.len() {
        0 => format!("drain {}: no pods to {word}", target.title()),
        1 => format!("drain {}: {word} 1 pod{past}: {}", target.title(), names.concat()),
        several => format!(
            "drain {}: {word} {several} pods{past}: {}",
            target.title(),
            names.join(", ")
        ),
    };
    let write = Write::Patch {
        subresource: String::new(),
        media: MERGE_PATCH.to_owned(),
        body: json!({"spec": {"unschedulable": true}}),
    };
    let mut change = Draft::new(call, target, summary, before, after)
        .of(live)
        .risk(Risk::Destroy)
        .sending(write, "drained", format!("{} drained", target.title()))?;
    // What comes back is the node; the pods live elsewhere by then. One that was closed before stays so: nothing comes back.
    if cordon::view(live) == json!({"unschedulable": false}) {
        change.inverse = Some(Inverse {
            pipeline: crate::lang::print(&Stage::new("kubectl:uncordon").arg(&target.name)),
            expects: json!({"unschedulable": true}),
        });
    }
    Ok(change)
}

/// Closes the node, unless it is closed already.
async fn close(session: &Session, node: &Target, change: &Change, output: &Output) -> Result<(), Report> {
    let live = node.read(session).await?;
    if change.precondition["uid"].as_str() != Some(object::uid(&live)) {
        return Err(
            Report::refused(MOVED, format!("{} was made anew since the plan", node.title()))
                .hint("look again and repeat the command"),
        );
    }
    let (action, message) = if cordon::view(&live) == json!({"unschedulable": true}) {
        ("cordoned", format!("{} already cordoned", node.title()))
    } else {
        let body = json!({"spec": {"unschedulable": true}});
        session
            .cluster
            .write(Method::PATCH, &node.path(), MERGE_PATCH, &body)
            .await
            .map_err(|error| session.cluster.report(&error))?;
        ("cordoned", format!("{} cordoned", node.title()))
    };
    say(output, sentence(node, action, &message)).await
}

struct Evictions<'a> {
    call: &'a Call,
    session: &'a Session,
    output: &'a Output,
    until: Option<Instant>,
}

impl Evictions<'_> {
    /// Evicts one pod and waits until it is gone.
    async fn one(&self, planned: Value) -> Result<(), Report> {
        let pod = Target {
            resource: self.session.cluster.discovery().await?.find("pods")?,
            namespace: text(&planned, "/namespace").to_owned(),
            name: text(&planned, "/name").to_owned(),
        };
        let deletes = self.call.arguments.flag("disable-eviction");
        let (doing, done) = if deletes {
            ("deleting", "deleted")
        } else {
            ("evicting", "evicted")
        };
        let note = format!("{doing} pod {}/{}", pod.namespace, pod.name);
        self.call.operator.note(SafeText::line(&note));
        let asked = match deletes {
            true => self.delete(&pod, &planned).await?,
            false => self.evict(&pod, &planned).await?,
        };
        if asked {
            self.gone(&pod, text(&planned, "/uid")).await?;
        }
        let message = format!("{} {done}", pod.title());
        say(self.output, sentence(&pod, done, &message)).await
    }

    /// How the pod that was planned is to end, and no other of its name.
    fn options(&self, planned: &Value) -> Value {
        let mut options = json!({"preconditions": {"uid": planned["uid"]}});
        if let Some(seconds) = self.call.arguments.int("grace-period").filter(|seconds| *seconds >= 0) {
            options["gracePeriodSeconds"] = json!(seconds);
        }
        options
    }

    /// Deletes, past the budgets; false when the pod is gone already.
    async fn delete(&self, pod: &Target, planned: &Value) -> Result<bool, Report> {
        let mut options = self.options(planned);
        (options["kind"], options["apiVersion"]) = (json!("DeleteOptions"), json!("v1"));
        match self
            .session
            .cluster
            .write(Method::DELETE, &pod.path(), JSON, &options)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if matches!(error::code(&error), Some(404 | 409)) => Ok(false),
            Err(error) => Err(self.session.cluster.report(&error)),
        }
    }

    /// Asks until the budgets agree; false when the pod is gone already.
    async fn evict(&self, pod: &Target, planned: &Value) -> Result<bool, Report> {
        let options = self.options(planned);
        let body = json!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace}, "deleteOptions": options});
        let path = format!("{}/eviction", pod.path());
        loop {
            match self.session.cluster.write(Method::POST, &path, JSON, &body).await {
                Ok(_) => return Ok(true),
                // Gone, or another pod of that name: what was planned is not there any more.
                Err(error) if matches!(error::code(&error), Some(404 | 409)) => return Ok(false),
                Err(error) if error::code(&error) == Some(429) => {
                    let words = self.session.cluster.report(&error).message;
                    let words = words.split_once(": ").map_or(words.as_str(), |(_, rest)| rest);
                    self.call.operator.note(SafeText::line(&format!(
                        "error when evicting pods/\"{}\" -n \"{}\" (will retry after 5s): {words}",
                        pod.name, pod.namespace
                    )));
                    self.pause(AGAIN, pod).await?;
                }
                Err(error) => return Err(self.session.cluster.report(&error)),
            }
        }
    }

    async fn gone(&self, pod: &Target, uid: &str) -> Result<(), Report> {
        loop {
            match self.session.cluster.get::<Value>(&pod.path()).await {
                Err(error) if error::code(&error) == Some(404) => return Ok(()),
                Ok(live) if object::uid(&live) != uid => return Ok(()),
                Ok(_) => self.pause(LOOK, pod).await?,
                Err(error) => return Err(self.session.cluster.report(&error)),
            }
        }
    }

    /// Waits, unless time is up or the pipeline is cancelled.
    async fn pause(&self, length: Duration, pod: &Target) -> Result<(), Report> {
        let next = Instant::now() + length;
        let until = self.until.map_or(next, |until| until.min(next));
        tokio::select! {
            () = self.call.cancel.cancelled() => return Err(Report::interrupted()),
            () = sleep(until.saturating_duration_since(Instant::now())) => {}
        }
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(Report::failed(
                NOT_REACHED,
                format!(
                    "drain did not complete within the timeout: {} is still there",
                    pod.title()
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    #[test]
    fn the_plan_names_every_pod_and_comes_back_as_an_open_node() {
        let live = json!({"metadata": {"uid": "u"}, "spec": {}});
        let pod = json!({"metadata": {"name": "a", "namespace": "n", "uid": "p"}});
        let found = change(&call(&[], json!({})), &target("Node", "n1"), &live, &[pod]).unwrap();
        assert_eq!(found.summary, "drain node/n1: evict 1 pod: a");
        assert_eq!(
            found.before["pods"],
            json!([{"namespace": "n", "name": "a", "uid": "p"}])
        );
        let inverse = found.inverse.unwrap();
        assert_eq!(inverse.pipeline, "kubectl:uncordon n1");
        assert_eq!(inverse.expects, json!({"unschedulable": true}));
        assert_eq!(found.risk, Risk::Destroy);
        let closed = json!({"metadata": {"uid": "u"}, "spec": {"unschedulable": true}});
        let again = change(&call(&[], json!({})), &target("Node", "n1"), &closed, &[]).unwrap();
        assert!(
            again.inverse.is_none(),
            "a node that was closed before is not opened by undo"
        );
    }
}
