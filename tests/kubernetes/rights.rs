//! Users with few rights: feeds ask only for what is allowed, say which right is missing, and try where nobody can tell.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cogdeck::core::clock::Clock;
use cogdeck::core::context::{Context, KubeconfigSource};
use cogdeck::core::text::Secret;
use cogdeck::features::kubernetes::client::{Asking, Clients};
use cogdeck::features::kubernetes::feed::{rows, table};
use cogdeck::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, ServiceRow, SlimRow};
use cogdeck::feed::{HealthState, Hub, Source, Subscription};
use cogdeck::sandbox::clock::Clock as WorldClock;
use cogdeck::sandbox::cloud::LoadBalancers;
use cogdeck::sandbox::faults::{Fault, Gate};
use cogdeck::sandbox::kubernetes::api::{ApiConfig, ApiHandle, ApiServer};
use cogdeck::sandbox::kubernetes::control_plane::{ClusterConfig, ControlPlane};

const PATIENCE: Duration = Duration::from_secs(20);

/// Notes every request, and refuses those that begin so.
#[derive(Default)]
struct Log {
    seen: Mutex<Vec<String>>,
    refused: Mutex<Option<&'static str>>,
}

impl Gate for Log {
    fn check(&self, method: &str, path: &str) -> Option<Fault> {
        let request = format!("{method} {path}");
        let refused = self.refused.lock().unwrap().filter(|one| request.starts_with(one));
        self.seen.lock().unwrap().push(request);
        refused.map(|_| Fault::Forbidden403)
    }
}

struct World {
    plane: ControlPlane,
    api: ApiHandle,
    log: Arc<Log>,
    hub: Hub,
    clients: Arc<Clients>,
}

impl World {
    async fn start() -> World {
        let clock = WorldClock::new(20.0);
        let plane = ControlPlane::start(&clock, ClusterConfig::default(), LoadBalancers::new(7)).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let log = Arc::new(Log::default());
        let config = ApiConfig {
            gate: Some(log.clone()),
            guest_token: Some("guest".to_owned()),
            metrics: true,
            ..ApiConfig::new("secret")
        };
        let api = ApiServer::start(plane.store.clone(), config, listener).unwrap();
        World {
            plane,
            api,
            log,
            hub: Hub::new(Clock::real()),
            clients: Clients::new(),
        }
    }

    /// The guest in a namespace.
    fn guest(&self, namespace: &str) -> Arc<Context> {
        let text = self.api.kubeconfig("c", "guest", "guest");
        let mut context = Context::empty("guest");
        context.kubernetes.kubeconfig = KubeconfigSource::Inline(Secret::new(text));
        context.kubernetes.namespace = Some(namespace.to_owned());
        Arc::new(context)
    }

    fn follow<R: SlimRow>(&self, context: &Arc<Context>) -> Subscription<R> {
        rows(&self.hub, &self.clients, context)
    }

    fn asked(&self, part: &str) -> usize {
        self.log
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|one| one.contains(part))
            .count()
    }
}

async fn until<R>(source: &Arc<Source<R>>, state: HealthState) -> String {
    let begin = Instant::now();
    while source.health().state != state {
        assert!(
            begin.elapsed() < PATIENCE,
            "waited for {state:?}; it is {:?}",
            source.health()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    source
        .health()
        .reason
        .map_or_else(String::new, |reason| reason.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_ask_only_for_what_is_allowed_and_say_what_is_missing() {
    let world = World::start().await;
    let context = world.guest("default");
    let begin = Instant::now();
    let pods = world.follow::<PodRow>(&context);
    let deployments = world.follow::<DeploymentRow>(&context);
    let events = world.follow::<EventRow>(&context);
    let nodes = table(&world.hub, &world.clients, &context, "nodes");
    until(pods.source(), HealthState::Live).await;
    until(deployments.source(), HealthState::Live).await;
    assert_eq!(
        until(events.source(), HealthState::Denied).await,
        "you may not list events in the namespace default"
    );
    assert_eq!(
        until(nodes.source(), HealthState::Denied).await,
        "you may not list nodes at the cluster scope"
    );
    assert!(world.asked("/pods?") > 0);
    assert_eq!(
        (world.asked("/events?"), world.asked("/nodes?")),
        (0, 0),
        "nobody asks for what is refused anyway"
    );
    // What is missing is asked about anew after five seconds.
    let (asked, looks) = (
        world.asked("selfsubjectrulesreviews"),
        1 + begin.elapsed().as_secs() / 5,
    );
    assert!(
        (1..=looks).contains(&(asked as u64)),
        "one question serves all panels: {asked}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_right_asks_at_once_when_somebody_logs_in() {
    let world = World::start().await;
    let context = world.guest("default");
    let events = world.follow::<EventRow>(&context);
    until(events.source(), HealthState::Denied).await;
    let (begin, before) = (Instant::now(), world.asked("selfsubjectrulesreviews"));
    let login = world.clients.login(&context).await.unwrap();
    login.run(Asking::Nobody).await.unwrap();
    while world.asked("selfsubjectrulesreviews") == before {
        assert!(begin.elapsed() < PATIENCE, "not asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_use_is_refused_as_what_they_are() {
    let world = World::start().await;
    let session = world.clients.session(&world.guest("default")).await.unwrap();
    let path = "/apis/metrics.k8s.io/v1beta1/nodes";
    let refused = session.cluster.get::<serde_json::Value>(path).await.unwrap_err();
    let refused = session.cluster.report(&refused);
    let words = "nodes.metrics.k8s.io is forbidden: User \"sandbox-guest\" cannot list resource \"nodes\" in API group \"metrics.k8s.io\" at the cluster scope";
    assert!(
        refused.code == "E-KUBE-403" && refused.message.ends_with(words),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_namespace_has_other_rights() {
    let world = World::start().await;
    let context = world.guest("kube-system");
    let pods = world.follow::<PodRow>(&context);
    let reason = until(pods.source(), HealthState::Denied).await;
    assert_eq!(reason, "you may not list pods in the namespace kube-system");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_tell_everything_is_tried() {
    let world = World::start().await;
    *world.log.refused.lock().unwrap() = Some("POST /apis/authorization.k8s.io/");
    let context = world.guest("default");
    let pods = world.follow::<PodRow>(&context);
    let events = world.follow::<EventRow>(&context);
    until(pods.source(), HealthState::Live).await;
    let reason = until(events.source(), HealthState::Denied).await;
    let words = "User \"sandbox-guest\" cannot list resource \"events\" in API group \"\" in the namespace \"default\"";
    assert!(reason.contains(words), "{reason}");
    assert!(world.asked("/events?") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_list_and_not_watch_has_rows_all_the_same() {
    let world = World::start().await;
    let context = world.guest("default");
    let services = world.follow::<ServiceRow>(&context);
    until(services.source(), HealthState::Live).await;
    let port = serde_json::json!({"port": 80});
    let service = serde_json::json!({"metadata": {"name": "late", "namespace": "default"}, "spec": {"ports": [port]}});
    world.plane.store.create("services", service).unwrap();
    let begin = Instant::now();
    while services.source().read(|rows, _| rows.get("default/late").is_none()) {
        assert!(
            begin.elapsed() < PATIENCE,
            "the service is not there: {:?}",
            services.source().health()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(services.source().health().state, HealthState::Live);
    assert_eq!(
        world.asked("/services?watch"),
        0,
        "nobody asks for what is refused anyway"
    );
}
