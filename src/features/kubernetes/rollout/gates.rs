//! What a rollout has to pass: pods updated, ready and available, within its deadline, and, where traffic is measured,
//! few enough failed requests. Pure; who asks brings the numbers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::feed::health::human_duration;

/// Requests below which a rate of failures says nothing.
const ENOUGH: usize = 20;

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateState {
    /// What it asks for is so.
    Passed,
    /// Not yet.
    Waiting,
    /// It will not be.
    Failed,
}

impl GateState {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            GateState::Passed => "passed",
            GateState::Waiting => "waiting",
            GateState::Failed => "failed",
        }
    }
}

/// One of the things a rollout has to pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// `updated`, `ready`, `available`, `deadline`, `traffic`.
    pub name: &'static str,
    /// How it stands.
    pub state: GateState,
    /// The numbers behind it: `2 of 3`.
    pub detail: String,
}

impl Gate {
    /// As a record tells it: `{name, state, detail}`.
    pub fn record(&self) -> Value {
        json!({"name": self.name, "state": self.state.word(), "detail": self.detail})
    }
}

/// The numbers of a rollout, whatever rolls out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Pods wanted.
    pub wanted: i64,
    /// Pods of the new template.
    pub updated: i64,
    /// Pods of the new template that are ready; where only the total is known, at least so many: see [`of_new`].
    pub ready: i64,
    /// Pods of the new template that are available, known in the same way.
    pub available: i64,
    /// Time left before it counts as failed; none where there is no deadline or nothing to wait for.
    pub deadline_left: Option<Duration>,
    /// The deadline has passed.
    pub late: bool,
}

/// Requests made while the rollout goes on, and the share of them that may fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Requests.
    pub total: usize,
    /// Requests that failed.
    pub failed: usize,
    /// The highest share of failures, 0 to 1.
    pub limit: f64,
}

impl Traffic {
    /// The gate: it fails once enough requests say so, and passes with the first ones that do not.
    pub fn gate(&self) -> Gate {
        let (total, failed) = (self.total, self.failed);
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        #[allow(clippy::cast_precision_loss)]
        let share = if total == 0 { 0.0 } else { failed as f64 / total as f64 };
        let (state, detail) = match (total, share > self.limit) {
            (0, _) => (GateState::Waiting, "no requests yet".to_owned()),
            (_, true) if total >= ENOUGH => (
                GateState::Failed,
                format!(
                    "{failed} of {total} requests failed, {} is above {}",
                    percent(share),
                    percent(self.limit)
                ),
            ),
            (_, true) => (GateState::Waiting, format!("{failed} of {total} requests failed")),
            (_, false) => (GateState::Passed, format!("{failed} of {total} requests failed")),
        };
        Gate {
            name: "traffic",
            state,
            detail,
        }
    }
}

/// How many of `count` pods, of which `old` may be of earlier templates, are new ones for certain: a status tells only
/// their sum, and the pods that serve on while the new ones fail must not pass for them.
pub fn of_new(count: i64, old: i64) -> i64 {
    (count - old.max(0)).max(0)
}

/// All gates of a rollout, in the order in which they are passed.
pub fn gates(standing: &Standing, traffic: Option<Traffic>) -> Vec<Gate> {
    let counted = |name, has: i64| Gate {
        name,
        state: if has >= standing.wanted {
            GateState::Passed
        } else {
            GateState::Waiting
        },
        detail: format!("{has} of {}", standing.wanted),
    };
    let mut all = vec![
        counted("updated", standing.updated),
        counted("ready", standing.ready),
        counted("available", standing.available),
    ];
    let deadline = match (standing.late, standing.deadline_left) {
        (true, _) => Some((GateState::Failed, "exceeded".to_owned())),
        (false, Some(left)) => Some((GateState::Waiting, format!("{} left", human_duration(left)))),
        (false, None) => None,
    };
    all.extend(deadline.map(|(state, detail)| Gate {
        name: "deadline",
        state,
        detail,
    }));
    all.extend(traffic.map(|traffic| traffic.gate()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_say_what_is_missing() {
        let standing = Standing {
            wanted: 3,
            updated: 3,
            ready: 3,
            available: 2,
            deadline_left: Some(Duration::from_secs(90)),
            late: false,
        };
        let all = gates(&standing, None);
        let words: Vec<_> = all.iter().map(|gate| (gate.name, gate.state)).collect();
        assert_eq!(
            words,
            [
                ("updated", GateState::Passed),
                ("ready", GateState::Passed),
                ("available", GateState::Waiting),
                ("deadline", GateState::Waiting)
            ]
        );
        assert_eq!(
            all[2].record(),
            json!({"name": "available", "state": "waiting", "detail": "2 of 3"})
        );
        let late = Standing { late: true, ..standing };
        assert_eq!(gates(&late, None)[3].state, GateState::Failed);
    }

    #[test]
    fn old_pods_do_not_pass_for_new_ones() {
        // One old pod serves while the new one can't start; all are new; the old ones are on their way out.
        assert_eq!((of_new(1, 1), of_new(3, 0), of_new(2, 3), of_new(3, -1)), (0, 3, 0, 3));
    }

    #[test]
    fn few_requests_condemn_nothing() {
        let state = |total, failed| {
            Traffic {
                total,
                failed,
                limit: 0.05,
            }
            .gate()
            .state
        };
        assert_eq!(state(0, 0), GateState::Waiting);
        assert_eq!(state(5, 5), GateState::Waiting);
        assert_eq!(state(40, 2), GateState::Passed);
        assert_eq!(state(40, 3), GateState::Failed);
    }
}
