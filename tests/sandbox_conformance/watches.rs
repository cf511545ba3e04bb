//! Watches: what is sent, in which order, and how they end.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use crate::world::{TOKEN, World};

const PODS: &str = "/api/v1/namespaces/default/pods";

/// Reads a watch line by line.
struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    async fn open(world: &World, query: &str, accept: &str) -> Self {
        let request = json!({"method": "GET", "path": format!("{PODS}?watch=1&{query}"), "accept": accept});
        let response = world.open(&request, Some(TOKEN)).await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body(),
            rest: Vec::new(),
        }
    }

    /// The next event, or `None` when the watch has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            match timeout(Duration::from_secs(10), self.body.frame())
                .await
                .expect("an event or an end")
            {
                Some(Ok(frame)) => self.rest.extend(frame.into_data().unwrap()),
                Some(Err(_)) | None => return None,
            }
        }
    }

    async fn told(&mut self) -> (String, String) {
        let event = self.next().await.unwrap();
        let name = event["object"]["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (event["type"].as_str().unwrap().to_owned(), name)
    }
}

fn pod(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "default", "labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

fn told(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

#[tokio::test]
async fn a_selection_is_entered_and_left() {
    let world = World::new().await;
    world.put("pods", &pod("in", "a"));
    world.put("pods", &pod("out", "b"));
    let mut lines = Lines::open(&world, "labelSelector=app%3Da", "application/json").await;
    assert_eq!(lines.told().await, told("ADDED", "in"));
    world
        .store
        .modify("pods", "default", "out", |p| {
            p["metadata"]["labels"]["app"] = json!("a")
        })
        .unwrap();
    assert_eq!(lines.told().await, told("ADDED", "out"));
    world
        .store
        .modify("pods", "default", "in", |p| p["metadata"]["labels"]["x"] = json!("y"))
        .unwrap();
    assert_eq!(lines.told().await, told("MODIFIED", "in"));
    world
        .store
        .modify("pods", "default", "in", |p| p["metadata"]["labels"]["app"] = json!("b"))
        .unwrap();
    assert_eq!(lines.told().await, told("DELETED", "in"));
    world.store.delete("pods", "default", "in").unwrap();
    world.store.delete("pods", "default", "out").unwrap();
    assert_eq!(lines.told().await, told("DELETED", "out"));
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark_and_time_is_kept() {
    let world = World::new().await;
    world.put("pods", &pod("a", "a"));
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    let mut lines = Lines::open(&world, query, "application/json").await;
    assert_eq!(lines.told().await, told("ADDED", "a"));
    let mark = lines.next().await.unwrap();
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(
        mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    let version = world.store.version().to_string();
    assert_eq!(mark["object"]["metadata"]["resourceVersion"], version.as_str());
    assert_eq!(lines.next().await.unwrap()["type"], "BOOKMARK");
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn watches_continue_from_a_version_or_say_that_it_is_gone() {
    let world = World::new().await;
    world.put("pods", &pod("a", "a"));
    let version = world.store.version();
    world.put("pods", &pod("b", "a"));
    let mut lines = Lines::open(&world, &format!("resourceVersion={version}"), "application/json").await;
    assert_eq!(lines.told().await, told("ADDED", "b"));
    world.store.restart();
    assert!(lines.next().await.is_none(), "a restart cuts the watch");
    let mut lines = Lines::open(&world, &format!("resourceVersion={version}"), "application/json").await;
    let error = lines.next().await.unwrap();
    assert_eq!(
        (&error["type"], &error["object"]["code"], &error["object"]["reason"]),
        (&json!("ERROR"), &json!(410), &json!("Expired"))
    );
}

#[tokio::test]
async fn tables_have_their_headers_once() {
    let world = World::new().await;
    world.put("pods", &pod("a", "a"));
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let mut lines = Lines::open(&world, "", accept).await;
    let first = lines.next().await.unwrap();
    assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
    assert_eq!(first["object"]["rows"][0]["cells"][0], "a");
    world.put("pods", &pod("b", "a"));
    let second = lines.next().await.unwrap();
    assert!(second["object"]["columnDefinitions"].is_null());
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
}
