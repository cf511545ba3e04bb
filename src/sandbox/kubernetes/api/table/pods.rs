//! The row of a pod: its STATUS tells the most telling state of its containers, not just the phase.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, count, name, or_none};

pub(super) fn pod(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = summary(pod, now);
    let gates = pod["spec"]["readinessGates"].as_array().map_or(0, Vec::len);
    let gates_cell = if gates == 0 {
        json!("<none>")
    } else {
        let conditions = pod["status"]["conditions"].as_array();
        let met = pod["spec"]["readinessGates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|gate| {
                conditions.is_some_and(|all| {
                    all.iter()
                        .any(|c| c["type"] == gate["conditionType"] && c["status"] == "True")
                })
            });
        json!(format!("{}/{gates}", met.count()))
    };
    let ip = pod["status"]["podIPs"][0]["ip"]
        .as_str()
        .or(pod["status"]["podIP"].as_str())
        .unwrap_or_default();
    vec![
        name(pod),
        json!(format!("{}/{}", summary.ready, summary.total)),
        json!(summary.status),
        json!(summary.restarts),
        super::age(pod, now),
        or_none(&json!(ip)),
        or_none(&pod["spec"]["nodeName"]),
        or_none(&pod["status"]["nominatedNodeName"]),
        gates_cell,
    ]
}

struct Summary {
    status: String,
    ready: usize,
    total: usize,
    restarts: String,
}

fn list<'a>(pod: &'a Value, field: &str) -> &'a [Value] {
    pod["status"][field].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// What a container that is not running says about the pod.
fn state_reason(container: &Value) -> Option<String> {
    let state = &container["state"];
    if let Some(reason) = text(&state["waiting"]["reason"]) {
        return Some(reason.to_owned());
    }
    let ended = state.get("terminated")?;
    Some(match (text(&ended["reason"]), count(&ended["signal"])) {
        (Some(reason), _) => reason.to_owned(),
        (None, 0) => format!("ExitCode:{}", count(&ended["exitCode"])),
        (None, signal) => format!("Signal:{signal}"),
    })
}

/// Restarts, and when the last one ended.
#[derive(Default)]
struct Restarts<'a> {
    count: i64,
    last: Option<&'a str>,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, container: &'a Value) {
        self.count += count(&container["restartCount"]);
        let ended = container["lastState"]["terminated"]["finishedAt"].as_str();
        self.last = self.last.max(ended);
    }

    fn text(&self, now: Timestamp) -> String {
        match (self.count, self.last) {
            (0, _) | (_, None) => self.count.to_string(),
            (count, Some(last)) => format!("{count} ({} ago)", age::since(Some(last), now)),
        }
    }
}

fn summary(pod: &Value, now: Timestamp) -> Summary {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let mut reason = text(&status["reason"])
        .or(text(&status["phase"]))
        .unwrap_or_default()
        .to_owned();
    let gated = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|c| c["type"] == "PodScheduled" && c["reason"] == "SchedulingGated");
    if gated {
        reason = "SchedulingGated".to_owned();
    }
    let total = spec["containers"].as_array().map_or(0, Vec::len);
    let mut ready = 0;
    let mut restarts = Restarts::default();

    let init_total = spec["initContainers"].as_array().map_or(0, Vec::len);
    let mut initializing = false;
    let mut init_restarts = Restarts::default();
    for (index, container) in list(pod, "initContainerStatuses").iter().enumerate() {
        init_restarts.add(container);
        let state = &container["state"];
        if state
            .get("terminated")
            .is_some_and(|ended| count(&ended["exitCode"]) == 0)
        {
            continue;
        }
        reason = match state_reason(container) {
            Some(why) if why != "PodInitializing" => format!("Init:{why}"),
            _ => format!("Init:{index}/{init_total}"),
        };
        initializing = true;
        break;
    }
    if initializing {
        restarts = init_restarts;
    } else {
        let mut running = false;
        for container in list(pod, "containerStatuses").iter().rev() {
            restarts.add(container);
            if let Some(why) = state_reason(container) {
                reason = why;
            } else if container["ready"] == true && container["state"].get("running").is_some() {
                running = true;
                ready += 1;
            }
        }
        // Some containers are done, others still run: the pod has not completed.
        if reason == "Completed" && running {
            let is_ready = status["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|c| c["type"] == "Ready" && c["status"] == "True");
            reason = if is_ready { "Running" } else { "NotReady" }.to_owned();
        }
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        let terminal = matches!(status["phase"].as_str(), Some("Failed" | "Succeeded"));
        if status["reason"] == "NodeLost" {
            reason = "Unknown".to_owned();
        } else if !terminal {
            reason = "Terminating".to_owned();
        }
    }
    Summary {
        status: reason,
        ready,
        total,
        restarts: restarts.text(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(pod: Value) -> (String, String, String) {
        let s = summary(&pod, "2026-01-01T00:10:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH));
        (format!("{}/{}", s.ready, s.total), s.status, s.restarts)
    }

    fn with(states: Value) -> Value {
        let names: Vec<Value> = states.as_array().into_iter().flatten().map(|_| json!({})).collect();
        json!({"metadata": {}, "spec": {"containers": names}, "status": {"phase": "Running", "containerStatuses": states}})
    }

    #[test]
    fn the_most_telling_state_is_shown() {
        let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        let running = json!({"ready": true, "restartCount": 0, "state": {"running": {}}});
        let done =
            json!({"ready": false, "restartCount": 0, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}});
        let crash = json!({"ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T00:05:00Z"}}});
        let signal = json!({"ready": false, "restartCount": 0, "state": {"terminated": {"signal": 9}}});
        let code = json!({"ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 3}}});
        assert_eq!(status(with(json!([running]))), row("1/1", "Running", "0"));
        assert_eq!(
            status(with(json!([crash]))),
            row("0/1", "CrashLoopBackOff", "3 (5m ago)")
        );
        assert_eq!(status(with(json!([done]))), row("0/1", "Completed", "0"));
        assert_eq!(status(with(json!([done, running]))), row("1/2", "NotReady", "0"));
        assert_eq!(status(with(json!([signal]))), row("0/1", "Signal:9", "0"));
        assert_eq!(status(with(json!([code]))), row("0/1", "ExitCode:3", "0"));
        let mut leaving = with(json!([running]));
        leaving["metadata"]["deletionTimestamp"] = json!("x");
        assert_eq!(status(leaving).1, "Terminating");
        assert_eq!(
            status(json!({"status": {"phase": "Pending"}})),
            row("0/0", "Pending", "0")
        );
    }

    #[test]
    fn init_containers_come_first() {
        let mut pod = with(json!([]));
        pod["spec"]["initContainers"] = json!([{}, {}]);
        pod["status"]["initContainerStatuses"] =
            json!([{"state": {"terminated": {"exitCode": 0}}}, {"state": {"running": {}}}]);
        assert_eq!(status(pod.clone()).1, "Init:1/2");
        pod["status"]["initContainerStatuses"][1]["state"] = json!({"waiting": {"reason": "ErrImagePull"}});
        assert_eq!(status(pod).1, "Init:ErrImagePull");
    }
}
