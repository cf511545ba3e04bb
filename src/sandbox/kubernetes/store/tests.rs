#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn store() -> Store {
    Store::new(Clock::new(1.0), 1)
}

fn pod(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace, "labels": {"run": "x"}}, "spec": {"nodeName": "n1"}})
}

#[test]
fn create_gives_identity() {
    let store = store();
    let object = store
        .create(
            "deployments",
            json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {}}),
        )
        .unwrap();
    assert_eq!(object["kind"], "Deployment");
    assert_eq!(object["apiVersion"], "apps/v1");
    assert_eq!(object["metadata"]["generation"], 1);
    assert_eq!(object["metadata"]["uid"].as_str().unwrap().len(), 36);
    assert_eq!(version_of(&object), Some(store.version().to_string().as_str()));
    let again = store.create(
        "deployments",
        json!({"metadata": {"name": "a", "namespace": "default"}}),
    );
    assert_eq!(again.unwrap_err(), StoreError::AlreadyExists);
    assert_eq!(store.create("unicorns", json!({})).unwrap_err(), StoreError::NotFound);
}

#[test]
fn generated_names_have_five_letters_and_repeat_with_the_seed() {
    let name = |seed| {
        let store = Store::new(Clock::new(1.0), seed);
        let pod = store
            .create(
                "pods",
                json!({"metadata": {"generateName": "web-", "namespace": "default"}}),
            )
            .unwrap();
        pod["metadata"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(4).len(), "web-".len() + 5);
    assert_eq!(name(4), name(4));
    assert_ne!(name(4), name(5));
}

#[test]
fn lists_are_sorted_and_namespaces_apart() {
    let store = store();
    for (ns, name) in [
        ("b", "1"),
        ("a", "2"),
        ("a", "1"),
        ("ab", "1"),
        ("a0", "1"),
        ("a-b", "1"),
    ] {
        store.create("pods", pod(ns, name)).unwrap();
    }
    let names = |list: Vec<Object>| -> Vec<String> {
        list.iter()
            .map(|p| {
                format!(
                    "{}/{}",
                    p["metadata"]["namespace"].as_str().unwrap(),
                    p["metadata"]["name"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        names(store.list("pods", None)),
        ["a-b/1", "a/1", "a/2", "a0/1", "ab/1", "b/1"]
    );
    assert_eq!(names(store.list("pods", Some("a"))), ["a/1", "a/2"]);
    assert!(store.list("pods", Some("none")).is_empty());
}

#[test]
fn update_checks_the_version_counts_the_generation_and_ignores_no_change() {
    let store = store();
    let first = store
        .create(
            "deployments",
            json!({"metadata": {"name": "a", "namespace": "d"}, "spec": {"replicas": 1}}),
        )
        .unwrap();
    let same = store.update("deployments", Value::clone(&first)).unwrap();
    assert_eq!(version_of(&same), version_of(&first));

    let mut changed = Value::clone(&first);
    changed["spec"]["replicas"] = json!(2);
    let second = store.update("deployments", changed.clone()).unwrap();
    assert_eq!(second["metadata"]["generation"], 2);
    assert_eq!(store.update("deployments", changed).unwrap_err(), StoreError::Conflict);

    let third = store
        .modify("deployments", "d", "a", |o| o["status"] = json!({"replicas": 2}))
        .unwrap();
    assert_eq!(third["metadata"]["generation"], 2);
    let forged = store
        .modify("deployments", "d", "a", |o| o["metadata"]["uid"] = json!("forged"))
        .unwrap();
    assert_eq!(forged["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(
        store.modify("deployments", "d", "nope", |_| ()).unwrap_err(),
        StoreError::NotFound
    );
}

#[test]
fn the_last_finalizer_ends_an_object_that_is_being_deleted() {
    let store = store();
    let meta = json!({"name": "a", "finalizers": ["x"], "deletionTimestamp": "2026-01-01T00:00:00Z"});
    store.create("nodes", json!({"metadata": meta})).unwrap();
    store
        .modify("nodes", "", "a", |o| o["metadata"]["finalizers"] = json!([]))
        .unwrap();
    assert!(store.get("nodes", "", "a").is_none());
}

#[test]
fn index_follows_changes() {
    let store = store();
    store.create("pods", pod("a", "1")).unwrap();
    assert_eq!(store.find("pods", Some("a"), Term::Label("run", "x")).len(), 1);
    assert_eq!(store.find("pods", Some("b"), Term::Label("run", "x")).len(), 0);
    assert_eq!(store.find("pods", None, Term::Node("n1")).len(), 1);
    store
        .modify("pods", "a", "1", |o| {
            o["metadata"]["labels"] = json!({"run": "y"});
            o["metadata"]["ownerReferences"] = json!([{"uid": "u"}]);
        })
        .unwrap();
    assert!(store.find("pods", None, Term::Label("run", "x")).is_empty());
    assert_eq!(store.find("pods", None, Term::Owner("u")).len(), 1);
    store.delete("pods", "a", "1").unwrap();
    assert!(store.find("pods", None, Term::Owner("u")).is_empty());
}

#[tokio::test]
async fn a_watch_continues_from_a_version_without_gap() {
    let store = store();
    store.create("pods", pod("a", "1")).unwrap();
    let from = store.version();
    store.create("pods", pod("a", "2")).unwrap();
    store.create("nodes", json!({"metadata": {"name": "n"}})).unwrap();
    let mut watch = store.watch("pods", from).unwrap();
    let added = watch.next().await.unwrap();
    assert_eq!(
        (added.kind, &added.object["metadata"]["name"]),
        (EventKind::Added, &json!("2"))
    );
    store.delete("pods", "a", "1").unwrap();
    let deleted = watch.next().await.unwrap();
    assert_eq!(deleted.kind, EventKind::Deleted);
    assert_eq!(version_of(&deleted.object), Some(deleted.version.to_string().as_str()));
    assert_ne!(
        version_of(deleted.previous.as_ref().unwrap()),
        version_of(&deleted.object)
    );
    assert!(deleted.json().starts_with(b"{\"kind\":\"Pod\""));
}

#[tokio::test]
async fn history_is_bounded_and_a_restart_cuts_watches() {
    let store = store();
    let start = store.version();
    store.create("pods", pod("a", "1")).unwrap();
    assert_eq!(store.watch("pods", 999_999).unwrap_err(), StoreError::TooLarge);
    let mut watch = store.watch("pods", store.version()).unwrap();
    let mut all = store.subscribe();
    store.restart();
    assert_eq!(watch.next().await.unwrap_err(), Lagged::Cut);
    assert_eq!(store.watch("pods", start).unwrap_err(), StoreError::Gone);
    store.delete("pods", "a", "1").unwrap();
    assert_eq!(all.recv().await.unwrap().kind, EventKind::Deleted);
}

#[tokio::test]
async fn a_slow_subscriber_is_told() {
    let store = store();
    let mut all = store.subscribe();
    store.create("pods", pod("a", "1")).unwrap();
    for i in 0..SUBSCRIBE_QUEUE + 10 {
        store.modify("pods", "a", "1", |o| o["status"] = json!(i)).unwrap();
    }
    assert!(matches!(all.recv().await, Err(Lagged::Dropped(_))));
    assert!(all.recv().await.is_ok());
    assert_eq!(store.watch("pods", 1).unwrap_err(), StoreError::Gone);
}
