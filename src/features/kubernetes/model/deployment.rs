//! A deployment as a row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Condition, Container, HasMeta, Meta, Selector, SlimRow, Template, versions};

/// A deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeploymentRow {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Unique id; its replica sets name it as their owner.
    pub uid: String,
    /// Generation of the spec.
    pub generation: i64,
    /// Generation the controller has seen.
    pub observed_generation: i64,
    /// Pods wanted.
    pub replicas: i64,
    /// Pods there are.
    pub total: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods ready.
    pub ready: i64,
    /// Pods ready long enough.
    pub available: i64,
    /// Pods missing.
    pub unavailable: i64,
    /// How it replaces pods.
    pub strategy: Strategy,
    /// Seconds without progress after which it counts as failed.
    pub progress_deadline: i64,
    /// Not reconciled.
    pub paused: bool,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// The revision it is at.
    pub revision: Option<i64>,
    /// Why that revision came about.
    pub change_cause: Option<String>,
    /// Containers of its template.
    pub containers: Vec<Container>,
    /// Version of its images.
    pub version: String,
    /// The labels it selects its pods by.
    pub selector: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its deletion has begun.
    pub deleting: bool,
}

/// How a deployment replaces pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// All old pods first.
    Recreate,
    /// Step by step.
    #[default]
    RollingDefault,
    /// Step by step within these bounds.
    Rolling {
        /// Pods above the wanted number.
        surge: Amount,
        /// Pods below it.
        unavailable: Amount,
    },
}

/// A number of pods, or a share of them (API type IntOrString).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Pods.
    Count(i64),
    /// `25%`.
    Percent(String),
}

impl Amount {
    /// The number of pods out of `replicas`; shares round up for surge and down for what may be missing.
    pub fn of(&self, replicas: i64, up: bool) -> i64 {
        match self {
            Amount::Count(count) => *count,
            Amount::Percent(text) => {
                let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
                let scaled = percent.saturating_mul(replicas);
                if up {
                    scaled.saturating_add(99) / 100
                } else {
                    scaled / 100
                }
            }
        }
    }
}

impl Strategy {
    /// Surge and missing pods resolved to numbers, as the controller does it (`ResolveFenceposts`).
    pub fn fenceposts(&self, replicas: i64) -> (i64, i64) {
        let quarter = Amount::Percent("25%".to_owned());
        let (surge, unavailable) = match self {
            Strategy::Recreate => return (0, replicas),
            Strategy::RollingDefault => (&quarter, &quarter),
            Strategy::Rolling { surge, unavailable } => (surge, unavailable),
        };
        let surge = surge.of(replicas, true).max(0);
        let unavailable = unavailable.of(replicas, false).clamp(0, replicas.max(0));
        // Both zero would never move.
        if surge == 0 && unavailable == 0 {
            (0, 1.min(replicas))
        } else {
            (surge, unavailable)
        }
    }
}

impl DeploymentRow {
    /// A condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
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
    replicas: Option<i64>,
    paused: bool,
    progress_deadline_seconds: Option<i64>,
    strategy: RawStrategy,
    selector: Selector,
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawStrategy {
    #[serde(rename = "type")]
    kind: String,
    rolling_update: Option<RawRolling>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawRolling {
    max_surge: Option<Amount>,
    max_unavailable: Option<Amount>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i64,
    updated_replicas: i64,
    ready_replicas: i64,
    available_replicas: i64,
    unavailable_replicas: i64,
    conditions: Vec<Condition>,
}

impl HasMeta for Raw {
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

impl From<RawStrategy> for Strategy {
    fn from(raw: RawStrategy) -> Self {
        let quarter = || Amount::Percent("25%".to_owned());
        match (raw.kind.as_str(), raw.rolling_update) {
            ("Recreate", _) => Strategy::Recreate,
            (_, None) => Strategy::RollingDefault,
            (_, Some(rolling)) => Strategy::Rolling {
                surge: rolling.max_surge.unwrap_or_else(quarter),
                unavailable: rolling.max_unavailable.unwrap_or_else(quarter),
            },
        }
    }
}

impl SlimRow for DeploymentRow {
    type Raw = Raw;
    const TYPE: (&'static str, &'static str, &'static str) = ("apps", "v1", "deployments");

    fn of(raw: Raw) -> Self {
        let Raw { metadata, spec, status } = raw;
        DeploymentRow {
            revision: metadata.revision(),
            change_cause: metadata.annotations.change_cause,
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            generation: metadata.generation,
            created: metadata.creation_timestamp,
            deleting: metadata.deletion_timestamp.is_some(),
            observed_generation: status.observed_generation,
            replicas: spec.replicas.unwrap_or(1),
            total: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            unavailable: status.unavailable_replicas,
            conditions: status.conditions,
            strategy: spec.strategy.into(),
            // The API's default, for servers that leave it out.
            progress_deadline: spec.progress_deadline_seconds.unwrap_or(600),
            paused: spec.paused,
            version: versions(spec.template.spec.images()),
            containers: spec.template.spec.containers,
            selector: spec.selector.match_labels,
        }
    }
}
