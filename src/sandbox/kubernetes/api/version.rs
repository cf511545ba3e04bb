//! Which Kubernetes the sandbox is: the one whose recorded traffic it is held to.

use serde_json::{Value, json};

use crate::sandbox::kubernetes::RELEASE;

/// The body of `/version`.
pub(super) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": RELEASE,
        "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
        "gitTreeState": "clean",
        "buildDate": "2026-11-21T18:00:21Z",
        "goVersion": "go1.26.6",
        "compiler": "gc",
        "platform": "linux/amd64"
    })
}
