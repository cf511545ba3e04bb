//! `kubectl:rollout-pause`: changes of the template wait until the rollout is resumed.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH};
use crate::features::kubernetes::error::CONFLICT;
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{WRITE, declare, more_names, selector_option, types_or_objects};
use crate::features::kubernetes::verbs::completer::Names;
use crate::features::kubernetes::verbs::mutation::{self, Draft, Write};
use crate::features::kubernetes::verbs::rollout::{selected, unsupported};
use crate::lang::Stage;
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-pause", "Hold a rollout where it is")
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(types_or_objects("What to hold, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .option(selector_option())
        .output("{kind, name, namespace, action, message}.")
        .notes("For deployments. The pods that are there stay; scaling goes on working.")
        .example(
            "kubectl:rollout pause deploy/inspector",
            "stop in the middle of an update",
        );
    Verb::mutate(declaration, Hold::new(clients, true)).completed_by(Names::of(clients))
}

/// Sets or clears `spec.paused`; shared with `rollout-resume`.
pub struct Hold {
    clients: Arc<Clients>,
    paused: bool,
}

impl Hold {
    /// Pausing, or resuming.
    pub fn new(clients: &Arc<Clients>, paused: bool) -> Self {
        Hold {
            clients: clients.clone(),
            paused,
        }
    }
}

fn view(live: &Value) -> Value {
    json!({"paused": live.pointer("/spec/paused") == Some(&json!(true))})
}

#[async_trait]
impl Mutate for Hold {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let selection = selected(call, &session).await?;
        target::objects(call, &session, selection)
            .await?
            .iter()
            .map(|(target, live)| change(call, target, live, self.paused))
            .collect()
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
    }
}

fn change(call: &Call, target: &Target, live: &Value, paused: bool) -> Result<Change, Report> {
    let (doing, action, back, already) = if paused {
        ("pausing", "paused", "kubectl:rollout-resume", "is already paused")
    } else {
        ("resuming", "resumed", "kubectl:rollout-pause", "is not paused")
    };
    if target.resource.kind != "Deployment" {
        return Err(unsupported(target, &format!("{doing} is not supported")));
    }
    let before = view(live);
    if before == json!({"paused": paused}) {
        let (resource, name) = (target.resource.group_resource(), &target.name);
        return Err(Report::failed(CONFLICT, format!("{resource} \"{name}\" {already}")));
    }
    let back = Stage::new(back).arg(&target.resource.type_name()).arg(&target.name);
    let summary = format!("{} {}", if paused { "pause" } else { "resume" }, target.title());
    let draft = Draft::new(call, target, summary, before, json!({"paused": paused}))
        .of(live)
        .undone_by(back);
    // Holding a rollout is what one does when it goes wrong; letting it go on is a change like any other.
    let draft = if paused { draft.recovery() } else { draft };
    let write = Write::Patch {
        subresource: String::new(),
        media: MERGE_PATCH.to_owned(),
        body: json!({"spec": {"paused": paused.then_some(true)}}),
    };
    draft.sending(write, action, format!("{} {action}", target.title()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::features::kubernetes::verbs::testing::{call, target};

    #[test]
    fn pausing_is_a_recovery_and_resuming_its_inverse() {
        let call = call(&[], json!({}));
        let live = json!({"metadata": {"uid": "u"}, "spec": {}});
        let held = change(&call, &target("Deployment", "web"), &live, true).unwrap();
        assert!(held.recovery);
        let inverse = held.inverse.unwrap();
        assert_eq!(
            inverse.pipeline,
            "kubectl:rollout-resume deployment.apps web --namespace=default"
        );
        assert_eq!(inverse.expects, json!({"paused": true}));
        let refused = change(&call, &target("Deployment", "web"), &live, false).unwrap_err();
        assert_eq!(refused.message, "deployments.apps \"web\" is not paused");
        let wrong = change(&call, &target("Service", "web"), &live, true).unwrap_err();
        assert_eq!(wrong.message, "services \"web\" pausing is not supported");
    }
}
