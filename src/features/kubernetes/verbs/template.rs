//! Changes of a pod template: restart, environment, resources. What the verbs share: the plan that shows images and a
//! fingerprint of the rest, the patch, the way back by revision. Not for what is changed inside the template.

use serde_json::{Value, json};

use super::mutation::{self, Draft, Write, change_cause};
use crate::core::change::Change;
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH};
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::object::{self, CHANGE_CAUSE, REVISION};
use crate::features::kubernetes::target::Target;
use crate::lang::Stage;
use crate::verb::{Call, Output};

/// What is said of a change.
pub struct Words {
    /// For the plan: `restart deployment.apps/web`.
    pub summary: String,
    /// For the sentence: `restarted`.
    pub action: &'static str,
    /// For the revision's cause, after user, verb and target; never values.
    pub cause: String,
}

/// Images for the eye, a fingerprint for everything else of the template.
pub fn view(template: &Value) -> Value {
    let images = template.pointer("/spec").map(object::images).unwrap_or_default();
    json!({"images": images, "template": object::fingerprint(template)})
}

/// Where a kind keeps its pod template.
pub fn pointer(kind: &str) -> Option<&'static str> {
    object::pod_spec_pointer(kind).and_then(|spec| spec.strip_suffix("/spec").filter(|template| !template.is_empty()))
}

/// The template of an object; refused, in kubectl's words, for what has none.
pub fn of<'a>(target: &Target, live: &'a Value) -> Result<&'a Value, Report> {
    pointer(&target.resource.kind)
        .and_then(|at| live.pointer(at))
        .ok_or_else(|| {
            usage(format!(
                "{}/{} the object is not a pod or does not have a pod template: {}",
                target.resource.plural, target.name, target.resource.kind
            ))
        })
}

/// The change that puts `edited` in the place of an object's template.
pub fn change(call: &Call, target: &Target, live: &Value, edited: Value, words: &Words) -> Result<Change, Report> {
    let before = view(of(target, live)?);
    let after = view(&edited);
    let cause = change_cause(call, target, &words.cause);
    let draft = Draft::new(call, target, words.summary.clone(), before, after).of(live);
    let draft = match (target.resource.kind.as_str(), object::annotation(live, REVISION)) {
        ("Deployment", Some(revision)) => draft.undone_by(
            Stage::new("kubectl:rollout-undo")
                .arg(&target.resource.type_name())
                .arg(&target.name)
                .option("--to-revision", Some(revision)),
        ),
        // Their revisions carry no number here; what was before the change is the one before the newest.
        ("DaemonSet" | "StatefulSet", _) => draft.undone_by(
            Stage::new("kubectl:rollout-undo")
                .arg(&target.resource.type_name())
                .arg(&target.name),
        ),
        _ => draft,
    };
    let write = Write::Patch {
        subresource: String::new(),
        media: MERGE_PATCH.to_owned(),
        body: patch(&target.resource.kind, live, edited, &cause),
    };
    draft.sending(write, words.action, format!("{} {}", target.title(), words.action))
}

/// Checks and sends a change made by [`change`].
pub async fn apply(call: &Call, clients: &Clients, change: &Change, output: &Output) -> Result<(), Report> {
    let at = pointer(&change.target.kind).unwrap_or("/spec/template");
    let seen = |live: &Value| view(live.pointer(at).unwrap_or(&Value::Null));
    mutation::apply(call, clients, change, seen, output).await.map(|_| ())
}

/// A merge patch: what is gone from the template has to be named as null, lists are replaced whole.
fn patch(kind: &str, live: &Value, edited: Value, cause: &str) -> Value {
    let at = pointer(kind).unwrap_or("/spec/template");
    let difference = merge_patch(live.pointer(at).unwrap_or(&Value::Null), &edited);
    let mut patch = at
        .rsplit('/')
        .filter(|step| !step.is_empty())
        .fold(difference, |value, step| json!({step: value}));
    patch["metadata"] = json!({"annotations": {CHANGE_CAUSE: cause}});
    patch
}

/// The merge patch (RFC 7386) that makes `after` of `before`.
pub fn merge_patch(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return after.clone();
    };
    let mut patch = serde_json::Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            Some(same) if same == value => {}
            Some(other) => drop(patch.insert(key.clone(), merge_patch(other, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_what_is_new_other_and_gone() {
        let before = json!({"a": 1, "b": {"c": [1], "d": 2}, "gone": true});
        let after = json!({"a": 1, "b": {"c": [1, 2], "d": 2}, "new": {}});
        assert_eq!(
            merge_patch(&before, &after),
            json!({"gone": null, "b": {"c": [1, 2]}, "new": {}})
        );
        assert_eq!(merge_patch(&before, &before), json!({}));
    }

    #[test]
    fn only_kinds_with_a_template_have_one() {
        assert_eq!(pointer("CronJob"), Some("/spec/jobTemplate/spec/template"));
        assert_eq!((pointer("Pod"), pointer("Service")), (None, None));
    }
}
