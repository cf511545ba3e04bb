//! `kubectl:rollout-undo`: back to the pod template of an earlier revision.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::history::{Revision, numbers, only_with_revisions, revisions};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, JSON_PATCH};
use crate::features::kubernetes::error::{CONFLICT, NOT_FOUND};
use crate::features::kubernetes::object::{self, CHANGE_CAUSE, REVISION};
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{WRITE, declare, more_names, types_or_objects};
use crate::features::kubernetes::verbs::completer::Names;
use crate::features::kubernetes::verbs::mutation::{self, Draft, Write, change_cause};
use crate::features::kubernetes::verbs::template;
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// Annotations that stay the deployment's own when it takes a replica set's template.
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-undo", "Go back to an earlier revision")
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(
            types_or_objects("What to roll back, also TYPE/NAME; the incoming object when not given").optional(),
        )
        .positional(more_names())
        .option(
            OptionSpec::new("to-revision", OptionKind::Int, "The revision; 0: the one before")
                .default("0")
                .value_name("number"),
        )
        .output("{kind, name, namespace, action, message}.")
        .notes("The revision that is taken up again gets a new number: 1, 2, 3 become 1, 3, 4.")
        .example("kubectl:rollout undo deploy/inspector", "back to the revision before");
    Verb::mutate(
        declaration,
        Undo {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Undo {
    clients: Arc<Clients>,
}

fn view(live: &Value) -> Value {
    template::view(live.pointer("/spec/template").unwrap_or(&Value::Null))
}

#[async_trait]
impl Mutate for Undo {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let wanted = call.arguments.int("to-revision").unwrap_or(0);
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        let mut changes = Vec::new();
        for (target, live) in target::objects(call, &session, selection).await? {
            only_with_revisions(&target, "rollbacker")?;
            if live.pointer("/spec/paused") == Some(&json!(true)) {
                return Err(Report::failed(
                    CONFLICT,
                    "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
                ));
            }
            let revisions = revisions(&session, &target, &live).await?;
            let revision = pick(&target, &live, &revisions, wanted)?;
            let is_deployment = target.resource.kind == "Deployment";
            if is_deployment
                && live
                    .pointer("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")
                    .is_some()
            {
                call.operator.note(SafeText::line(
                    "Warning: the deployment is managed by apply; its configuration file still describes the newer revision",
                ));
            }
            changes.push(change(call, &target, &live, revision, &revisions)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
    }
}

/// The revision of this number, or the one before the present template: the second newest, or the newest while the
/// controller has not stored the present one yet.
fn pick<'a>(target: &Target, live: &Value, revisions: &'a [Revision], wanted: i64) -> Result<&'a Revision, Report> {
    let is_deployment = target.resource.kind == "Deployment";
    if wanted == 0 {
        let is_live = |revision: &Revision| template::view(&object::bare_template(&revision.template)) == view(live);
        let before = match revisions {
            [.., newest] if !is_deployment && !is_live(newest) => Some(newest),
            [.., before, _] => Some(before),
            _ => None,
        };
        return before.ok_or_else(|| {
            Report::failed(
                NOT_FOUND,
                match is_deployment {
                    true => format!("no rollout history found for deployment \"{}\"", target.name),
                    false => "no last revision to roll back to".to_owned(),
                },
            )
            .hint("it is the first one: give it another image with kubectl:set-image, or see `audit` and `undo N` what made it")
        });
    }
    revisions
        .iter()
        .find(|revision| revision.number == wanted)
        .ok_or_else(|| {
            Report::failed(
                NOT_FOUND,
                format!("unable to find specified revision {wanted} in history"),
            )
            .hint(format!("there are: {}", numbers(revisions)))
        })
}

fn change(call: &Call, target: &Target, live: &Value, revision: &Revision, all: &[Revision]) -> Result<Change, Report> {
    let template = object::bare_template(&revision.template);
    let (before, after) = (view(live), template::view(&template));
    if before == after {
        let words = "skipped rollback (current template already matches revision";
        let message = format!("{} {words} {})", target.title(), revision.number);
        return Draft::new(call, target, target.title(), before, after)
            .of(live)
            .answering("skipped rollback", message);
    }
    let summary = format!("roll back {} to revision {}", target.title(), revision.number);
    // A deployment takes its replica set's annotations over; the other kinds keep their own.
    let mut operations = vec![json!({"op": "replace", "path": "/spec/template", "value": template})];
    if target.resource.kind == "Deployment" {
        let annotations = annotations(call, target, live, revision, &after);
        operations.push(json!({"op": "replace", "path": "/metadata/annotations", "value": annotations}));
    } else {
        operations.push(cause(call, target, live, &after));
    }
    let body = Value::Array(operations);
    let draft = Draft::new(call, target, summary, before, after).of(live).recovery();
    // The revision left now keeps its number; the one taken up gets a new one.
    let current = all
        .iter()
        .find(|known| object::fingerprint(&known.template) == object::text(draft.before(), "/template"));
    let draft = match current {
        Some(current) => {
            let back = Stage::new("kubectl:rollout-undo")
                .arg(&target.resource.type_name())
                .arg(&target.name)
                .option("--to-revision", Some(&current.number.to_string()));
            draft.undone_by(back)
        }
        None => draft,
    };
    let write = Write::Patch {
        subresource: String::new(),
        media: JSON_PATCH.to_owned(),
        body,
    };
    draft.sending(write, "rolled back", format!("{} rolled back", target.title()))
}

/// The operation that writes down why a daemon or stateful set went back.
fn cause(call: &Call, target: &Target, live: &Value, after: &Value) -> Value {
    let mut own = object::map(live, "/metadata/annotations").cloned().unwrap_or_default();
    own.insert(
        CHANGE_CAUSE.to_owned(),
        json!(change_cause(call, target, &images(after))),
    );
    json!({"op": "add", "path": "/metadata/annotations", "value": own})
}

/// `web=nginx:2 side=i:1`.
fn images(after: &Value) -> String {
    let images: Vec<String> = object::map(after, "/images")
        .into_iter()
        .flatten()
        .map(|(name, image)| format!("{name}={}", object::text(image, "")))
        .collect();
    images.join(" ")
}

/// The replica set's annotations with the deployment's own bookkeeping, and why this happened.
fn annotations(call: &Call, target: &Target, live: &Value, revision: &Revision, after: &Value) -> Value {
    let mut merged = object::map(&revision.holder, "/metadata/annotations")
        .cloned()
        .unwrap_or_default();
    let own: Map<String, Value> = object::map(live, "/metadata/annotations").cloned().unwrap_or_default();
    for key in KEPT {
        merged.shift_remove(key);
        if let Some(value) = own.get(key) {
            merged.insert(key.to_owned(), value.clone());
        }
    }
    merged.insert(
        CHANGE_CAUSE.to_owned(),
        json!(change_cause(call, target, &images(after))),
    );
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::history::tests::set;
    use super::*;
    use crate::features::kubernetes::discovery::Resource;
    use crate::features::kubernetes::verbs::testing::{call, target};

    fn revision(number: i64, image: &str) -> Revision {
        Revision {
            number,
            cause: String::new(),
            template: set("", "", image)["spec"]["template"].clone(),
            holder: set(&format!("h{number}"), &number.to_string(), image),
        }
    }

    fn live(image: &str) -> Value {
        json!({"metadata": {"uid": "d", "annotations": {REVISION: "2", "other": "gone"}},
            "spec": {"template": {"spec": {"containers": [{"image": image, "name": "web"}]}, "metadata": {"labels": {"run": "web"}}}}})
    }

    #[test]
    fn the_revision_before_is_the_second_newest() {
        let target = target("Deployment", "web");
        let all = [revision(1, "i:1"), revision(3, "i:3"), revision(4, "i:4")];
        assert_eq!(pick(&target, &live("i:4"), &all, 0).unwrap().number, 3);
        assert_eq!(
            pick(&target, &live("i:4"), &all, 2).unwrap_err().message,
            "unable to find specified revision 2 in history"
        );
        assert_eq!(
            pick(&target, &live("i:4"), &all[..1], 0).unwrap_err().message,
            "no rollout history found for deployment \"web\""
        );
    }

    #[test]
    fn a_set_s_template_that_is_not_stored_yet_goes_back_to_the_newest_stored_one() {
        let mut target = target("Deployment", "web");
        let resource = (*target.resource).clone();
        target.resource = Arc::new(Resource {
            kind: "DaemonSet".to_owned(),
            ..resource
        });
        let all = [revision(1, "i:1"), revision(2, "i:2")];
        let number = |image: &str| pick(&target, &live(image), &all, 0).unwrap().number;
        assert_eq!(number("i:3"), 2, "the controller has not seen i:3 yet");
        assert_eq!(number("i:2"), 1);
    }

    #[test]
    fn the_template_comes_back_without_its_hash_and_the_way_back_is_the_revision_left() {
        let all = [revision(1, "i:1"), revision(2, "i:2")];
        let change = change(
            &call(&[], json!({})),
            &target("Deployment", "web"),
            &live("i:2"),
            &all[0],
            &all,
        )
        .unwrap();
        let operations = &change.request["write"]["Patch"]["body"];
        assert_eq!(operations[0]["value"]["metadata"]["labels"], json!({"run": "web"}));
        let kept = operations[1]["value"].as_object().unwrap();
        assert_eq!(kept.get(REVISION), Some(&json!("2")), "the deployment's own");
        assert!(kept.get("other").is_none());
        assert!(change.recovery);
        let inverse = change.inverse.unwrap();
        assert_eq!(
            inverse.pipeline,
            "kubectl:rollout-undo deployment.apps web --to-revision=2 --namespace=default"
        );
        assert_eq!(inverse.expects["images"], json!({"web": "i:1"}));
    }

    #[test]
    fn an_equal_template_is_skipped() {
        let all = [revision(1, "i:1"), revision(2, "i:2")];
        let call = call(&[], json!({}));
        assert!(
            change(&call, &target("Deployment", "web"), &live("i:1"), &all[0], &all)
                .unwrap()
                .only_answers()
        );
    }
}
