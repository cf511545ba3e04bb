//! What the cluster does by itself: pods that crash, pods nobody can place, objects whose owner goes, namespaces that
//! end, load balancers that come and go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::cloud::LoadBalancers;
use cogdeck::sandbox::kubernetes::control_plane::{ClusterConfig, ControlPlane};
use cogdeck::sandbox::kubernetes::runtime::PodRuntime;
use cogdeck::sandbox::kubernetes::store::Store;
use serde_json::{Value, json};

struct Cluster {
    plane: ControlPlane,
    balancers: LoadBalancers,
}

impl Cluster {
    fn start(speed: f64) -> Self {
        let balancers = LoadBalancers::new(1);
        let plane = ControlPlane::start(
            &Clock::new(speed),
            ClusterConfig {
                seed: 1,
                ..Default::default()
            },
            balancers.clone(),
        )
        .unwrap();
        Self { plane, balancers }
    }

    fn store(&self) -> &Store {
        &self.plane.store
    }

    fn deploy(&self, namespace: &str, name: &str, replicas: i64, image: &str) {
        let object = json!({
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"run": name}},
                "template": {"metadata": {"labels": {"run": name}}, "spec": {"containers": [{"name": name, "image": image}]}},
                "strategy": {"type": "RollingUpdate"}, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            },
        });
        self.store().create("deployments", object).unwrap();
    }

    fn pods(&self, namespace: &str) -> Vec<std::sync::Arc<Value>> {
        self.store().list("pods", Some(namespace))
    }

    async fn ready(&self, namespace: &str, count: usize) {
        until("ready pods", || {
            let ready = self
                .pods(namespace)
                .iter()
                .filter(|p| {
                    p["metadata"].get("deletionTimestamp").is_none()
                        && p.pointer("/status/containerStatuses/0/ready") == Some(&json!(true))
                })
                .count();
            ready == count
        })
        .await;
    }

    fn events(&self, reason: &str) -> Vec<String> {
        let events = self.store().list("events", None);
        events
            .iter()
            .filter(|e| e["reason"] == reason)
            .map(|e| e["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn until(what: &str, test: impl Fn() -> bool) {
    let begin = Instant::now();
    while !test() {
        assert!(begin.elapsed() < Duration::from_secs(20), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn first(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashing_container_restarts_and_backs_off() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "boom", 1, "example.org/boom:crash");
    until("a back-off", || {
        cluster
            .pods("default")
            .iter()
            .any(|p| first(p, "/status/containerStatuses/0/state/waiting/reason") == "CrashLoopBackOff")
    })
    .await;
    let pod = cluster.pods("default").remove(0);
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!(
        (&pod["status"]["phase"], &status["restartCount"]),
        (&json!("Running"), &json!(1))
    );
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 1);
    let message = first(status, "/state/waiting/message");
    assert!(
        message.starts_with("back-off 10s restarting failed container=boom pod=boom-"),
        "{message}"
    );
    until("a second restart", || {
        cluster.pods("default")[0].pointer("/status/containerStatuses/0/restartCount") == Some(&json!(2))
    })
    .await;
    assert!(!cluster.events("BackOff").is_empty());
    cluster.store().delete("deployments", "default", "boom").unwrap();
    until("the end", || cluster.pods("default").is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_can_not_be_pulled_says_why() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "gone", 1, "so0k/kuar-inspector:broken");
    until("a back-off", || {
        cluster
            .pods("default")
            .iter()
            .any(|p| first(p, "/status/containerStatuses/0/state/waiting/reason") == "ImagePullBackOff")
    })
    .await;
    let pod = cluster.pods("default").remove(0);
    assert_eq!(
        first(&pod, "/status/containerStatuses/0/state/waiting/message"),
        "Back-off pulling image \"so0k/kuar-inspector:broken\": ErrImagePull: failed to pull and unpack image \"docker.io/so0k/kuar-inspector:broken\": failed to resolve reference \"docker.io/so0k/kuar-inspector:broken\": not found"
    );
    assert!(cluster.events("Failed").iter().any(|m| m == "Error: ErrImagePull"));
    // The image is mended: a new replica set takes over.
    cluster
        .store()
        .modify("deployments", "default", "gone", |d| {
            d["spec"]["template"]["spec"]["containers"][0]["image"] = "so0k/kuar-inspector:1.0.0".into()
        })
        .unwrap();
    cluster.ready("default", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_those_of_the_container() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "inspector", 1, "so0k/kuar-inspector:1.0.0");
    cluster.ready("default", 1).await;
    let pod = first(&cluster.pods("default")[0], "/metadata/name");
    let mut log = cluster
        .plane
        .kubelets
        .logs("default", &pod, "inspector", false)
        .unwrap();
    assert_eq!(&*log.past()[0].text, "Starting inspector...");
    let ip = first(&cluster.pods("default")[0], "/status/podIP").parse().unwrap();
    let address = cluster.plane.network.route_pod(ip, 80).listener.unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut stream,
        b"GET /net?x=1 HTTP/1.1\r\nHost: x\r\nUser-Agent: test/1\r\nConnection: close\r\n\r\n",
    )
    .await
    .unwrap();
    let mut body = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut body)
        .await
        .unwrap();
    let line = log.next().await.unwrap().remove(0).text;
    let pattern = regex::Regex::new(r#"^172\.20\.\d+\.\d+:\d+ - \[\d\d/[A-Z][a-z]{2}/\d{4} (0\d|1[0-2]):\d\d:\d\d\] "GET /net\?x=1 HTTP/1\.1 200 \d+" test/1 \d+\.\d+$"#).unwrap();
    assert!(pattern.is_match(&line), "{line}");
    assert!(cluster.plane.kubelets.logs("default", &pod, "other", false).is_none());
    cluster.store().delete("deployments", "default", "inspector").unwrap();
    until("the end", || cluster.pods("default").is_empty()).await;
    assert!(
        cluster
            .plane
            .kubelets
            .logs("default", &pod, "inspector", false)
            .is_none()
    );
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the listener is gone"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_wait_for_a_node_and_go_when_there_is_one() {
    let cluster = Cluster::start(50.0);
    let cordon = |on: bool| {
        for node in cluster.store().list("nodes", None) {
            cluster
                .store()
                .modify("nodes", "", &first(&node, "/metadata/name"), |n| {
                    n["spec"]["unschedulable"] = on.into()
                })
                .unwrap();
        }
    };
    cordon(true);
    cluster.deploy("default", "late", 2, "nginx");
    until("the reason", || !cluster.events("FailedScheduling").is_empty()).await;
    assert!(cluster.events("FailedScheduling")[0].starts_with("0/4 nodes are available: 4 node(s) were unschedulable"));
    assert!(
        cluster
            .pods("default")
            .iter()
            .all(|p| p["status"]["conditions"][0]["reason"] == "Unschedulable")
    );
    cordon(false);
    cluster.ready("default", 2).await;
    let control_plane = cluster
        .pods("default")
        .iter()
        .any(|p| first(p, "/spec/nodeName").starts_with("ip-172-20-36-15."));
    assert!(!control_plane, "the control plane takes no workloads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relabelled_pod_is_released_and_replaced_and_an_orphan_adopted() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "x", 2, "nginx");
    cluster.ready("default", 2).await;
    let pod = first(&cluster.pods("default")[0], "/metadata/name");
    cluster
        .store()
        .modify("pods", "default", &pod, |p| {
            p["metadata"]["labels"]["run"] = "debug".into()
        })
        .unwrap();
    cluster.ready("default", 3).await;
    let released = cluster.store().get("pods", "default", &pod).unwrap();
    assert_eq!(released["metadata"]["ownerReferences"], json!([]));
    cluster
        .store()
        .modify("pods", "default", &pod, |p| p["metadata"]["labels"]["run"] = "x".into())
        .unwrap();
    cluster.ready("default", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_goes_to_dependents_in_the_order_asked_for() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "front", 2, "nginx");
    cluster.ready("default", 2).await;
    let delete = |finalizer: &str| {
        cluster
            .store()
            .modify("deployments", "default", "front", |d| {
                d["metadata"]["finalizers"] = json!([finalizer]);
                d["metadata"]["deletionTimestamp"] = "2026-11-21T18:00:00Z".into();
                d["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            })
            .unwrap();
    };
    delete("foregroundDeletion");
    until("the pods' end", || {
        cluster
            .pods("default")
            .iter()
            .any(|p| p["metadata"].get("deletionTimestamp").is_some())
    })
    .await;
    assert!(
        cluster.store().get("deployments", "default", "front").is_some(),
        "the owner waits"
    );
    until("the owner's end", || {
        cluster.store().get("deployments", "default", "front").is_none()
    })
    .await;
    assert!(cluster.pods("default").is_empty() && cluster.store().list("replicasets", Some("default")).is_empty());

    cluster.deploy("default", "front", 1, "nginx");
    cluster.ready("default", 1).await;
    delete("orphan");
    until("the owner's end", || {
        cluster.store().get("deployments", "default", "front").is_none()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        (
            cluster.pods("default").len(),
            cluster.store().list("replicasets", Some("default")).len()
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_is_furnished_and_emptied() {
    let cluster = Cluster::start(50.0);
    let object =
        json!({"metadata": {"name": "team"}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
    cluster.store().create("namespaces", object).unwrap();
    until("the service account and the authority", || {
        let there = |resource, name| cluster.store().get(resource, "team", name).is_some();
        there("serviceaccounts", "default") && there("configmaps", "kube-root-ca.crt")
    })
    .await;
    cluster.deploy("team", "x", 2, "nginx");
    cluster.ready("team", 2).await;
    cluster
        .store()
        .modify("namespaces", "", "team", |n| {
            n["metadata"]["deletionTimestamp"] = "2026-11-21T18:00:00Z".into()
        })
        .unwrap();
    until("the end", || cluster.store().get("namespaces", "", "team").is_none()).await;
    for resource in [
        "pods",
        "deployments",
        "replicasets",
        "configmaps",
        "serviceaccounts",
        "events",
    ] {
        assert!(cluster.store().list(resource, Some("team")).is_empty(), "{resource}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_balancer_comes_late_and_goes_with_its_service() {
    let cluster = Cluster::start(10.0);
    let service = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"type": "LoadBalancer", "selector": {"run": "web"}, "ports": [{"port": 80}]}, "status": {"loadBalancer": {}},
    });
    let begin = Instant::now();
    let uid = first(&cluster.store().create("services", service).unwrap(), "/metadata/uid");
    let host = || {
        first(
            &cluster.store().get("services", "default", "web").unwrap(),
            "/status/loadBalancer/ingress/0/hostname",
        )
    };
    until("the host", || !host().is_empty()).await;
    assert!(
        begin.elapsed() >= Duration::from_millis(290),
        "it takes about 3 s at speed 1"
    );
    let name: String = format!("a{}", uid.replace('-', "")).chars().take(32).collect();
    assert!(host().starts_with(&format!("{name}-")), "{}", host());
    assert_eq!(cluster.balancers.addresses(&host()).map(|a| a.len()), Some(2));
    let known = host();
    cluster
        .store()
        .modify("services", "default", "web", |s| s["spec"]["type"] = "ClusterIP".into())
        .unwrap();
    until("the release", || cluster.balancers.addresses(&known).is_none()).await;
    assert_eq!(host(), "");
    cluster
        .store()
        .modify("services", "default", "web", |s| {
            s["spec"]["type"] = "LoadBalancer".into()
        })
        .unwrap();
    until("a new host", || !host().is_empty()).await;
    let known = host();
    cluster.store().delete("services", "default", "web").unwrap();
    until("the release", || cluster.balancers.addresses(&known).is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_is_hashed_anew() {
    let cluster = Cluster::start(50.0);
    cluster.deploy("default", "x", 1, "nginx");
    cluster.ready("default", 1).await;
    let set = cluster.store().list("replicasets", Some("default")).remove(0);
    let name = first(&set, "/metadata/name");
    cluster.store().delete("deployments", "default", "x").unwrap();
    until("the end", || cluster.pods("default").is_empty()).await;
    // Somebody else's replica set has the name that the template's hash gives.
    let foreign = json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}},
        "status": {"replicas": 0},
    });
    cluster.store().create("replicasets", foreign).unwrap();
    cluster.deploy("default", "x", 1, "nginx");
    cluster.ready("default", 1).await;
    let deployment = cluster.store().get("deployments", "default", "x").unwrap();
    assert_eq!(deployment["status"]["collisionCount"], 1);
    assert!(!first(&cluster.pods("default")[0], "/metadata/name").starts_with(&name));
    assert_eq!(
        cluster.events("ScalingReplicaSet").len(),
        2,
        "one for each deployment, none for the failed attempt"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_events_than_the_queue_holds_leave_nothing_behind() {
    let cluster = Cluster::start(200.0);
    let object =
        json!({"metadata": {"name": "big"}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
    cluster.store().create("namespaces", object).unwrap();
    for n in 0..20_000 {
        cluster
            .store()
            .create(
                "configmaps",
                json!({"metadata": {"name": format!("c{n}"), "namespace": "big"}}),
            )
            .unwrap();
    }
    cluster.deploy("big", "x", 3, "nginx");
    cluster.ready("big", 3).await;
    cluster
        .store()
        .modify("namespaces", "", "big", |n| {
            n["metadata"]["deletionTimestamp"] = "2026-11-21T18:00:00Z".into()
        })
        .unwrap();
    until("the end", || cluster.store().get("namespaces", "", "big").is_none()).await;
    assert!(cluster.pods("big").is_empty() && cluster.store().list("configmaps", Some("big")).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_ended_is_not_probed_into_being_ready() {
    let cluster = Cluster::start(20.0);
    let probe = json!({"exec": {"command": ["true"]}, "periodSeconds": 1});
    let pod = json!({"metadata": {"name": "brief", "namespace": "default"}, "spec": {"schedulerName": "default-scheduler", "containers": [
        {"name": "a", "image": "busybox", "command": ["sh", "-c", "sleep 3; exit 1"], "readinessProbe": probe,
         "livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1, "initialDelaySeconds": 6, "failureThreshold": 1}},
    ]}});
    cluster.store().create("pods", pod).unwrap();
    let status = || cluster.store().get("pods", "default", "brief").unwrap()["status"]["containerStatuses"][0].clone();
    let waits = || first(&status(), "/state/waiting/reason") == "CrashLoopBackOff";
    until("ready", || status()["ready"] == true).await;
    until("a back-off", waits).await;
    // Ten seconds of that world, which are many periods of its probes.
    loop {
        let status = status();
        if first(&status, "/state/waiting/reason") != "CrashLoopBackOff" {
            break;
        }
        assert_eq!(status["ready"], false);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(cluster.events("Killing").is_empty(), "nothing kills what is dead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_is_told_the_addresses_of_its_pod_and_node() {
    let cluster = Cluster::start(50.0);
    let variable = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let pod = json!({"metadata": {"name": "told", "namespace": "default"}, "spec": {"schedulerName": "default-scheduler", "containers": [
        {"name": "a", "image": "busybox", "command": ["sh", "-c", "echo $POD on $NODE; sleep 600"],
         "env": [variable("POD", "status.podIP"), variable("NODE", "status.hostIP")]},
    ]}});
    cluster.store().create("pods", pod).unwrap();
    let said = || {
        let mut log = cluster.plane.kubelets.logs("default", "told", "a", false)?;
        log.past().first().map(|line| line.text.to_string())
    };
    until("a line", || said().is_some()).await;
    let pod = cluster.store().get("pods", "default", "told").unwrap();
    let (ip, host) = (first(&pod, "/status/podIP"), first(&pod, "/status/hostIP"));
    assert!(!ip.is_empty() && !host.is_empty());
    assert_eq!(said().unwrap(), format!("{ip} on {host}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_with_a_deadline_is_tried_again_when_a_quota_has_room() {
    let cluster = Cluster::start(50.0);
    let store = cluster.store();
    let quota = json!({"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "0"}}});
    store.create("resourcequotas", quota).unwrap();
    let known = |hard: &str| store.get("resourcequotas", "default", "few").unwrap()["status"]["hard"]["pods"] == hard;
    until("the quota is known", || known("0")).await;
    let job = json!({"metadata": {"name": "slow", "namespace": "default"}, "spec": {"activeDeadlineSeconds": 3600,
        "completions": 1, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}}});
    store.create("jobs", job).unwrap();
    until("a refusal", || !cluster.events("FailedCreate").is_empty()).await;
    assert!(cluster.pods("default").is_empty());
    store
        .modify("resourcequotas", "default", "few", |quota| {
            quota["spec"]["hard"]["pods"] = "1".into()
        })
        .unwrap();
    until("its pod", || !cluster.pods("default").is_empty()).await;
}
