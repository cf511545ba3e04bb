//! The live rows while the server misbehaves, broken on purpose through the sandbox's admin API: they tell the truth about
//! themselves meanwhile, and are right again within two seconds of the end of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use cogdeck::core::clock::Clock;
use cogdeck::core::context::{Context, KubeconfigSource};
use cogdeck::core::text::Secret;
use cogdeck::features::kubernetes::client::Clients;
use cogdeck::features::kubernetes::feed::rows;
use cogdeck::features::kubernetes::model::{DeploymentRow, PodRow, SlimRow};
use cogdeck::feed::{HealthState, Hub, Source, Subscription};
use cogdeck::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// How soon rows have to be right again.
const SOON: Duration = Duration::from_secs(2);
/// How long anything is waited for at most.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    sandbox: Sandbox,
    hub: Hub,
    clients: Arc<Clients>,
    context: Arc<Context>,
}

impl World {
    /// A world with a deployment of three pods.
    async fn start() -> Self {
        let config = SandboxConfig {
            speed: 20.0,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let mut context = Context::empty("sandbox");
        context.kubernetes.kubeconfig = KubeconfigSource::Inline(Secret::new(sandbox.kubeconfig()));
        let world = World {
            sandbox,
            hub: Hub::new(Clock::real()),
            clients: Clients::new(),
            context: Arc::new(context),
        };
        world.deploy("web", 3).await;
        world
    }

    /// Makes a deployment and waits for its pods to be ready, so that the truth stands still.
    async fn deploy(&self, name: &str, replicas: usize) {
        let object = json!({
            "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"run": name}}, "strategy": {"type": "RollingUpdate"},
                "template": {"metadata": {"labels": {"run": name}}, "spec": {"containers": [{"name": name, "image": "i"}]}},
            },
        });
        let store = self.sandbox.store();
        store.create("deployments", object).unwrap();
        let begin = Instant::now();
        let available = || {
            let found = store.get("deployments", "default", name).unwrap();
            found["status"]["availableReplicas"].as_u64() == u64::try_from(replicas).ok()
        };
        while !available() {
            assert!(begin.elapsed() < PATIENCE, "no pods");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn follow<R: SlimRow>(&self) -> Subscription<R> {
        rows(&self.hub, &self.clients, &self.context)
    }

    /// Asks the admin API.
    async fn admin(&self, request: &str, body: &str) {
        let file = self.sandbox.admin_file();
        let value = |name: &str| {
            let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap().to_owned()
        };
        let address = value("COGDECK_ADMIN_URL").replace("http://", "");
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            value("COGDECK_ADMIN_TOKEN"),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{request} {body}: {answer}");
    }

    async fn fault(&self, rule: &Value) {
        self.admin("POST /faults", &rule.to_string()).await;
    }

    /// Breaks the watch of the pods that is open, in the middle of its stream.
    async fn cut_the_watch(&self) {
        self.fault(&json!({"match": {"path": "/pods?"}, "kind": "cut", "count": 1}))
            .await;
    }

    /// What there is: key and address of each pod.
    fn truth(&self) -> BTreeMap<String, String> {
        let own = |pod: &Value, at: &str| pod.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let pods = self.sandbox.store().list("pods", Some("default"));
        pods.iter()
            .map(|pod| {
                (
                    format!("default/{}", own(pod, "/metadata/name")),
                    own(pod, "/status/podIP"),
                )
            })
            .collect()
    }
}

/// What is shown.
fn shown(source: &Source<PodRow>) -> BTreeMap<String, String> {
    source.read(|rows, _| rows.iter().map(|(key, pod)| (key.to_owned(), pod.ip.clone())).collect())
}

fn state<R>(source: &Source<R>) -> HealthState {
    source.health().state
}

/// Waits until the source is as wanted; says what it was instead.
async fn until<R>(what: &str, source: &Arc<Source<R>>, wanted: impl Fn(&Source<R>) -> bool) -> Duration {
    let begin = Instant::now();
    while !wanted(source) {
        assert!(
            begin.elapsed() < PATIENCE,
            "waited for {what}; it is {:?}",
            source.health()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}

/// One fault from its begin to its end.
async fn suffers(rule: Value, told: &[HealthState]) {
    let world = World::start().await;
    let pods = world.follow::<PodRow>();
    let right = |source: &Source<PodRow>| state(source) == HealthState::Live && shown(source) == world.truth();
    until("the first rows", pods.source(), right).await;
    world.cut_the_watch().await;
    world.fault(&rule).await;
    until(&format!("{told:?} under {rule}"), pods.source(), |source| {
        told.contains(&state(source))
    })
    .await;
    assert!(pods.source().health().reason.is_some(), "{rule}: a reason is told");
    // What happens now cannot be seen, and nobody may say it was.
    world.deploy("other", 2).await;
    let hidden = Instant::now();
    while hidden.elapsed() < Duration::from_millis(400) {
        let (state, same) = (state(pods.source()), shown(pods.source()) == world.truth());
        assert!(
            state != HealthState::Live || same,
            "{rule}: called live while rows are missing"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.admin("DELETE /faults", "").await;
    let took = until(&format!("the rows after {rule}"), pods.source(), right).await;
    assert!(took < SOON, "{rule}: right again after {took:?}");
    assert_eq!(shown(pods.source()).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut() {
    suffers(
        json!({"match": {"path": "/pods"}, "kind": "cut"}),
        &[HealthState::Stale],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_are_too_old() {
    suffers(
        json!({"match": {"path": "/pods"}, "kind": "410"}),
        &[HealthState::Resync],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_with_a_time_to_wait() {
    suffers(
        json!({"match": {"path": "/pods"}, "kind": "429", "retry_after": 1}),
        &[HealthState::Stale],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails() {
    suffers(
        json!({"match": {"path": "/pods"}, "kind": "500"}),
        &[HealthState::Stale],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token() {
    suffers(json!({"kind": "401"}), &[HealthState::Login]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs() {
    suffers(
        json!({"match": {"path": "/pods"}, "kind": "hang"}),
        &[HealthState::Stale, HealthState::Resync],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_may_not_be_listed_leave_the_other_rows_alone() {
    let world = World::start().await;
    let (pods, deployments) = (world.follow::<PodRow>(), world.follow::<DeploymentRow>());
    let right = |source: &Source<PodRow>| state(source) == HealthState::Live && shown(source) == world.truth();
    until("the first rows", pods.source(), right).await;
    until("the deployments", deployments.source(), |source| {
        state(source) == HealthState::Live
    })
    .await;
    world.cut_the_watch().await;
    world
        .fault(&json!({"match": {"method": "GET", "path": "/pods"}, "kind": "403"}))
        .await;
    until("denied pods", pods.source(), |source| {
        state(source) == HealthState::Denied
    })
    .await;
    world.deploy("other", 2).await;
    until("the other deployment", deployments.source(), |source| {
        state(source) == HealthState::Live
            && source.read(|rows, _| rows.get("default/other").is_some_and(|row| row.available == 2))
    })
    .await;
    assert_eq!(state(pods.source()), HealthState::Denied, "still");
    world.admin("DELETE /faults", "").await;
    let took = until("the pods", pods.source(), right).await;
    assert!(took < SOON, "right again after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_is_cut_loses_nothing_that_happened_meanwhile() {
    let world = World::start().await;
    let pods = world.follow::<PodRow>();
    let right = |source: &Source<PodRow>| state(source) == HealthState::Live && shown(source) == world.truth();
    until("the first rows", pods.source(), right).await;
    for round in 0..5 {
        world.cut_the_watch().await;
        let name = format!("more-{round}");
        let (changed, ()) = tokio::join!(tokio::time::timeout(PATIENCE, world.deploy(&name, 2)), async {
            let gone = world.truth().keys().next().unwrap().replace("default/", "");
            let _ = world.sandbox.store().delete("pods", "default", &gone);
        });
        changed.unwrap();
        // The replica set makes another pod for the one that went.
        let took = until("all changes", pods.source(), |source| {
            right(source) && shown(source).len() == 5 + 2 * round
        })
        .await;
        assert!(took < SOON, "round {round}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_come_slowly_are_all_there_in_the_end() {
    let world = World::start().await;
    let store = world.sandbox.store();
    for number in 0..1_100 {
        let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": format!("m-{number:04}"), "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "nowhere"}});
        store.create("pods", object).unwrap();
    }
    world
        .fault(&json!({"match": {"path": "/pods?"}, "kind": "slow", "delay_ms": 300}))
        .await;
    let pods = world.follow::<PodRow>();
    let mut partial = false;
    let begin = Instant::now();
    while state(pods.source()) != HealthState::Live {
        partial |= (1..1_103).contains(&shown(pods.source()).len());
        assert!(begin.elapsed() < PATIENCE, "{:?}", pods.source().health());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(partial, "rows are shown before the last page, and not called live");
    assert_eq!(shown(pods.source()), world.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_other_versions_is_a_fresh_list() {
    let world = World::start().await;
    let pods = world.follow::<PodRow>();
    let right = |source: &Source<PodRow>| state(source) == HealthState::Live && shown(source) == world.truth();
    until("the first rows", pods.source(), right).await;
    for round in 0..3_usize {
        world.admin("POST /restart", "").await;
        world.deploy(&format!("after-{round}"), 1).await;
        let took = until("the rows", pods.source(), |source| {
            right(source) && shown(source).len() == 4 + round
        })
        .await;
        assert!(took < SOON, "round {round}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_two_clusters_never_mix_when_the_configuration_names_another() {
    let (one, two) = (World::start().await, World::start().await);
    two.deploy("other", 2).await;
    let set = |world: &World| {
        let pem = base64::engine::general_purpose::STANDARD.encode(world.sandbox.ca_pem());
        let (url, token) = (world.sandbox.kubernetes_url(), world.sandbox.token());
        let set = [("SERVER", url), ("TOKEN", token), ("CERT", pem.as_str())];
        BTreeMap::from(set.map(|(name, value)| (format!("KUBERNETES_{name}"), Secret::new(value))))
    };
    let variables = Arc::new(Mutex::new(set(&one)));
    let told = variables.clone();
    let clients = Clients::configured(Arc::new(move |_| {
        let told = told.lock().unwrap().clone();
        Box::pin(async move { Ok(told) })
    }));
    let mut context = Context::empty("configured");
    context.kubernetes.configurable = true;
    let hub = Hub::new(Clock::real());
    let feed = rows::<PodRow>(&hub, &clients, &Arc::new(context));
    let source = feed.source();
    let keys = || shown(source).into_keys().collect::<BTreeSet<String>>();
    let of = |world: &World| world.truth().into_keys().collect::<BTreeSet<String>>();
    let (first, second) = (of(&one), of(&two));
    let begin = Instant::now();
    while keys() != first {
        assert!(begin.elapsed() < PATIENCE, "{:?}", source.health());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    *variables.lock().unwrap() = set(&two);
    one.cut_the_watch().await;
    one.deploy("late", 1).await;
    let begin = Instant::now();
    let mut shown = keys();
    while shown != second {
        assert!(
            shown.is_subset(&of(&one)) || shown.is_subset(&second),
            "rows of both: {shown:?}"
        );
        assert!(begin.elapsed() < PATIENCE, "{:?}", source.health());
        tokio::time::sleep(Duration::from_millis(1)).await;
        shown = keys();
    }
}

/// A server whose list of pods is empty and whose watches end well at once, as behind a proxy that keeps nothing open.
/// Counts the watches.
async fn hasty_server() -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, watches) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = watches.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while stream.read_line(&mut head).await.is_ok_and(|count| count > 0) {
                    if !head.ends_with("\r\n\r\n") {
                        continue;
                    }
                    let pods = json!({"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced",
                        "singularResource": "pod", "verbs": ["list", "watch"]});
                    let (code, body) = match head.split(' ').nth(1).unwrap() {
                        path if path.contains("watch=true") => {
                            counted.fetch_add(1, Ordering::Relaxed);
                            (200, String::new())
                        }
                        path if path.contains("/pods?") => {
                            let list = json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []});
                            (200, list.to_string())
                        }
                        "/api" => {
                            let versions = json!([{"version": "v1", "resources": [pods]}]);
                            let list = json!({"kind": "APIGroupDiscoveryList", "items": [{"versions": versions}]});
                            (200, list.to_string())
                        }
                        "/apis" => (200, json!({"kind": "APIGroupDiscoveryList", "items": []}).to_string()),
                        _ => (
                            404,
                            json!({"kind": "Status", "status": "Failure", "code": 404}).to_string(),
                        ),
                    };
                    let answer = format!(
                        "HTTP/1.1 {code} So\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    // What asks with a body asks what is not here.
                    let ends = head.starts_with("POST");
                    if stream.get_mut().write_all(answer.as_bytes()).await.is_err() || ends {
                        return;
                    }
                    head.clear();
                }
            });
        }
    });
    (port, watches)
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_that_end_at_once_are_no_storm() {
    let (port, watches) = hasty_server().await;
    let mut context = Context::empty("hasty");
    context.kubernetes.kubeconfig = KubeconfigSource::Inline(Secret::new(format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    )));
    let (hub, clients) = (Hub::new(Clock::real()), Clients::new());
    let feed = rows::<PodRow>(&hub, &clients, &Arc::new(context));
    let begin = Instant::now();
    while watches.load(Ordering::Relaxed) == 0 {
        assert!(begin.elapsed() < PATIENCE, "{:?}", feed.source().health());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let count = watches.load(Ordering::Relaxed);
    assert!(count < 20, "{count} watches in three seconds");
    assert_eq!(state(feed.source()), HealthState::Live, "the rows are right");
}
