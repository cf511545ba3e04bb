//! Tables of passes over a small model: the replica sets obey at once, pods become available when the table says so.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::sandbox::kubernetes::objects::{int, name, text};
use serde_json::json;

/// A deployment and its replica sets, to which actions are applied as the store would.
struct Model {
    deployment: Value,
    sets: Vec<Value>,
    now: Timestamp,
    events: Vec<String>,
    created: i64,
}

impl Model {
    fn new(replicas: i64, strategy: Value) -> Self {
        let deployment = json!({
            "metadata": {"name": "d", "namespace": "default", "uid": "u", "generation": 1},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"run": "d"}}, "strategy": strategy,
                "template": {"metadata": {"labels": {"run": "d"}}, "spec": {"containers": [{"name": "d", "image": "i:1"}]}},
                "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            },
        });
        let now = "2026-11-21T18:00:00Z".parse().unwrap();
        Self {
            deployment,
            sets: vec![],
            now,
            events: vec![],
            created: 0,
        }
    }

    fn rolling(replicas: i64, surge: Value, unavailable: Value) -> Self {
        Self::new(
            replicas,
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}),
        )
    }

    fn set_spec(&mut self, field: &str, value: Value) {
        self.deployment["spec"][field] = value;
        self.deployment["metadata"]["generation"] = (int(&self.deployment, "/metadata/generation", 0) + 1).into();
    }

    fn set_image(&mut self, image: &str) {
        let mut template = self.deployment["spec"]["template"].clone();
        template["spec"]["containers"][0]["image"] = image.into();
        self.set_spec("template", template);
    }

    /// Passes until nothing changes any more, replica sets creating (not readying) their pods meanwhile.
    fn settle(&mut self) {
        self.settle_with(&[]);
    }

    fn settle_with(&mut self, pods: &[Arc<Value>]) {
        for _ in 0..50 {
            let shared: Vec<Arc<Value>> = self.sets.iter().cloned().map(Arc::new).collect();
            let actions = sync(&self.deployment, &shared, pods, self.now);
            let changed = actions.iter().any(|a| !matches!(a, Action::Requeue(_)));
            for action in actions {
                self.apply(action);
            }
            for set in &mut self.sets {
                set["status"]["replicas"] = set["spec"]["replicas"].clone();
                let wanted = int(set, "/spec/replicas", 0);
                for field in ["readyReplicas", "availableReplicas"] {
                    set["status"][field] = int(set, &format!("/status/{field}"), 0).min(wanted).into();
                }
                set["status"]["observedGeneration"] = set["metadata"]["generation"].clone();
            }
            if !changed {
                return;
            }
        }
        panic!("the controller does not come to rest");
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::CreateReplicaSet(mut set) => {
                self.created += 1;
                set["metadata"]["uid"] = format!("set-{}", self.created).into();
                set["metadata"]["creationTimestamp"] = format!("2026-11-21T18:00:{:02}Z", self.created).into();
                self.sets.push(set);
            }
            Action::UpdateReplicaSet {
                name: own,
                replicas,
                annotations,
                ..
            } => {
                let set = self.sets.iter_mut().find(|s| name(s) == own).unwrap();
                set["spec"]["replicas"] = replicas.into();
                set["metadata"]["annotations"] = Value::Object(annotations);
            }
            Action::DeleteReplicaSet(own) => self.sets.retain(|s| name(s) != own),
            Action::Status { status, revision } => {
                self.deployment["status"] = Value::Object(status);
                if let Some(revision) = revision {
                    self.deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision.into();
                }
            }
            Action::Event(_, message) => {
                let mut message = message.replace("Scaled ", "");
                for (index, set) in self.sets.iter().enumerate() {
                    message = message.replace(&format!("replica set {}", name(set)), &format!("#{}", index + 1));
                }
                self.events.push(message);
            }
            Action::Requeue(_) => {}
        }
    }

    /// All pods of all replica sets become available.
    fn all_available(&mut self) {
        for set in &mut self.sets {
            for field in ["readyReplicas", "availableReplicas"] {
                set["status"][field] = set["spec"]["replicas"].clone();
            }
        }
        self.settle();
    }

    fn sizes(&self) -> Vec<i64> {
        self.sets.iter().map(|s| int(s, "/spec/replicas", 0)).collect()
    }

    fn revisions(&self) -> Vec<String> {
        self.sets
            .iter()
            .map(|s| text(s, "/metadata/annotations/deployment.kubernetes.io~1revision").to_owned())
            .collect()
    }

    fn progressing(&self) -> (&str, &str) {
        let condition = crate::sandbox::kubernetes::objects::condition(&self.deployment, "Progressing");
        condition.map_or(("", ""), |c| (text(c, "/status"), text(c, "/reason")))
    }
}

#[test]
fn the_demo_rolls_one_by_one_and_never_below_three() {
    let mut model = Model::rolling(3, json!("25%"), json!("25%"));
    model.settle();
    assert_eq!(
        (model.sizes(), model.progressing()),
        (vec![3], ("True", "ReplicaSetUpdated"))
    );
    model.all_available();
    assert_eq!(model.progressing(), ("True", "NewReplicaSetAvailable"));
    model.set_image("i:2");
    let mut steps = vec![];
    for _ in 0..5 {
        model.settle();
        steps.push(model.sizes());
        model.all_available();
        steps.push(model.sizes());
    }
    steps.dedup();
    assert_eq!(steps, [vec![3, 1], vec![2, 2], vec![1, 3], vec![0, 3]]);
    assert_eq!(
        model.events,
        [
            "up #1 from 0 to 3",
            "up #2 from 0 to 1",
            "down #1 from 3 to 2",
            "up #2 from 1 to 2",
            "down #1 from 2 to 1",
            "up #2 from 2 to 3",
            "down #1 from 1 to 0"
        ]
    );
    assert_eq!(model.progressing(), ("True", "NewReplicaSetAvailable"));
    assert_eq!(model.deployment["status"]["observedGeneration"], 2);
}

#[test]
fn one_and_one_may_serve_from_two() {
    let mut model = Model::rolling(3, json!(1), json!(1));
    model.settle();
    model.all_available();
    model.set_image("i:2");
    model.settle();
    assert_eq!(model.sizes(), [2, 2], "an old one goes before the new one is available");
}

#[test]
fn a_broken_rollout_stops_and_undo_renumbers() {
    let mut model = Model::rolling(3, json!("25%"), json!("25%"));
    model.settle();
    model.all_available();
    for image in ["i:2", "i:broken"] {
        model.set_image(image);
        for _ in 0..4 {
            model.settle();
            if image != "i:broken" {
                model.all_available();
            }
        }
    }
    assert_eq!(
        (model.sizes(), model.revisions()),
        (vec![0, 3, 1], vec!["1".into(), "2".into(), "3".into()])
    );
    model.set_image("i:2");
    model.settle();
    assert_eq!(
        (model.sizes(), model.revisions()),
        (vec![0, 3, 0], vec!["1".into(), "4".into(), "3".into()])
    );
    assert_eq!(
        text(
            &model.sets[1],
            "/metadata/annotations/deployment.kubernetes.io~1revision-history"
        ),
        "2"
    );
    assert_eq!(
        text(
            &model.deployment,
            "/metadata/annotations/deployment.kubernetes.io~1revision"
        ),
        "4"
    );
    assert_eq!(model.sets.len(), 3, "the old replica set is used again");
}

#[test]
fn scaling_in_the_middle_of_a_rollout_is_proportional() {
    let mut model = Model::rolling(10, json!(3), json!(2));
    model.settle();
    model.all_available();
    model.set_image("i:2");
    model.settle();
    assert_eq!(model.sizes(), [8, 5]);
    model.set_spec("replicas", json!(15));
    model.settle();
    assert_eq!(model.sizes(), [11, 7], "the example of the Kubernetes documentation");
    model.set_spec("replicas", json!(0));
    model.settle();
    assert_eq!(model.sizes(), [0, 0]);
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut model = Model::rolling(2, json!("25%"), json!("25%"));
    model.settle();
    model.all_available();
    model.set_spec("paused", json!(true));
    model.set_image("i:2");
    model.set_spec("replicas", json!(4));
    model.settle();
    assert_eq!(
        (model.sizes(), model.progressing()),
        (vec![4], ("Unknown", "DeploymentPaused"))
    );
    model.set_spec("paused", json!(false));
    model.settle();
    assert_eq!(model.sizes(), [3, 2], "resumed: maxUnavailable 1 of 4");
}

#[test]
fn recreate_waits_for_the_last_old_pod() {
    let mut model = Model::new(2, json!({"type": "Recreate"}));
    model.settle();
    model.all_available();
    let pod = json!({
        "metadata": {"ownerReferences": [{"uid": model.sets[0]["metadata"]["uid"], "controller": true}], "deletionTimestamp": "2026-11-21T18:00:00Z"},
        "status": {"phase": "Running"},
    });
    model.set_image("i:2");
    model.settle_with(&[Arc::new(pod)]);
    assert_eq!(model.sizes(), [0], "nothing new while an old pod runs");
    model.settle();
    assert_eq!(model.sizes(), [0, 2]);
}

#[test]
fn the_deadline_passes_and_is_not_undone() {
    let mut model = Model::rolling(1, json!("25%"), json!("25%"));
    model.settle();
    model.all_available();
    model.set_image("i:broken");
    model.settle();
    let shared: Vec<Arc<Value>> = model.sets.iter().cloned().map(Arc::new).collect();
    let wait = sync(&model.deployment, &shared, &[], model.now);
    assert_eq!(wait, [Action::Requeue(Duration::from_secs(601))]);
    model.now += jiff::SignedDuration::from_secs(602);
    model.settle();
    assert_eq!(
        (model.progressing(), model.sizes()),
        (("False", "ProgressDeadlineExceeded"), vec![1, 1])
    );
    model.all_available();
    assert_eq!(
        model.progressing(),
        ("True", "NewReplicaSetAvailable"),
        "a late success counts"
    );
}

#[test]
fn the_history_is_limited_and_annotations_travel() {
    let mut model = Model::rolling(1, json!("25%"), json!("25%"));
    model.set_spec("revisionHistoryLimit", json!(1));
    for (index, image) in ["i:1", "i:2", "i:3", "i:4"].into_iter().enumerate() {
        model.deployment["metadata"]["annotations"]["kubernetes.io/change-cause"] = format!("change {index}").into();
        model.set_image(image);
        for _ in 0..3 {
            model.settle();
            model.all_available();
        }
    }
    assert_eq!(model.revisions(), ["3", "4"]);
    assert_eq!(
        text(&model.sets[1], "/metadata/annotations/kubernetes.io~1change-cause"),
        "change 3"
    );
    assert_eq!(
        text(&model.sets[0], "/metadata/annotations/kubernetes.io~1change-cause"),
        "change 2"
    );
}

#[test]
fn a_template_is_the_same_whatever_the_order_of_its_fields() {
    let one = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"x": 1, "y": {"b": 1, "c": 2}}});
    let two =
        json!({"spec": {"y": {"c": 2, "b": 1}, "x": 1}, "metadata": {"creationTimestamp": null, "labels": {"a": "1"}}});
    assert_eq!(revision::template_hash(&one, 0), revision::template_hash(&two, 0));
    assert_ne!(revision::template_hash(&one, 0), revision::template_hash(&one, 1));
    assert!(
        revision::template_hash(&one, 0)
            .bytes()
            .all(|b| crate::sandbox::random::NAME_ALPHABET.contains(&b))
    );
}

#[test]
fn hostile_numbers_do_no_harm() {
    for (surge, unavailable) in [
        (json!("999999999999999999999%"), json!("-5%")),
        (json!("x"), json!(null)),
        (json!(-3), json!(9_000_000_000_i64)),
    ] {
        let mut model = Model::rolling(2, surge, unavailable);
        model.settle();
        model.all_available();
        assert_eq!(model.sizes(), [2]);
    }
}
