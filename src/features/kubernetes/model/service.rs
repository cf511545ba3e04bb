//! A service as a row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{HasMeta, Meta, SlimRow};

/// A service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceRow {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Unique id.
    pub uid: String,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Address inside of the cluster; `None` for a headless one.
    pub cluster_ip: String,
    /// Host names and addresses of its load balancer; empty while pending.
    pub ingress: Vec<String>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// The labels it selects pods by.
    pub selector: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A port of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    /// Its number.
    pub port: i64,
    /// The port on every node; 0: none.
    pub node_port: i64,
    /// `TCP`, `UDP`, `SCTP`.
    pub protocol: String,
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
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "clusterIP")]
    cluster_ip: String,
    ports: Vec<ServicePort>,
    selector: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    load_balancer: LoadBalancer,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Vec<Ingress>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Ingress {
    hostname: String,
    ip: String,
}

impl HasMeta for Raw {
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

impl SlimRow for ServiceRow {
    type Raw = Raw;
    const TYPE: (&'static str, &'static str, &'static str) = ("", "v1", "services");

    fn of(raw: Raw) -> Self {
        let Raw { metadata, spec, status } = raw;
        let place = |ingress: Ingress| {
            if ingress.hostname.is_empty() {
                ingress.ip
            } else {
                ingress.hostname
            }
        };
        ServiceRow {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            created: metadata.creation_timestamp,
            kind: spec.kind,
            cluster_ip: spec.cluster_ip,
            ports: spec.ports,
            selector: spec.selector,
            ingress: status.load_balancer.ingress.into_iter().map(place).collect(),
        }
    }
}
