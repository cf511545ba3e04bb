//! A pod as a row.

use jiff::Timestamp;
use serde::Deserialize;

use super::pod_status::{RawStatus, summary, waiting};
use super::{Condition, HasMeta, Meta, SlimRow, versions};
use crate::feed::{Word, Words};

/// A pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodRow {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: Word,
    /// What kubectl prints in the column STATUS: the phase, or why it is not running.
    pub status: Word,
    /// Why a container waits, in the runtime's words; empty when none does.
    pub message: String,
    /// Containers ready.
    pub ready: u32,
    /// Containers.
    pub containers: u32,
    /// The pod's own readiness: it gets traffic.
    pub is_ready: bool,
    /// Restarts of all its containers.
    pub restarts: i64,
    /// When a container last restarted.
    pub restarted: Option<Timestamp>,
    /// Address; empty until it has one.
    pub ip: String,
    /// Node; empty until it is scheduled.
    pub node: Word,
    /// Version of its images.
    pub version: Word,
    /// Image of its first container.
    pub image: Word,
    /// Kind of its owner; empty: nobody.
    pub owner_kind: Word,
    /// Name of its owner.
    pub owner: Word,
    /// Unique id of its owner.
    pub owner_uid: Word,
    /// Which replica set of its deployment it belongs to.
    pub template_hash: Word,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its deletion has begun.
    pub deleting: bool,
    /// Why it cannot be placed on a node; empty when it can.
    pub unschedulable: String,
    /// How often its probes may fail in a row.
    pub probe_failures: ProbeFailures,
}

/// How often a pod's probes may fail in a row before that has consequences, by the kind of probe: the largest
/// `failureThreshold` among the containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeFailures {
    /// Before it gets no traffic.
    pub readiness: u16,
    /// Before a container is restarted.
    pub liveness: u16,
    /// Before a container that starts is restarted.
    pub startup: u16,
}

impl ProbeFailures {
    /// The API's default.
    const DEFAULT: u16 = 3;

    /// For the probe that an event's message is about: `Readiness probe failed: …`.
    pub fn allowed(self, message: &str) -> i64 {
        i64::from(match message.split_whitespace().next() {
            Some("Readiness") => self.readiness,
            Some("Liveness") => self.liveness,
            Some("Startup") => self.startup,
            _ => Self::DEFAULT,
        })
    }
}

impl Default for ProbeFailures {
    fn default() -> Self {
        ProbeFailures {
            readiness: Self::DEFAULT,
            liveness: Self::DEFAULT,
            startup: Self::DEFAULT,
        }
    }
}

/// The fields read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Raw {
    metadata: Meta,
    spec: Spec,
    status: RawStatus,
}

/// The fields of `spec` read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) containers: Vec<PodContainer>,
    pub(super) init_containers: Vec<InitContainer>,
    pub(super) node_name: String,
}

/// A container with its probes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodContainer {
    pub(super) name: String,
    image: String,
    readiness_probe: Option<Probe>,
    liveness_probe: Option<Probe>,
    startup_probe: Option<Probe>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Probe {
    failure_threshold: Option<i64>,
}

impl Spec {
    fn probe_failures(&self) -> ProbeFailures {
        let most = |probe: fn(&PodContainer) -> Option<Probe>| {
            let declared = self.containers.iter().filter_map(probe);
            let allowed = declared.map(|probe| probe.failure_threshold.unwrap_or(ProbeFailures::DEFAULT.into()));
            let largest = allowed.max().unwrap_or(ProbeFailures::DEFAULT.into());
            u16::try_from(largest.max(1)).unwrap_or(u16::MAX)
        };
        ProbeFailures {
            readiness: most(|container| container.readiness_probe),
            liveness: most(|container| container.liveness_probe),
            startup: most(|container| container.startup_probe),
        }
    }
}

/// An init container; one that restarts always is a sidecar.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InitContainer {
    pub(super) name: String,
    pub(super) restart_policy: String,
}

impl HasMeta for Raw {
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

impl SlimRow for PodRow {
    type Raw = Raw;
    const TYPE: (&'static str, &'static str, &'static str) = ("", "v1", "pods");

    fn of(raw: Raw) -> Self {
        let Raw { metadata, spec, status } = raw;
        let deleting = metadata.deletion_timestamp.is_some();
        let summary = summary(&spec, &status, deleting);
        let owner = metadata.controller().unwrap_or_default();
        let condition = |kind: &str| {
            status
                .conditions
                .iter()
                .find(|condition: &&Condition| condition.kind == kind)
        };
        let unscheduled = condition("PodScheduled").filter(|c| c.status == "False" && c.reason == "Unschedulable");
        PodRow {
            is_ready: condition("Ready").is_some_and(|c| c.status == "True"),
            unschedulable: unscheduled.map(|c| c.message.clone()).unwrap_or_default(),
            message: waiting(&status),
            status: summary.status.into(),
            ready: summary.ready,
            containers: summary.containers,
            restarts: summary.restarts,
            restarted: summary.restarted,
            version: versions(spec.containers.iter().map(|container| container.image.as_str())).into(),
            image: spec.containers.first().map_or("", |container| &container.image).into(),
            probe_failures: spec.probe_failures(),
            ip: status.pod_ip,
            node: spec.node_name.into(),
            owner_kind: owner.kind.into(),
            owner: owner.name.into(),
            owner_uid: owner.uid.into(),
            template_hash: metadata.labels.pod_template_hash.into(),
            name: metadata.name,
            namespace: metadata.namespace.into(),
            created: metadata.creation_timestamp,
            deleting,
        }
    }

    fn share(&mut self, words: &mut Words) {
        let shared = [
            &mut self.namespace,
            &mut self.status,
            &mut self.node,
            &mut self.version,
            &mut self.image,
            &mut self.owner_kind,
            &mut self.owner,
            &mut self.owner_uid,
            &mut self.template_hash,
        ];
        for word in shared {
            words.share(word);
        }
    }
}
