//! The fault rules in force: which requests they match, how often and how long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Fault, Gate};

/// Most rules in force at once. Policy: further ones are refused.
const LIMIT: usize = 256;
/// How long a `slow` answer waits when the rule does not say, in milliseconds.
const SLOW_MS: u64 = 1_000;

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The rule is no JSON object of the documented form.
    #[error("the fault rule is not understood: {0}")]
    Malformed(String),
    /// Too many rules are in force.
    #[error("there are {LIMIT} fault rules already: remove them with DELETE /faults")]
    TooMany,
}

#[derive(Debug)]
struct Rule {
    /// Upper case; empty matches every method.
    method: String,
    /// Matches when the request target contains it; empty matches every path.
    path: String,
    fault: Fault,
    /// How many more requests it hits; `None` without bound.
    left: Option<u64>,
    until: Option<Instant>,
}

impl Rule {
    fn over(&self, now: Instant) -> bool {
        self.left == Some(0) || self.until.is_some_and(|until| now >= until)
    }

    fn hits(&self, method: &str, path: &str) -> bool {
        (self.method.is_empty() || self.method.eq_ignore_ascii_case(method)) && path.contains(&self.path)
    }
}

/// The rules in force. Clones share them: one for the admin API, one as the gate of each server.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    /// How often all rules were removed.
    round: Arc<AtomicU64>,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule: `{"match": {"method", "path"}, "kind": "cut|410|429|500|hang|slow|403|401", "count", "for_ms"}`.
    /// `match.path` is a part of the request target. Without `count` the rule hits every match, without `for_ms` it
    /// never ends. `delay_ms` belongs to `slow`, `retry_after` (seconds) to `429`.
    ///
    /// # Errors
    /// When the rule is malformed or there are too many.
    pub fn add(&self, rule: &Value) -> Result<(), RuleError> {
        let rule = parse(rule)?;
        let mut rules = self.lock();
        let now = Instant::now();
        rules.retain(|rule| !rule.over(now));
        if rules.len() >= LIMIT {
            return Err(RuleError::TooMany);
        }
        rules.push(rule);
        Ok(())
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().clear();
        self.round.fetch_add(1, Ordering::Relaxed);
    }

    /// How many rules are in force.
    pub fn len(&self) -> usize {
        let now = Instant::now();
        self.lock().iter().filter(|rule| !rule.over(now)).count()
    }

    /// Whether no rule is in force.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate for Faults {
    fn check(&self, method: &str, path: &str) -> Option<Fault> {
        let now = Instant::now();
        let mut rules = self.lock();
        let rule = rules
            .iter_mut()
            .find(|rule| !rule.over(now) && rule.hits(method, path))?;
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        Some(rule.fault)
    }

    fn cuts(&self, method: &str, path: &str) -> bool {
        let now = Instant::now();
        let mut rules = self.lock();
        let cut = |rule: &&mut Rule| rule.fault == Fault::Cut && !rule.over(now) && rule.hits(method, path);
        let Some(rule) = rules.iter_mut().find(cut) else {
            return false;
        };
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        true
    }

    fn round(&self) -> u64 {
        self.round.load(Ordering::Relaxed)
    }
}

fn parse(value: &Value) -> Result<Rule, RuleError> {
    let malformed = |why: &str| RuleError::Malformed(why.to_owned());
    let map = value
        .as_object()
        .ok_or_else(|| malformed("a JSON object is expected"))?;
    const KNOWN: &[&str] = &["match", "kind", "count", "for_ms", "delay_ms", "retry_after"];
    known_only(map, "", KNOWN)?;
    match &value["match"] {
        Value::Null => {}
        // A misspelt condition left out would make the rule hit everything.
        Value::Object(conditions) => known_only(conditions, "match.", &["method", "path"])?,
        _ => return Err(malformed("match must be an object: {\"method\", \"path\"}")),
    }
    let number = |field: &str| match &value[field] {
        Value::Null => Ok(None),
        number => number
            .as_u64()
            .map(Some)
            .ok_or_else(|| RuleError::Malformed(format!("{field} must be a whole number"))),
    };
    let text = |field: &str| match &value["match"][field] {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        _ => Err(RuleError::Malformed(format!("match.{field} must be text"))),
    };
    let kind = match &value["kind"] {
        Value::String(kind) => kind.clone(),
        Value::Number(code) => code.to_string(),
        _ => return Err(malformed("kind is missing: cut, 410, 429, 500, hang, slow, 403 or 401")),
    };
    let fault = match kind.as_str() {
        "cut" => Fault::Cut,
        "410" => Fault::Gone410,
        "429" => Fault::TooMany429 {
            retry_after: match number("retry_after")? {
                None => 1,
                Some(seconds) => u32::try_from(seconds).map_err(|_| malformed("retry_after is too large"))?,
            },
        },
        "500" => Fault::Internal500,
        "hang" => Fault::Hang,
        "slow" => Fault::Slow(Duration::from_millis(number("delay_ms")?.unwrap_or(SLOW_MS))),
        "403" => Fault::Forbidden403,
        "401" => Fault::Unauthorized401,
        other => {
            return Err(RuleError::Malformed(format!(
                "unknown kind {other:?}: cut, 410, 429, 500, hang, slow, 403 or 401"
            )));
        }
    };
    for (field, owner) in [("retry_after", "429"), ("delay_ms", "slow")] {
        if map.contains_key(field) && kind != owner {
            return Err(RuleError::Malformed(format!(
                "{field} belongs to kind {owner}, not to {kind}"
            )));
        }
    }
    let method = text("method")?.to_ascii_uppercase();
    if !method.is_empty() && !METHODS.contains(&method.as_str()) {
        let near = suggestion(&method, &METHODS);
        return Err(RuleError::Malformed(format!(
            "match.method {method:?} is no HTTP method of these APIs{near}"
        )));
    }
    let until = match number("for_ms")? {
        None => None,
        Some(ms) => {
            let end = Instant::now().checked_add(Duration::from_millis(ms));
            Some(end.ok_or_else(|| malformed("for_ms is too large"))?)
        }
    };
    Ok(Rule {
        method,
        path: text("path")?,
        fault,
        left: number("count")?,
        until,
    })
}

/// Methods a request to one of the servers may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Refuses fields nobody reads, naming the one that was probably meant.
fn known_only(map: &serde_json::Map<String, Value>, place: &str, known: &[&str]) -> Result<(), RuleError> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(RuleError::Malformed(format!(
            "unknown field \"{place}{unknown}\"{}; known are {}",
            suggestion(unknown, known),
            known.join(", ")
        ))),
    }
}

/// `, did you mean path?`, or nothing when nothing is near.
fn suggestion(given: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(given, word), word))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    near.map_or_else(String::new, |(_, word)| format!(", did you mean {word}?"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_match_count_and_end() {
        let faults = Faults::new();
        faults
            .add(&json!({"match": {"method": "get", "path": "/pods"}, "kind": "429", "count": 2, "retry_after": 3}))
            .unwrap();
        assert_eq!(faults.check("POST", "/api/v1/pods"), None);
        assert_eq!(faults.check("GET", "/api/v1/nodes"), None);
        for _ in 0..2 {
            assert_eq!(
                faults.check("GET", "/api/v1/pods?watch=1"),
                Some(Fault::TooMany429 { retry_after: 3 })
            );
        }
        assert_eq!(faults.check("GET", "/api/v1/pods"), None);
        assert!(faults.is_empty());
        faults.add(&json!({"kind": 500})).unwrap();
        assert_eq!(faults.check("GET", "/"), Some(Fault::Internal500));
        faults.clear();
        assert_eq!(faults.check("GET", "/"), None);
        faults.add(&json!({"kind": "cut", "for_ms": 0})).unwrap();
        assert_eq!(faults.check("GET", "/"), None);
    }

    #[test]
    fn open_streams_are_cut_by_rules_that_cut_and_by_no_others() {
        let faults = Faults::new();
        faults.add(&json!({"kind": "500"})).unwrap();
        assert!(!faults.cuts("GET", "/pods?watch=1"));
        faults
            .add(&json!({"kind": "cut", "match": {"path": "/pods"}, "count": 1}))
            .unwrap();
        assert!(!faults.cuts("GET", "/nodes?watch=1"));
        assert!(faults.cuts("GET", "/pods?watch=1"));
        assert!(!faults.cuts("GET", "/pods?watch=1"), "once");
        let round = faults.round();
        faults.clear();
        assert_ne!(faults.round(), round);
    }

    #[test]
    fn nonsense_is_refused() {
        let faults = Faults::new();
        for bad in [
            json!([]),
            json!({}),
            json!({"kind": "explode"}),
            json!({"kind": "cut", "count": -1}),
            json!({"kind": "cut", "nope": 1}),
            json!({"kind": "cut", "match": {"path": 3}}),
            json!({"kind": "cut", "for_ms": "long"}),
            json!({"kind": "cut", "match": "/pods"}),
            json!({"kind": "cut", "match": {"method": "GTE"}}),
            json!({"kind": "cut", "retry_after": 3}),
            json!({"kind": "429", "delay_ms": 3}),
            json!({"kind": "429", "retry_after": u64::from(u32::MAX) + 1}),
        ] {
            assert!(matches!(faults.add(&bad), Err(RuleError::Malformed(_))), "{bad}");
        }
        assert!(faults.is_empty(), "nothing refused is in force");
        let said = |rule: Value| faults.add(&rule).unwrap_err().to_string();
        assert_eq!(
            said(json!({"kind": "403", "match": {"pth": "/pods"}})),
            "the fault rule is not understood: unknown field \"match.pth\", did you mean path?; known are method, path"
        );
        assert!(said(json!({"kind": "cut", "cuont": 1})).contains("did you mean count?"));
        for _ in 0..LIMIT {
            faults.add(&json!({"kind": "hang", "count": 1})).unwrap();
        }
        assert_eq!(faults.add(&json!({"kind": "hang"})), Err(RuleError::TooMany));
    }
}
