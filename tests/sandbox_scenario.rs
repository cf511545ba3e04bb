//! The recorded scenario replayed against the sandbox's controllers: create, expose, scale, set image, a broken image,
//! undo, restart, pause, resume, Recreate, delete. The states that deployments, replica sets, pods, endpoints and events
//! go through must be those of the real cluster (tests/fixtures/kubernetes/sequences.json, made by reduce.py there).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::cloud::LoadBalancers;
use cogdeck::sandbox::kubernetes::control_plane::{ClusterConfig, ControlPlane};
use cogdeck::sandbox::kubernetes::store::{EventKind, Store, StoreEvent};
use serde_json::{Value, json};

const DEPLOYMENTS: [&str; 2] = ["inspector", "recreate"];
const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
const HISTORY: &str = "/metadata/annotations/deployment.kubernetes.io~1revision-history";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_scenario_goes_through_the_same_states() {
    let plane = ControlPlane::start(
        &Clock::new(10.0),
        ClusterConfig {
            seed: 7,
            ..Default::default()
        },
        LoadBalancers::new(7),
    )
    .unwrap();
    let recording = record(&plane.store);
    play(&plane.store).await;
    until("the last event", || {
        let last = recording.lock().unwrap().last().map(|event| event.version);
        last == Some(plane.store.version())
    })
    .await;
    let events = recording.lock().unwrap().clone();
    let expected: Value = serde_json::from_str(include_str!("fixtures/kubernetes/sequences.json")).unwrap();
    let (ordinals, sets) = replica_sets(&events);
    assert_eq!(sets, expected["replicasets"], "replica sets");
    assert_eq!(deployments(&events), expected["deployments"], "deployments");
    assert_eq!(scaling(&events, &ordinals), expected["scaling"], "events");
    assert_eq!(pods(&events), expected["pods"], "pods");
    assert_eq!(endpoints(&events), expected["endpoints"], "endpoints");
}

type Recording = Arc<Mutex<Vec<Arc<StoreEvent>>>>;

fn record(store: &Store) -> Recording {
    let recording = Recording::default();
    let (mut events, kept) = (store.subscribe(), recording.clone());
    tokio::spawn(async move {
        loop {
            let event = events.recv().await.expect("no event is lost");
            kept.lock().unwrap().push(event);
        }
    });
    recording
}

async fn play(store: &Store) {
    store
        .create(
            "deployments",
            deployment(
                "inspector",
                1,
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}),
            ),
        )
        .unwrap();
    settled(store, "inspector").await;
    store.create("services", service()).unwrap();
    spec(store, |spec| spec["replicas"] = 3.into());
    settled(store, "inspector").await;
    store
        .modify("deployments", "default", "inspector", |d| {
            d["metadata"]["annotations"]["kubernetes.io/change-cause"] = "set image 2.0.0".into()
        })
        .unwrap();
    spec(store, |spec| {
        spec["template"]["spec"]["containers"][0]["image"] = "so0k/kuar-inspector:2.0.0".into()
    });
    settled(store, "inspector").await;
    spec(store, |spec| {
        spec["template"]["spec"]["containers"][0]["image"] = "so0k/kuar-inspector:broken".into()
    });
    until("the back-off", || {
        store
            .list("pods", Some("default"))
            .iter()
            .any(|p| p.pointer("/status/containerStatuses/0/state/waiting/reason") == Some(&json!("ImagePullBackOff")))
    })
    .await;
    spec(store, |spec| {
        spec["template"]["spec"]["containers"][0]["image"] = "so0k/kuar-inspector:2.0.0".into()
    });
    settled(store, "inspector").await;
    spec(store, |spec| {
        spec["template"]["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/restartedAt": "2026-11-21T18:33:48Z"})
    });
    settled(store, "inspector").await;
    spec(store, |spec| spec["paused"] = true.into());
    progressing(store, "DeploymentPaused").await;
    spec(store, |spec| drop(spec.as_object_mut().unwrap().remove("paused")));
    progressing(store, "NewReplicaSetAvailable").await;
    store
        .create("deployments", deployment("recreate", 2, json!({"type": "Recreate"})))
        .unwrap();
    settled(store, "recreate").await;
    store.delete("deployments", "default", "inspector").unwrap();
    store.delete("services", "default", "inspector").unwrap();
    store.delete("deployments", "default", "recreate").unwrap();
    until("everything gone", || {
        store.list("pods", Some("default")).is_empty() && store.list("replicasets", Some("default")).is_empty()
    })
    .await;
    assert!(store.get("endpoints", "default", "inspector").is_none());
    assert!(
        store
            .list("endpointslices", Some("default"))
            .iter()
            .all(|s| s["metadata"]["name"] == "kubernetes")
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn spec(store: &Store, change: impl Fn(&mut Value)) {
    store
        .modify("deployments", "default", "inspector", |d| change(&mut d["spec"]))
        .unwrap();
}

async fn until(what: &str, test: impl Fn() -> bool) {
    let begin = Instant::now();
    while !test() {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The rollout is complete and the pods that left are gone.
async fn settled(store: &Store, name: &str) {
    until("a rollout", || {
        let d = store.get("deployments", "default", name).unwrap();
        let s = &d["status"];
        let wanted = &d["spec"]["replicas"];
        s["observedGeneration"] == d["metadata"]["generation"]
            && ["updatedReplicas", "replicas", "availableReplicas"]
                .iter()
                .all(|field| &s[*field] == wanted)
            && s["terminatingReplicas"] == 0
    })
    .await;
}

async fn progressing(store: &Store, reason: &str) {
    until(reason, || {
        let d = store.get("deployments", "default", "inspector").unwrap();
        d["status"]["observedGeneration"] == d["metadata"]["generation"]
            && condition(&d, "Progressing").is_some_and(|c| c["reason"] == reason)
    })
    .await;
}

fn deployment(name: &str, replicas: i64, strategy: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default", "labels": {"run": name}},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"run": name}},
            "template": {
                "metadata": {"labels": {"run": name}},
                "spec": {"containers": [{"name": name, "image": "so0k/kuar-inspector:1.0.0", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]},
            },
            "strategy": strategy, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        },
    })
}

fn service() -> Value {
    json!({
        "metadata": {"name": "inspector", "namespace": "default", "labels": {"run": "inspector"}},
        "spec": {"type": "LoadBalancer", "selector": {"run": "inspector"}, "clusterIP": "100.64.9.9", "ports": [{"protocol": "TCP", "port": 80, "targetPort": 80}]},
        "status": {"loadBalancer": {}},
    })
}

// -- the reduction, as in reduce.py

fn push(sequence: &mut Vec<String>, value: Option<String>) {
    if let Some(value) = value.filter(|v| sequence.last() != Some(v)) {
        sequence.push(value);
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object
        .pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|c| c["type"] == kind)
}

fn of<'a>(events: &'a [Arc<StoreEvent>], resource: &'a str) -> impl Iterator<Item = &'a StoreEvent> {
    events
        .iter()
        .map(|e| &**e)
        .filter(move |e| e.resource == resource && e.object["metadata"]["namespace"] == "default")
}

fn owner(object: &Value) -> &str {
    text(object, "/metadata/ownerReferences/0/name").unwrap_or("")
}

fn deployments(events: &[Arc<StoreEvent>]) -> Value {
    let mut out: BTreeMap<&str, [Vec<String>; 3]> = BTreeMap::new();
    for event in of(events, "deployments").filter(|e| e.kind != EventKind::Deleted) {
        let o = &*event.object;
        let [revisions, progressing, available] = out.entry(text(o, "/metadata/name").unwrap()).or_default();
        push(revisions, text(o, REVISION).map(str::to_owned));
        let words = |kind| {
            condition(o, kind).map(|c| format!("{} {}", c["status"].as_str().unwrap(), c["reason"].as_str().unwrap()))
        };
        push(progressing, words("Progressing"));
        push(available, words("Available"));
    }
    out.into_iter()
        .map(|(name, [r, p, a])| {
            (
                name.to_owned(),
                json!({"revisions": r, "progressing": p, "available": a}),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn replica_sets(events: &[Arc<StoreEvent>]) -> (BTreeMap<String, String>, Value) {
    let mut ordinals: BTreeMap<String, String> = BTreeMap::new();
    let mut out: BTreeMap<String, [Vec<String>; 3]> = BTreeMap::new();
    for event in of(events, "replicasets") {
        let o = &*event.object;
        let name = text(o, "/metadata/name").unwrap().to_owned();
        if !ordinals.contains_key(&name) {
            let number = 1 + ordinals
                .values()
                .filter(|v| v.starts_with(&format!("{}#", owner(o))))
                .count();
            ordinals.insert(name.clone(), format!("{}#{number}", owner(o)));
        }
        let [sizes, revisions, history] = out.entry(ordinals[&name].clone()).or_default();
        if event.kind == EventKind::Deleted {
            push(sizes, Some("deleted".into()));
            continue;
        }
        push(
            sizes,
            Some(format!("{}/{}", o["spec"]["replicas"], o["status"]["replicas"])),
        );
        push(revisions, text(o, REVISION).map(str::to_owned));
        push(history, text(o, HISTORY).map(str::to_owned));
    }
    let rows = out
        .into_iter()
        .map(|(name, [s, r, h])| (name, json!({"sizes": s, "revisions": r, "history": h})));
    (ordinals, rows.collect::<serde_json::Map<_, _>>().into())
}

fn scaling(events: &[Arc<StoreEvent>], ordinals: &BTreeMap<String, String>) -> Value {
    let mut out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for event in
        of(events, "events").filter(|e| e.kind != EventKind::Deleted && e.object["reason"] == "ScalingReplicaSet")
    {
        let o = &*event.object;
        let mut message = text(o, "/message").unwrap().to_owned();
        for (name, ordinal) in ordinals {
            message = message.replace(&format!("replica set {name}"), ordinal);
        }
        out.entry(text(o, "/involvedObject/name").unwrap())
            .or_default()
            .push(format!("{message} (x{})", o["count"]));
    }
    json!(out)
}

fn pods(events: &[Arc<StoreEvent>]) -> Value {
    let mut lives: BTreeMap<String, (&str, Vec<String>)> = BTreeMap::new();
    for event in of(events, "pods") {
        let o = &*event.object;
        assert!(DEPLOYMENTS.iter().any(|d| owner(o).starts_with(d)));
        let broken = text(o, "/spec/containers/0/image").unwrap().ends_with(":broken");
        let (_, life) = lives
            .entry(text(o, "/metadata/name").unwrap().to_owned())
            .or_insert((if broken { "broken" } else { "serving" }, Vec::new()));
        if event.kind == EventKind::Deleted {
            push(life, Some("deleted".into()));
            continue;
        }
        let ready =
            condition(o, "Ready").map_or("unseen".into(), |c| format!("ready={}", c["status"].as_str().unwrap()));
        let bound = if text(o, "/spec/nodeName").is_some() {
            "bound"
        } else {
            "unbound"
        };
        let waiting = text(o, "/status/containerStatuses/0/state/waiting/reason").unwrap_or("-");
        let mut words = format!("{} {bound} {ready} {waiting}", text(o, "/status/phase").unwrap());
        if text(o, "/metadata/deletionTimestamp").is_some() {
            words.push_str(&format!(" deleting in {}", o["metadata"]["deletionGracePeriodSeconds"]));
        }
        push(life, Some(words));
    }
    let mut out: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for (kind, life) in lives.into_values() {
        let kinds = out.entry(kind).or_default();
        if !kinds.contains(&life) {
            kinds.push(life);
        }
    }
    json!(out)
}

fn endpoints(events: &[Arc<StoreEvent>]) -> Value {
    let mut seen = BTreeSet::new();
    for event in of(events, "endpointslices").filter(|e| e.object["metadata"]["name"] != "kubernetes") {
        for endpoint in event.object["endpoints"].as_array().unwrap() {
            let words: Vec<&str> = ["ready", "serving", "terminating"]
                .into_iter()
                .filter(|k| endpoint["conditions"][k] == true)
                .collect();
            seen.insert(if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(" ")
            });
        }
    }
    json!(seen)
}
