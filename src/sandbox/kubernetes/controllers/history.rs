//! The revisions of a stateful or daemon set, kept as ControllerRevision objects: which of them is the present template,
//! what is to be stored, renumbered or forgotten. One pass, from objects to steps, without IO. Deployments keep theirs in
//! replica sets (see `deployment`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::template_hash;
use crate::sandbox::kubernetes::objects::{self, int, name, namespace, text};

/// Of another template with the same hash, at most so many are stepped over.
const COLLISIONS: i64 = 32;

/// What has to happen to the stored revisions.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Store this revision.
    Create(Value),
    /// Make the revision of this name the newest: its template is in use again.
    Renumber(String, i64),
    /// Forget the revision of this name.
    Delete(String),
}

/// The revision of the present template.
#[derive(Debug, Clone, PartialEq)]
pub struct Newest {
    /// The ControllerRevision's name.
    pub name: String,
    /// The hash in that name.
    pub hash: String,
    /// What has to be done for it.
    pub steps: Vec<Step>,
}

/// Finds the present template among the revisions `known` of a set, the newest of equal ones. `in_use` are the hashes or
/// names of revisions that pods have; the others are forgotten beyond `revisionHistoryLimit`, oldest first.
pub fn newest(set: &Value, kind: &str, known: &[Arc<Value>], in_use: &[&str]) -> Newest {
    let data = data_of(set);
    let highest = known.iter().map(|revision| number(revision)).max().unwrap_or(0);
    let found = known
        .iter()
        .filter(|revision| revision["data"] == data)
        .max_by_key(|revision| number(revision));
    let mut steps = Vec::new();
    let (own, hash) = match found {
        Some(revision) => {
            if number(revision) < highest {
                steps.push(Step::Renumber(name(revision).to_owned(), highest + 1));
            }
            (name(revision).to_owned(), hash_of(set, revision))
        }
        None => {
            let hash = free_hash(set, known);
            let own = format!("{}-{hash}", name(set));
            steps.push(Step::Create(revision(set, kind, &own, &hash, data, highest + 1)));
            (own, hash)
        }
    };
    steps.extend(forgotten(set, known, &own, in_use));
    Newest { name: own, hash, steps }
}

fn number(revision: &Value) -> i64 {
    int(revision, "/revision", 0)
}

fn hash_of(set: &Value, revision: &Value) -> String {
    let prefix = format!("{}-", name(set));
    name(revision).strip_prefix(&prefix).unwrap_or_default().to_owned()
}

/// What a revision keeps: a patch that puts the template back whole.
fn data_of(set: &Value) -> Value {
    let mut template = set.pointer("/spec/template").cloned().unwrap_or_else(|| json!({}));
    template["$patch"] = "replace".into();
    let mut data = json!({"spec": {"template": template}});
    // Go writes the keys of a map in order; clients compare the bytes.
    data.sort_all_objects();
    data
}

fn free_hash(set: &Value, known: &[Arc<Value>]) -> String {
    let mut hashes = (0..COLLISIONS).map(|collision| template_hash(&set["spec"]["template"], collision));
    let taken = |hash: &String| known.iter().any(|revision| hash_of(set, revision) == *hash);
    hashes.find(|hash| !taken(hash)).unwrap_or_default()
}

fn revision(set: &Value, kind: &str, own: &str, hash: &str, data: Value, number: i64) -> Value {
    let mut labels = set
        .pointer("/spec/template/metadata/labels")
        .cloned()
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    let label = if kind == "DaemonSet" {
        super::stateful_set::REVISION_LABEL
    } else {
        "controller.kubernetes.io/hash"
    };
    labels[label] = hash.into();
    let mut metadata = json!({"name": own, "namespace": namespace(set), "labels": labels});
    if let Some(annotations) = set.pointer("/metadata/annotations").filter(|a| a.is_object()) {
        metadata["annotations"] = annotations.clone();
    }
    metadata["ownerReferences"] = json!([objects::owner_reference(set, "apps/v1", kind)]);
    json!({"kind": "ControllerRevision", "apiVersion": "apps/v1", "metadata": metadata, "data": data, "revision": number})
}

fn forgotten(set: &Value, known: &[Arc<Value>], own: &str, in_use: &[&str]) -> Vec<Step> {
    let limit = usize::try_from(int(set, "/spec/revisionHistoryLimit", 10)).unwrap_or(0);
    let used = |revision: &Value| {
        let hash = hash_of(set, revision);
        let named = [name(revision), hash.as_str()];
        name(revision) == own
            || name(revision) == text(set, "/status/currentRevision")
            || in_use.iter().any(|used| named.contains(used))
    };
    let mut old: Vec<&Arc<Value>> = known.iter().filter(|revision| !used(revision)).collect();
    old.sort_by_key(|revision| number(revision));
    let surplus = old.len().saturating_sub(limit);
    old.into_iter()
        .take(surplus)
        .map(|revision| Step::Delete(name(revision).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn set(image: &str) -> Value {
        json!({"metadata": {"name": "s", "namespace": "default", "uid": "u", "annotations": {"kubernetes.io/change-cause": "why"}},
            "spec": {"template": {"metadata": {"labels": {"s": "s"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    /// Carries out what a pass wants.
    fn pass(set: &Value, known: &mut Vec<Arc<Value>>, in_use: &[&str]) -> Newest {
        let newest = newest(set, "DaemonSet", known, in_use);
        for step in &newest.steps {
            match step {
                Step::Create(revision) => known.push(Arc::new(revision.clone())),
                Step::Renumber(own, number) => {
                    for revision in known.iter_mut().filter(|r| name(r) == own) {
                        Arc::make_mut(revision)["revision"] = (*number).into();
                    }
                }
                Step::Delete(own) => known.retain(|revision| name(revision) != own),
            }
        }
        newest
    }

    fn numbers(known: &[Arc<Value>]) -> Vec<i64> {
        known.iter().map(|revision| number(revision)).collect()
    }

    #[test]
    fn a_template_taken_up_again_becomes_the_newest() {
        let mut known = Vec::new();
        let first = pass(&set("i:1"), &mut known, &[]);
        assert_eq!(
            known[0]["metadata"]["labels"]["controller-revision-hash"],
            first.hash.as_str()
        );
        assert_eq!(known[0]["metadata"]["annotations"]["kubernetes.io/change-cause"], "why");
        assert_eq!(known[0]["data"]["spec"]["template"]["$patch"], "replace");
        assert_eq!(first.name, format!("s-{}", first.hash));
        assert!(pass(&set("i:1"), &mut known, &[]).steps.is_empty(), "known already");
        pass(&set("i:2"), &mut known, &[]);
        assert_eq!(numbers(&known), [1, 2]);
        let back = pass(&set("i:1"), &mut known, &[]);
        assert_eq!((back.name, numbers(&known)), (first.name, vec![3, 2]));
    }

    #[test]
    fn the_oldest_that_nobody_uses_are_forgotten() {
        let mut known = Vec::new();
        let used = pass(&set("i:0"), &mut known, &[]).hash;
        for image in 1..=14 {
            pass(&set(&format!("i:{image}")), &mut known, &[&used]);
        }
        // The limit, the present one, and the one a pod still has.
        assert_eq!(known.len(), 12);
        assert_eq!(number(&known[0]), 1);
    }
}
