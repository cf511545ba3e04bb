//! `kubectl:delete`: removes objects and, unless told otherwise, waits until they are gone. It has no inverse.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::common::{
    ADMIN, NO_KUSTOMIZE, all_namespaces_option, declare, field_selector_option, more_names, selector_option,
    types_or_objects, until_stopped,
};
use super::completer::Names;
use super::dry_run::{DryRun, dry_run};
use super::mutation::{self, Draft, Request, Write, essence};
use crate::core::change::{Change, Risk};
use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{self, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// Between two looks whether the object is gone: short at first, since most go at once.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("delete", "Delete objects")
        .permission(ADMIN)
        .risk(Risk::Destroy)
        .without(NO_KUSTOMIZE)
        .positional(types_or_objects("What to delete, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options(documents::options())
        .options([
            selector_option(),
            field_selector_option(),
            all_namespaces_option(),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            OptionSpec::new(
                "grace-period",
                OptionKind::Int,
                "Seconds the object has to end; -1: its own",
            )
            .default("-1")
            .value_name("seconds"),
            OptionSpec::new(
                "force",
                OptionKind::Bool,
                "At once, without waiting for the node (grace period 0)",
            ),
            OptionSpec::new("now", OptionKind::Bool, "Soon (grace period 1)"),
            OptionSpec::new(
                "cascade",
                OptionKind::Enum(&["background", "foreground", "orphan"]),
                "What happens to dependents",
            )
            .default("background"),
            OptionSpec::new("wait", OptionKind::Bool, "Wait until it is gone").default("true"),
            OptionSpec::new("timeout", OptionKind::Duration, "Longest wait; 0: no limit").default("0"),
            OptionSpec::new("ignore-not-found", OptionKind::Bool, "A missing object is no error"),
        ])
        .exclusive(&["all", "selector"])
        .exclusive(&["now", "force"])
        .output("{kind, name, namespace, action, message}.")
        .notes("A deletion cannot be undone.")
        .example(
            "kubectl:delete deploy inspector",
            "a deployment with its replica sets and pods",
        )
        .example(
            "kubectl:get po --field-selector status.phase=Failed | kubectl:delete",
            "what failed",
        );
    Verb::mutate(
        dry_run(declaration),
        Delete {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Delete {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Delete {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let options = options(call)?;
        let session = self.clients.planning(call).await?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        let arguments = &call.arguments;
        let picked = arguments.flag("all") || target::is_picked(call);
        if matches!(selection, Selection::Listed { .. }) && !picked {
            return Err(
                usage("resource(s) were provided, but no name was specified").hint("name it, or give -l or --all")
            );
        }
        let named = match &selection {
            Selection::Named(targets) => targets.len(),
            Selection::Listed { .. } => 0,
        };
        let found = match target::objects(call, &session, selection).await {
            Err(report) if report.code == error::NOT_FOUND && named > 1 => {
                return Err(report.hint("nothing was deleted; --ignore-not-found deletes those that are there"));
            }
            other => other?,
        };
        if found.is_empty() && !call.arguments.flag("ignore-not-found") {
            call.operator.note(SafeText::line("No resources found"));
        }
        found
            .iter()
            .map(|(target, live)| change(call, target, live, &options))
            .collect()
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let kind = change.target.kind.clone();
        if options(call)?["gracePeriodSeconds"] == json!(0) && !change.only_answers() {
            call.operator.note(SafeText::line(
                "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
                 The resource may continue to run on the cluster indefinitely.",
            ));
        }
        let work = async {
            mutation::apply(call, &self.clients, change, |live| essence(&kind, live), output).await?;
            let waits = call.arguments.options.get("wait").and_then(Value::as_bool);
            if waits.unwrap_or(true) && !change.only_answers() {
                let session = self.clients.planned(call).await?;
                return gone(call, &session, change).await;
            }
            Ok(())
        };
        until_stopped(call, output, work).await
    }
}

/// DeleteOptions (meta/v1) as the command line asks for them.
fn options(call: &Call) -> Result<Value, Report> {
    let arguments = &call.arguments;
    let grace = arguments.int("grace-period").unwrap_or(-1);
    let (force, now) = (arguments.flag("force"), arguments.flag("now"));
    let grace = match (force, now, grace) {
        (true, _, -1 | 0) => Some(0),
        (true, ..) => {
            return Err(usage(
                "--force and --grace-period greater than 0 cannot be specified together",
            ));
        }
        (_, true, -1) => Some(1),
        (_, true, _) => return Err(usage("--now and --grace-period cannot be specified together")),
        // Without --force kubectl turns an explicit 0 into 1, so that nothing is forced by accident.
        (_, _, 0) => Some(1),
        (_, _, seconds) if seconds > 0 => Some(seconds),
        _ => None,
    };
    let policy = match arguments.text("cascade").as_deref() {
        Some("foreground") => "Foreground",
        Some("orphan") => "Orphan",
        _ => "Background",
    };
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
    if let Some(seconds) = grace {
        options["gracePeriodSeconds"] = json!(seconds);
    }
    Ok(options)
}

fn change(call: &Call, target: &Target, live: &Value, options: &Value) -> Result<Change, Report> {
    let forced = if options["gracePeriodSeconds"] == json!(0) {
        "force deleted"
    } else {
        "deleted"
    };
    // A dry run does not say from where.
    let place = match DryRun::of(call) {
        None if !target.namespace.is_empty() => format!(" from {} namespace", target.namespace),
        _ => String::new(),
    };
    let message = format!("{} \"{}\" {forced}{place}", target.resource.type_name(), target.name);
    let summary = format!("delete {}", target.title());
    Draft::new(call, target, summary, essence(&target.resource.kind, live), Value::Null)
        .of(live)
        .risk(Risk::Destroy)
        .sending(
            Write::Delete {
                options: options.clone(),
            },
            forced,
            message,
        )
}

/// Waits until the object is gone, or another of its name stands in its place.
async fn gone(call: &Call, session: &Session, change: &Change) -> Result<(), Report> {
    let path = serde_json::from_value::<Request>(change.request.clone())
        .map(|request| request.path)
        .unwrap_or_default();
    let uid = change.precondition["uid"].as_str().unwrap_or_default();
    let limit = call.arguments.duration("timeout").filter(|limit| !limit.is_zero());
    let end = limit.map(|limit| Instant::now() + limit);
    let mut pause = FIRST_LOOK;
    loop {
        match session.cluster.get::<Value>(&path).await {
            Ok(live) if object::uid(&live) == uid && !uid.is_empty() => {}
            Ok(_) => return Ok(()),
            Err(error) if error::code(&error) == Some(404) => return Ok(()),
            Err(error) => return Err(session.cluster.report(&error)),
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            let what = format!("{}/{}", change.target.kind.to_lowercase(), change.target.name);
            return Err(Report::new(
                error::NOT_REACHED,
                format!("timed out waiting for the deletion of {what}"),
                Severity::Failed,
            ));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    #[test]
    fn grace_periods_follow_kubectl() {
        let grace = |given: Value| options(&call(&[], given)).map(|options| options["gracePeriodSeconds"].clone());
        assert_eq!(grace(json!({"grace-period": -1})).unwrap(), Value::Null);
        assert_eq!(grace(json!({"force": true, "grace-period": -1})).unwrap(), json!(0));
        assert_eq!(grace(json!({"now": true, "grace-period": -1})).unwrap(), json!(1));
        assert_eq!(grace(json!({"grace-period": 0})).unwrap(), json!(1));
        assert!(grace(json!({"force": true, "grace-period": 5})).is_err());
    }

    #[test]
    fn the_plan_is_destroy_without_a_way_back_and_says_so() {
        let live = json!({"metadata": {"uid": "u"}, "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "a", "image": "i"}]}}}});
        let options = options(&call(&[], json!({}))).unwrap();
        let change = change(&call(&[], json!({})), &target("Deployment", "web"), &live, &options).unwrap();
        assert_eq!((change.risk, change.inverse.is_none()), (Risk::Destroy, true));
        // That it has no way back is said by who shows the plan, beside the name and not in its place.
        assert_eq!(change.summary, "delete deployment.apps/web");
        assert_eq!(change.before, json!({"replicas": 1, "images": {"a": "i"}}));
        assert_eq!(
            change.request["message"],
            "deployment.apps \"web\" deleted from default namespace"
        );
        let node = super::change(&call(&[], json!({})), &target("Node", "n1"), &live, &options).unwrap();
        assert_eq!(node.request["message"], "node \"n1\" deleted");
    }
}
