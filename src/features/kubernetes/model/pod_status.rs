//! What kubectl prints as a pod's STATUS, READY and RESTARTS, from the pod's own fields: the rules of the server's pod
//! printer (`printPod` of kubernetes/pkg/printers).

use jiff::Timestamp;
use serde::Deserialize;

use super::Condition;
use super::pod::Spec;

/// The fields of a pod's `status` read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawStatus {
    pub(super) phase: String,
    pub(super) reason: String,
    #[serde(rename = "podIP")]
    pub(super) pod_ip: String,
    pub(super) conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    ready: bool,
    started: Option<bool>,
    restart_count: i64,
    state: State,
    last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: String,
    signal: i64,
    exit_code: i64,
    finished_at: Option<Timestamp>,
}

impl Terminated {
    fn word(&self, prefix: &str) -> String {
        match self {
            Terminated { reason, .. } if !reason.is_empty() => format!("{prefix}{reason}"),
            Terminated { signal, .. } if *signal != 0 => format!("{prefix}Signal:{signal}"),
            Terminated { exit_code, .. } => format!("{prefix}ExitCode:{exit_code}"),
        }
    }
}

/// What the printer says of a pod.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) status: String,
    pub(super) ready: u32,
    pub(super) containers: u32,
    pub(super) restarts: i64,
    pub(super) restarted: Option<Timestamp>,
}

/// The message of the first container that waits with one.
pub(super) fn waiting(status: &RawStatus) -> String {
    let all = status.init_container_statuses.iter().chain(&status.container_statuses);
    all.filter_map(|container| container.state.waiting.as_ref())
        .map(|waiting| waiting.message.clone())
        .find(|message| !message.is_empty())
        .unwrap_or_default()
}

/// The columns of a pod.
pub(super) fn summary(spec: &Spec, status: &RawStatus, deleting: bool) -> Summary {
    let is_sidecar = |name: &str| {
        spec.init_containers
            .iter()
            .any(|init| init.name == name && init.restart_policy == "Always")
    };
    let sidecars = spec
        .init_containers
        .iter()
        .filter(|init| init.restart_policy == "Always")
        .count();
    let mut summary = Summary {
        status: if status.reason.is_empty() {
            status.phase.clone()
        } else {
            status.reason.clone()
        },
        containers: u32::try_from(spec.containers.len() + sidecars).unwrap_or(u32::MAX),
        ..Summary::default()
    };
    if status
        .conditions
        .iter()
        .any(|c| c.kind == "PodScheduled" && c.reason == "SchedulingGated")
    {
        summary.status = "SchedulingGated".to_owned();
    }
    let initialising = init(&mut summary, spec, status, &is_sidecar);
    let initialised = status
        .conditions
        .iter()
        .any(|c| c.kind == "Initialized" && c.status == "True");
    if !initialising || initialised {
        regular(&mut summary, status);
    }
    if deleting && status.reason == "NodeLost" {
        summary.status = "Unknown".to_owned();
    } else if deleting && !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
        summary.status = "Terminating".to_owned();
    }
    summary
}

/// The first init container that is not done decides; true while one is not.
fn init(summary: &mut Summary, spec: &Spec, status: &RawStatus, is_sidecar: &dyn Fn(&str) -> bool) -> bool {
    for (at, container) in status.init_container_statuses.iter().enumerate() {
        count(summary, container);
        let sidecar = is_sidecar(&container.name);
        if sidecar && container.started == Some(true) {
            summary.ready += u32::from(container.ready);
            continue;
        }
        match (&container.state.terminated, &container.state.waiting) {
            (Some(terminated), _) if terminated.exit_code == 0 => continue,
            (Some(terminated), _) => summary.status = terminated.word("Init:"),
            (_, Some(waiting)) if !waiting.reason.is_empty() && waiting.reason != "PodInitializing" => {
                summary.status = format!("Init:{}", waiting.reason);
            }
            _ => summary.status = format!("Init:{at}/{}", spec.init_containers.len()),
        }
        return true;
    }
    false
}

fn regular(summary: &mut Summary, status: &RawStatus) {
    let mut has_running = false;
    // Restarts of init containers count only until the pod is initialised.
    let sidecar_ready = summary.ready;
    summary.restarts = 0;
    summary.restarted = None;
    for container in status.container_statuses.iter().rev() {
        count(summary, container);
        match (&container.state.waiting, &container.state.terminated) {
            (Some(waiting), _) if !waiting.reason.is_empty() => summary.status = waiting.reason.clone(),
            (_, Some(terminated)) => summary.status = terminated.word(""),
            _ if container.ready && container.state.running.is_some() => {
                has_running = true;
                summary.ready += 1;
            }
            _ => {}
        }
    }
    debug_assert!(summary.ready >= sidecar_ready);
    if summary.status == "Completed" && has_running {
        let ready = status
            .conditions
            .iter()
            .any(|c| c.kind == "Ready" && c.status == "True");
        summary.status = if ready { "Running" } else { "NotReady" }.to_owned();
    }
}

fn count(summary: &mut Summary, container: &ContainerStatus) {
    summary.restarts += container.restart_count;
    let finished = container
        .last_state
        .terminated
        .as_ref()
        .and_then(|terminated| terminated.finished_at);
    summary.restarted = summary.restarted.max(finished);
}
