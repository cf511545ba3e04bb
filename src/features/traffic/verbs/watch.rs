//! `traffic:watch`: asks for a URL again and again, one new connection each, and tells who answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use regex::Regex;
use tokio::time::{Instant, MissedTickBehavior};

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::Shared;
use crate::features::traffic::client::Client;
use crate::features::traffic::join::{self, OpenPods, PodIndex};
use crate::features::traffic::model::{Sample, Tally, Watching};
use crate::render::{Header, View};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb(shared: Shared, pods: OpenPods) -> Verb {
    let declaration = Declaration::new("traffic", "watch", "Ask a URL again and again and tell who answers")
        .description(
            "One new connection a request, no keep-alive and no cached address, so that a load balancer may choose \
             anew each time. The first match of the pattern in the body is shown; pod and version are found by joining \
             an address or a pod's name in the answer with the cluster's pods, else a version the answer tells.",
        )
        .input(InputMode::None)
        .positional(Positional::new("url", OptionKind::String, "what to ask for"))
        .option(OptionSpec::new("match", OptionKind::String, "regular expression; its first match in the body is shown").short('m').value_name("regex"))
        .option(OptionSpec::new("interval", OptionKind::Duration, "time between the starts of two requests").short('i').default("500ms"))
        .option(OptionSpec::new("count", OptionKind::Int, "end after this many requests").short('c').value_name("n"))
        .option(OptionSpec::new("for", OptionKind::Duration, "end after this long").value_name("time"))
        .option(OptionSpec::new(
            "until",
            OptionKind::String,
            "end once this holds: pods=N, versions=N, version=X (only X among the last ten answers), failed=N, total=N",
        ).value_name("condition"))
        .output("One record a request: {at, status, latency_ms, match, pod, version, error}.")
        .notes("An answer of 400 or above and a request without an answer count as failed; at the end the tally is noted.")
        .example("traffic:watch http://inspector.spawnhub.com/net --match '100\\.[0-9]+\\.[0-9]+\\.[0-9]+'", "which pod answers")
        .example("traffic:watch http://inspector.spawnhub.com/net --until pods=3 --for 60s", "until three pods were seen")
        .endless()
        .ending(&["count", "for", "until"]);
    Verb::read(declaration, Watch { shared, pods })
}

struct Watch {
    shared: Shared,
    pods: OpenPods,
}

/// How long the first request waits for the cluster's pods.
const FIRST_ROWS: Duration = Duration::from_secs(2);
/// How many of the last answers `version=X` looks at.
const SETTLED: usize = 10;

/// When to end besides a cancel.
#[derive(Debug, PartialEq)]
enum Until {
    Pods(usize),
    Versions(usize),
    OnlyVersion(String),
    Failed(usize),
    Total(usize),
}

impl Until {
    fn parse(text: &str) -> Result<Until, Report> {
        let refused = || {
            Report::refused("E-TRAFFIC-004", format!("{text} is not a condition"))
                .hint("pods=N, versions=N, version=X, failed=N or total=N")
        };
        let (name, value) = text.split_once('=').ok_or_else(refused)?;
        let count = || value.trim_start_matches('=').parse::<usize>().map_err(|_| refused());
        match name.trim_end_matches(['>', ' ']) {
            "pods" => Ok(Until::Pods(count()?)),
            "versions" => Ok(Until::Versions(count()?)),
            "version" if !value.is_empty() => Ok(Until::OnlyVersion(value.to_owned())),
            "failed" => Ok(Until::Failed(count()?)),
            "total" => Ok(Until::Total(count()?)),
            _ => Err(refused()),
        }
    }

    fn holds(&self, tally: &Tally, last: &[Sample]) -> bool {
        match self {
            Until::Pods(wanted) => {
                tally.answerers.len() - usize::from(tally.answerers.contains_key("no match")) >= *wanted
            }
            Until::Versions(wanted) => tally.versions.len() >= *wanted,
            Until::OnlyVersion(version) => {
                last.len() >= SETTLED
                    && last
                        .iter()
                        .rev()
                        .take(SETTLED)
                        .all(|s| s.version.as_deref() == Some(version))
            }
            Until::Failed(wanted) => tally.failed >= *wanted,
            Until::Total(wanted) => tally.total >= *wanted,
        }
    }
}

struct Settings {
    client: Client,
    pattern: Option<Regex>,
    interval: Duration,
    count: Option<usize>,
    ends: Option<Instant>,
    until: Option<Until>,
}

impl Settings {
    fn of(call: &Call) -> Result<Self, Report> {
        let arguments = &call.arguments;
        let url = arguments.text_at(0).unwrap_or_default();
        let pattern = arguments.text("match").map(|text| pattern(&text)).transpose()?;
        let count = match arguments.int("count") {
            Some(count) => Some(usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
                Report::refused("E-TRAFFIC-005", format!("--count {count} is not a number of requests"))
            })?),
            None => None,
        };
        Ok(Settings {
            client: Client::new(&url, &call.context)?,
            pattern,
            interval: arguments
                .duration("interval")
                .unwrap_or(Duration::from_millis(500))
                .max(Duration::from_millis(1)),
            count,
            ends: arguments.duration("for").map(|time| Instant::now() + time),
            until: arguments.text("until").map(|text| Until::parse(&text)).transpose()?,
        })
    }
}

pub(super) fn pattern(text: &str) -> Result<Regex, Report> {
    regex::RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| Report::refused("E-TRAFFIC-006", format!("{text} is not a regular expression: {error}")))
}

#[async_trait]
impl Read for Watch {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let settings = Settings::of(call)?;
        let watching = Watching::begin(&self.shared.hub, &call.context);
        let pods = (self.pods)(&call.context).await;
        if let Some(pods) = &pods {
            // So that the first answers find their pods too; not for long.
            pods.source().first_within(FIRST_ROWS).await;
        }
        let index = pods.as_ref().map(|pods| pods as &dyn PodIndex);
        let mut ticks = tokio::time::interval(settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let header = Header::new(["STATUS", "POD", "VERSION", "TIME", "ERROR"]);
        let mut tally = Tally::default();
        let mut last: Vec<Sample> = Vec::new();
        let end = async {
            match settings.ends {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        loop {
            let sample = tokio::select! {
                biased;
                () = call.cancel.cancelled() => break,
                () = output.closed() => break,
                () = &mut end => break,
                sample = async { ticks.tick().await; self.sample(&settings, index).await } => sample,
            };
            tally.add(&sample);
            watching.add(sample.clone());
            let view = view(&sample, settings.pattern.is_some(), &header);
            output.emit_as(sample.record(), view).await?;
            last.push(sample);
            if last.len() > 2 * SETTLED {
                last.drain(..SETTLED);
            }
            let counted = settings.count.is_some_and(|count| tally.total >= count);
            if counted || settings.until.as_ref().is_some_and(|until| until.holds(&tally, &last)) {
                break;
            }
        }
        call.operator.note(summary(&tally));
        match &settings.until {
            Some(until) if !until.holds(&tally, &last) && !call.cancel.is_cancelled() => Err(Report::failed(
                "E-TRAFFIC-007",
                format!("{} was not seen in {} requests", name(until), tally.total),
            )),
            _ if call.cancel.is_cancelled() => Err(Report::interrupted()),
            _ => Ok(()),
        }
    }
}

impl Watch {
    async fn sample(&self, settings: &Settings, pods: Option<&dyn PodIndex>) -> Sample {
        let at = self.shared.clock.now();
        let begun = Instant::now();
        let answer = settings.client.fetch().await;
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).ok();
        let url = settings.client.url();
        let empty = Sample {
            at,
            url,
            status: None,
            latency_ms,
            matched: None,
            pod: None,
            version: None,
            error: None,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                return Sample {
                    error: Some(error),
                    ..empty
                };
            }
        };
        let matched = settings
            .pattern
            .as_ref()
            .and_then(|p| p.find(&answer.body))
            .map(|m| m.as_str().to_owned());
        let pod = pods.and_then(|index| join::pod(index, matched.as_deref(), &answer.body));
        let version = pod
            .as_ref()
            .and_then(|pod| pod.version.clone())
            .or_else(|| join::version_in(&answer.body));
        let error = (answer.status >= 400).then(|| format!("HTTP {}", answer.status));
        Sample {
            status: Some(answer.status),
            matched,
            pod: pod.map(|pod| pod.name),
            version,
            error,
            ..empty
        }
    }
}

/// What one sample shows. With a pattern the match alone, as the shell loop would, and every failure; without one a row.
fn view(sample: &Sample, has_pattern: bool, header: &Arc<Header>) -> View {
    if !has_pattern {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<u64>, unit: &str| number.map_or_else(|| "-".to_owned(), |n| format!("{n}{unit}"));
        let cells = vec![
            number(sample.status.map(u64::from), ""),
            text(&sample.pod),
            text(&sample.version),
            number(sample.latency_ms, " ms"),
            sample.error.clone().unwrap_or_default(),
        ];
        return View::row(header, cells);
    }
    let text = match (&sample.error, &sample.matched) {
        (Some(error), _) => format!("failed: {error}"),
        (None, Some(matched)) => {
            let version = sample
                .version
                .as_deref()
                .filter(|version| !matched.contains(version))
                .unwrap_or_default();
            let pod = sample.pod.as_deref().unwrap_or_default();
            [matched, pod, version]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("  ")
        }
        (None, None) => "no match".to_owned(),
    };
    View::Text(text)
}

fn name(until: &Until) -> String {
    match until {
        Until::Pods(n) => format!("pods={n}"),
        Until::Versions(n) => format!("versions={n}"),
        Until::OnlyVersion(version) => format!("version={version}"),
        Until::Failed(n) => format!("failed={n}"),
        Until::Total(n) => format!("total={n}"),
    }
}

pub(super) fn summary(tally: &Tally) -> SafeText {
    let mut parts = vec![format!("{} requests", tally.total), format!("{} failed", tally.failed)];
    parts.extend(
        tally
            .answerers
            .iter()
            .map(|(name, (count, _))| format!("{name} {count}")),
    );
    parts.extend(
        tally
            .versions
            .iter()
            .map(|(version, count)| format!("version {version}: {count}")),
    );
    SafeText::line(&parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::traffic::model::tests::sample;

    #[test]
    fn conditions_are_read_and_wrong_ones_refused() {
        assert_eq!(Until::parse("pods=3").unwrap(), Until::Pods(3));
        assert_eq!(Until::parse("pods>=3").unwrap(), Until::Pods(3));
        assert_eq!(
            Until::parse("version=2.0.0").unwrap(),
            Until::OnlyVersion("2.0.0".into())
        );
        for wrong in ["pods", "pods=x", "version=", "colour=red"] {
            assert_eq!(Until::parse(wrong).unwrap_err().code, "E-TRAFFIC-004", "{wrong}");
        }
    }

    #[test]
    fn without_a_pattern_each_request_is_a_row_whose_columns_have_names() {
        let header = Header::new(["STATUS", "POD", "VERSION", "TIME", "ERROR"]);
        let cells = |sample: &Sample| match view(sample, false, &header) {
            View::Row { cells, .. } => cells,
            other => panic!("{other:?}"),
        };
        let mut answered = sample(Some("web-1"), Some("2.0.0"), None);
        (answered.status, answered.latency_ms) = (Some(200), Some(3));
        assert_eq!(cells(&answered), ["200", "web-1", "2.0.0", "3 ms", ""]);
        let mut failed = sample(None, None, Some("HTTP 502"));
        (failed.status, failed.latency_ms) = (Some(502), None);
        assert_eq!(cells(&failed), ["502", "-", "-", "-", "HTTP 502"]);
        assert_eq!(view(&failed, true, &header), View::Text("failed: HTTP 502".to_owned()));
    }

    #[test]
    fn only_a_version_means_the_last_ten_without_exception() {
        let until = Until::OnlyVersion("2.0.0".into());
        let new = || sample(Some("a"), Some("2.0.0"), None);
        let mut last = vec![new(); 9];
        assert!(!until.holds(&Tally::default(), &last));
        last.push(new());
        assert!(until.holds(&Tally::default(), &last));
        last.push(sample(Some("b"), Some("1.0.0"), None));
        assert!(!until.holds(&Tally::default(), &last));
    }

    #[test]
    fn a_pattern_of_unbounded_size_is_refused() {
        assert_eq!(pattern(r"(\w{1000}){1000}").unwrap_err().code, "E-TRAFFIC-006");
    }
}
