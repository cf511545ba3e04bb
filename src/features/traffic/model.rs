//! Samples of traffic and what they add up to. No IO.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::record::Record;
use crate::feed::{FeedKey, Health, HealthState, Hub, RowTable, Subscription};

/// Samples kept for the panel; the oldest go first.
pub const KEPT: usize = 600;

/// One request and what came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was sent.
    pub at: Timestamp,
    /// Where the sample comes from: the URL that was asked for, or the logs that were read.
    pub url: String,
    /// HTTP status; none: no answer.
    pub status: Option<u16>,
    /// Milliseconds from before the connection to the end of the body; none for a request of somebody else's, which only
    /// a log told.
    pub latency_ms: Option<u64>,
    /// The first match of the pattern in the body.
    pub matched: Option<String>,
    /// The pod that answered, where the answer tells.
    pub pod: Option<String>,
    /// Its version, from the pod's image or from the answer.
    pub version: Option<String>,
    /// Why there is no answer, or that the answer is an error.
    pub error: Option<String>,
}

impl Sample {
    /// The record shape that scripts rely on.
    pub fn record(&self) -> Record {
        json!({
            "at": self.at.to_string(),
            "status": self.status,
            "latency_ms": self.latency_ms,
            "match": self.matched,
            "pod": self.pod,
            "version": self.version,
            "error": self.error,
        })
    }

    /// An answer below 400.
    pub fn succeeded(&self) -> bool {
        self.error.is_none()
    }

    /// What the sample counts under: the pod, else what matched, else that nothing did.
    pub fn answerer(&self) -> &str {
        match (&self.error, &self.pod, &self.matched) {
            (Some(_), ..) => "failed",
            (None, Some(pod), _) => pod,
            (None, None, Some(matched)) => matched,
            (None, None, None) => "no match",
        }
    }
}

/// Counts over samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub total: usize,
    /// Requests that failed.
    pub failed: usize,
    /// Answers in which the pattern did not match.
    pub unmatched: usize,
    /// Per pod (or match): count and the version it last told.
    pub answerers: BTreeMap<String, (usize, Option<String>)>,
    /// Per version.
    pub versions: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds up samples.
    pub fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Tally {
        let mut tally = Tally::default();
        for sample in samples {
            tally.add(sample);
        }
        tally
    }

    /// Adds one.
    pub fn add(&mut self, sample: &Sample) {
        self.total += 1;
        if !sample.succeeded() {
            self.failed += 1;
            return;
        }
        self.unmatched += usize::from(sample.matched.is_none() && sample.pod.is_none());
        let entry = self.answerers.entry(sample.answerer().to_owned()).or_default();
        entry.0 += 1;
        if sample.version.is_some() {
            entry.1.clone_from(&sample.version);
        }
        if let Some(version) = &sample.version {
            *self.versions.entry(version.clone()).or_default() += 1;
        }
    }

    /// The tally as one record: what a condition of `--until` is asked of.
    pub fn record(&self) -> Value {
        let pods: serde_json::Map<String, Value> = self
            .answerers
            .iter()
            .map(|(name, (count, _))| (name.clone(), json!(count)))
            .collect();
        json!({"total": self.total, "failed": self.failed, "unmatched": self.unmatched, "pods": pods, "versions": self.versions})
    }
}

/// The shared feed of the samples of a context, whoever sends the requests.
pub fn samples(hub: &Hub, context: &Arc<Context>) -> Subscription<Sample> {
    hub.subscribe(
        FeedKey {
            context: context.clone(),
            kind: "traffic/samples".to_owned(),
        },
        |_, _| {},
    )
}

/// The samples of the question that was asked last, newest first: shares over different questions would mean nothing.
pub fn latest(table: &RowTable<Sample>) -> impl Iterator<Item = &Sample> {
    let newest = table.iter().next_back().map(|(_, sample)| sample.url.as_str());
    let samples = table.iter().rev().map(|(_, sample)| sample);
    samples.filter(move |sample| Some(sample.url.as_str()) == newest)
}

/// The same while a watch goes on; none: no watch runs.
pub fn recent<'t>(table: &'t RowTable<Sample>, health: &Health) -> Option<impl Iterator<Item = &'t Sample>> {
    (!table.is_empty() && health.state != HealthState::Ended).then(|| latest(table))
}

/// Who fills the shared feed. When it goes, however its command ended, the feed says that the rows are what it left; of
/// two at once the other one's next sample says that it goes on.
pub struct Watching {
    feed: Subscription<Sample>,
}

impl Watching {
    /// Begins in a context. Inside a Tokio runtime.
    pub fn begin(hub: &Hub, context: &Arc<Context>) -> Self {
        Watching {
            feed: samples(hub, context),
        }
    }

    /// A sample more.
    pub fn add(&self, sample: Sample) {
        self.feed.source().write(|table| append(table, sample));
        self.goes_on();
    }

    /// It watches, whether anything was to be seen or not.
    pub fn goes_on(&self) {
        self.feed.source().set_health(HealthState::Live, None);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let reason = Some("the watch has ended".into());
        self.feed.source().set_health(HealthState::Ended, reason);
    }
}

/// Appends a sample under the next number, dropping the oldest beyond [`KEPT`].
pub fn append(table: &mut RowTable<Sample>, sample: Sample) {
    let next = table
        .iter()
        .next_back()
        .and_then(|(key, _)| key.parse::<u64>().ok())
        .map_or(0, |last| last + 1);
    table.upsert(format!("{next:020}"), sample);
    let oldest = table.iter().next().map(|(key, _)| key.to_owned());
    if table.len() > KEPT
        && let Some(oldest) = oldest
    {
        table.remove(&oldest);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(pod: Option<&str>, version: Option<&str>, error: Option<&str>) -> Sample {
        Sample {
            at: Timestamp::UNIX_EPOCH,
            url: "http://inspector.spawnhub.com/net".into(),
            status: error.is_none().then_some(200),
            latency_ms: Some(3),
            matched: pod.map(|_| "100.96.1.4".to_owned()),
            pod: pod.map(str::to_owned),
            version: version.map(str::to_owned),
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn shares_are_counted_per_pod_and_version_and_failures_apart() {
        let samples = [
            sample(Some("a"), Some("1.0.0"), None),
            sample(Some("b"), Some("1.0.0"), None),
            sample(Some("a"), Some("1.0.0"), None),
            sample(Some("c"), Some("2.0.0"), None),
            sample(None, None, Some("connection refused")),
            sample(None, None, None),
        ];
        let tally = Tally::of(&samples);
        assert_eq!((tally.total, tally.failed, tally.unmatched), (6, 1, 1));
        assert_eq!(tally.answerers["a"], (2, Some("1.0.0".to_owned())));
        assert_eq!(
            tally.versions,
            BTreeMap::from([("1.0.0".to_owned(), 3), ("2.0.0".to_owned(), 1)])
        );
        assert_eq!(tally.record()["versions"]["1.0.0"], 3);
    }

    #[tokio::test]
    async fn a_watch_that_goes_says_so_and_the_next_one_takes_it_back() {
        let hub = Hub::new(crate::core::clock::Clock::real());
        let context = Arc::new(Context::empty("test"));
        let feed = samples(&hub, &context);
        let state = || feed.source().health().state;
        let watch = Watching::begin(&hub, &context);
        watch.add(sample(Some("a"), None, None));
        assert_eq!(state(), HealthState::Live);
        let failing = async {
            let _watch = watch;
            std::future::pending::<()>().await;
        };
        // Dropped in the middle, as by a cancel that does not wait.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), failing).await;
        assert_eq!(state(), HealthState::Ended);
        Watching::begin(&hub, &context).goes_on();
        let again = Watching::begin(&hub, &context);
        again.add(sample(Some("b"), None, None));
        assert_eq!(
            (state(), feed.source().read(|rows, _| rows.len())),
            (HealthState::Live, 2)
        );
    }

    #[test]
    fn what_counts_is_the_last_question_while_it_is_asked() {
        let mut table = RowTable::default();
        let mut health = Health::loading(Timestamp::UNIX_EPOCH);
        assert!(recent(&table, &health).is_none());
        for url in ["http://old", "http://new", "http://old", "http://new"] {
            let url = url.to_owned();
            append(
                &mut table,
                Sample {
                    url,
                    ..sample(Some("a"), None, None)
                },
            );
        }
        assert_eq!(recent(&table, &health).map(Iterator::count), Some(2));
        health.become_state(HealthState::Ended, None, Timestamp::UNIX_EPOCH);
        assert!(recent(&table, &health).is_none());
        assert_eq!(latest(&table).count(), 2, "what it left");
    }

    #[test]
    fn the_feed_keeps_only_the_newest() {
        let mut table = RowTable::default();
        for _ in 0..KEPT + 20 {
            append(&mut table, sample(None, None, None));
        }
        assert_eq!(table.len(), KEPT);
        assert_eq!(
            table.iter().next().map(|(key, _)| key.to_owned()),
            Some(format!("{:020}", 20))
        );
    }
}
