//! Requests through the sandbox's proxy while the deployment behind it changes: a pod that drains loses none, a pod that
//! dies at once loses what was on its way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer, ec2};
use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::cloud::LoadBalancers;
use cogdeck::sandbox::dns::Names;
use cogdeck::sandbox::kubernetes::control_plane::{ClusterConfig, ControlPlane};
use cogdeck::sandbox::proxy::{Proxy, Router};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status and text, or why there is neither.
type Answer = Result<(u16, String), String>;

struct World {
    plane: ControlPlane,
    proxy: Proxy,
    host: String,
    _aws: AwsHandle,
}

impl World {
    /// A world with three ready inspectors behind a load balancer.
    async fn start(drain_race: bool, speed: f64) -> Self {
        let clock = Clock::new(speed);
        let balancers = LoadBalancers::new(1);
        let config = ClusterConfig {
            seed: 1,
            drain_race,
            ..Default::default()
        };
        let plane = ControlPlane::start(&clock, config, balancers.clone()).unwrap();
        let aws = AwsServer::start(AwsConfig {
            access_key_id: "AKIA".into(),
            secret_access_key: "secret".into(),
            region: "ap-southeast-2".into(),
            instances: ec2::default_world(),
            clock,
            seed: 1,
        })
        .await
        .unwrap();
        let lookup = balancers.clone();
        let names = Names::new(aws.zones.clone(), Arc::new(move |host: &str| lookup.addresses(host)));
        let router = Router::new(names, balancers, plane.network.clone(), plane.store.clone());
        let proxy = Proxy::start(router).await.unwrap();
        let mut world = Self {
            plane,
            proxy,
            host: String::new(),
            _aws: aws,
        };
        world
            .plane
            .store
            .create("deployments", deployment("so0k/kuar-inspector:1.0.0"))
            .unwrap();
        world.plane.store.create("services", service()).unwrap();
        world
            .until("3 available", |d| d["status"]["availableReplicas"] == 3)
            .await;
        let begin = Instant::now();
        while world.host.is_empty() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "the load balancer never came"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
            let service = world.plane.store.get("services", "default", "inspector").unwrap();
            let ingress = service.pointer("/status/loadBalancer/ingress/0/hostname");
            world.host = ingress.and_then(Value::as_str).unwrap_or("").to_owned();
        }
        world
    }

    async fn until(&self, what: &str, mut test: impl FnMut(&Value) -> bool) {
        let begin = Instant::now();
        loop {
            let deployment = self.plane.store.get("deployments", "default", "inspector").unwrap();
            if test(&deployment) {
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "waited for {what}: {}",
                deployment["status"]
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn change(&self, change: impl Fn(&mut Value)) {
        self.plane
            .store
            .modify("deployments", "default", "inspector", change)
            .unwrap();
    }

    async fn rolled_out(&self) {
        self.until("the rollout", |d| {
            let s = &d["status"];
            let wanted = &d["spec"]["replicas"];
            s["observedGeneration"] == d["metadata"]["generation"]
                && &s["updatedReplicas"] == wanted
                && &s["replicas"] == wanted
                && &s["availableReplicas"] == wanted
                && s["terminatingReplicas"] == 0
        })
        .await;
    }

    async fn get(&self, path: &str) -> Answer {
        get(self.proxy.addr, &format!("http://{}{path}", self.host)).await
    }
}

fn deployment(image: &str) -> Value {
    json!({
        "metadata": {"name": "inspector", "namespace": "default", "labels": {"run": "inspector"}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"run": "inspector"}},
            "template": {
                "metadata": {"labels": {"run": "inspector"}},
                "spec": {"containers": [{"name": "inspector", "image": image, "ports": [{"containerPort": 80}]}], "terminationGracePeriodSeconds": 30},
            },
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
        },
    })
}

fn service() -> Value {
    json!({
        "metadata": {"name": "inspector", "namespace": "default", "labels": {"run": "inspector"}},
        "spec": {"type": "LoadBalancer", "selector": {"run": "inspector"}, "clusterIP": "100.64.9.9", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]},
        "status": {"loadBalancer": {}},
    })
}

/// One request on one new connection, as curl does through a proxy.
async fn get(proxy: SocketAddr, url: &str) -> Answer {
    let host = url.trim_start_matches("http://").split('/').next().unwrap();
    raw(
        proxy,
        &format!("GET {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    )
    .await
}

async fn raw(proxy: SocketAddr, request: &str) -> Answer {
    let work = async {
        let mut stream = TcpStream::connect(proxy).await.map_err(|e| e.to_string())?;
        stream.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(|e| e.to_string())?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| format!("no status in {answer:?}"))?;
        Ok((status, answer))
    };
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .map_err(|_| "timed out".to_owned())?
}

/// Sends requests without pause from several tasks until told to stop; all answers.
struct Watcher {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Vec<Answer>>>,
}

impl Watcher {
    fn start(world: &World) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..8)
            .map(|_| {
                let (stop, proxy, url) = (stop.clone(), world.proxy.addr, format!("http://{}/", world.host));
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        seen.push(get(proxy, &url).await);
                    }
                    seen
                })
            })
            .collect();
        Self { stop, tasks }
    }

    async fn finish(self) -> Vec<Answer> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in self.tasks {
            all.extend(task.await.unwrap());
        }
        all
    }
}

fn lost(answers: &[Answer]) -> Vec<String> {
    answers
        .iter()
        .filter_map(|a| match a {
            Ok((200, _)) => None,
            Ok((status, text)) => Some(format!("{status}: {}", text.lines().last().unwrap_or(""))),
            Err(error) => Some(error.clone()),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_a_rollback_and_a_scale_down_lose_no_request() {
    let world = World::start(false, 10.0).await;
    let watcher = Watcher::start(&world);
    for image in ["so0k/kuar-inspector:2.0.0", "so0k/kuar-inspector:1.0.0"] {
        world.change(|d| d["spec"]["template"]["spec"]["containers"][0]["image"] = image.into());
        world.rolled_out().await;
        let version = image.rsplit(':').next().unwrap();
        let (_, page) = world.get("/").await.unwrap();
        assert!(page.contains(&format!("Version: Inspector {version}")), "{page}");
    }
    world.change(|d| d["spec"]["replicas"] = 1.into());
    world.rolled_out().await;
    let answers = watcher.finish().await;
    assert!(answers.len() > 200, "only {} requests were made", answers.len());
    assert_eq!(lost(&answers), Vec::<String>::new(), "of {} requests", answers.len());
    assert_eq!(world.proxy.lost(), 0);
    let of = |version: &str| {
        answers
            .iter()
            .filter(|a| {
                a.as_ref()
                    .is_ok_and(|(_, t)| t.contains(&format!("Inspector {version}")))
            })
            .count()
    };
    assert!(of("1.0.0") > 0 && of("2.0.0") > 0, "both versions answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_die_at_once_lose_requests() {
    let world = World::start(true, 2.0).await;
    let watcher = Watcher::start(&world);
    world.change(|d| d["spec"]["replicas"] = 1.into());
    world.rolled_out().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answers = watcher.finish().await;
    let lost = lost(&answers);
    assert_eq!(
        lost.len() as u64,
        world.proxy.lost(),
        "the watchers saw exactly what was lost"
    );
    assert!(
        !lost.is_empty() && lost.len() < answers.len(),
        "{} of {}",
        lost.len(),
        answers.len()
    );
    assert!(lost.iter().all(|l| l.starts_with("502")), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_the_talk_and_all_pods_are_seen() {
    let world = World::start(false, 20.0).await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let (status, page) = world.get("/net").await.unwrap();
        assert_eq!(status, 200);
        let first = page
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .find(|w| w.starts_with("100.") && w.split('.').count() == 4);
        seen.insert(first.unwrap().to_owned());
    }
    let pods: std::collections::BTreeSet<String> = world
        .plane
        .store
        .list("pods", Some("default"))
        .iter()
        .map(|p| p["status"]["podIP"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, pods);
    assert_eq!(world.get("/healthz").await.unwrap().0, 200);
    assert_eq!(world.get("/no/such/path").await.unwrap().0, 200);
    let (_, env) = world.get("/env").await.unwrap();
    assert!(env.contains("KUBERNETES_SERVICE_HOST") && env.contains("100.64.0.1"));
    // Addresses of the world are served as hosts too.
    let pod = pods.iter().next().unwrap();
    assert_eq!(get(world.proxy.addr, &format!("http://{pod}/")).await.unwrap().0, 200);
    assert_eq!(
        get(world.proxy.addr, &format!("http://{pod}:8080/")).await.unwrap().0,
        502
    );
    assert_eq!(get(world.proxy.addr, "http://100.64.9.9/").await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_at_once_are_served() {
    let world = Arc::new(World::start(false, 20.0).await);
    let clients: Vec<_> = (0..1_000)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.get("/").await })
        })
        .collect();
    let mut answers = Vec::new();
    for client in clients {
        answers.push(client.await.unwrap());
    }
    assert_eq!(lost(&answers), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_of_this_world_is_refused_with_a_reason() {
    let world = World::start(false, 20.0).await;
    let (proxy, host) = (world.proxy.addr, world.host.clone());
    let long = "x".repeat(100_000);
    let many = (0..500).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    for (name, request, status, text) in [
        (
            "unknown name",
            "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n".to_owned(),
            502,
            world.host.as_str(),
        ),
        (
            "unknown address",
            "GET http://8.8.8.8/ HTTP/1.1\r\nHost: 8.8.8.8\r\nConnection: close\r\n\r\n".to_owned(),
            502,
            "no pod, service or load balancer",
        ),
        (
            "wrong port",
            format!("GET http://{host}:81/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            502,
            "does not listen on port 81",
        ),
        (
            "CONNECT",
            format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            405,
            "CONNECT is not served",
        ),
        (
            "https",
            format!("GET https://{host}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            400,
            "only http://",
        ),
        (
            "foreign host",
            "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
            403,
            "foreign Host",
        ),
        ("no host", "GET / HTTP/1.0\r\n\r\n".to_owned(), 403, "foreign Host"),
        (
            "itself",
            format!("GET / HTTP/1.1\r\nHost: {proxy}\r\nConnection: close\r\n\r\n"),
            400,
            "http_proxy=",
        ),
        (
            "two lengths",
            format!(
                "POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello"
            ),
            400,
            "",
        ),
        (
            "two hosts",
            format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nHost: other\r\nConnection: close\r\n\r\n"),
            400,
            "several Host",
        ),
        (
            "huge header",
            format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nX: {long}\r\nConnection: close\r\n\r\n"),
            431,
            "",
        ),
        (
            "many headers",
            format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{many}Connection: close\r\n\r\n"),
            431,
            "",
        ),
        (
            "user name",
            format!("GET http://user@{host}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            400,
            "user name",
        ),
        ("not HTTP", "\u{1}\u{2}garbage\r\n\r\n".to_owned(), 400, ""),
    ] {
        let (got, body) = raw(proxy, &request).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(got, status, "{name}: {body}");
        assert!(body.contains(text), "{name}: {body}");
    }
    // Two framings at once: the proxy reads one of them (the chunks, RFC 9112 §6.3), frames the request anew, and answers once.
    let smuggled = format!(
        "POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         0\r\n\r\nGET http://{host}/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"
    );
    let (_, answer) = raw(proxy, &smuggled).await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    world.change(|d| d["spec"]["replicas"] = 0.into());
    world
        .until("no pods", |d| {
            d["status"].get("replicas").is_none() && d["status"]["terminatingReplicas"] == 0
        })
        .await;
    let (status, text) = world.get("/").await.unwrap();
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("has no ready pod"), "{text}");
}
