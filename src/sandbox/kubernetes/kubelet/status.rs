//! What a kubelet writes into a pod's status, as a pure function of the containers' states. Messages and reasons are
//! those of the kubelet.

use serde_json::{Value, json};
use std::net::Ipv4Addr;

use super::image::Image;
use crate::sandbox::kubernetes::objects::{condition, text};

/// The state of one container.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// `ContainerCreating`, `ErrImagePull`, `ImagePullBackOff`, `CrashLoopBackOff` with their message.
    Waiting(&'static str, Option<String>),
    /// Running since.
    Running(String),
    /// Ended: exit code, reason, start, end.
    Ended(i64, &'static str, String, String),
}

/// One container as its kubelet sees it.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: Image,
    /// Its state.
    pub state: State,
    /// How it ended before.
    pub last: Option<State>,
    /// Restarts so far.
    pub restarts: i64,
    /// Whether it passed its readiness check.
    pub ready: bool,
    /// The runtime's identifier of this run, 64 hexadecimal digits.
    pub id: String,
}

/// What happens to containers that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// They are started again.
    #[default]
    Always,
    /// They are started again when they failed.
    OnFailure,
    /// They stay as they are.
    Never,
}

impl Policy {
    /// A pod's `spec.restartPolicy`.
    pub fn of(pod: &Value) -> Self {
        match text(pod, "/spec/restartPolicy") {
            "OnFailure" => Policy::OnFailure,
            "Never" => Policy::Never,
            _ => Policy::Always,
        }
    }
}

/// The pod as a whole.
#[derive(Debug, Clone)]
pub struct Pod {
    /// All containers.
    pub containers: Vec<Container>,
    /// The node's address.
    pub host: String,
    /// The pod's address once its sandbox is up.
    pub ip: Option<Ipv4Addr>,
    /// When the kubelet first saw it.
    pub started: String,
    /// Whether the containers have ended for good because the pod is deleted.
    pub stopped: bool,
    /// What happens to containers that end by themselves.
    pub policy: Policy,
}

impl Pod {
    /// The status to write over `pod`'s present one. Transition times move only with the condition's status.
    pub fn status(&self, pod: &Value, now: &str) -> Value {
        let generation = pod.pointer("/metadata/generation").cloned().unwrap_or(json!(1));
        let phase = self.phase();
        let ready = !self.stopped && self.containers.iter().all(|c| c.ready);
        let unready: Vec<&str> = self
            .containers
            .iter()
            .filter(|c| !c.ready)
            .map(|c| c.name.as_str())
            .collect();
        let reason = match (ready, phase) {
            (true, _) => None,
            (_, "Succeeded") => Some(("PodCompleted", None)),
            (_, "Failed") => Some(("PodFailed", None)),
            _ => Some((
                "ContainersNotReady",
                Some(format!("containers with unready status: [{}]", unready.join(" "))),
            )),
        };
        let own = |kind: &str, value: bool, reason: Option<&(&str, Option<String>)>| {
            let status = if value { "True" } else { "False" };
            let old = condition(pod, kind);
            let since = old
                .filter(|c| text(c, "/status") == status)
                .map_or(now, |c| text(c, "/lastTransitionTime"));
            let mut entry = json!({"type": kind, "observedGeneration": generation, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
            if let Some((reason, message)) = reason {
                entry["reason"] = (*reason).into();
                if let Some(message) = message {
                    entry["message"] = message.as_str().into();
                }
            }
            entry
        };
        let sandbox = self.ip.is_some() && !self.stopped;
        let mut conditions = vec![
            own("PodReadyToStartContainers", sandbox, None),
            own("Initialized", true, None),
            own("Ready", ready, reason.as_ref()),
            own("ContainersReady", ready, reason.as_ref()),
        ];
        conditions.extend(condition(pod, "PodScheduled").cloned());
        let mut status = json!({
            "observedGeneration": generation, "phase": phase, "conditions": conditions,
            "hostIP": self.host, "hostIPs": [{"ip": self.host}],
        });
        if let Some(ip) = self.ip {
            status["podIP"] = ip.to_string().into();
            status["podIPs"] = json!([{"ip": ip.to_string()}]);
        }
        status["startTime"] = self.started.as_str().into();
        if let Some(inits) = self.init_statuses(pod) {
            status["initContainerStatuses"] = inits;
        }
        status["containerStatuses"] = self.containers.iter().map(Container::status).collect();
        status["qosClass"] = pod.pointer("/status/qosClass").cloned().unwrap_or(json!("BestEffort"));
        status
    }

    fn phase(&self) -> &'static str {
        let ended = |ok: bool| {
            self.containers
                .iter()
                .all(|c| matches!(&c.state, State::Ended(code, ..) if (*code == 0) == ok || !ok))
        };
        if self.stopped {
            // A container that never ran leaves the pod failed, one that ended well succeeded.
            return if ended(true) { "Succeeded" } else { "Failed" };
        }
        let over = |c: &Container| matches!(c.state, State::Ended(..));
        if self.policy != Policy::Always && !self.containers.is_empty() && self.containers.iter().all(over) {
            // Under `OnFailure` one that failed is about to start again.
            match (ended(true), self.policy) {
                (true, _) => return "Succeeded",
                (false, Policy::Never) => return "Failed",
                (false, _) => {}
            }
        }
        let begun = |c: &Container| c.restarts > 0 || !matches!(c.state, State::Waiting(..));
        if self.containers.iter().all(begun) {
            "Running"
        } else {
            "Pending"
        }
    }

    /// Init containers have nothing to do here: once the pod has an address they are done.
    fn init_statuses(&self, pod: &Value) -> Option<Value> {
        let inits = pod
            .pointer("/spec/initContainers")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())?;
        let state = if self.ip.is_some() {
            json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": self.started, "finishedAt": self.started}})
        } else {
            json!({"waiting": {"reason": "PodInitializing"}})
        };
        let done = self.ip.is_some();
        Some(inits.iter().map(|c| json!({
            "name": c["name"], "state": state, "lastState": {}, "ready": done, "restartCount": 0, "image": c["image"], "imageID": "", "started": false,
        })).collect())
    }
}

impl Container {
    fn status(&self) -> Value {
        let runs = matches!(self.state, State::Running(_));
        let pulled = runs || matches!(self.state, State::Ended(..)) || self.restarts > 0;
        let mut status = json!({
            "name": self.name,
            "state": self.state.value(&self.id),
            "lastState": self.last.as_ref().map_or(json!({}), |s| s.value(&self.id)),
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": if pulled { self.image.canonical() } else { self.image.given().to_owned() },
            "imageID": if pulled { self.image.id() } else { String::new() },
        });
        if pulled {
            status["containerID"] = format!("containerd://{}", self.id).into();
        }
        status["started"] = runs.into();
        status
    }
}

impl State {
    fn value(&self, id: &str) -> Value {
        match self {
            State::Waiting(reason, None) => json!({"waiting": {"reason": reason}}),
            State::Waiting(reason, Some(message)) => json!({"waiting": {"reason": reason, "message": message}}),
            State::Running(since) => json!({"running": {"startedAt": since}}),
            State::Ended(code, reason, start, end) => json!({"terminated": {
                "exitCode": code, "reason": reason, "startedAt": start, "finishedAt": end, "containerID": format!("containerd://{id}"),
            }}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(state: State, ready: bool) -> Pod {
        let image = Image::parse("so0k/kuar-inspector:1.0.0");
        let container = Container {
            name: "inspector".into(),
            image,
            state,
            last: None,
            restarts: 0,
            ready,
            id: "ab".repeat(32),
        };
        Pod {
            containers: vec![container],
            host: "172.20.0.1".into(),
            ip: Some([100, 96, 1, 2].into()),
            started: "2026-11-21T18:00:00Z".into(),
            stopped: false,
            policy: Policy::Always,
        }
    }

    fn object() -> Value {
        json!({"metadata": {"generation": 1}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-21T18:00:00Z"},
        ]}})
    }

    #[test]
    fn conditions_follow_the_containers_and_keep_their_times() {
        let running = State::Running("2026-11-21T18:00:01Z".into());
        let status = pod(running.clone(), false).status(&object(), "2026-11-21T18:00:09Z");
        assert_eq!(status["phase"], "Running");
        assert_eq!(status["conditions"][2]["reason"], "ContainersNotReady");
        assert_eq!(
            status["conditions"][2]["message"],
            "containers with unready status: [inspector]"
        );
        assert_eq!(
            status["conditions"][2]["lastTransitionTime"], "2026-11-21T18:00:00Z",
            "unchanged status keeps its time"
        );
        let status = pod(running, true).status(&object(), "2026-11-21T18:00:09Z");
        assert_eq!(
            (
                &status["conditions"][2]["status"],
                &status["conditions"][2]["lastTransitionTime"]
            ),
            (&json!("True"), &json!("2026-11-21T18:00:09Z"))
        );
        assert_eq!(
            status["containerStatuses"][0]["image"],
            "docker.io/so0k/kuar-inspector:1.0.0"
        );
    }

    #[test]
    fn phases() {
        let waiting = pod(State::Waiting("ErrImagePull", Some("no".into())), false);
        assert_eq!(waiting.status(&object(), "")["phase"], "Pending");
        let mut crashing = pod(State::Waiting("CrashLoopBackOff", None), false);
        crashing.containers[0].restarts = 2;
        assert_eq!(crashing.status(&object(), "")["phase"], "Running");
        for (policy, code, phase) in [
            (Policy::Always, 0, "Running"),
            (Policy::OnFailure, 1, "Running"),
            (Policy::OnFailure, 0, "Succeeded"),
            (Policy::Never, 0, "Succeeded"),
            (Policy::Never, 1, "Failed"),
        ] {
            let mut one = pod(State::Ended(code, "Error", String::new(), String::new()), false);
            one.policy = policy;
            assert_eq!(one.status(&object(), "")["phase"], phase, "{policy:?} {code}");
        }
        let mut done = pod(State::Ended(0, "Completed", String::new(), String::new()), false);
        done.stopped = true;
        assert_eq!(done.status(&object(), "")["phase"], "Succeeded");
        let mut never = waiting;
        never.stopped = true;
        assert_eq!(never.status(&object(), "")["phase"], "Failed");
    }
}
