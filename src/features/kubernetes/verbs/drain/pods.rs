//! Which pods of a node a drain sends away, and which keep it from starting. Pure; the words are kubectl's.

use serde_json::{Value, json};

use crate::features::kubernetes::object::{self, list, text};

/// What may be done although it loses something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Pods of daemon sets stay where they are.
    pub ignore_daemon_sets: bool,
    /// Pods lose what they keep in an emptyDir.
    pub delete_empty_dir: bool,
    /// Pods that nobody makes again are gone.
    pub force: bool,
}

/// The pods of a node, sorted out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sorted {
    /// Those to evict.
    pub evicted: Vec<Value>,
    /// Why nothing may be evicted; empty: go on.
    pub refusals: Vec<String>,
    /// What is told although it goes on.
    pub warnings: Vec<String>,
}

const DAEMON: &str = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";
const LOCAL: &str = "cannot delete Pods with local storage (use --delete-emptydir-data to override)";
const ORPHAN: &str = "cannot delete cannot delete Pods that declare no controller (use --force to override)";

/// Sorts the pods of a node.
pub fn sort(pods: Vec<Value>, allowed: Allowed) -> Sorted {
    let mut sorted = Sorted::default();
    let (mut daemons, mut local, mut orphans) = (Vec::new(), Vec::new(), Vec::new());
    for pod in pods {
        let title = format!("{}/{}", object::namespace(&pod), object::name(&pod));
        if object::annotation(&pod, "kubernetes.io/config.mirror").is_some() {
            continue;
        }
        let finished = matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed");
        let owner = object::controller(&pod);
        if owner.is_some_and(|owner| text(owner, "/kind") == "DaemonSet") && !finished {
            daemons.push(title);
            continue;
        }
        let keeps = list(&pod, "/spec/volumes")
            .iter()
            .any(|volume| volume.get("emptyDir").is_some());
        if keeps && !finished && !allowed.delete_empty_dir {
            local.push(title.clone());
        }
        if owner.is_none() && !finished {
            orphans.push(title);
        }
        sorted.evicted.push(pod);
    }
    let mut judge = |pods: Vec<String>, allowed: bool, refusal: &str, warning: &str| {
        if pods.is_empty() {
            return;
        }
        let names = pods.join(", ");
        if allowed {
            sorted.warnings.push(format!("{warning}: {names}"));
        } else {
            sorted.refusals.push(format!("{refusal}: {names}"));
        }
    };
    judge(
        daemons,
        allowed.ignore_daemon_sets,
        DAEMON,
        "ignoring DaemonSet-managed Pods",
    );
    judge(local, false, LOCAL, "deleting Pods with local storage");
    judge(
        orphans,
        allowed.force,
        ORPHAN,
        "deleting Pods that declare no controller",
    );
    sorted
}

/// What a drain needs to know of a pod it evicts: enough to find it and to see that it is still the same one.
pub fn slip(pod: &Value) -> Value {
    json!({"namespace": object::namespace(pod), "name": object::name(pod), "uid": object::uid(pod)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, owner: &str, rest: Value) -> Value {
        let mut pod =
            json!({"metadata": {"name": name, "namespace": "n", "uid": name}, "status": {"phase": "Running"}});
        if !owner.is_empty() {
            pod["metadata"]["ownerReferences"] = json!([{"kind": owner, "controller": true}]);
        }
        if let (Some(pod), Value::Object(rest)) = (pod.as_object_mut(), rest) {
            pod.extend(rest);
        }
        pod
    }

    #[test]
    fn what_would_be_lost_keeps_the_drain_from_starting() {
        let local = json!({"spec": {"volumes": [{"emptyDir": {}}]}});
        let all = || {
            vec![
                pod("a", "ReplicaSet", json!({})),
                pod("d", "DaemonSet", json!({})),
                pod("l", "ReplicaSet", local.clone()),
                pod("o", "", json!({})),
            ]
        };
        let refused = sort(all(), Allowed::default());
        assert_eq!(
            refused.refusals,
            [
                format!("{DAEMON}: n/d"),
                format!("{LOCAL}: n/l"),
                format!("{ORPHAN}: n/o")
            ]
        );
        let allowed = sort(
            all(),
            Allowed {
                ignore_daemon_sets: true,
                delete_empty_dir: true,
                force: true,
            },
        );
        assert!(allowed.refusals.is_empty());
        assert_eq!(allowed.warnings.len(), 2);
        let names: Vec<&str> = allowed.evicted.iter().map(object::name).collect();
        assert_eq!(names, ["a", "l", "o"]);
        let ended = pod("e", "", json!({"status": {"phase": "Succeeded"}}));
        let mirror = pod(
            "m",
            "",
            json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}),
        );
        let rest = sort(vec![ended, mirror], Allowed::default());
        assert_eq!((rest.refusals.len(), rest.evicted.len()), (0, 1));
    }
}
