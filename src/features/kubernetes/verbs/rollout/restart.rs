//! `kubectl:rollout-restart`: new pods from the same template, by an annotation that says when.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::core::change::{Change, Risk};
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::CONFLICT;
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{
    Remembered, WRITE, declare, more_names, selector_option, types_or_objects,
};
use crate::features::kubernetes::verbs::completer::Names;
use crate::features::kubernetes::verbs::rollout::{selected, unsupported};
use crate::features::kubernetes::verbs::template;
use crate::verb::{Call, Mutate, Output, Verb};

/// The annotation of a pod template that makes every pod of it new.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// The verb.
pub fn verb(clients: &Arc<Clients>, clock: &Clock) -> Verb {
    let declaration = declare("rollout-restart", "Replace all pods by new ones of the same template")
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(types_or_objects("What to restart, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .option(selector_option())
        .output("{kind, name, namespace, action, message}.")
        .notes("For deployments, daemon sets and stateful sets. The pods go in the order of the update strategy.")
        .example(
            "kubectl:rollout restart deploy/inspector",
            "new pods, one after the other",
        );
    Verb::mutate(
        declaration,
        Restart {
            clients: clients.clone(),
            clock: clock.clone(),
            began: Remembered::default(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Restart {
    clients: Arc<Clients>,
    clock: Clock,
    /// When a call first planned.
    began: Remembered<String>,
}

#[async_trait]
impl Mutate for Restart {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        // The same time in the plan that is made anew after an approval: else it would always be another change.
        let at = self.began.get(call, "").unwrap_or_else(|| {
            let now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            self.began.keep(call, "", now.clone());
            now
        });
        let selection = selected(call, &session).await?;
        target::objects(call, &session, selection)
            .await?
            .iter()
            .map(|(target, live)| change(call, target, live, &at))
            .collect()
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        template::apply(call, &self.clients, change, output).await
    }
}

fn change(call: &Call, target: &Target, live: &serde_json::Value, at: &str) -> Result<Change, Report> {
    if !matches!(
        target.resource.kind.as_str(),
        "Deployment" | "DaemonSet" | "StatefulSet"
    ) {
        return Err(unsupported(target, "restarting is not supported"));
    }
    let (resource, name) = (target.resource.group_resource(), &target.name);
    if live.pointer("/spec/paused") == Some(&json!(true)) {
        return Err(Report::failed(
            CONFLICT,
            format!("{resource} \"{name}\" can't restart paused deployment (run rollout resume first)"),
        ));
    }
    let mut edited = live.pointer("/spec/template").cloned().unwrap_or_default();
    if object::annotation(&edited, RESTARTED_AT) == Some(at) {
        return Err(Report::failed(
            CONFLICT,
            format!(
                "failed to create patch for {name}: if restart has already been triggered within the past second, \
                 please wait before attempting to trigger another"
            ),
        ));
    }
    if !edited["metadata"]["annotations"].is_object() {
        edited["metadata"]["annotations"] = json!({});
    }
    edited["metadata"]["annotations"][RESTARTED_AT] = json!(at);
    template::change(
        call,
        target,
        live,
        edited,
        &template::Words {
            summary: format!("restart {}", target.title()),
            action: "restarted",
            cause: String::new(),
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::features::kubernetes::verbs::testing::{call, target};

    #[test]
    fn a_restart_touches_the_annotation_only_and_goes_back_by_revision() {
        let live = json!({"metadata": {"uid": "u", "annotations": {object::REVISION: "3"}},
            "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}});
        let found = change(
            &call(&[], json!({})),
            &target("Deployment", "web"),
            &live,
            "2026-01-01T00:00:00Z",
        )
        .unwrap();
        let template = &found.request["write"]["Patch"]["body"]["spec"]["template"];
        assert_eq!(
            template["metadata"]["annotations"],
            json!({RESTARTED_AT: "2026-01-01T00:00:00Z"})
        );
        assert_eq!(
            found.inverse.unwrap().pipeline,
            "kubectl:rollout-undo deployment.apps web --to-revision=3 --namespace=default"
        );
    }

    #[test]
    fn what_cannot_restart_says_so() {
        let message = |kind: &str, live: serde_json::Value| {
            change(&call(&[], json!({})), &target(kind, "x"), &live, "t")
                .unwrap_err()
                .message
        };
        assert_eq!(
            message("Service", json!({})),
            "services \"x\" restarting is not supported"
        );
        assert!(message("Deployment", json!({"spec": {"paused": true}})).contains("can't restart paused deployment"));
        let twice = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "t"}}}}});
        assert!(message("Deployment", twice).contains("within the past second"));
    }
}
