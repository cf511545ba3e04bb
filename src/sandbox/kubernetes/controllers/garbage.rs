//! The garbage collector: what belonged to an object that is gone goes too (`Background`), goes first (`Foreground`), or
//! is left alone (`Orphan`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, Key};
use crate::sandbox::kubernetes::graceful;
use crate::sandbox::kubernetes::kinds::{self, KINDS};
use crate::sandbox::kubernetes::objects::{is_deleting, name, namespace, owners, text, uid};
use crate::sandbox::kubernetes::store::Term;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Whether an object's deletion waits for one of the collector's finalizers.
pub(super) fn is_ours(object: &Value) -> bool {
    has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN)
}

fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|f| f == finalizer))
}

impl Controllers {
    /// The objects that name this UID as an owner.
    fn dependents(&self, uid: &str) -> Vec<(&'static str, Arc<Value>)> {
        let mut found = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for kind in KINDS.iter().filter(|kind| seen.insert(kind.resource)) {
            found.extend(
                self.store
                    .find(kind.resource, None, Term::Owner(uid))
                    .into_iter()
                    .map(|object| (kind.resource, object)),
            );
        }
        found
    }

    /// After an owner is gone: dependents without another living owner go, the others only forget it.
    pub(super) fn delete_dependents(&mut self, owner: &str) {
        for (resource, object) in self.dependents(owner) {
            let others: Vec<Value> = owners(&object)
                .filter(|o| text(o, "/uid") != owner && self.is_alive(o, namespace(&object)))
                .cloned()
                .collect();
            if others.is_empty() {
                self.delete(resource, &object);
            } else {
                let _ = self.store.modify(resource, namespace(&object), name(&object), |o| {
                    o["metadata"]["ownerReferences"] = json!(others)
                });
            }
        }
    }

    pub(super) fn is_alive(&self, owner: &Value, space: &str) -> bool {
        kinds::by_kind(text(owner, "/apiVersion"), text(owner, "/kind"))
            .and_then(|kind| {
                self.store.get(
                    kind.resource,
                    if kind.namespaced { space } else { "" },
                    text(owner, "/name"),
                )
            })
            .is_some_and(|object| uid(&object) == text(owner, "/uid"))
    }

    /// Deletes as the API server does for a controller: pods gracefully, others at once unless a finalizer holds them.
    pub(super) fn delete(&mut self, resource: &'static str, object: &Value) {
        let (space, own) = (namespace(object), name(object));
        if resource == "pods" {
            let _ = graceful::delete_pod(&self.store, &self.clock, space, own, None);
        } else if object
            .pointer("/metadata/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty())
        {
            let now = self.clock.rfc3339();
            let _ = self.store.modify(resource, space, own, |o| {
                if !is_deleting(o) {
                    o["metadata"]["deletionTimestamp"] = json!(now);
                    o["metadata"]["deletionGracePeriodSeconds"] = json!(0);
                }
            });
        } else {
            let _ = self.store.delete(resource, space, own);
        }
    }

    /// Works off the collector's finalizers of one object.
    pub(super) fn finalize(&mut self, resource: &'static str, space: &str, own: &str) {
        let Some(object) = self.store.get(resource, space, own).filter(|o| is_deleting(o)) else {
            return;
        };
        let dependents = self.dependents(uid(&object));
        if has_finalizer(&object, ORPHAN) {
            for (kind, dependent) in dependents {
                let _ = self.store.modify(kind, namespace(&dependent), name(&dependent), |o| {
                    if let Some(list) = o["metadata"]["ownerReferences"].as_array_mut() {
                        list.retain(|reference| text(reference, "/uid") != uid(&object));
                    }
                });
            }
            return self.release(resource, space, own, ORPHAN);
        }
        if !has_finalizer(&object, FOREGROUND) {
            return;
        }
        let blocks = |o: &Value| {
            owners(o).any(|r| text(r, "/uid") == uid(&object) && r.get("blockOwnerDeletion") == Some(&json!(true)))
        };
        let blocked = dependents.iter().any(|(_, o)| blocks(o));
        for (kind, dependent) in dependents.iter().filter(|(_, o)| !is_deleting(o)) {
            self.delete_foreground(kind, dependent);
        }
        if !blocked {
            self.release(resource, space, own, FOREGROUND);
        }
    }

    /// A dependent with dependents of its own waits for them too.
    fn delete_foreground(&mut self, resource: &'static str, object: &Arc<Value>) {
        if resource == "pods" || self.dependents(uid(object)).is_empty() {
            return self.delete(resource, object);
        }
        let now = self.clock.rfc3339();
        let _ = self.store.modify(resource, namespace(object), name(object), |o| {
            o["metadata"]["deletionTimestamp"] = json!(now);
            o["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            if !o["metadata"]["finalizers"].is_array() {
                o["metadata"]["finalizers"] = json!([]);
            }
            if let Some(list) = o["metadata"]["finalizers"].as_array_mut() {
                list.push(json!(FOREGROUND));
            }
        });
    }

    fn release(&mut self, resource: &'static str, space: &str, own: &str, finalizer: &str) {
        let _ = self.store.modify(resource, space, own, |o| {
            if let Some(list) = o["metadata"]["finalizers"].as_array_mut() {
                list.retain(|f| f != finalizer);
            }
            o["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        });
    }

    /// Owners that wait in the foreground for this object, which is gone.
    pub(super) fn queue_waiting_owners(&mut self, object: &Value) {
        for owner in owners(object) {
            if let Some(kind) = kinds::by_kind(text(owner, "/apiVersion"), text(owner, "/kind")) {
                let space = if kind.namespaced { namespace(object) } else { "" };
                self.queue.add(Key::Finalize(
                    kind.resource,
                    space.to_owned(),
                    text(owner, "/name").to_owned(),
                ));
            }
        }
    }
}
