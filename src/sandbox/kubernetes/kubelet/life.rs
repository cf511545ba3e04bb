//! The life of one pod on its node, from the first look to the last: pull, start, become ready, run, crash and back off,
//! and end. One task runs one life.

mod end;
mod pull;
mod run;
mod start;

pub use start::{Addresses, environment};

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::image::Image;
use super::status::{self, State};
use super::{Control, Shared};
use crate::sandbox::inspector::Inspector;
use crate::sandbox::kubernetes::controllers::recorder::{Severity, Source};
use crate::sandbox::kubernetes::log::ContainerLog;
use crate::sandbox::kubernetes::objects::{name, namespace, text, uid};

/// From the first look to running, and from running to ready: about 1.5 seconds together, each ±20 %.
const START: Duration = Duration::from_millis(950);
const SETTLE: Duration = Duration::from_millis(550);
/// First wait between attempts; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);

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
    /// What each container writes to, once it was started.
    outputs: Vec<Option<Arc<ContainerLog>>>,
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
        let containers: Vec<status::Container> = containers;
        let outputs = vec![None; containers.len()];
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
                policy: status::Policy::of(&object),
            },
            servers: Vec::new(),
            outputs,
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
        self.keep_running().await
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
        self.outputs.iter().flatten().for_each(|log| log.end());
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
