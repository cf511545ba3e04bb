//! Replays the recorded requests of a real Kubernetes 1.36 API server against the sandbox's and compares the answers:
//! same status, content type, keys, types and values. Only what a server makes up by itself is left aside (UIDs,
//! times, versions, random names, addresses and ports); what else differs is in [`DIFFERENCES`], with its reason.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::world::{TOKEN, World};

/// Recordings whose answer differs on purpose.
const DIFFERENCES: &[(&str, &str)] = &[(
    "error-403-anonymous",
    "the sandbox has no anonymous user: a request without a token is answered 401, as with --anonymous-auth=false",
)];

fn recording(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/kubernetes/api")
        .join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

fn body_of(name: &str) -> Value {
    recording(name)["response"]["body"].clone()
}

/// Replays a recording and compares the answer. Returns the differences.
async fn compare(world: &World, name: &str) -> Vec<String> {
    let token = match name {
        "error-401" => Some("wrong"),
        "error-403-anonymous" => None,
        _ => Some(TOKEN),
    };
    let recorded = recording(name);
    let answer = world.send(&recorded["request"], token).await;
    let expected = &recorded["response"];
    let mut wrong = Vec::new();
    if expected["status"] != answer.status {
        wrong.push(format!(
            "{name}: status {} instead of {}",
            answer.status, expected["status"]
        ));
    }
    if expected["contentType"] != answer.content_type.as_str() {
        wrong.push(format!(
            "{name}: content type {} instead of {}",
            answer.content_type, expected["contentType"]
        ));
    }
    let mut want = expected["body"].clone();
    let mut got = answer.body;
    normalise(&mut want);
    normalise(&mut got);
    difference(&want, &got, &format!("{name}:"), &mut wrong);
    wrong
}

/// Puts a mark in place of everything a server makes up.
fn normalise(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("managedFields");
            for (key, value) in map.iter_mut() {
                let made_up = matches!(
                    key.as_str(),
                    "uid"
                        | "resourceVersion"
                        | "creationTimestamp"
                        | "time"
                        | "continue"
                        | "serverAddress"
                        | "clusterIP"
                        | "nodePort"
                        | "buildDate"
                );
                match value {
                    Value::String(text) if key == "serverRelativeURL" => {
                        *text = text.split("hash=").next().unwrap_or_default().to_owned();
                    }
                    // The state of the real server at that moment.
                    Value::String(text) if key == "message" && text.starts_with("Timeout: Too large") => {
                        *text = text.split("current").next().unwrap_or_default().to_owned();
                    }
                    Value::String(_) | Value::Number(_) if made_up => *value = json!("*"),
                    Value::Array(list) if key == "clusterIPs" => list.iter_mut().for_each(|ip| *ip = json!("*")),
                    Value::Array(cells) if key == "cells" => cells.iter_mut().for_each(age),
                    other => normalise(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(normalise),
        _ => {}
    }
}

fn age(cell: &mut Value) {
    let Some(text) = cell.as_str() else { return };
    let digits_and_units = text.len() > 1 && text.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c));
    if digits_and_units
        && text.starts_with(|c: char| c.is_ascii_digit())
        && !text.ends_with(|c: char| c.is_ascii_digit())
    {
        *cell = json!("<age>");
    }
}

/// Every place where two documents differ.
fn difference(want: &Value, got: &Value, at: &str, out: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                match got.get(key) {
                    Some(other) => difference(value, other, &format!("{at}.{key}"), out),
                    None => out.push(format!("{at}.{key}: missing, recorded {value}")),
                }
            }
            for key in got.keys().filter(|key| !want.contains_key(*key)) {
                out.push(format!("{at}.{key}: not recorded, got {}", got[key]));
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                difference(want, got, &format!("{at}[{index}]"), out);
            }
        }
        _ if want == got => {}
        _ => out.push(format!("{at}: recorded {want}, got {got}")),
    }
}

fn check(wrong: &[String]) {
    let unexpected: Vec<&String> = wrong
        .iter()
        .filter(|line| {
            !DIFFERENCES
                .iter()
                .any(|(name, _)| line.starts_with(&format!("{name}:")))
        })
        .collect();
    assert!(
        unexpected.is_empty(),
        "{} differences:\n{}",
        unexpected.len(),
        unexpected.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n")
    );
    assert!(DIFFERENCES.len() <= 10);
}

#[tokio::test]
async fn what_needs_no_objects() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for name in [
        "version",
        "healthz",
        "livez",
        "readyz",
        "api",
        "apis",
        "api-aggregated",
        "apis-aggregated",
        "api-v1-resources",
        "apis-apps-v1-resources",
        "openapi-v3-index",
        "error-400-body",
        "error-401",
        "error-404-object",
        "error-404-path",
        "error-405",
        "error-406",
        "error-415",
        "error-422-invalid",
        "error-no-pods-metrics",
        "error-watch-future-rv",
        "selfsubjectaccessreview",
        "selfsubjectrulesreview",
        "list-deployments-empty",
        "list-deployments-empty-table",
        "list-namespaces-table",
        "dry-run-create",
        "server-side-apply",
        "error-403-anonymous",
    ] {
        wrong.extend(compare(&world, name).await);
    }
    assert!(
        world.store.get("deployments", "default", "dry").is_none(),
        "a dry run stored its object"
    );
    check(&wrong);
}

#[tokio::test]
async fn a_deployments_life() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for name in [
        "create-deployment",
        "get-deployment-just-created-table",
        "create-deployment-recreate",
        "error-409-exists",
    ] {
        wrong.extend(compare(&world, name).await);
    }
    let status = body_of("get-deployment-ready")["status"].clone();
    world
        .store
        .modify("deployments", "default", "inspector", |object| {
            object["status"] = status.clone();
            object["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
        })
        .unwrap();
    for name in [
        "get-deployment-ready",
        "get-deployment-ready-table",
        "get-scale",
        "patch-scale-3",
    ] {
        wrong.extend(compare(&world, name).await);
    }
    let status = body_of("patch-set-image")["status"].clone();
    world
        .store
        .modify("deployments", "default", "inspector", |object| {
            object["status"] = status.clone()
        })
        .unwrap();
    for name in [
        "patch-set-image",
        "server-side-apply-conflict",
        "error-409-conflict",
        "delete-deployment",
    ] {
        wrong.extend(compare(&world, name).await);
    }
    assert!(world.store.get("deployments", "default", "inspector").is_none());
    check(&wrong);
}

/// The patches of the later rollout, each on the object it was recorded on: its answer with the patch taken back.
#[tokio::test]
async fn patches_of_a_rollout() {
    type TakeBack = fn(&mut Value);
    let cases: [(&str, TakeBack); 5] = [
        ("patch-set-image-broken", |o| {
            o["spec"]["template"]["spec"]["containers"][0]["image"] = json!("so0k/kuar-inspector:2.0.0")
        }),
        ("patch-undo", |o| {
            o["spec"]["template"]["spec"]["containers"][0]["image"] = json!("so0k/kuar-inspector:broken")
        }),
        ("patch-restart", |o| {
            o["spec"]["template"]["metadata"]
                .as_object_mut()
                .unwrap()
                .shift_remove("annotations");
        }),
        ("patch-pause", |o| {
            o["spec"].as_object_mut().unwrap().shift_remove("paused");
        }),
        ("patch-resume", |o| o["spec"]["paused"] = json!(true)),
    ];
    let mut wrong = Vec::new();
    for (name, take_back) in cases {
        let world = World::new().await;
        let mut object = body_of(name);
        take_back(&mut object);
        let generation = object["metadata"]["generation"].as_i64().unwrap();
        object["metadata"]["generation"] = json!(generation - 1);
        world.put("deployments", &object);
        wrong.extend(compare(&world, name).await);
    }
    check(&wrong);
}

#[tokio::test]
async fn a_services_life() {
    let world = World::new().await;
    let mut wrong = compare(&world, "create-service-loadbalancer").await;
    let made = world.store.get("services", "default", "inspector").unwrap();
    let address: std::net::Ipv4Addr = made["spec"]["clusterIP"].as_str().unwrap().parse().unwrap();
    assert!(
        u32::from(address) >> 19 == u32::from(std::net::Ipv4Addr::new(100, 64, 0, 0)) >> 19,
        "{address}"
    );
    assert!((30_000..=32_767).contains(&made["spec"]["ports"][0]["nodePort"].as_i64().unwrap()));
    // The tables print the address and port that were drawn: continue with the recorded ones.
    let spec = body_of("create-service-loadbalancer")["spec"].clone();
    world
        .store
        .modify("services", "default", "inspector", |object| {
            object["spec"] = spec.clone()
        })
        .unwrap();
    for name in [
        "get-service-pending-table",
        "patch-service-status",
        "get-service-ready-table",
    ] {
        wrong.extend(compare(&world, name).await);
    }
    let kubernetes = &body_of("list-services-table")["rows"][1]["object"]["metadata"];
    let spec = json!({"type": "ClusterIP", "clusterIP": "100.64.0.1", "clusterIPs": ["100.64.0.1"], "ports": [{"port": 443, "protocol": "TCP"}]});
    world.put("services", &json!({"metadata": kubernetes, "spec": spec}));
    wrong.extend(compare(&world, "list-services-table").await);
    wrong.extend(compare(&world, "delete-service").await);
    check(&wrong);
}

#[tokio::test]
async fn lists_and_tables_of_recorded_objects() {
    let mut wrong = Vec::new();
    for (name, resource) in [
        ("list-pods-broken", "pods"),
        ("list-replicasets-two-revisions", "replicasets"),
        ("list-endpointslices", "endpointslices"),
    ] {
        let world = World::new().await;
        for object in body_of(name)["items"].as_array().unwrap() {
            world.put(resource, object);
        }
        wrong.extend(compare(&world, name).await);
        if resource == "pods" {
            wrong.extend(compare(&world, "list-pods-broken-table").await);
        }
    }

    let world = World::new().await;
    let node = body_of("get-node");
    for row in body_of("list-nodes-table")["rows"].as_array().unwrap() {
        let mut node = node.clone();
        node["metadata"] = row["object"]["metadata"].clone();
        node["status"]["addresses"][0]["address"] = row["cells"][5].clone();
        world.put("nodes", &node);
    }
    wrong.extend(compare(&world, "get-node").await);
    wrong.extend(compare(&world, "list-nodes-table").await);

    let pod = body_of("list-pods-label-limit-1")["items"][0].clone();
    world.put("pods", &pod);
    let mut second = pod.clone();
    second["metadata"]["name"] = json!("zzz");
    world.put("pods", &second);
    wrong.extend(compare(&world, "list-pods-label-limit-1").await);
    check(&wrong);
}

/// Tables whose objects were not recorded: the objects are built from a row's metadata and what its cells say.
#[tokio::test]
async fn tables_of_rebuilt_objects() {
    let mut wrong = Vec::new();
    let pod = body_of("list-pods-label-limit-1")["items"][0].clone();
    for name in ["list-pods-table", "list-pods-starting-table", "list-pods-rolling-table"] {
        let world = World::new().await;
        for row in body_of(name)["rows"].as_array().unwrap() {
            let (cells, mut pod) = (&row["cells"], pod.clone());
            pod["metadata"] = row["object"]["metadata"].clone();
            pod["spec"]["nodeName"] = cells[6].clone();
            if cells[2] == "ContainerCreating" {
                pod["status"] = json!({"phase": "Pending", "containerStatuses": [
                    {"name": "inspector", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}
                ]});
            } else {
                pod["status"]["podIP"] = cells[5].clone();
                pod["status"]["podIPs"] = json!([{"ip": cells[5]}]);
            }
            world.put("pods", &pod);
        }
        wrong.extend(compare(&world, name).await);
    }

    let world = World::new().await;
    let set = body_of("list-replicasets-two-revisions")["items"][0].clone();
    for row in body_of("list-replicasets-table")["rows"].as_array().unwrap() {
        let (cells, mut set) = (&row["cells"], set.clone());
        set["metadata"] = row["object"]["metadata"].clone();
        set["spec"]["replicas"] = cells[1].clone();
        set["status"]["replicas"] = cells[2].clone();
        set["status"]["readyReplicas"] = cells[3].clone();
        set["spec"]["template"]["spec"]["containers"][0]["image"] = cells[6].clone();
        set["spec"]["selector"] = json!({"matchLabels": set["metadata"]["labels"]});
        world.put("replicasets", &set);
    }
    wrong.extend(compare(&world, "list-replicasets-table").await);

    for row in body_of("list-endpoints-table")["rows"].as_array().unwrap() {
        let addresses: Vec<Value> = row["cells"][1]
            .as_str()
            .unwrap()
            .split(',')
            .map(|a| json!({"ip": a.trim_end_matches(":80")}))
            .collect();
        let subsets = json!([{"addresses": addresses, "ports": [{"port": 80, "protocol": "TCP"}]}]);
        world.put(
            "endpoints",
            &json!({"metadata": row["object"]["metadata"], "subsets": subsets}),
        );
    }
    wrong.extend(compare(&world, "list-endpoints-table").await);

    for row in body_of("list-events-table")["rows"].as_array().unwrap() {
        let cells = &row["cells"];
        let (kind, name) = cells[3].as_str().unwrap().split_once('/').unwrap();
        let (component, host) = cells[5]
            .as_str()
            .unwrap()
            .split_once(", ")
            .unwrap_or((cells[5].as_str().unwrap(), ""));
        let now = "2026-11-21T18:33:28Z";
        world.put(
            "events",
            &json!({
                "metadata": row["object"]["metadata"],
                "involvedObject": {"kind": kind, "name": name, "fieldPath": cells[4]},
                "type": cells[1], "reason": cells[2], "message": cells[6], "count": cells[8],
                "source": {"component": component}, "reportingComponent": component, "reportingInstance": host,
                "firstTimestamp": now, "lastTimestamp": now
            }),
        );
    }
    wrong.extend(compare(&world, "list-events-table").await);
    check(&wrong);
}

/// Every recording is replayed by one of the tests above.
#[test]
fn no_recording_is_forgotten() {
    let source = include_str!("recordings.rs");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubernetes/api");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(source.contains(&format!("\"{name}\"")), "{name} is not replayed");
    }
}
