//! The cells of the rows that were listed last, each kept for the very object that it was made of: to find them is most
//! of what a list costs, in twenty looks at scattered memory a row. A real server's watch cache keeps what it has encoded
//! for the same reason. Not for kinds whose cells tell the time in other places than their age.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::Value;

use super::{age, cells, columns};
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::store::Object;

/// Rows kept of each kind, at most: a page of kubectl. A longer list is made anew each time.
const LONGEST: usize = 500;

/// A row's cells.
pub(super) enum Cells {
    /// As they are at this moment.
    Now(Vec<Value>),
    /// Kept ones, with the age that they have at this moment.
    Kept(Arc<Lasting>, Timestamp),
}

/// Cells that stay as they are as long as their object does, but for its age.
pub(super) struct Lasting {
    cells: Vec<Value>,
    /// Which cell is the age.
    age: Option<usize>,
    created: Option<Timestamp>,
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cells::Now(cells) => cells.serialize(serializer),
            Cells::Kept(lasting, now) => {
                let mut list = serializer.serialize_seq(Some(lasting.cells.len()))?;
                for (at, cell) in lasting.cells.iter().enumerate() {
                    match lasting.created {
                        Some(created) if lasting.age == Some(at) => {
                            list.serialize_element(&age::human(now.as_second() - created.as_second()))?;
                        }
                        _ => list.serialize_element(cell)?,
                    }
                }
                list.end()
            }
        }
    }
}

/// The cells of each kind's rows, by the address of the object, which nothing else can have while it is kept here.
#[derive(Default)]
pub(in super::super) struct Kept(Mutex<HashMap<&'static str, Page>>);

type Page = HashMap<usize, (Object, Arc<Lasting>)>;

impl Kept {
    /// The cells of a list; those of objects that were not in the list before are made.
    pub(super) fn cells(&self, kind: &'static Kind, objects: &[Object], now: Timestamp) -> Vec<Cells> {
        if objects.len() > LONGEST || tells_time(kind) {
            let made = objects.iter().map(|object| Cells::Now(cells(kind, object, now)));
            return made.collect();
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(kind.resource).or_default();
        let mut before = std::mem::take(page);
        let row = |object: &Object| {
            let address = Arc::as_ptr(object) as usize;
            let (object, lasting) = before
                .remove(&address)
                .unwrap_or_else(|| (object.clone(), Arc::new(lasting(kind, object, now))));
            page.insert(address, (object, lasting.clone()));
            Cells::Kept(lasting, now)
        };
        objects.iter().map(row).collect()
    }
}

fn lasting(kind: &Kind, object: &Value, now: Timestamp) -> Lasting {
    let names = columns(kind);
    let age = names
        .as_array()
        .and_then(|all| all.iter().position(|c| c["name"] == "Age"));
    let created = object["metadata"]["creationTimestamp"].as_str();
    Lasting {
        cells: cells(kind, object, now),
        age,
        created: created.and_then(|text| text.parse().ok()),
    }
}

/// Kinds with other times among their cells: restarts and events some minutes ago, how long a job has run.
fn tells_time(kind: &Kind) -> bool {
    matches!(kind.resource, "pods" | "events" | "jobs" | "cronjobs")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubernetes::kinds;

    /// An object with a time wherever a kind may look for one.
    fn sample() -> Value {
        let then = "2024-05-01T10:00:00Z";
        json!({
            "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": then, "labels": {"a": "1"},
                "ownerReferences": [{"kind": "DaemonSet", "name": "x", "apiVersion": "apps/v1", "controller": true}]},
            "spec": {"replicas": 2, "schedule": "* * * * *", "completions": 1, "selector": {"matchLabels": {"run": "web"}},
                "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
            "status": {"startTime": then, "lastScheduleTime": then, "readyReplicas": 1, "phase": "Active",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": then}],
                "containerStatuses": [{"restartCount": 2, "lastState": {"terminated": {"finishedAt": then}}}]},
            "lastTimestamp": then, "firstTimestamp": then, "eventTime": then,
        })
    }

    fn text(cells: &[Cells]) -> Vec<Value> {
        cells.iter().map(|row| serde_json::to_value(row).unwrap()).collect()
    }

    #[test]
    fn kept_cells_are_those_that_would_be_made_now() {
        let at = |minute: i8| format!("2024-05-01T10:{minute:02}:00Z").parse::<Timestamp>().unwrap();
        for kind in kinds::KINDS {
            let kept = Kept::default();
            let object: Object = Arc::new(sample());
            for minute in [2, 20] {
                let found = text(&kept.cells(kind, std::slice::from_ref(&object), at(minute)));
                assert_eq!(
                    found,
                    [Value::Array(cells(kind, &object, at(minute)))],
                    "{} at {minute}",
                    kind.resource
                );
            }
        }
    }

    #[test]
    fn an_object_that_changed_gets_its_own_cells_and_no_more_is_kept_than_was_listed() {
        let kind = kinds::by_resource("deployments").unwrap();
        let kept = Kept::default();
        let named = |name: &str| -> Object { Arc::new(json!({"metadata": {"name": name}})) };
        let names = |objects: &[Object]| -> Vec<Value> {
            let cells = text(&kept.cells(kind, objects, Timestamp::UNIX_EPOCH));
            cells.iter().map(|row| row[0].clone()).collect()
        };
        let (a, b, changed) = (named("a"), named("b"), named("c"));
        assert_eq!(names(&[a.clone(), b.clone()]), ["a", "b"]);
        assert_eq!(names(&[changed, b]), ["c", "b"]);
        assert_eq!(Arc::strong_count(&a), 1, "what is gone is not kept");
        let many: Vec<Object> = (0..=LONGEST).map(|at| named(&at.to_string())).collect();
        assert_eq!(names(&many).len(), LONGEST + 1);
        assert!(many.iter().all(|object| Arc::strong_count(object) == 1));
    }
}
