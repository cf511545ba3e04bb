//! Namespaces: what every new one contains, and emptying one that is deleted.

use std::collections::HashSet;

use serde_json::json;

use super::Controllers;
use crate::sandbox::kubernetes::kinds::KINDS;
use crate::sandbox::kubernetes::objects::{is_deleting, text};

impl Controllers {
    pub(super) fn look_at_namespace(&mut self, own: &str) {
        let Some(object) = self.store.get("namespaces", "", own) else {
            return;
        };
        if is_deleting(&object) {
            return self.empty_namespace(own);
        }
        if self.store.get("serviceaccounts", own, "default").is_none() {
            let _ = self.store.create(
                "serviceaccounts",
                json!({"metadata": {"name": "default", "namespace": own}}),
            );
        }
        if self.store.get("configmaps", own, "kube-root-ca.crt").is_none() {
            let root = self.store.get("configmaps", "kube-system", "kube-root-ca.crt");
            let ca = root.as_deref().map_or("", |c| text(c, "/data/ca.crt")).to_owned();
            let _ = self.store.create("configmaps", json!({
                "metadata": {"name": "kube-root-ca.crt", "namespace": own, "annotations": {
                    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
                "data": {"ca.crt": ca},
            }));
        }
    }

    /// Deletes everything in a namespace; when nothing is left, the namespace goes.
    fn empty_namespace(&mut self, own: &str) {
        let mut left = 0;
        let mut seen = HashSet::new();
        for kind in KINDS
            .iter()
            .filter(|kind| kind.namespaced && seen.insert(kind.resource))
        {
            for object in self.store.list(kind.resource, Some(own)) {
                left += 1;
                if !is_deleting(&object) {
                    self.delete(kind.resource, &object);
                }
            }
        }
        // What was deleted just now comes back as events, which lead here again.
        let empty = left == 0 || seen.iter().all(|resource| !self.has_any(resource, own));
        if empty {
            let _ = self.store.modify("namespaces", "", own, |n| {
                n["spec"]["finalizers"] = json!([]);
            });
            let _ = self.store.delete("namespaces", "", own);
        } else {
            let _ = self
                .store
                .modify("namespaces", "", own, |n| n["status"]["phase"] = json!("Terminating"));
        }
    }

    fn has_any(&self, resource: &str, own: &str) -> bool {
        KINDS.iter().any(|k| k.resource == resource && k.namespaced) && !self.store.list(resource, Some(own)).is_empty()
    }
}
