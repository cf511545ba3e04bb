//! Whose requests those of a running watch are: a rollout is judged only by requests that its own deployment answers. Not
//! for the gate itself, which only counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::features::kubernetes::rollout::Traffic;
use crate::features::traffic::model::{Sample, Tally, latest, recent};
use crate::feed::{Health, RowTable};

/// Requests count that were made within this time, while a watch goes on.
const RECENT: Duration = Duration::from_secs(60);
/// The share of requests that may fail while a rollout goes on.
const LIMIT: f64 = 0.05;
/// Answers that are asked for who gave them, the newest of the URL. A request that fails names nobody: it counts for whom
/// its URL's answers came from.
const ANSWERS: usize = 60;

/// Longest name that the server puts a random part behind (apiserver `names.SimpleNameGenerator`, bytes): it cuts a
/// longer one.
const LONGEST_BASE: usize = 58;

/// What tells that an answer is a deployment's.
#[derive(Debug, Default)]
pub struct Own {
    /// The names of its replica sets, which those of its pods begin with.
    pub sets: BTreeSet<String>,
    /// Versions that no other deployment here has.
    pub versions: BTreeSet<String>,
}

/// The requests of the URL that is watched.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// The deployment answers them.
    Own {
        /// How many, and how many failed.
        traffic: Traffic,
        /// The versions that the newest answers told, each how often.
        versions: BTreeMap<String, usize>,
    },
    /// They say nothing about it.
    Foreign {
        /// What is asked for.
        url: String,
        /// Why they are not counted.
        why: &'static str,
    },
}

/// What the watch says about a deployment; none: no watch runs.
pub fn measured(rows: &RowTable<Sample>, health: &Health, own: &Own, now: Timestamp) -> Option<Measured> {
    let tally = Tally::of(recent(rows, health)?.take_while(|sample| sample.at + RECENT >= now));
    let url = latest(rows).next().map(|sample| sample.url.clone())?;
    let foreign = |why| Measured::Foreign { url, why };
    let answers = latest(rows).filter(|sample| sample.succeeded());
    let given: BTreeSet<Option<bool>> = answers.take(ANSWERS).map(|sample| own.gave(sample)).collect();
    Some(match (given.contains(&Some(true)), given.contains(&Some(false))) {
        (true, false) => Measured::Own {
            traffic: Traffic {
                total: tally.total,
                failed: tally.failed,
                limit: LIMIT,
            },
            versions: Tally::of(latest(rows).take(ANSWERS)).versions,
        },
        (true, true) => foreign("others answer it too"),
        (false, true) => foreign("others answer it"),
        (false, false) => foreign("no answer names its pod"),
    })
}

impl Own {
    /// Whether the deployment gave this answer; none: it does not tell.
    fn gave(&self, sample: &Sample) -> Option<bool> {
        match (&sample.pod, &sample.version) {
            (Some(pod), _) => Some(self.sets.iter().any(|set| is_pod_of(pod, set))),
            (None, Some(version)) if self.versions.contains(version) => Some(true),
            (None, _) => None,
        }
    }
}

/// Whether a pod is one of this replica set. By its name, because the pods that answered a moment ago are gone in a
/// rollout, while their sets stay.
fn is_pod_of(pod: &str, set: &str) -> bool {
    let base = format!("{set}-");
    let base = base.get(..LONGEST_BASE).unwrap_or(&base);
    let random = pod.strip_prefix(base);
    random.is_some_and(|random| !random.is_empty() && !random.contains('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::traffic::model::append;
    use crate::feed::HealthState;

    fn sample(url: &str, pod: Option<&str>, version: Option<&str>, failed: bool) -> Sample {
        Sample {
            at: Timestamp::UNIX_EPOCH,
            url: url.to_owned(),
            status: Some(if failed { 503 } else { 200 }),
            latency_ms: None,
            matched: None,
            pod: pod.map(str::to_owned),
            version: version.map(str::to_owned),
            error: failed.then(|| "HTTP 503".to_owned()),
        }
    }

    fn of_web(samples: impl IntoIterator<Item = Sample>) -> Option<Measured> {
        let mut rows = RowTable::default();
        samples.into_iter().for_each(|sample| append(&mut rows, sample));
        let mut health = Health::loading(Timestamp::UNIX_EPOCH);
        health.become_state(HealthState::Live, None, Timestamp::UNIX_EPOCH);
        let own = Own {
            sets: BTreeSet::from(["web-5d8c7f".to_owned(), "web-77b9c4".to_owned()]),
            versions: BTreeSet::from(["2.0.0".to_owned()]),
        };
        measured(&rows, &health, &own, Timestamp::UNIX_EPOCH)
    }

    fn why(samples: impl IntoIterator<Item = Sample>) -> String {
        match of_web(samples) {
            Some(Measured::Foreign { why, .. }) => why.to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_deployment_is_judged_by_what_it_answers_itself() {
        let (own, canary) = (Some("web-5d8c7f-x2x4z"), Some("web-canary-5d8c7f-x2x4z"));
        assert_eq!(of_web([]), None);
        let counted = of_web([
            sample("http://a/", own, None, false),
            sample("http://b/", canary, None, true),
            sample("http://a/", None, None, true),
        ]);
        let traffic = Traffic {
            total: 2,
            failed: 1,
            limit: LIMIT,
        };
        let own_failures = Measured::Own {
            traffic,
            versions: BTreeMap::new(),
        };
        assert_eq!(counted, Some(own_failures), "the failures of its own URL");
        // The answer tells a version that is nobody else's.
        let told = of_web([sample("http://a/", None, Some("2.0.0"), false)]);
        assert!(matches!(told, Some(Measured::Own { versions, .. }) if versions["2.0.0"] == 1));
        assert_eq!(
            why([sample("http://a/", canary, Some("2.0.0"), false)]),
            "others answer it"
        );
        let both = [
            sample("http://a/", canary, None, false),
            sample("http://a/", own, None, false),
        ];
        assert_eq!(why(both), "others answer it too");
        let nobody = [
            sample("http://a/", None, Some("1.0.0"), false),
            sample("http://a/", None, None, true),
        ];
        assert_eq!(why(nobody), "no answer names its pod");
        // It answers, but not this URL.
        let other = [
            sample("http://a/", own, None, false),
            sample("http://b/", None, None, true),
        ];
        assert_eq!(why(other), "no answer names its pod");
    }

    #[test]
    fn pods_of_other_workloads_whose_names_begin_alike_are_not_its_own() {
        assert!(is_pod_of("web-5d8c7f-x2x4z", "web-5d8c7f"));
        // Of a daemon set web-agent, of a stateful set web-a, of another deployment, of no random part.
        for other in [
            "web-agent-x2x4z",
            "web-a-0",
            "web-5d8c7f-6c5d4-x2x4z",
            "web-5d8c7f",
            "web-5d8c7f-",
        ] {
            let answer = sample("http://a/", Some(other), None, false);
            assert_eq!(why([answer]), "others answer it", "{other}");
        }
        let long = format!("{}-5d8c7fb9c4", "w".repeat(50));
        let pod = format!("{}x2x4z", &format!("{long}-")[..LONGEST_BASE]);
        assert_eq!(pod.len(), 63);
        assert!(is_pod_of(&pod, &long) && !is_pod_of(&pod, &long[..40]));
    }
}
