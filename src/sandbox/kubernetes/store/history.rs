//! The past a watch may start from: what happened, newest last, as JSON text. Objects in memory take many times what
//! their text does, so an event that is only history keeps the text. Not for live watches: those share the objects.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::StoreEvent;
use super::event::EventKind;

/// How many past events are kept.
const EVENTS: usize = 10_000;
/// How many bytes of text they may take together.
const BYTES: usize = 32 << 20;

/// An event of the past.
#[derive(Clone, Debug)]
pub(super) struct Past {
    kind: EventKind,
    resource: &'static str,
    object: Bytes,
    previous: Option<Bytes>,
    version: u64,
}

impl Past {
    fn of(event: &StoreEvent) -> Self {
        Past {
            kind: event.kind,
            resource: event.resource,
            object: event.json(),
            previous: event.previous.as_ref().map(|object| Bytes::from(object.to_string())),
            version: event.version,
        }
    }

    /// The event as it was. None never happens: what is read here was written here.
    pub(super) fn event(&self) -> Option<StoreEvent> {
        let read = |text: &Bytes| serde_json::from_slice::<Value>(text).ok().map(Arc::new);
        let object = read(&self.object)?;
        let previous = match &self.previous {
            Some(text) => Some(read(text)?),
            None => None,
        };
        Some(StoreEvent::written(
            self.kind,
            self.resource,
            object,
            previous,
            self.version,
            self.object.clone(),
        ))
    }

    fn bytes(&self) -> usize {
        self.object.len() + self.previous.as_ref().map_or(0, Bytes::len)
    }
}

/// The newest events, as many as there is room for. Policy: the oldest go first.
#[derive(Debug, Default)]
pub(super) struct History {
    events: VecDeque<Past>,
    bytes: usize,
    /// Version of the newest event that is gone: nothing can start before it.
    floor: u64,
}

impl History {
    /// The version of the newest event that is gone.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Remembers an event.
    pub(super) fn push(&mut self, event: &StoreEvent) {
        let past = Past::of(event);
        self.bytes += past.bytes();
        self.events.push_back(past);
        while self.events.len() > EVENTS || self.bytes > BYTES {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.floor = oldest.version;
        }
    }

    /// The events of a resource after a version.
    pub(super) fn since(&self, resource: &str, version: u64) -> VecDeque<Past> {
        let start = self.events.partition_point(|event| event.version <= version);
        let later = self.events.range(start..);
        later.filter(|event| event.resource == resource).cloned().collect()
    }

    /// Forgets everything up to `version`, which is the newest.
    pub(super) fn forget(&mut self, version: u64) {
        self.events.clear();
        self.bytes = 0;
        self.floor = version;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn event(version: u64, text: &str) -> StoreEvent {
        let object = Arc::new(json!({"z": 1, "a": text}));
        StoreEvent::new(
            EventKind::Modified,
            "pods",
            object,
            Some(Arc::new(json!({"a": 0}))),
            version,
        )
    }

    #[test]
    fn events_come_back_as_they_were() {
        let mut history = History::default();
        history.push(&event(1, "x"));
        history.push(&event(2, "y"));
        let since = history.since("pods", 1);
        let [only] = since.iter().collect::<Vec<_>>()[..] else {
            unreachable!()
        };
        let back = only.event().unwrap();
        assert_eq!(
            (back.version, back.object.to_string().as_str()),
            (2, r#"{"z":1,"a":"y"}"#)
        );
        assert_eq!(*back.previous.unwrap(), json!({"a": 0}));
        assert!(history.since("nodes", 0).is_empty());
    }

    #[test]
    fn it_is_bounded_by_number_and_by_bytes() {
        let mut history = History::default();
        let count = u64::try_from(EVENTS).unwrap();
        for version in 1..=count + 5 {
            history.push(&event(version, ""));
        }
        assert_eq!((history.events.len(), history.floor()), (EVENTS, 5));
        let large = "x".repeat(BYTES / 10);
        for version in count + 6..=count + 50 {
            history.push(&event(version, &large));
        }
        assert!(
            history.bytes <= BYTES && history.events.len() == 9,
            "{}",
            history.events.len()
        );
        assert_eq!(history.floor(), count + 41);
        history.push(&event(count + 51, &large.repeat(20)));
        assert_eq!(
            (history.events.len(), history.bytes, history.floor()),
            (0, 0, count + 51),
            "larger than all room"
        );
    }
}
