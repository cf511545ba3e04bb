//! An event as a row.

use jiff::Timestamp;
use serde::Deserialize;

use super::{HasMeta, Meta, SlimRow};
use crate::feed::{Word, Words};

/// An event about an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRow {
    /// Namespace.
    pub namespace: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Kind of the object it is about.
    pub object_kind: String,
    /// Name of that object.
    pub object: String,
    /// Unique id of that object.
    pub object_uid: String,
    /// The container of that object, as `spec.containers{web}`; empty when it is about all of it.
    pub part: Word,
    /// How often it happened.
    pub count: i64,
    /// When it last happened.
    pub at: Option<Timestamp>,
}

/// The fields read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Raw {
    metadata: Meta,
    involved_object: Involved,
    #[serde(rename = "type")]
    kind: String,
    reason: String,
    message: String,
    count: i64,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<Series>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Involved {
    kind: String,
    name: String,
    uid: String,
    field_path: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    count: i64,
    last_observed_time: Option<Timestamp>,
}

impl HasMeta for Raw {
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

impl SlimRow for EventRow {
    type Raw = Raw;
    const TYPE: (&'static str, &'static str, &'static str) = ("", "v1", "events");

    fn of(raw: Raw) -> Self {
        let series = raw.series.unwrap_or_default();
        EventRow {
            at: series
                .last_observed_time
                .or(raw.last_timestamp)
                .or(raw.event_time)
                .or(raw.metadata.creation_timestamp),
            namespace: raw.metadata.namespace,
            kind: raw.kind,
            reason: raw.reason,
            message: raw.message,
            object_kind: raw.involved_object.kind,
            object: raw.involved_object.name,
            object_uid: raw.involved_object.uid,
            part: raw.involved_object.field_path.into(),
            count: series.count.max(raw.count).max(1),
        }
    }

    fn share(&mut self, words: &mut Words) {
        words.share(&mut self.part);
    }
}
