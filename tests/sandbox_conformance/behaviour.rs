//! Writes and their rules: patches, apply, deletion, pages, faults.

use serde_json::{Value, json};

use crate::world::{Answer, TOKEN, World};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"run": name}}, "template": {
            "metadata": {"labels": {"run": name}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}
        }}
    })
}

fn ok(answer: &Answer) -> &Value {
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    &answer.body
}

#[tokio::test]
async fn strict_validation_and_warnings() {
    let world = World::new().await;
    let mut object = deployment("a");
    object["spec"]["replica"] = json!(1);
    let strict = world
        .call("POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), object.clone())
        .await;
    assert_eq!(strict.status, 400);
    assert!(
        strict.body["message"]
            .as_str()
            .unwrap()
            .contains("unknown field \"spec.replica\"")
    );
    let warned = world.call("POST", DEPLOYMENTS, object).await;
    assert_eq!(warned.status, 201);
    assert_eq!(warned.warnings, ["299 - \"unknown field \\\"spec.replica\\\"\""]);
    assert_eq!(
        warned.body["metadata"]["managedFields"][0]["manager"],
        "python-requests"
    );
    let elsewhere = world
        .call(
            "POST",
            "/api/v1/namespaces/nope/configmaps",
            json!({"metadata": {"name": "a"}}),
        )
        .await;
    assert_eq!(
        (elsewhere.status, &elsewhere.body["message"]),
        (404, &json!("namespaces \"nope\" not found"))
    );
}

#[tokio::test]
async fn apply_owns_releases_and_forces() {
    let world = World::new().await;
    let path = |manager: &str| format!("{CONFIGMAPS}/c?fieldManager={manager}");
    let config =
        |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data});
    let apply = "apply-patch+yaml";
    assert_eq!(
        world
            .patch(&path("one"), apply, config(json!({"a": "1", "b": "1"})))
            .await
            .status,
        201
    );
    let again = world
        .patch(&path("one"), apply, config(json!({"a": "1", "b": "1"})))
        .await;
    let version = again.body["metadata"]["resourceVersion"].clone();
    assert_eq!(
        world
            .patch(&path("two"), apply, config(json!({"b": "1", "c": "2"})))
            .await
            .status,
        200
    );
    let conflict = world.patch(&path("two"), apply, config(json!({"a": "9"}))).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(
        conflict.body["message"],
        "Apply failed with 1 conflict: conflict with \"one\" using v1: .data.a"
    );
    // What one gives up goes, unless another owns it too.
    let released = world.patch(&path("one"), apply, config(json!({}))).await;
    assert_eq!(ok(&released)["data"], json!({"b": "1", "c": "2"}));
    let forced = world
        .patch(
            &format!("{}&force=true", path("three")),
            apply,
            config(json!({"b": "7"})),
        )
        .await;
    assert_eq!(ok(&forced)["data"]["b"], "7");
    assert_ne!(forced.body["metadata"]["resourceVersion"], version);
    assert_eq!(
        world
            .patch(&format!("{CONFIGMAPS}/c"), apply, config(json!({})))
            .await
            .status,
        422
    );
    let yaml = json!("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndata:\n  k: v\n");
    assert_eq!(
        ok(&world
            .patch(&format!("{CONFIGMAPS}/z?fieldManager=one"), apply, yaml)
            .await)["data"]["k"],
        "v"
    );
}

#[tokio::test]
async fn updates_check_versions_and_keep_the_status() {
    let world = World::new().await;
    let made = world.call("POST", DEPLOYMENTS, deployment("a")).await.body;
    world
        .store
        .modify("deployments", "default", "a", |o| o["status"] = json!({"replicas": 1}))
        .unwrap();
    let stale = world.call("PUT", &format!("{DEPLOYMENTS}/a"), made.clone()).await;
    assert_eq!((stale.status, &stale.body["reason"]), (409, &json!("Conflict")));
    let mut fresh = made;
    fresh["metadata"]
        .as_object_mut()
        .unwrap()
        .shift_remove("resourceVersion");
    fresh["spec"]["replicas"] = json!(5);
    fresh["status"] = json!({"replicas": 99});
    let updated = world.call("PUT", &format!("{DEPLOYMENTS}/a"), fresh).await;
    assert_eq!(ok(&updated)["status"], json!({"replicas": 1}));
    assert_eq!(updated.body["metadata"]["generation"], 2);
    let status = world
        .patch(
            &format!("{DEPLOYMENTS}/a/status"),
            "merge-patch+json",
            json!({"spec": {"replicas": 0}, "status": {"replicas": 2}}),
        )
        .await;
    assert_eq!(
        (&ok(&status)["spec"]["replicas"], &status.body["status"]["replicas"]),
        (&json!(5), &json!(2))
    );
    let immutable = json!([{"op": "replace", "path": "/spec/selector", "value": {"matchLabels": {"x": "y"}}}]);
    assert_eq!(
        world
            .patch(&format!("{DEPLOYMENTS}/a"), "json-patch+json", immutable)
            .await
            .status,
        422
    );
    let dry = world
        .patch(
            &format!("{DEPLOYMENTS}/a/scale?dryRun=All"),
            "merge-patch+json",
            json!({"spec": {"replicas": 9}}),
        )
        .await;
    assert_eq!(ok(&dry)["spec"]["replicas"], 9);
    assert_eq!(
        world.store.get("deployments", "default", "a").unwrap()["spec"]["replicas"],
        5
    );
}

#[tokio::test]
async fn pods_end_gracefully_and_finalizers_hold() {
    let world = World::new().await;
    let pod =
        json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}});
    assert_eq!(ok(&world.call("POST", PODS, pod).await)["status"]["phase"], "Pending");
    let leaving = world.call("DELETE", &format!("{PODS}/p"), Value::Null).await;
    assert_eq!(ok(&leaving)["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(world.store.get("pods", "default", "p").is_some());
    let wrong = world
        .call("DELETE", &format!("{PODS}/p"), json!({"preconditions": {"uid": "x"}}))
        .await;
    assert_eq!(wrong.status, 409);
    ok(&world
        .call("DELETE", &format!("{PODS}/p?gracePeriodSeconds=0"), Value::Null)
        .await);
    assert!(world.store.get("pods", "default", "p").is_none());

    ok(&world.call("POST", DEPLOYMENTS, deployment("a")).await);
    let held = world
        .call(
            "DELETE",
            &format!("{DEPLOYMENTS}/a"),
            json!({"propagationPolicy": "Foreground"}),
        )
        .await;
    assert_eq!(ok(&held)["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    world
        .store
        .modify("deployments", "default", "a", |o| {
            o["metadata"]["finalizers"] = json!([])
        })
        .unwrap();
    assert!(world.store.get("deployments", "default", "a").is_none());
}

/// The handlers of an API server read DeleteOptions from the body and, only without a body, from the query.
#[tokio::test]
async fn a_deletion_with_a_body_does_not_look_at_its_query() {
    let world = World::new().await;
    const MAPS: &str = "/api/v1/namespaces/default/configmaps";
    let make = async || ok(&world.call("POST", MAPS, json!({"metadata": {"name": "c"}})).await).clone();
    let there = || world.store.get("configmaps", "default", "c").is_some();
    let delete = async |query: &str, body: Value| {
        let answer = world.call("DELETE", &format!("{MAPS}/c{query}"), body).await;
        (answer.status, there())
    };
    make().await;
    assert_eq!(delete("?dryRun=All", Value::Null).await, (200, true));
    assert_eq!(delete("", json!({"dryRun": ["All"]})).await, (200, true));
    assert_eq!(delete("", json!({"dryRun": ["Some"]})).await, (400, true));
    assert_eq!(delete("?dryRun=All", json!({})).await, (200, false));
    make().await;
    let all = async |query: &str, body: Value| world.call("DELETE", &format!("{MAPS}{query}"), body).await.status;
    assert_eq!((all("?dryRun=All", Value::Null).await, there()), (200, true));
    assert_eq!((all("?dryRun=All", json!({})).await, there()), (200, false));
    // So too of the other options.
    make().await;
    assert_eq!(delete("?propagationPolicy=Foreground", json!({})).await, (200, false));
    make().await;
    assert_eq!(delete("?propagationPolicy=Foreground", Value::Null).await, (200, true));
    // An eviction's query is its own, its body holds the deletion's options.
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    ok(&world.call("POST", PODS, pod).await);
    let eviction = |options: Value| {
        let name = json!({"name": "p", "namespace": "default"});
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": name, "deleteOptions": options})
    };
    for (query, options) in [("?dryRun=All", json!({})), ("", json!({"dryRun": ["All"]}))] {
        let path = format!("{PODS}/p/eviction{query}");
        assert_eq!(world.call("POST", &path, eviction(options)).await.status, 201);
        assert!(world.store.get("pods", "default", "p").is_some());
    }
    let path = format!("{PODS}/p/eviction");
    assert_eq!(world.call("POST", &path, eviction(Value::Null)).await.status, 201);
    assert!(world.store.get("pods", "default", "p").is_none());
}

#[tokio::test]
async fn a_namespace_goes_with_what_is_in_it() {
    let world = World::new().await;
    ok(&world
        .call("POST", "/api/v1/namespaces", json!({"metadata": {"name": "x"}}))
        .await);
    ok(&world
        .call(
            "POST",
            "/api/v1/namespaces/x/configmaps",
            json!({"metadata": {"generateName": "c-"}}),
        )
        .await);
    let gone = world.call("DELETE", "/api/v1/namespaces/x", Value::Null).await;
    assert_eq!(ok(&gone)["status"]["phase"], "Terminating");
    for _ in 0..100 {
        if world.store.get("namespaces", "", "x").is_none() {
            assert!(world.store.list("configmaps", Some("x")).is_empty());
            assert_eq!(
                world
                    .call("DELETE", "/api/v1/namespaces/default", Value::Null)
                    .await
                    .status,
                403
            );
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the namespace is still there");
}

#[tokio::test]
async fn lists_have_pages_and_selectors() {
    let world = World::new().await;
    for index in 0..5 {
        let labels = json!({"n": index.to_string(), "odd": (index % 2 == 1).to_string()});
        ok(&world
            .call(
                "POST",
                CONFIGMAPS,
                json!({"metadata": {"name": format!("c{index}"), "labels": labels}}),
            )
            .await);
    }
    let names = |body: &Value| -> Vec<String> {
        body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = world
            .call("GET", &format!("{CONFIGMAPS}?limit=2&continue={next}"), Value::Null)
            .await
            .body;
        found.extend(names(&page));
        next = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(found, ["c0", "c1", "c2", "c3", "c4"]);
    let odd = world
        .call(
            "GET",
            &format!("{CONFIGMAPS}?labelSelector=odd%3Dtrue,n+notin+(3)"),
            Value::Null,
        )
        .await
        .body;
    assert_eq!(names(&odd), ["c1"]);
    let one = world
        .call(
            "GET",
            &format!("{CONFIGMAPS}?fieldSelector=metadata.name%3Dc4"),
            Value::Null,
        )
        .await
        .body;
    assert_eq!(names(&one), ["c4"]);
    assert_eq!(
        world
            .call("GET", &format!("{CONFIGMAPS}?continue=x"), Value::Null)
            .await
            .status,
        400
    );
    ok(&world
        .call(
            "DELETE",
            &format!("{CONFIGMAPS}?labelSelector=odd%3Dfalse"),
            Value::Null,
        )
        .await);
    assert_eq!(world.store.list("configmaps", None).len(), 2);
}

#[tokio::test]
async fn faults_and_large_bodies() {
    let world = World::new().await;
    for (kind, status) in [("429", 429), ("500", 500), ("410", 410), ("403", 403), ("401", 401)] {
        world
            .faults
            .add(&json!({"match": {"method": "GET", "path": "/configmaps"}, "kind": kind, "count": 1}))
            .unwrap();
        assert_eq!(world.call("GET", CONFIGMAPS, Value::Null).await.status, status);
    }
    world.faults.add(&json!({"kind": "cut", "count": 1})).unwrap();
    let request = json!({"method": "GET", "path": CONFIGMAPS});
    assert!(world.open(&request, Some(TOKEN)).await.is_err());
    assert_eq!(world.call("GET", CONFIGMAPS, Value::Null).await.status, 200);
    let huge = json!({"metadata": {"name": "x"}, "data": {"a": "x".repeat(3 * 1024 * 1024)}});
    assert_eq!(world.call("POST", CONFIGMAPS, huge).await.status, 413);
}
