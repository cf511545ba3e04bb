//! The kubelets of all nodes: they run the pods that the scheduler placed, report their state, and end them. Each pod
//! being worked on has one task. Not for deciding which pods exist, nor for the traffic to them.
//!
//! A pod that is deleted leaves the endpoints first, then finishes what is in flight, then exits; with `drain_race` it
//! dies at once.

mod course;
mod image;
mod life;
mod probe;
pub(super) mod status;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::container::{Container, Files};
use super::controllers::recorder::Recorder;
use super::log::{ContainerLog, LogReader};
use super::network::{Network, Route};
use super::objects::{is_deleting, name, namespace, pod, text, uid};
use super::runtime::PodRuntime;
use super::store::{EventKind, Store, StoreEvent};
use crate::sandbox::clock::Clock;
use crate::sandbox::random::Random;

pub use image::{Image, Program};

/// Containers whose files are kept after somebody looked into them. Policy: the one looked into first is made anew.
const INSIDES: usize = 64;

/// The kubelets. Cheap to clone; clones are the same kubelets.
#[derive(Clone)]
pub struct Kubelets {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    clock: Clock,
    network: Network,
    recorder: Recorder,
    drain_race: bool,
    stop: CancellationToken,
    tasks: TaskTracker,
    state: Mutex<State>,
}

struct State {
    random: Random,
    /// The pods that have a task, by UID.
    pods: HashMap<String, Control>,
    /// Addresses in use, by node.
    addresses: HashMap<String, HashSet<Ipv4Addr>>,
    /// The last address given on each node: addresses go round, a fresh pod does not get that of one that just left.
    last: HashMap<String, u8>,
    /// Images present, by node.
    images: HashSet<(String, String)>,
    /// What a script or `exec` has looked into, by container id, the oldest first.
    insides: VecDeque<(String, Container)>,
    /// Output of the containers' last runs by pod: namespace and name, then container.
    logs: HashMap<(String, String), HashMap<String, Runs>>,
}

/// Output of the last two runs of a container.
#[derive(Default)]
struct Runs {
    last: Arc<ContainerLog>,
    before: Option<Arc<ContainerLog>>,
}

/// How the kubelet's loop speaks to a pod's task.
#[derive(Clone)]
struct Control {
    /// The pod shall end gracefully.
    terminate: CancellationToken,
    /// The pod is gone.
    kill: CancellationToken,
}

impl Kubelets {
    /// Kubelets that run nothing yet.
    pub fn new(store: Store, clock: Clock, network: Network, recorder: Recorder, seed: u64, drain_race: bool) -> Self {
        let state = State {
            random: Random::new(seed).fork("kubelets"),
            pods: HashMap::new(),
            addresses: HashMap::new(),
            last: HashMap::new(),
            images: HashSet::new(),
            insides: VecDeque::new(),
            logs: HashMap::new(),
        };
        let shared = Shared {
            store,
            clock,
            network,
            recorder,
            drain_race,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            state: Mutex::new(state),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Follows the store until `stop` is cancelled; every pod's task ends then too.
    pub async fn run(self, stop: CancellationToken) {
        let mut events = self.shared.store.subscribe();
        self.relist();
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => break,
                event = events.recv() => event,
            };
            match event {
                Ok(event) if event.resource == "pods" => self.observe(&event),
                Ok(_) => {}
                Err(super::store::Lagged::Dropped(_)) => self.relist(),
                Err(super::store::Lagged::Cut) => break,
            }
        }
        self.shared.stop.cancel();
    }

    fn relist(&self) {
        let pods = self.shared.store.list("pods", None);
        let alive: HashSet<&str> = pods.iter().map(|p| uid(p)).collect();
        let gone: Vec<Control> = {
            let state = self.shared.lock();
            state
                .pods
                .iter()
                .filter(|(uid, _)| !alive.contains(uid.as_str()))
                .map(|(_, c)| c.clone())
                .collect()
        };
        gone.iter().for_each(|control| control.kill.cancel());
        for p in &pods {
            self.consider(p);
        }
    }

    fn observe(&self, event: &StoreEvent) {
        match event.kind {
            EventKind::Deleted => {
                let mut state = self.shared.lock();
                match state.pods.get(uid(&event.object)) {
                    Some(control) => control.kill.cancel(),
                    None => state.forget(&event.object),
                }
            }
            EventKind::Added | EventKind::Modified => self.consider(&event.object),
        }
    }

    /// Starts a task for a pod that needs one, or tells its task to end it.
    fn consider(&self, object: &Arc<Value>) {
        if text(object, "/spec/nodeName").is_empty() {
            return;
        }
        let deleting = is_deleting(object);
        let mut state = self.shared.lock();
        if let Some(control) = state.pods.get(uid(object)) {
            if deleting {
                control.terminate.cancel();
            }
            return;
        }
        // Pods that were already running when the world began, or have finished, need nobody until they are deleted.
        let running = text(object, "/status/phase") == "Running" && !self.must_serve(object);
        if pod::is_finished(object) || running && !deleting {
            state.keep_address(object);
            return;
        }
        let control = Control {
            terminate: CancellationToken::new(),
            kill: self.shared.stop.child_token(),
        };
        if deleting {
            control.terminate.cancel();
        }
        state.pods.insert(uid(object).to_owned(), control.clone());
        drop(state);
        let shared = self.shared.clone();
        let object = object.clone();
        self.shared
            .tasks
            .spawn(async move { life::live(shared, object, control).await });
    }

    /// Whether a pod that is said to run has a program that this process must serve.
    fn must_serve(&self, object: &Value) -> bool {
        let containers = object.pointer("/spec/containers").and_then(Value::as_array);
        containers
            .into_iter()
            .flatten()
            .any(|c| Image::parse(text(c, "/image")).program() != Program::Idle)
    }
}

impl PodRuntime for Kubelets {
    fn logs(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Option<LogReader> {
        let state = self.shared.lock();
        let runs = state
            .logs
            .get(&(namespace.to_owned(), pod.to_owned()))?
            .get(container)?;
        let log = if previous {
            runs.before.clone()?
        } else {
            runs.last.clone()
        };
        drop(state);
        Some(LogReader::new(log))
    }

    fn inside(&self, pod: &Value, index: usize, id: &str) -> Container {
        let id = id.trim_start_matches("containerd://");
        let addresses = life::Addresses {
            pod: text(pod, "/status/podIP").to_owned(),
            host: text(pod, "/status/hostIP").to_owned(),
        };
        self.shared.inside(pod, &addresses, index, id)
    }

    fn dial(&self, address: Ipv4Addr, port: u16) -> Route {
        self.shared.network.route_pod(address, port)
    }
}

impl Shared {
    /// The inside of a pod's container: the one at `index` of its spec, `id` as the runtime names it.
    fn inside(&self, pod: &Value, addresses: &life::Addresses, index: usize, id: &str) -> Container {
        if let Some((_, known)) = self.lock().insides.iter().find(|(known, _)| known == id) {
            return known.clone();
        }
        let files = Files::new(name(pod), &addresses.pod, namespace(pod));
        let inside = Container::new(files, life::environment(&self.store, pod, addresses, index));
        let mut state = self.lock();
        // Another command may have been first, and both must see the same files.
        if let Some((_, known)) = state.insides.iter().find(|(known, _)| known == id) {
            return known.clone();
        }
        state.insides.push_back((id.to_owned(), inside.clone()));
        if state.insides.len() > INSIDES {
            state.insides.pop_front();
        }
        inside
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next free address of the node's /24.
    fn allocate(&mut self, node: &str, range: &str) -> Option<Ipv4Addr> {
        let base: Ipv4Addr = range.split('/').next()?.parse().ok()?;
        let [a, b, c, _] = base.octets();
        let used = self.addresses.entry(node.to_owned()).or_default();
        let last = self.last.entry(node.to_owned()).or_insert(1);
        for _ in 0..253 {
            *last = if *last >= 254 { 2 } else { *last + 1 };
            let ip = Ipv4Addr::new(a, b, c, *last);
            if used.insert(ip) {
                return Some(ip);
            }
        }
        None
    }

    fn keep_address(&mut self, object: &Value) {
        if let Ok(ip) = text(object, "/status/podIP").parse() {
            self.addresses
                .entry(text(object, "/spec/nodeName").to_owned())
                .or_default()
                .insert(ip);
        }
    }

    /// Frees what a deleted pod held.
    fn forget(&mut self, object: &Value) {
        if let Ok(ip) = text(object, "/status/podIP").parse::<Ipv4Addr>()
            && let Some(used) = self.addresses.get_mut(text(object, "/spec/nodeName"))
        {
            used.remove(&ip);
        }
        let (space, pod) = (namespace(object), name(object));
        self.logs.remove(&(space.to_owned(), pod.to_owned()));
        self.pods.remove(uid(object));
    }
}
