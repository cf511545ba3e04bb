//! A pod as a row.

use jiff::Timestamp;
use serde::Deserialize;

use super::pod_status::{RawStatus, summary, waiting};
use super::{Condition, Container, HasMeta, Meta, SlimRow, versions};
use crate::features::kubernetes::object::TEMPLATE_HASH;

/// A pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodRow {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Unique id.
    pub uid: String,
    /// What kubectl prints in the column STATUS: the phase, or why it is not running.
    pub status: String,
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
    pub node: String,
    /// Version of its images.
    pub version: String,
    /// Image of its first container.
    pub image: String,
    /// Kind of its owner; empty: nobody.
    pub owner_kind: String,
    /// Name of its owner.
    pub owner: String,
    /// Unique id of its owner.
    pub owner_uid: String,
    /// Which replica set of its deployment it belongs to.
    pub template_hash: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its deletion has begun.
    pub deleting: bool,
    /// Why it cannot be placed on a node; empty when it can.
    pub unschedulable: String,
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
    pub(super) containers: Vec<Container>,
    pub(super) init_containers: Vec<InitContainer>,
    pub(super) node_name: String,
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
        let Raw {
            mut metadata,
            spec,
            status,
        } = raw;
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
            status: summary.status,
            ready: summary.ready,
            containers: summary.containers,
            restarts: summary.restarts,
            restarted: summary.restarted,
            version: versions(&spec.containers),
            image: spec.containers.into_iter().next().map(|c| c.image).unwrap_or_default(),
            ip: status.pod_ip,
            node: spec.node_name,
            owner_kind: owner.kind,
            owner: owner.name,
            owner_uid: owner.uid,
            template_hash: metadata.labels.remove(TEMPLATE_HASH).unwrap_or_default(),
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            created: metadata.creation_timestamp,
            deleting,
        }
    }
}
