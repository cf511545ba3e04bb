//! Records events on objects as client-go's recorder does: the same event again raises a count, and from the tenth
//! different message of one reason on they are combined. Not for reading events.

use serde_json::{Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sandbox::clock::Clock;
use crate::sandbox::kubernetes::objects::{name, namespace, uid};
use crate::sandbox::kubernetes::store::Store;

/// Different messages of one reason on one object before they are combined.
const SIMILAR: usize = 10;
/// After so long without one, similar events start over (client-go's interval).
const INTERVAL: Duration = Duration::from_secs(600);
/// Events kept. Policy: the oldest one goes (a real cluster forgets them after an hour).
const KEPT: usize = 10_000;

/// Writes events to the store. Cheap to clone; clones share the counting.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    clock: Clock,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    similar: HashMap<String, (HashSet<String>, Instant)>,
    known: HashMap<String, (String, String)>,
    written: VecDeque<(String, String, String)>,
}

/// Who reports.
#[derive(Debug, Clone)]
pub enum Source {
    /// A controller, by its component name.
    Component(&'static str),
    /// The kubelet of a node, about one container (or the whole pod when `None`).
    Kubelet {
        /// The node.
        node: String,
        /// The container.
        container: Option<String>,
    },
    /// The scheduler, which reports in the newer form.
    Scheduler,
}

/// How serious an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Something needs attention.
    Warning,
}

impl Recorder {
    /// A recorder with an empty memory.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            memory: Arc::default(),
        }
    }

    /// Records one event on `object`.
    pub fn record(&self, object: &Value, source: &Source, severity: Severity, reason: &str, message: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let subject = format!("{}|{}|{reason}|{severity:?}|{source:?}", uid(object), name(object));
        let combined = memory.is_similar(&subject, message);
        let message = if combined {
            format!("(combined from similar events): {message}")
        } else {
            message.to_owned()
        };
        let key = if combined {
            subject.clone()
        } else {
            format!("{subject}|{message}")
        };
        if let Some((space, event)) = memory.known.get(&key).cloned() {
            let now = self.clock.rfc3339();
            let again = self.store.modify("events", &space, &event, |e| {
                e["count"] = (e["count"].as_i64().unwrap_or(1) + 1).into();
                e["message"] = message.as_str().into();
                e["lastTimestamp"] = now.as_str().into();
            });
            if again.is_ok() {
                return;
            }
        }
        let event = self.event(object, source, severity, reason, &message, combined);
        let (space, event_name) = (namespace(&event).to_owned(), name(&event).to_owned());
        if self.store.create("events", event).is_ok() {
            memory.remember(key, space, event_name, &self.store);
        }
    }

    fn event(
        &self,
        object: &Value,
        source: &Source,
        severity: Severity,
        reason: &str,
        message: &str,
        combined: bool,
    ) -> Value {
        let space = Some(namespace(object)).filter(|n| !n.is_empty()).unwrap_or("default");
        let nanos = self.clock.now().as_nanosecond();
        let now = self.clock.rfc3339();
        let mut involved = json!({
            "kind": object["kind"], "namespace": namespace(object), "name": name(object), "uid": uid(object),
            "apiVersion": object["apiVersion"],
        });
        match source {
            Source::Kubelet {
                container: Some(container),
                ..
            } => involved["fieldPath"] = format!("spec.containers{{{container}}}").into(),
            _ => involved["resourceVersion"] = object["metadata"]["resourceVersion"].clone(),
        }
        let (component, instance, from) = match source {
            Source::Component(component) => (*component, String::new(), json!({"component": component})),
            Source::Kubelet { node, .. } => ("kubelet", node.clone(), json!({"component": "kubelet", "host": node})),
            Source::Scheduler => ("default-scheduler", "default-scheduler-sandbox".into(), json!({})),
        };
        let mut event = json!({
            "metadata": {"name": format!("{}.{nanos:x}", name(object)), "namespace": space},
            "involvedObject": involved, "reason": reason, "message": message, "source": from,
        });
        let new_style = matches!(source, Source::Scheduler);
        event["firstTimestamp"] = if new_style { Value::Null } else { now.as_str().into() };
        event["lastTimestamp"] = event["firstTimestamp"].clone();
        if !new_style {
            event["count"] = 1.into();
        }
        event["type"] = format!("{severity:?}").into();
        event["eventTime"] = if new_style {
            self.clock.rfc3339_micros().into()
        } else {
            Value::Null
        };
        if new_style {
            event["action"] = "Binding".into();
        }
        // client-go's combined events lose who reported them.
        event["reportingComponent"] = if combined { "" } else { component }.into();
        event["reportingInstance"] = if combined { String::new() } else { instance }.into();
        event
    }
}

impl Memory {
    /// Notes the message; true when there are already so many different ones that this one is combined.
    fn is_similar(&mut self, subject: &str, message: &str) -> bool {
        if self.similar.len() > KEPT {
            self.similar.retain(|_, (_, at)| at.elapsed() < INTERVAL);
        }
        let (messages, at) = self
            .similar
            .entry(subject.to_owned())
            .or_insert_with(|| (HashSet::new(), Instant::now()));
        if at.elapsed() > INTERVAL {
            messages.clear();
        }
        *at = Instant::now();
        if messages.len() < SIMILAR {
            messages.insert(message.to_owned());
        }
        messages.len() >= SIMILAR
    }

    fn remember(&mut self, key: String, namespace: String, event: String, store: &Store) {
        self.known.insert(key.clone(), (namespace.clone(), event.clone()));
        self.written.push_back((key, namespace, event));
        if self.written.len() > KEPT
            && let Some((key, namespace, event)) = self.written.pop_front()
        {
            self.known.remove(&key);
            let _ = store.delete("events", &namespace, &event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_and_many_similar_ones_combined() {
        let clock = Clock::new(1.0);
        let store = Store::new(clock.clone(), 1);
        let recorder = Recorder::new(store.clone(), clock);
        let object = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "x", "namespace": "default", "uid": "u"}});
        let source = Source::Component("deployment-controller");
        for _ in 0..3 {
            recorder.record(&object, &source, Severity::Normal, "Same", "again");
        }
        for n in 1..=12 {
            recorder.record(
                &object,
                &source,
                Severity::Normal,
                "ScalingReplicaSet",
                &format!("step {n}"),
            );
        }
        let events = store.list("events", Some("default"));
        let same: Vec<_> = events.iter().filter(|e| e["reason"] == "Same").collect();
        assert_eq!((same.len(), same[0]["count"].as_i64()), (1, Some(3)));
        let steps: Vec<_> = events.iter().filter(|e| e["reason"] == "ScalingReplicaSet").collect();
        assert_eq!(steps.len(), 10, "nine of their own and one combined");
        assert!(
            steps
                .iter()
                .any(|e| e["message"] == "(combined from similar events): step 12" && e["count"] == 3)
        );
    }
}
