//! Slim decoding of objects as a real server wrote them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn row<R: SlimRow>(object: Value) -> R {
    R::of(serde_json::from_value(object).unwrap())
}

fn pod(status: Value) -> PodRow {
    row(
        json!({"kind": "Pod", "metadata": {"name": "web-7fd5-gq", "namespace": "default", "uid": "p", "resourceVersion": "361",
        "creationTimestamp": "2026-11-21T18:33:30Z", "labels": {"pod-template-hash": "7fd5", "run": "web"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7fd5", "uid": "rs", "controller": true}]},
        "spec": {"containers": [{"name": "web", "image": "so0k/kuar-inspector:1.0.0", "ports": [{"containerPort": 80}]}],
            "nodeName": "node-3", "tolerations": [{"key": "x"}]},
        "status": status}),
    )
}

fn container(state: Value, ready: bool) -> Value {
    json!({"phase": "Running", "podIP": "100.96.1.5",
        "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }, "lastProbeTime": null}],
        "containerStatuses": [{"name": "web", "ready": ready, "restartCount": 2, "state": state,
            "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-21T18:34:00Z"}}}]})
}

#[test]
fn a_running_pod() {
    let row = pod(container(
        json!({"running": {"startedAt": "2026-11-21T18:33:31Z"}}),
        true,
    ));
    assert_eq!(
        (row.status.as_str(), row.ready, row.containers, row.restarts),
        ("Running", 1, 1, 2)
    );
    assert_eq!(
        (row.version.as_str(), row.ip.as_str(), row.node.as_str()),
        ("1.0.0", "100.96.1.5", "node-3")
    );
    assert_eq!(
        (row.owner.as_str(), row.owner_uid.as_str(), row.template_hash.as_str()),
        ("web-7fd5", "rs", "7fd5")
    );
    assert!(row.is_ready && row.restarted.is_some());
}

#[test]
fn the_status_column_follows_kubectl() {
    let of = |state: Value| pod(container(state, false)).status;
    assert_eq!(
        of(json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}})),
        "ImagePullBackOff"
    );
    assert_eq!(of(json!({"terminated": {"exitCode": 3}})), "ExitCode:3");
    assert_eq!(of(json!({"terminated": {"exitCode": 0, "signal": 9}})), "Signal:9");
    assert_eq!(of(json!({"terminated": {"exitCode": 1, "reason": "Error"}})), "Error");
    assert_eq!(pod(json!({"phase": "Pending"})).status, "Pending", "just made");
    assert_eq!(pod(json!({"phase": "Failed", "reason": "Evicted"})).status, "Evicted");
    assert_eq!(
        pod(container(json!({"waiting": {"reason": "x", "message": "why"}}), false)).message,
        "why"
    );
}

#[test]
fn init_containers_come_first_and_deletion_last() {
    let made = |init: Value, deleted: bool| {
        let mut object = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "web", "image": "i"}],
            "initContainers": [{"name": "one"}, {"name": "two"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [init]}});
        if deleted {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-21T18:33:30Z");
        }
        row::<PodRow>(object).status
    };
    assert_eq!(
        made(json!({"name": "one", "state": {"running": {}}}), false),
        "Init:0/2"
    );
    assert_eq!(
        made(
            json!({"name": "one", "state": {"waiting": {"reason": "ErrImagePull"}}}),
            false
        ),
        "Init:ErrImagePull"
    );
    assert_eq!(
        made(json!({"name": "one", "state": {"terminated": {"exitCode": 2}}}), false),
        "Init:ExitCode:2"
    );
    assert_eq!(
        made(json!({"name": "one", "state": {"running": {}}}), true),
        "Terminating"
    );
}

#[test]
fn a_deployment_of_a_real_server() {
    let row: DeploymentRow = row(
        json!({"metadata": {"name": "inspector", "namespace": "default", "uid": "d", "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2", "kubectl.kubernetes.io/last-applied-configuration": "…"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"run": "inspector"}}, "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"spec": {"containers": [{"name": "a", "image": "i:2"}, {"name": "b", "image": "j:2"}]}}},
        "status": {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3,
            "unavailableReplicas": 1, "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
                "lastUpdateTime": "2026-11-21T18:33:30Z"}]}}),
    );
    assert_eq!((row.replicas, row.total, row.updated, row.available), (3, 4, 1, 3));
    assert_eq!((row.revision, row.version.as_str()), (Some(2), "2"));
    assert_eq!(row.strategy.fenceposts(3), (1, 1));
    assert!(row.condition("Progressing").unwrap().last_update_time.is_some());
}

#[test]
fn fenceposts_are_those_of_the_controller() {
    let rolling = |surge: Amount, unavailable: Amount| Strategy::Rolling { surge, unavailable };
    let quarter = Strategy::RollingDefault;
    let cases = [(1, (1, 0)), (3, (1, 0)), (4, (1, 1)), (10, (3, 2))];
    for (replicas, wanted) in cases {
        assert_eq!(quarter.fenceposts(replicas), wanted, "{replicas}");
    }
    assert_eq!(
        rolling(Amount::Count(0), Amount::Percent("10%".into())).fenceposts(3),
        (0, 1),
        "never both zero"
    );
    assert_eq!(rolling(Amount::Count(1), Amount::Count(9)).fenceposts(2), (1, 2));
}

#[test]
fn services_and_events() {
    let service: ServiceRow = row(
        json!({"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "clusterIP": "100.64.0.7",
        "ports": [{"port": 80, "nodePort": 30123, "protocol": "TCP", "targetPort": "http"}], "selector": {"run": "web"}},
        "status": {"loadBalancer": {"ingress": [{"hostname": "a.elb"}, {"ip": "1.2.3.4"}]}}}),
    );
    assert_eq!(service.ingress, ["a.elb", "1.2.3.4"]);
    assert_eq!(service.ports[0].node_port, 30123);
    let event: EventRow = row(
        json!({"metadata": {"namespace": "default"}, "involvedObject": {"kind": "Pod", "name": "p", "uid": "u"},
        "type": "Warning", "reason": "Failed", "message": "m", "count": 3, "eventTime": null,
        "lastTimestamp": "2026-11-21T18:33:29Z"}),
    );
    assert_eq!(
        (event.count, event.object.as_str(), event.kind.as_str()),
        (3, "p", "Warning")
    );
    assert!(event.at.is_some());
}

#[test]
fn hostile_and_empty_objects_decode_to_empty_rows() {
    for object in [json!({}), json!({"metadata": {}, "spec": {}, "status": {}})] {
        assert_eq!(row::<PodRow>(object.clone()).containers, 0);
        assert_eq!(row::<DeploymentRow>(object.clone()).replicas, 1);
        assert_eq!(row::<ServiceRow>(object).kind, "");
    }
}
