//! Why a rollout does not go on: read from a deployment's conditions, from the state of its pods, and from the events of
//! the cluster. Not for how far it is (`progress`).

use std::collections::BTreeMap;

use crate::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, ProbeFailures};

/// Why a rollout does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The pod it shows at; empty when it is about the whole deployment.
    pub pod: String,
    /// One word: `ImagePullBackOff`, `Unschedulable`, `FailedCreate`.
    pub reason: String,
    /// The cluster's own sentence; may be empty.
    pub message: String,
}

impl Cause {
    /// `pod/web-1 ImagePullBackOff: MESSAGE`.
    pub fn sentence(&self) -> String {
        let at = match self.pod.as_str() {
            "" => String::new(),
            pod => format!("pod/{pod} "),
        };
        let detail = match self.message.as_str() {
            "" => String::new(),
            message => format!(": {message}"),
        };
        format!("{at}{}{detail}", self.reason)
    }
}

/// Reasons for waiting that a new pod does not get out of by itself, or not soon.
const FATAL: [&str; 10] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "OOMKilled",
    "Error",
];

/// What keeps a deployment's pods from being made at all: a quota, an admission rule.
pub fn refused(row: &DeploymentRow) -> Option<Cause> {
    let condition = row
        .condition("ReplicaFailure")
        .filter(|condition| condition.status == "True")?;
    Some(Cause {
        pod: String::new(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    })
}

/// What keeps a pod from running, if it is something that does not pass by itself.
pub fn trouble(pod: &PodRow) -> Option<Cause> {
    if !pod.unschedulable.is_empty() {
        return Some(Cause {
            pod: pod.name.clone(),
            reason: "Unschedulable".to_owned(),
            message: pod.unschedulable.clone(),
        });
    }
    let word = pod.status.strip_prefix("Init:").unwrap_or(&pod.status);
    let fatal = FATAL.contains(&word) || word.starts_with("ExitCode:") || word.starts_with("Signal:");
    fatal.then(|| Cause {
        pod: pod.name.clone(),
        reason: pod.status.to_string(),
        message: pod.message.clone(),
    })
}

/// Pods that a set may not make, from the events about it: the newest of them says whether the last attempt failed.
/// Daemon and stateful sets have no condition for that.
pub fn refused_creation<'a>(events: impl IntoIterator<Item = &'a EventRow>) -> Option<Cause> {
    let attempts = events
        .into_iter()
        .filter(|event| matches!(event.reason.as_str(), "FailedCreate" | "SuccessfulCreate"));
    // Within one second, which is all an event tells, a failure follows what still fitted.
    let last = attempts.max_by_key(|event| (event.at, event.reason == "FailedCreate"))?;
    (last.reason == "FailedCreate").then(|| Cause {
        pod: String::new(),
        reason: last.reason.clone(),
        message: last.message.clone(),
    })
}

/// A pod with a probe that failed as often as it may, from the events about it. Fewer failures are what a slow start
/// looks like. Failures with other words for the same probe of the same container count together.
pub fn unhealthy<'a>(
    pod: &str,
    allowed: ProbeFailures,
    events: impl IntoIterator<Item = &'a EventRow>,
) -> Option<Cause> {
    let mut probes: BTreeMap<(&str, &str), (i64, &EventRow)> = BTreeMap::new();
    for event in events.into_iter().filter(|event| event.reason == "Unhealthy") {
        let probe = event.message.split_whitespace().next().unwrap_or_default();
        let (times, last) = probes.entry((&event.part, probe)).or_insert((0, event));
        *times += event.count.max(1);
        if event.at >= last.at {
            *last = event;
        }
    }
    let failed = probes
        .into_values()
        .filter(|(times, last)| *times >= allowed.allowed(&last.message));
    failed
        .map(|(_, last)| last)
        .max_by_key(|event| event.at)
        .map(|last| Cause {
            pod: pod.to_owned(),
            reason: last.reason.clone(),
            message: last.message.trim_end().to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn event(reason: &str, second: i64, count: i64) -> EventRow {
        EventRow {
            reason: reason.into(),
            message: format!("{reason} at {second}\n"),
            at: Timestamp::from_second(second).ok(),
            count,
            ..EventRow::default()
        }
    }

    #[test]
    fn the_last_attempt_to_make_a_pod_counts() {
        let failed = refused_creation(&[event("SuccessfulCreate", 1, 1), event("FailedCreate", 2, 1)]);
        assert_eq!(failed.map(|cause| cause.reason).as_deref(), Some("FailedCreate"));
        let same = refused_creation(&[event("FailedCreate", 2, 1), event("SuccessfulCreate", 2, 1)]);
        assert!(same.is_some(), "one more than fitted");
        assert_eq!(
            refused_creation(&[event("FailedCreate", 1, 9), event("SuccessfulCreate", 2, 1)]),
            None
        );
        assert_eq!(refused_creation(&[event("Killing", 2, 1)]), None);
    }

    #[test]
    fn a_probe_may_fail_less_often_than_its_threshold() {
        let probe = |word: &str, part: &str, second: i64, count: i64| EventRow {
            message: format!("{word} probe failed: at {second}\n"),
            part: part.into(),
            ..event("Unhealthy", second, count)
        };
        let cause =
            |allowed: ProbeFailures, events: &[EventRow]| unhealthy("p", allowed, events).map(|cause| cause.message);
        let (by_default, patient) = (
            ProbeFailures::default(),
            ProbeFailures {
                readiness: 5,
                ..ProbeFailures::default()
            },
        );
        let mut failed = vec![probe("Readiness", "a", 1, 2)];
        assert_eq!(cause(by_default, &failed), None);
        // Another container, another probe: each has its own count.
        failed.push(probe("Readiness", "b", 2, 2));
        failed.push(probe("Liveness", "a", 3, 1));
        assert_eq!(cause(by_default, &failed), None);
        failed.push(probe("Readiness", "a", 4, 1));
        assert_eq!(
            cause(by_default, &failed).as_deref(),
            Some("Readiness probe failed: at 4")
        );
        assert_eq!(cause(patient, &failed), None);
        failed.push(probe("Readiness", "a", 9, 2));
        assert_eq!(cause(patient, &failed).as_deref(), Some("Readiness probe failed: at 9"));
        let once = ProbeFailures {
            startup: 1,
            ..ProbeFailures::default()
        };
        assert!(cause(once, &[probe("Startup", "a", 1, 1)]).is_some());
    }
}
