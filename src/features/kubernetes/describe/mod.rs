//! The texts of `kubectl:describe`, as kubectl lays them out. Not for reading the cluster: what belongs to an object is
//! handed in as [`Related`].

mod events;
mod generic;
mod job;
mod namespace;
mod node;
mod pod;
mod requests;
mod service;
mod tabs;
mod template;
mod text;
mod workload;

use jiff::Timestamp;
use serde_json::Value;

pub use events::{about, happened, interval};
pub use template::pod_template;

/// What is told together with an object.
#[derive(Clone, Debug)]
pub struct Related {
    /// Its events; none: not asked for.
    pub events: Option<Vec<Value>>,
    /// Replica sets of a deployment.
    pub replica_sets: Vec<Value>,
    /// Pods of a replica set or on a node.
    pub pods: Vec<Value>,
    /// Endpoint slices of a service.
    pub slices: Vec<Value>,
    /// The lease by which a node says that it is alive, or why it cannot be read; none: not asked for.
    pub lease: Option<Result<Value, String>>,
    /// Quotas of a namespace.
    pub quotas: Vec<Value>,
    /// Limit ranges of a namespace.
    pub limit_ranges: Vec<Value>,
    /// For ages.
    pub now: Timestamp,
}

impl Default for Related {
    fn default() -> Self {
        Related {
            events: None,
            replica_sets: Vec::new(),
            pods: Vec::new(),
            slices: Vec::new(),
            lease: None,
            quotas: Vec::new(),
            limit_ranges: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

/// The description of an object.
pub fn describe(live: &Value, related: &Related) -> String {
    match live["kind"].as_str().unwrap_or_default() {
        "Deployment" => workload::deployment(live, related),
        "ReplicaSet" => workload::replica_set(live, related),
        "Pod" => pod::pod(live, related),
        "Service" => service::service(live, related),
        "Namespace" => namespace::namespace(live, related),
        "Node" => node::node(live, related),
        "Job" => job::job(live, related),
        "CronJob" => job::cron_job(live, related),
        _ => generic::generic(live, related),
    }
}
