//! `kubectl:set-image`: other images for containers; a workload rolls out anew.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::common::{WRITE, declare, record_option, selector_option};
use super::completer::Names;
use super::dry_run::dry_run;
use super::mutation::{self, Draft, Write, change_cause};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, STRATEGIC_PATCH};
use crate::features::kubernetes::error::{self, NOT_FOUND, usage};
use crate::features::kubernetes::object::{self, CHANGE_CAUSE};
use crate::features::kubernetes::target::{self, Target};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("set-image", "Change images of containers")
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(Positional::new(
            "TYPE NAME CONTAINER=IMAGE",
            OptionKind::String,
            "What to change (also TYPE/NAME; the incoming object when not given), then pairs; * means every container",
        ).variadic())
        .options([OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"), selector_option()])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}; nothing where the image is the same already.")
        .notes("Writes user, verb, target and images to the annotation kubernetes.io/change-cause, which rollout history shows.")
        .example("kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0", "a rolling update");
    Verb::mutate(
        dry_run(declaration),
        SetImage {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::with_images(clients))
}

struct SetImage {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for SetImage {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (words, pairs) = split(&call.arguments.texts())?;
        target::some(call, &words)?;
        let session = self.clients.planning(call).await?;
        let found = target::chosen(call, &session, &words).await?;
        let several = found.len() > 1;
        let (mut changes, mut failures) = (Vec::new(), Vec::new());
        for (target, live) in found {
            match change(call, &target, &live, &pairs) {
                Ok(change) => changes.extend(change),
                Err(mut report) if report.code == NOT_FOUND && several => {
                    report.message = format!("{}: {}", target.title(), report.message);
                    failures.push(report.hint("no image was changed"));
                }
                Err(report) => return Err(report),
            }
        }
        if let Some(report) = error::all(failures) {
            return Err(report);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let names: Vec<String> = object::map(&change.before, "/images")
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect();
        let kind = change.target.kind.clone();
        mutation::apply(call, &self.clients, change, |live| view(&kind, live, &names), output)
            .await
            .map(|_| ())
    }
}

/// Containers and their images.
type Pairs = Vec<(String, String)>;

/// Resources before the first pair, pairs after it, split at their first `=` so that digests and ports are safe.
fn split(words: &[String]) -> Result<(Vec<String>, Pairs), Report> {
    let first = words.iter().position(|word| word.contains('=')).unwrap_or(words.len());
    let (resources, rest) = words.split_at(first);
    let mut pairs = Vec::new();
    for word in rest {
        match word.split_once('=') {
            None => {
                return Err(usage(format!(
                    "all resources must be specified before image changes: {word}"
                )));
            }
            Some((name, image)) if name.is_empty() || image.is_empty() => {
                return Err(usage(format!("invalid image change: {word}")).hint("write CONTAINER=IMAGE"));
            }
            Some((name, _)) if name != "*" && pairs.iter().any(|(known, _)| known == name) => {
                let twice = usage(format!("container {name} is named twice"));
                return Err(twice.hint("write one CONTAINER=IMAGE for each"));
            }
            Some((name, image)) => pairs.push((name.to_owned(), image.to_owned())),
        }
    }
    if pairs.is_empty() {
        return Err(usage("at least one image update is required").hint("write CONTAINER=IMAGE"));
    }
    if pairs.len() > 1 && pairs.iter().any(|(name, _)| name == "*") {
        return Err(usage(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        ));
    }
    Ok((resources.to_vec(), pairs))
}

fn view(kind: &str, live: &Value, names: &[String]) -> Value {
    let images = object::pod_spec_pointer(kind)
        .and_then(|pointer| live.pointer(pointer))
        .map(object::images)
        .unwrap_or_default();
    let touched: Map<String, Value> = images.into_iter().filter(|(name, _)| names.contains(name)).collect();
    json!({"images": touched})
}

/// No change where every image is the wanted one already, as in kubectl.
fn change(call: &Call, target: &Target, live: &Value, pairs: &[(String, String)]) -> Result<Option<Change>, Report> {
    let kind = target.resource.kind.as_str();
    let Some(pointer) = object::pod_spec_pointer(kind) else {
        return Err(usage(format!("{} has no containers", target.title())));
    };
    let spec = live.pointer(pointer).cloned().unwrap_or_default();
    let present = object::images(&spec);
    let mut wanted = Map::new();
    for (name, image) in pairs {
        if name == "*" {
            wanted.extend(present.keys().map(|name| (name.clone(), json!(image))));
        } else if present.contains_key(name) {
            wanted.insert(name.clone(), json!(image));
        } else {
            let known: Vec<&str> = present.keys().map(String::as_str).collect();
            return Err(
                Report::failed(NOT_FOUND, format!("unable to find container named \"{name}\"")).hint(format!(
                    "{} has: {}",
                    target.title(),
                    known.join(", ")
                )),
            );
        }
    }
    wanted.retain(|name, image| present.get(name) != Some(image));
    if wanted.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = wanted.keys().cloned().collect();
    let before = view(kind, live, &names);
    let mut back = Stage::new("kubectl:set-image")
        .arg(&target.resource.type_name())
        .arg(&target.name);
    for name in &names {
        back = back.arg(&format!("{name}={}", object::text(&present[name.as_str()], "")));
    }
    let told: Vec<String> = wanted
        .iter()
        .map(|(name, image)| format!("{name}={}", object::text(image, "")))
        .collect();
    let cause = change_cause(call, target, &told.join(" "));
    let summary = format!("set image of {}: {}", target.title(), told.join(", "));
    Draft::new(call, target, summary, before, json!({"images": wanted}))
        .of(live)
        .undone_by(back)
        .sending(
            Write::Patch {
                subresource: String::new(),
                media: STRATEGIC_PATCH.to_owned(),
                body: patch(kind, pointer, &spec, &wanted, &cause),
            },
            "image updated",
            format!("{} image updated", target.title()),
        )
        .map(Some)
}

/// Only the touched containers; the change's cause where a template changes, since that makes a revision.
fn patch(kind: &str, pointer: &str, spec: &Value, wanted: &Map<String, Value>, cause: &str) -> Value {
    let mut inner = json!({});
    for list in ["initContainers", "containers"] {
        let touched: Vec<Value> = object::list(spec, &format!("/{list}"))
            .iter()
            .filter_map(|container| container["name"].as_str())
            .filter_map(|name| wanted.get(name).map(|image| json!({"name": name, "image": image})))
            .collect();
        if !touched.is_empty() {
            inner[list] = json!(touched);
        }
    }
    let mut patch = pointer
        .rsplit('/')
        .filter(|step| !step.is_empty())
        .fold(inner, |value, step| json!({step: value}));
    if kind != "Pod" {
        patch["metadata"] = json!({"annotations": {CHANGE_CAUSE: cause}});
    }
    patch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn live() -> Value {
        json!({"metadata": {"uid": "u"}, "spec": {"template": {"spec": {
            "initContainers": [{"name": "init", "image": "i:1"}], "containers": [{"name": "inspector", "image": "k:1.0.0"}]}}}})
    }

    #[test]
    fn pairs_split_at_the_first_equals_sign() {
        let (resources, pairs) = split(&words("deploy web a=r:5000/x@sha256:1=2")).unwrap();
        assert_eq!(resources, ["deploy", "web"]);
        assert_eq!(pairs, [("a".to_owned(), "r:5000/x@sha256:1=2".to_owned())]);
    }

    #[test]
    fn wrong_lines_have_kubectl_s_words() {
        let message = |line: &str| split(&words(line)).unwrap_err().message;
        assert_eq!(message("deploy web"), "at least one image update is required");
        assert_eq!(
            message("deploy a=b web"),
            "all resources must be specified before image changes: web"
        );
        assert!(message("deploy web *=a b=c").starts_with("all containers are already specified by *"));
        assert!(message("deploy web *=a *=c").starts_with("all containers are already specified by *"));
        assert_eq!(message("deploy web a=k:1 a=k:2"), "container a is named twice");
    }

    #[test]
    fn only_touched_containers_are_sent_and_the_way_back_names_the_old_image() {
        let pairs = [("inspector".to_owned(), "k:2.0.0".to_owned())];
        let change = change(&call(&[], json!({})), &target("Deployment", "web"), &live(), &pairs)
            .unwrap()
            .unwrap();
        assert_eq!(change.before, json!({"images": {"inspector": "k:1.0.0"}}));
        let body = &change.request["write"]["Patch"]["body"];
        assert_eq!(
            body["spec"]["template"]["spec"],
            json!({"containers": [{"name": "inspector", "image": "k:2.0.0"}]})
        );
        assert_eq!(
            body["metadata"]["annotations"][CHANGE_CAUSE],
            "tester kubectl:test deployment.apps/web inspector=k:2.0.0"
        );
        assert_eq!(
            change.inverse.unwrap().pipeline,
            "kubectl:set-image deployment.apps web inspector=k:1.0.0 --namespace=default"
        );
    }

    #[test]
    fn the_same_image_is_no_change_and_an_unknown_container_an_error() {
        let call = call(&[], json!({}));
        let target = target("Deployment", "web");
        let same = [("*".to_owned(), "i:1".to_owned())];
        let pairs = change(&call, &target, &live(), &same).unwrap().unwrap();
        assert_eq!(
            pairs.after,
            json!({"images": {"inspector": "i:1"}}),
            "init has it already"
        );
        let nothing = [("init".to_owned(), "i:1".to_owned())];
        assert!(change(&call, &target, &live(), &nothing).unwrap().is_none());
        let unknown = [("nope".to_owned(), "i:1".to_owned())];
        assert_eq!(
            change(&call, &target, &live(), &unknown).unwrap_err().message,
            "unable to find container named \"nope\""
        );
    }
}
