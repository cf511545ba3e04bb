//! A replica set as a row.

use jiff::Timestamp;
use serde::Deserialize;

use super::{HasMeta, Meta, SlimRow, Template, versions};

/// A replica set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaSetRow {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Unique id; its pods name it as their owner.
    pub uid: String,
    /// The deployment that owns it, by unique id; empty: nobody.
    pub owner_uid: String,
    /// The label that tells its pods from those of its siblings.
    pub template_hash: String,
    /// The revision it stands for.
    pub revision: Option<i64>,
    /// Why that revision came about.
    pub change_cause: Option<String>,
    /// Pods wanted.
    pub desired: i64,
    /// Pods there are.
    pub current: i64,
    /// Pods ready.
    pub ready: i64,
    /// Pods ready long enough.
    pub available: i64,
    /// Version of its images.
    pub version: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// The fields read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Raw {
    metadata: Meta,
    spec: Spec,
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<i64>,
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    replicas: i64,
    ready_replicas: i64,
    available_replicas: i64,
}

impl HasMeta for Raw {
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

impl SlimRow for ReplicaSetRow {
    type Raw = Raw;
    const TYPE: (&'static str, &'static str, &'static str) = ("apps", "v1", "replicasets");

    fn of(raw: Raw) -> Self {
        let Raw { metadata, spec, status } = raw;
        ReplicaSetRow {
            owner_uid: metadata.controller().map(|owner| owner.uid).unwrap_or_default(),
            revision: metadata.revision(),
            template_hash: metadata.labels.pod_template_hash,
            change_cause: metadata.annotations.change_cause,
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            created: metadata.creation_timestamp,
            desired: spec.replicas.unwrap_or(1),
            current: status.replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            version: versions(spec.template.spec.images()),
        }
    }
}
