//! A change as the journal keeps it, for the unit tests of the session's verbs and panels.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::core::change::{Change, Risk, Target};
use crate::verb::session::AuditEntry;

/// A change of a deployment `web` that has no way back.
pub fn change(summary: &str) -> Change {
    Change {
        verb: "kubectl:scale".into(),
        summary: summary.into(),
        target: Target {
            kind: "Deployment".into(),
            scope: "default".into(),
            name: "web".into(),
        },
        before: json!(1),
        after: json!(3),
        precondition: Value::Null,
        request: Value::Null,
        risk: Risk::Change,
        inverse: None,
        recovery: false,
    }
}

/// An entry by this number, applied at the beginning of time.
pub fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        number,
        at: Timestamp::UNIX_EPOCH,
        user: "maria".into(),
        context: "sandbox".into(),
        pipeline: "kubectl:scale deploy web --replicas=3".into(),
        change: change("scale deployment/web to 3"),
        outcome: "applied".into(),
        undoes: None,
        hash: String::new(),
    }
}
