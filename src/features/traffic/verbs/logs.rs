//! `traffic:logs`: requests per pod and version, counted from what the pods themselves wrote. For traffic that is not
//! ours; `traffic:watch` sends its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::watch::{pattern, summary};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::Shared;
use crate::features::kubernetes::model::{PodLine, WantedLines};
use crate::features::traffic::access;
use crate::features::traffic::model::{Sample, Tally, Watching};
use crate::render::View;
use crate::verb::{Call, Declaration, Input, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// How often the feed is told that the logs are read on, whether anything comes or not.
const QUIET: Duration = Duration::from_secs(2);

/// Lines of an object's pods, as [`OpenLogs`] gives them: what they are of, and the lines.
pub type Lines = (String, tokio::sync::mpsc::Receiver<Result<PodLine, Report>>);

/// Opens the lines of the pods of an object on the cluster of a call.
pub type OpenLogs = Arc<dyn Fn(Call, WantedLines) -> BoxFuture<'static, Result<Lines, Report>> + Send + Sync>;

/// The verb.
pub fn verb(shared: Shared, open: OpenLogs) -> Verb {
    let declaration = Declaration::new("traffic", "logs", "Count requests per pod and version from access logs")
        .description(
            "Reads the logs of all pods of a workload or service and counts the requests in them, each joined to its pod's \
             version. Without --match the lines that look like an access log's count: a method, a path and a status. \
             Requests of the kubelet's probes are left out. With --follow new pods are read as they come, so that a \
             rolling update is seen from the first request on.",
        )
        .positional(Positional::new("TYPE/NAME", OptionKind::String, "whose pods, such as deploy/web; the incoming object when not given").optional())
        .positional(Positional::new("NAME", OptionKind::String, "the name, when the type stands alone").optional())
        .option(OptionSpec::new("match", OptionKind::String, "regular expression; exactly the lines it matches count").short('m').value_name("regex"))
        .option(OptionSpec::new("follow", OptionKind::Bool, "go on with new lines and new pods").short('f'))
        .option(OptionSpec::new("since", OptionKind::Duration, "only lines younger than this").value_name("time"))
        .option(OptionSpec::new("tail", OptionKind::Int, "only the last lines of each pod").value_name("n"))
        .option(OptionSpec::new("for", OptionKind::Duration, "end after this long").value_name("time"))
        .option(OptionSpec::new("count", OptionKind::Int, "end after this many requests").short('c').value_name("n"))
        .option(OptionSpec::new("container", OptionKind::String, "this container of each pod").value_name("name"))
        .option(OptionSpec::new("namespace", OptionKind::String, "namespace to look in; the context's when not given").short('n').value_name("namespace"))
        .option(OptionSpec::new("probes", OptionKind::Bool, "count the kubelet's probes too"))
        .output("One record a request: {at, status, latency_ms, match, pod, version, error}; latency_ms is null.")
        .notes("A status of 400 or above counts as failed; at the end the tally is noted. The traffic panel shows the same requests.")
        .example("traffic:logs deploy/inspector --since=10m", "who answered the last ten minutes")
        .example("traffic:logs deploy/inspector -f --match 'GET /net'", "one path only, as it is asked for")
        .following(&["follow"])
        .ending(&["count", "for"]);
    Verb::read(declaration, Logs { shared, open })
}

struct Logs {
    shared: Shared,
    open: OpenLogs,
}

#[async_trait]
impl Read for Logs {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let arguments = &call.arguments;
        let pattern = arguments.text("match").map(|text| pattern(&text)).transpose()?;
        let most = match arguments.int("count") {
            None => usize::MAX,
            Some(count) => usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
                Report::refused("E-TRAFFIC-005", format!("--count {count} is not a number of requests"))
            })?,
        };
        let wanted = WantedLines {
            words: arguments.texts(),
            container: arguments.text("container"),
            follow: arguments.flag("follow"),
            since: arguments.duration("since"),
            tail: arguments.int("tail"),
        };
        if wanted.words.is_empty() && call.record.is_none() {
            return Err(Report::refused("E-TRAFFIC-008", "whose logs is not said").hint("for example: deploy/NAME"));
        }
        let probes = arguments.flag("probes");
        let ends = arguments.duration("for").map(|time| Instant::now() + time);
        let end = async {
            match ends {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let (title, mut lines) = tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            () = output.closed() => return Ok(()),
            () = &mut end => {
                return Err(Report::failed("E-TRAFFIC-009", "the cluster did not answer in the time that --for gives")
                    .hint("give it more time, or look whether the cluster can be reached: kubectl:version"));
            }
            opened = (self.open)(call.clone(), wanted) => opened?,
        };
        let source = format!("logs of {title}");
        let watching = Watching::begin(&self.shared.hub, &call.context);
        let mut tally = Tally::default();
        let mut read = 0_usize;
        let mut quiet = tokio::time::interval(QUIET);
        while tally.total < most {
            let line = tokio::select! {
                biased;
                () = call.cancel.cancelled() => break,
                () = output.closed() => break,
                () = &mut end => break,
                // Another watch that ended would have the last word else.
                _ = quiet.tick() => {
                    watching.goes_on();
                    continue;
                }
                line = lines.recv() => line,
            };
            let Some(line) = line else { break };
            let line = line?;
            read += 1;
            let Some(request) = access::request(&line.text, pattern.as_ref()).filter(|r| probes || !r.is_probe) else {
                continue;
            };
            let sample = sample(&source, line, request, self.shared.clock.now());
            tally.add(&sample);
            watching.add(sample.clone());
            output.emit_as(sample.record(), view(&sample)).await?;
        }
        let counted = format!("{title}: {read} lines read, {}", summary(&tally));
        call.operator.note(SafeText::line(&counted));
        if call.cancel.is_cancelled() {
            return Err(Report::interrupted());
        }
        Ok(())
    }
}

fn sample(source: &str, line: PodLine, request: access::Request, now: jiff::Timestamp) -> Sample {
    let error = request.status.filter(|status| *status >= 400);
    Sample {
        at: line.at.unwrap_or(now),
        url: source.to_owned(),
        status: request.status,
        latency_ms: None,
        matched: Some(request.matched),
        pod: Some(line.pod),
        version: Some(line.version).filter(|version| !version.is_empty()),
        error: error.map(|status| format!("HTTP {status}")),
    }
}

fn view(sample: &Sample) -> View {
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let status = sample
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    View::Text(format!(
        "{status}  {}  {}  {}",
        part(&sample.pod),
        part(&sample.version),
        part(&sample.matched)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_sample_of_its_pod() {
        let line = PodLine {
            pod: "web-1".into(),
            version: "2.0.0".into(),
            at: None,
            text: String::new(),
        };
        let request = access::Request {
            matched: "GET /".into(),
            status: Some(503),
            is_probe: false,
        };
        let sample = sample(
            "logs of deployment.apps/web",
            line,
            request,
            jiff::Timestamp::UNIX_EPOCH,
        );
        assert_eq!(sample.error.as_deref(), Some("HTTP 503"));
        assert_eq!(sample.url, "logs of deployment.apps/web", "the panel's title names it");
        assert_eq!((sample.version.as_deref(), sample.latency_ms), (Some("2.0.0"), None));
        assert_eq!(view(&sample), View::Text("503  web-1  2.0.0  GET /".into()));
    }
}
