//! Slim rows: the few fields of an object that panels, joins and machines look at, decoded straight from the API's JSON;
//! everything else is skipped and never kept. Other features join through these types. Not for describing or editing.

mod deployment;
mod event;
mod image;
mod pod;
mod pod_line;
mod pod_status;
mod replica_set;
mod service;
mod table_row;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::feed::Words;

pub use deployment::{Amount, DeploymentRow, Strategy};
pub use event::EventRow;
pub use image::version_of;
pub use pod::{PodRow, ProbeFailures};
pub use pod_line::{PodLine, WantedLines};
pub use replica_set::ReplicaSetRow;
pub use service::{ServicePort, ServiceRow};
pub use table_row::{TableColumn, TableHead, TableRow};

/// A row that is made from an API object of one type.
pub trait SlimRow: Sized + Send + Sync + 'static {
    /// The fields read, as the API spells them.
    type Raw: DeserializeOwned + Clone + Send + Sync + HasMeta + 'static;
    /// Group, version and plural of the type, as in paths.
    const TYPE: (&'static str, &'static str, &'static str);

    /// Makes the row.
    fn of(raw: Self::Raw) -> Self;

    /// Lets the row share the texts it has in common with others of its feed.
    fn share(&mut self, words: &mut Words) {
        let _ = words;
    }
}

/// A decoded object that can tell its metadata.
pub trait HasMeta {
    /// Its metadata.
    fn meta(&self) -> &Meta;
}

/// The fields of `metadata` that rows need.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Name.
    pub name: String,
    /// Namespace; empty for a cluster's own object.
    pub namespace: String,
    /// Unique over all time.
    pub uid: String,
    /// For resuming a watch; opaque.
    pub resource_version: String,
    /// Moves with every change of the spec.
    pub generation: i64,
    /// When it was made.
    pub creation_timestamp: Option<Timestamp>,
    /// When its deletion began.
    pub deletion_timestamp: Option<Timestamp>,
    /// The label that rows look at.
    pub labels: Labels,
    /// The two annotations that rows look at.
    pub annotations: Annotations,
    /// Owners.
    pub owner_references: Vec<Owner>,
}

/// The label rows look at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Labels {
    /// Which replica set of its deployment a pod or replica set belongs to.
    pub pod_template_hash: String,
}

/// The annotations rows look at; large ones are never kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// The revision of a deployment or replica set.
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub revision: Option<String>,
    /// Why the revision came about.
    #[serde(rename = "kubernetes.io/change-cause")]
    pub change_cause: Option<String>,
}

/// An owner reference.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Unique id.
    pub uid: String,
    /// Manages the object.
    pub controller: bool,
}

impl Meta {
    /// `namespace/name`: the row's key.
    pub fn key(&self) -> String {
        let mut key = String::with_capacity(self.namespace.len() + 1 + self.name.len());
        key.push_str(&self.namespace);
        key.push('/');
        key.push_str(&self.name);
        key
    }

    fn controller(&self) -> Option<Owner> {
        self.owner_references.iter().find(|owner| owner.controller).cloned()
    }

    fn revision(&self) -> Option<i64> {
        self.annotations.revision.as_deref().and_then(|text| text.parse().ok())
    }
}

/// A condition of a workload's status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Available`, `Progressing`, `Ready`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// When it was last confirmed by progress (deployments only).
    pub last_update_time: Option<Timestamp>,
}

/// A container as its template or pod names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
}

/// A pod template, as far as its containers go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: TemplateSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateSpec {
    containers: Vec<Container>,
}

impl TemplateSpec {
    fn images(&self) -> impl Iterator<Item = &str> {
        self.containers.iter().map(|container| container.image.as_str())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

/// Versions of all containers, the same ones once: `2.0.0`, `2.0.0,1.19`.
fn versions<'a>(images: impl IntoIterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for image in images {
        let version = version_of(image);
        if !seen.contains(&version) {
            seen.push(version);
        }
    }
    seen.join(",")
}

#[cfg(test)]
mod tests;
