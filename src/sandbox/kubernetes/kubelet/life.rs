//! The life of one pod on its node, from the first look to the last: pull, start, become ready, run, crash and back off,
//! and end. One task runs one life.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::image::{Image, Program};
use super::status::{self, State};
use super::{Control, Shared};
use crate::sandbox::inspector::{self, ContainerLog, Inspector};
use crate::sandbox::kubernetes::controllers::recorder::{Severity, Source};
use crate::sandbox::kubernetes::graceful;
use crate::sandbox::kubernetes::objects::{int, name, namespace, text, uid};

/// From the first look to running, and from running to ready: about 1.5 seconds together, each ±20 %.
const START: Duration = Duration::from_millis(950);
const SETTLE: Duration = Duration::from_millis(550);
/// How long a crashing program runs.
const CRASH: Duration = Duration::from_millis(400);
/// How long `ErrImagePull` shows before the back-off begins.
const PULL_ERROR: Duration = Duration::from_secs(2);
/// First wait between attempts; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// What a program does after it was told to stop, beyond finishing its requests.
const DRAIN: Duration = Duration::from_millis(800);
/// How long it takes to remove a pod that has nothing to drain.
const TEAR_DOWN: Duration = Duration::from_millis(200);
/// How often a draining pod looks whether it is still in use, and how long it waits at most for its endpoints to go (real time).
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a pod until it is gone.
pub(super) async fn live(shared: Arc<Shared>, object: Arc<Value>, control: Control) {
    let mut life = Life::new(shared, object);
    let kill = control.kill.clone();
    tokio::select! {
        biased;
        () = kill.cancelled() => {}
        () = life.run(&control.terminate) => {}
    }
    life.clean_up();
}

struct Life {
    shared: Arc<Shared>,
    object: Arc<Value>,
    node: String,
    pod: status::Pod,
    servers: Vec<Inspector>,
}

impl Life {
    fn new(shared: Arc<Shared>, object: Arc<Value>) -> Self {
        let node = text(&object, "/spec/nodeName").to_owned();
        let node_object = shared.store.get("nodes", "", &node);
        let host = node_object
            .as_deref()
            .map_or("", |n| text(n, "/status/addresses/0/address"))
            .to_owned();
        let list = object.pointer("/spec/containers").and_then(Value::as_array);
        let containers = list
            .into_iter()
            .flatten()
            .map(|c| status::Container {
                name: text(c, "/name").to_owned(),
                image: Image::parse(text(c, "/image")),
                state: State::Waiting("ContainerCreating", None),
                last: None,
                restarts: 0,
                ready: false,
                id: String::new(),
            })
            .collect();
        let started = shared.clock.rfc3339();
        let mut life = Self {
            shared,
            node,
            pod: status::Pod {
                containers,
                host,
                ip: None,
                started,
                stopped: false,
            },
            servers: Vec::new(),
            object,
        };
        life.resume();
        life
    }

    /// A pod that was running before this kubelet looked: take over what its status says.
    fn resume(&mut self) {
        if text(&self.object, "/status/phase") != "Running" {
            return;
        }
        self.pod.ip = text(&self.object, "/status/podIP").parse().ok();
        self.pod.started = text(&self.object, "/status/startTime").to_owned();
        for (index, container) in self.pod.containers.iter_mut().enumerate() {
            let own = format!("/status/containerStatuses/{index}");
            container.state = State::Running(text(&self.object, &format!("{own}/state/running/startedAt")).to_owned());
            container.ready = true;
            container.id = text(&self.object, &format!("{own}/containerID"))
                .trim_start_matches("containerd://")
                .to_owned();
        }
    }

    async fn run(&mut self, terminate: &CancellationToken) {
        let resumed = self.pod.ip.is_some();
        if !terminate.is_cancelled() {
            tokio::select! {
                biased;
                () = terminate.cancelled() => {}
                () = self.work(resumed) => {}
            }
        }
        self.end().await;
    }

    /// Everything before the end; never returns by itself.
    async fn work(&mut self, resumed: bool) {
        if !resumed {
            self.report();
            self.pause(START).await;
            self.open_network();
            if self.pod.ip.is_none() {
                return std::future::pending().await;
            }
        }
        self.pull_all().await;
        self.start_all().await;
        self.report();
        self.pause(SETTLE).await;
        self.check_readiness().await;
        self.keep_running().await
    }

    /// Waits until all images are there. A missing one never comes: the attempts back off for ever.
    async fn pull_all(&mut self) {
        for index in 0..self.pod.containers.len() {
            let image = self.pod.containers[index].image.clone();
            if image.program() != Program::Missing {
                self.pull(index, &image);
                continue;
            }
            let mut wait = FIRST;
            loop {
                let error = image.pull_error();
                let given = image.given();
                self.event(
                    index,
                    Severity::Normal,
                    "Pulling",
                    &format!("Pulling image \"{given}\""),
                );
                self.event(
                    index,
                    Severity::Warning,
                    "Failed",
                    &format!("Failed to pull image \"{given}\": {error}"),
                );
                self.event(index, Severity::Warning, "Failed", "Error: ErrImagePull");
                self.pod.containers[index].state = State::Waiting("ErrImagePull", Some(error.clone()));
                self.report();
                self.shared.clock.sleep(PULL_ERROR).await;
                self.event(
                    index,
                    Severity::Normal,
                    "BackOff",
                    &format!("Back-off pulling image \"{given}\""),
                );
                self.event(index, Severity::Warning, "Failed", "Error: ImagePullBackOff");
                let message = format!("Back-off pulling image \"{given}\": ErrImagePull: {error}");
                self.pod.containers[index].state = State::Waiting("ImagePullBackOff", Some(message));
                self.report();
                self.shared.clock.sleep(wait).await;
                wait = (wait * 2).min(LONGEST);
            }
        }
    }

    fn pull(&mut self, index: usize, image: &Image) {
        let key = (self.node.clone(), image.canonical());
        let given = image.given();
        let new = self.shared.lock().images.insert(key);
        if new || image.always_pulled() {
            self.event(
                index,
                Severity::Normal,
                "Pulling",
                &format!("Pulling image \"{given}\""),
            );
            let (took, size) = {
                let random = &mut self.shared.lock().random;
                (300 + random.below(500), 2_000_000 + random.below(40_000_000))
            };
            self.event(
                index,
                Severity::Normal,
                "Pulled",
                &format!("Successfully pulled image \"{given}\" in {took}ms ({took}ms including waiting). Image size: {size} bytes."),
            );
        } else {
            self.event(
                index,
                Severity::Normal,
                "Pulled",
                &format!("Container image \"{given}\" already present on machine"),
            );
        }
    }

    async fn start_all(&mut self) {
        for index in 0..self.pod.containers.len() {
            self.start(index).await;
        }
    }

    async fn start(&mut self, index: usize) {
        let id = {
            let random = &mut self.shared.lock().random;
            (0..4).map(|_| format!("{:016x}", random.next_u64())).collect()
        };
        let log = Arc::new(ContainerLog::default());
        let key = (namespace(&self.object).to_owned(), name(&self.object).to_owned());
        let container = &mut self.pod.containers[index];
        container.id = id;
        container.state = State::Running(self.shared.clock.rfc3339());
        let container = container.clone();
        self.shared
            .lock()
            .logs
            .entry(key)
            .or_default()
            .insert(container.name.clone(), log.clone());
        if container.image.program() == Program::Inspector && self.serve(index, log).await.is_err() {
            // No loopback port left on this machine: the container can't do its work.
            self.pod.containers[index].state =
                State::Waiting("CreateContainerError", Some("no loopback port is free".into()));
            self.event(index, Severity::Warning, "Failed", "Error: no loopback port is free");
            return;
        }
        self.event(index, Severity::Normal, "Created", "Container created");
        self.event(index, Severity::Normal, "Started", "Container started");
    }

    async fn serve(&mut self, index: usize, log: Arc<ContainerLog>) -> std::io::Result<()> {
        let Some(ip) = self.pod.ip else { return Ok(()) };
        let container = inspector::Container {
            version: self.pod.containers[index].image.tag().to_owned(),
            ip,
            node_ip: self.pod.host.parse().unwrap_or(Ipv4Addr::UNSPECIFIED),
            namespace: namespace(&self.object).to_owned(),
            env: self.environment(index),
        };
        let server = Inspector::start(container, log).await?;
        self.shared.network.listen(ip, inspector::PORT, server.address);
        self.servers.push(server);
        Ok(())
    }

    /// The variables a container of a cluster finds: its own, and those of the services of its namespace.
    fn environment(&self, index: usize) -> Vec<(String, String)> {
        let mut env = vec![
            (
                "PATH".to_owned(),
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            ),
            ("HOSTNAME".to_owned(), name(&self.object).to_owned()),
        ];
        let own = self
            .object
            .pointer(&format!("/spec/containers/{index}/env"))
            .and_then(Value::as_array);
        env.extend(
            own.into_iter()
                .flatten()
                .map(|e| (text(e, "/name").to_owned(), text(e, "/value").to_owned())),
        );
        let mut services = self
            .shared
            .store
            .get("services", "default", "kubernetes")
            .into_iter()
            .collect::<Vec<_>>();
        services.extend(
            self.shared
                .store
                .list("services", Some(namespace(&self.object)))
                .into_iter()
                .filter(|s| name(s) != "kubernetes"),
        );
        for service in services {
            let ip = text(&service, "/spec/clusterIP");
            if ip.is_empty() || ip == "None" {
                continue;
            }
            let prefix = name(&service).to_uppercase().replace('-', "_");
            env.push((format!("{prefix}_SERVICE_HOST"), ip.to_owned()));
            env.push((
                format!("{prefix}_SERVICE_PORT"),
                int(&service, "/spec/ports/0/port", 0).to_string(),
            ));
        }
        env
    }

    async fn check_readiness(&mut self) {
        for index in 0..self.pod.containers.len() {
            let probe = self
                .object
                .pointer(&format!("/spec/containers/{index}/readinessProbe"))
                .cloned();
            let delay = probe.as_ref().map_or(0, |p| int(p, "/initialDelaySeconds", 0));
            if delay > 0 {
                self.shared
                    .clock
                    .sleep(Duration::from_secs(u64::try_from(delay).unwrap_or(0)))
                    .await;
            }
            let container = &mut self.pod.containers[index];
            let runs = matches!(container.state, State::Running(_));
            let answers = container.image.program() == Program::Inspector;
            let asked = probe
                .as_ref()
                .is_some_and(|p| p.get("httpGet").is_some() || p.get("tcpSocket").is_some());
            container.ready = runs && (answers || !asked) && container.image.program() != Program::Crashes;
            if runs && asked && !answers {
                let ip = self.pod.ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
                self.event(
                    index,
                    Severity::Warning,
                    "Unhealthy",
                    &format!("Readiness probe failed: dial tcp {ip}: connect: connection refused"),
                );
            }
        }
        self.report();
    }

    /// Waits for the end; containers that crash are started again, each time later.
    async fn keep_running(&mut self) {
        let Some(index) = self
            .pod
            .containers
            .iter()
            .position(|c| c.image.program() == Program::Crashes)
        else {
            return std::future::pending().await;
        };
        let mut wait = FIRST;
        loop {
            let State::Running(since) = self.pod.containers[index].state.clone() else {
                return std::future::pending().await;
            };
            self.shared.clock.sleep(CRASH).await;
            let ended = State::Ended(1, "Error", since, self.shared.clock.rfc3339());
            self.pod.containers[index].state = ended.clone();
            self.report();
            if self.pod.containers[index].restarts > 0 {
                let container = self.pod.containers[index].name.clone();
                let (pod, space, id) = (
                    name(&self.object).to_owned(),
                    namespace(&self.object).to_owned(),
                    uid(&self.object).to_owned(),
                );
                self.event(
                    index,
                    Severity::Warning,
                    "BackOff",
                    &format!("Back-off restarting failed container {container} in pod {pod}_{space}({id})"),
                );
                let message = format!(
                    "back-off {} restarting failed container={container} pod={pod}_{space}({id})",
                    go_duration(wait)
                );
                self.pod.containers[index].last = Some(ended);
                self.pod.containers[index].state = State::Waiting("CrashLoopBackOff", Some(message));
                self.report();
                self.shared.clock.sleep(wait).await;
                wait = (wait * 2).min(LONGEST);
            } else {
                self.pod.containers[index].last = Some(ended);
            }
            self.pod.containers[index].restarts += 1;
            let image = self.pod.containers[index].image.clone();
            self.pull(index, &image);
            self.start(index).await;
            self.report();
        }
    }

    /// The graceful end: out of the endpoints, finish what is in flight, exit, report, go.
    async fn end(&mut self) {
        let drain = self.jitter(DRAIN);
        if self.shared.drain_race {
            self.stop_serving();
        }
        for index in 0..self.pod.containers.len() {
            let container = self.pod.containers[index].clone();
            if matches!(container.state, State::Running(_)) {
                self.event(
                    index,
                    Severity::Normal,
                    "Killing",
                    &format!("Stopping container {}", container.name),
                );
            }
        }
        let runs = self.pod.containers.iter().any(|c| matches!(c.state, State::Running(_)));
        if runs && !self.shared.drain_race {
            self.drain(drain).await;
        } else {
            self.shared.clock.sleep(TEAR_DOWN).await;
        }
        self.stop_serving();
        let now = self.shared.clock.rfc3339();
        for container in &mut self.pod.containers {
            container.ready = false;
            if let State::Running(since) = &container.state {
                container.state = State::Ended(0, "Completed", since.clone(), now.clone());
            }
        }
        self.pod.stopped = true;
        self.report();
        // Gone already is what we want.
        let _ = graceful::remove(
            &self.shared.store,
            &self.shared.clock,
            namespace(&self.object),
            name(&self.object),
        );
    }

    async fn drain(&self, least: Duration) {
        let grace = u64::try_from(int(&self.object, "/spec/terminationGracePeriodSeconds", 30)).unwrap_or(30);
        let Some(ip) = self.pod.ip else { return };
        if !self.servers.is_empty() {
            let left = async {
                while self.shared.network.is_routed(ip) {
                    tokio::time::sleep(LOOK).await;
                }
            };
            let _ = tokio::time::timeout(PATIENCE, left).await;
        }
        self.shared.clock.sleep(least).await;
        let idle = async {
            while self.shared.network.in_flight(ip) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = idle => {}
            () = self.shared.clock.sleep(Duration::from_secs(grace)) => {}
        }
    }

    fn stop_serving(&mut self) {
        if let Some(ip) = self.pod.ip {
            self.shared.network.unlisten(ip);
        }
        self.servers.clear();
    }

    fn open_network(&mut self) {
        let range = self.shared.store.get("nodes", "", &self.node);
        let range = range.as_deref().map_or("", |n| text(n, "/spec/podCIDR"));
        self.pod.ip = self.shared.lock().allocate(&self.node, range);
        if self.pod.ip.is_none() {
            let source = Source::Kubelet {
                node: self.node.clone(),
                container: None,
            };
            let message = format!("Failed to create pod sandbox: no free address in range {range}");
            self.shared.recorder.record(
                &self.object,
                &source,
                Severity::Warning,
                "FailedCreatePodSandBox",
                &message,
            );
        }
    }

    fn clean_up(&mut self) {
        self.stop_serving();
        let mut state = self.shared.lock();
        if let (Some(ip), Some(used)) = (self.pod.ip, state.addresses.get_mut(&self.node)) {
            used.remove(&ip);
        }
        state.forget(&self.object);
    }

    /// Writes the status, unless the pod is gone.
    fn report(&self) {
        let now = self.shared.clock.rfc3339();
        let own = uid(&self.object).to_owned();
        let _ = self
            .shared
            .store
            .modify("pods", namespace(&self.object), name(&self.object), |p| {
                if uid(p) == own {
                    p["status"] = self.pod.status(p, &now);
                }
            });
    }

    fn event(&self, index: usize, severity: Severity, reason: &str, message: &str) {
        let source = Source::Kubelet {
            node: self.node.clone(),
            container: self.pod.containers.get(index).map(|c| c.name.clone()),
        };
        self.shared
            .recorder
            .record(&self.object, &source, severity, reason, message);
    }

    async fn pause(&self, duration: Duration) {
        let duration = self.jitter(duration);
        self.shared.clock.sleep(duration).await;
    }

    fn jitter(&self, duration: Duration) -> Duration {
        let percent = 80 + self.shared.lock().random.below(41);
        duration * u32::try_from(percent).unwrap_or(100) / 100
    }
}

/// A duration of whole seconds as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{seconds}s")
    } else {
        format!("{}m{}s", seconds / 60, seconds % 60)
    }
}
