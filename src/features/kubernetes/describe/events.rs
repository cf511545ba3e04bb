//! The events at the foot of a description.

use jiff::Timestamp;
use serde_json::Value;

use super::Related;
use super::text::Text;
use crate::features::kubernetes::object::{number, text};
use crate::feed::health::age;

/// The table of events, oldest first; `<none>` without any.
pub fn events(out: &mut Text, related: &Related) {
    let Some(events) = &related.events else { return };
    if events.is_empty() {
        out.line(0, "Events:\t<none>");
        return;
    }
    let mut sorted: Vec<&Value> = events.iter().collect();
    // kubectl sorts by this one field; events of the newer API, which leave it out, come first.
    sorted.sort_by_key(|event| time(event, "/lastTimestamp"));
    out.line(0, "Events:");
    out.line(1, "Type\tReason\tAge\tFrom\tMessage");
    out.line(1, "----\t------\t----\t----\t-------");
    for event in sorted {
        let from = match text(event, "/source/component") {
            "" => text(event, "/reportingComponent"),
            component => component,
        };
        let line = format!(
            "{}\t{}\t{}\t{from}\t{}",
            text(event, "/type"),
            text(event, "/reason"),
            seen(event, related.now),
            text(event, "/message").trim().replace(['\n', '\t'], " ")
        );
        out.line(1, &line);
    }
}

fn time(event: &Value, pointer: &str) -> Option<Timestamp> {
    text(event, pointer).parse().ok()
}

/// When an event happened last, as kubectl orders them.
pub fn happened(event: &Value) -> Option<Timestamp> {
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"]
        .into_iter()
        .find_map(|pointer| time(event, pointer))
}

/// When an event was seen, as `kubectl events` words it: the age of its first sighting, or how often over which time.
pub fn interval(event: &Value, now: Timestamp) -> String {
    let since = |pointer: &str| time(event, pointer).map_or_else(|| "<unknown>".to_owned(), |at| age(now, at));
    let first = if time(event, "/eventTime").is_some() {
        since("/eventTime")
    } else {
        since("/firstTimestamp")
    };
    let (series, count) = (number(event, "/series/count"), number(event, "/count"));
    if event.pointer("/series").is_some_and(Value::is_object) {
        format!("{} (x{series} over {first})", since("/series/lastObservedTime"))
    } else if count > 1 {
        format!("{} (x{count} over {first})", since("/lastTimestamp"))
    } else {
        first
    }
}

fn last_seen(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/metadata/creationTimestamp",
    ]
    .into_iter()
    .find_map(|pointer| time(event, pointer))
}

/// `10s`, or `10s (x3 over 2m)`.
fn seen(event: &Value, now: Timestamp) -> String {
    let first = time(event, "/firstTimestamp")
        .or_else(|| time(event, "/eventTime"))
        .or_else(|| time(event, "/metadata/creationTimestamp"));
    let count = number(event, "/series/count").max(number(event, "/count"));
    match (first, last_seen(event)) {
        (Some(first), Some(last)) if count > 1 => format!("{} (x{count} over {})", age(now, last), age(now, first)),
        (_, Some(last)) => age(now, last),
        (Some(first), None) => age(now, first),
        (None, None) => "<unknown>".to_owned(),
    }
}

/// Those of the events that are about the object with this uid.
pub fn about(events: Vec<Value>, uid: &str) -> Vec<Value> {
    events
        .into_iter()
        .filter(|event| text(event, "/involvedObject/uid") == uid)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn repeated_events_tell_how_often_and_since_when() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(200);
        let event =
            json!({"count": 3, "firstTimestamp": "1970-01-01T00:00:00Z", "lastTimestamp": "1970-01-01T00:03:10Z"});
        assert_eq!(seen(&event, now), "10s (x3 over 3m20s)");
        let once = json!({"count": 1, "eventTime": null, "lastTimestamp": "1970-01-01T00:03:10Z"});
        assert_eq!(seen(&once, now), "10s");
        assert_eq!(seen(&json!({}), now), "<unknown>");
    }
}
