//! Identity of replica sets: which one is the deployment's current template, what a new one is called, and which
//! revision it bears. Not for sizes (see `rolling` and `scale`).

use serde_json::{Map, Value, json};

use super::model::{Deployment, HASH_LABEL, OWN_ANNOTATIONS, REVISION, REVISION_HISTORY, ReplicaSet};
use super::{Action, Pass, model};
use crate::sandbox::random::NAME_ALPHABET;

impl Pass {
    /// The oldest replica set whose template is the deployment's, but for the hash label.
    pub(super) fn find_new(&self) -> Option<usize> {
        let wanted = without_hash(&self.deployment.template);
        self.sets.iter().position(|set| without_hash(&set.template) == wanted)
    }

    /// The new replica set with its revision brought up to date; created when there is none and `create` is set.
    pub(super) fn new_set(&mut self, create: bool) -> Option<usize> {
        let found = self.find_new();
        let revision = self
            .old_sets(found)
            .into_iter()
            .map(|index| self.sets[index].revision())
            .max()
            .unwrap_or(0)
            + 1;
        match found {
            Some(index) => {
                self.adopt(index, revision);
                Some(index)
            }
            None if create => self.create_set(revision),
            None => None,
        }
    }

    /// An existing replica set becomes (or stays) the newest revision.
    fn adopt(&mut self, index: usize, revision: i64) {
        let copied = copied_annotations(&self.deployment.annotations);
        let min_ready_seconds = self.deployment.min_ready_seconds;
        let Some(set) = self.sets.get_mut(index) else { return };
        let mut changed = false;
        for (key, value) in &copied {
            if set.annotations.get(key) != Some(value) {
                set.annotations.insert(key.clone(), value.clone());
                changed = true;
            }
        }
        let old = set.annotations.get(REVISION).and_then(Value::as_str).map(str::to_owned);
        if set.revision() < revision {
            set.annotate(REVISION, &revision.to_string());
            if let Some(old) = old {
                let history = match set.annotations.get(REVISION_HISTORY).and_then(Value::as_str) {
                    Some(history) if !history.is_empty() => format!("{history},{old}"),
                    _ => old,
                };
                set.annotate(REVISION_HISTORY, &history);
            }
            changed = true;
        }
        if set.min_ready_seconds != min_ready_seconds {
            set.min_ready_seconds = min_ready_seconds;
            set.generation += 1;
            changed = true;
        }
        set.annotations.sort_keys();
        let (name, revision) = (
            set.name.clone(),
            set.annotations
                .get(REVISION)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned(),
        );
        if changed {
            self.update(index);
        }
        let first = self.deployment.deadline.is_some() && self.deployment.condition("Progressing").is_none();
        if first {
            self.set_condition(
                "Progressing",
                "True",
                "FoundNewReplicaSet",
                format!("Found new replica set \"{name}\""),
            );
        }
        self.record_revision(revision, first);
    }

    fn create_set(&mut self, revision: i64) -> Option<usize> {
        let hash = template_hash(&self.deployment.template, self.deployment.collision_count);
        let name = format!("{}-{hash}", self.deployment.name);
        let others: i64 = self.sets.iter().map(|set| set.replicas).sum();
        let d = &self.deployment;
        let replicas = if d.recreate {
            d.replicas
        } else {
            (d.max_total() - others).min(d.replicas).max(0)
        };
        let mut annotations = copied_annotations(&d.annotations);
        annotations.insert(model::DESIRED_REPLICAS.into(), d.replicas.to_string().into());
        annotations.insert(model::MAX_REPLICAS.into(), d.max_total().to_string().into());
        annotations.insert(REVISION.into(), revision.to_string().into());
        annotations.sort_keys();
        let object = replica_set_object(d, &name, &hash, replicas, annotations);
        let mut set = ReplicaSet::read(&object);
        set.created = crate::sandbox::kubernetes::objects::rfc3339(self.now);
        self.sets.push(set);
        self.actions.push(Action::CreateReplicaSet(object));
        if replicas > 0 {
            self.actions.push(Action::Event(
                "ScalingReplicaSet",
                format!("Scaled up replica set {name} from 0 to {replicas}"),
            ));
        }
        if self.deployment.deadline.is_some() {
            self.set_condition(
                "Progressing",
                "True",
                "NewReplicaSetCreated",
                format!("Created new replica set \"{name}\""),
            );
        }
        self.record_revision(revision.to_string(), true);
        Some(self.sets.len() - 1)
    }

    /// Writes the revision to the deployment (with the conditions set meanwhile) when that changes something.
    fn record_revision(&mut self, revision: String, changed: bool) {
        if !changed && self.deployment.annotations.get(REVISION).and_then(Value::as_str) == Some(revision.as_str()) {
            return;
        }
        self.deployment
            .annotations
            .insert(REVISION.into(), revision.clone().into());
        self.actions.push(Action::Status {
            status: self.deployment.status.clone(),
            revision: Some(revision),
        });
    }
}

fn replica_set_object(d: &Deployment, name: &str, hash: &str, replicas: i64, annotations: Map<String, Value>) -> Value {
    let mut template = d.template.clone();
    let labels = add_hash(template.pointer("/metadata/labels"), hash);
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("labels".into(), labels.clone());
    } else if let Some(template) = template.as_object_mut() {
        template.insert("metadata".into(), json!({"labels": labels}));
    }
    let mut selector = d.selector.clone();
    if let Some(selector) = selector.as_object_mut() {
        let pairs = add_hash(selector.get("matchLabels"), hash);
        selector.insert("matchLabels".into(), pairs);
    }
    let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
    if d.min_ready_seconds > 0 {
        spec["minReadySeconds"] = d.min_ready_seconds.into();
    }
    json!({
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": name, "namespace": d.namespace, "generation": 1, "labels": labels, "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": d.name, "uid": d.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": spec,
        "status": {"replicas": 0},
    })
}

fn add_hash(labels: Option<&Value>, hash: &str) -> Value {
    let mut labels = labels.and_then(Value::as_object).cloned().unwrap_or_default();
    labels.insert(HASH_LABEL.into(), hash.into());
    labels.sort_keys();
    Value::Object(labels)
}

fn copied_annotations(annotations: &Map<String, Value>) -> Map<String, Value> {
    annotations
        .iter()
        .filter(|(key, _)| !OWN_ANNOTATIONS.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// A template as it is compared: without the hash label, empty maps and nulls left out, since the API server may or may not write them.
fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    }
    template.sort_all_objects();
    template
}

/// FNV-1a (32 bits) of the template and the collision count, written in the letters of generated names. Equal
/// templates give equal names, whatever the order of their fields.
pub(in crate::sandbox::kubernetes::controllers) fn template_hash(template: &Value, collision_count: i64) -> String {
    let mut bytes = without_hash(template).to_string().into_bytes();
    if collision_count > 0 {
        bytes.extend_from_slice(&collision_count.to_le_bytes());
    }
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_string()
        .bytes()
        .map(|digit| char::from(NAME_ALPHABET[usize::from(digit) % NAME_ALPHABET.len()]))
        .collect()
}
