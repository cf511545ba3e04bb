//! Graceful deletion of pods: the request, and the end. Not for deciding what to delete.

use serde_json::{Value, json};

use super::objects::{self, pod, rfc3339, text};
use super::store::{Store, StoreError};
use crate::sandbox::clock::Clock;

/// Asks for a pod's deletion. A pod that no kubelet runs, or `grace` 0, goes at once; otherwise it is marked and the
/// kubelet ends it. A second request may only shorten the time.
///
/// # Errors
/// `NotFound` when it is gone already.
pub fn delete_pod(
    store: &Store,
    clock: &Clock,
    namespace: &str,
    name: &str,
    grace: Option<i64>,
) -> Result<(), StoreError> {
    let current = store.get("pods", namespace, name).ok_or(StoreError::NotFound)?;
    let own = objects::int(&current, "/spec/terminationGracePeriodSeconds", 30);
    let grace = grace.unwrap_or(own).max(0);
    let unattended = text(&current, "/spec/nodeName").is_empty() || pod::is_finished(&current);
    let grace = if unattended { 0 } else { grace };
    if grace == 0 {
        return remove(store, clock, namespace, name);
    }
    let at = clock.now() + jiff::SignedDuration::from_secs(grace);
    store.modify("pods", namespace, name, |p| mark(p, &rfc3339(at), grace))?;
    Ok(())
}

/// Removes a pod whose containers have ended; finalizers keep the object a little longer.
///
/// # Errors
/// `NotFound` when it is gone already.
pub fn remove(store: &Store, clock: &Clock, namespace: &str, name: &str) -> Result<(), StoreError> {
    let now = clock.rfc3339();
    let left = store.modify("pods", namespace, name, |p| {
        if objects::is_deleting(p) {
            p["metadata"]["deletionTimestamp"] = json!(now);
            p["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        } else if has_finalizers(p) {
            mark(p, &now, 0);
        }
    })?;
    if !has_finalizers(&left) {
        store.delete("pods", namespace, name)?;
    }
    Ok(())
}

fn mark(pod: &mut Value, at: &str, grace: i64) {
    let before = pod["metadata"]["deletionGracePeriodSeconds"].as_i64();
    if objects::is_deleting(pod) && before.is_some_and(|b| b <= grace) {
        return;
    }
    if !objects::is_deleting(pod) {
        objects::bump_generation(pod);
    }
    pod["metadata"]["deletionTimestamp"] = json!(at);
    pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
}

fn has_finalizers(object: &Value) -> bool {
    object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}
