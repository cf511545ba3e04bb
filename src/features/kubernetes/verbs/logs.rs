//! `kubectl:logs`: what containers wrote, line by line.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use futures::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use serde_json::{Value, json};

use super::behind::{default_container, pods_of};
use super::common::{READ, declare, selector_option, until_stopped};
use super::completer::Names;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{NOT_FOUND, UNREACHABLE, usage};
use crate::features::kubernetes::object::{self, list, text};
use crate::features::kubernetes::path::{Query, encode};
use crate::features::kubernetes::target::{self, Selection};
use crate::render::View;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::invocation::NOBODY_READS;
use crate::verb::{Call, Input, Output, Read, Verb};

/// Longer lines are cut into several, so that a container without line breaks cannot take all memory.
const LONGEST_LINE: u64 = 1 << 20;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("logs", "Show what containers wrote")
        .permission(READ)
        .positional(
            Positional::new(
                "POD|TYPE/NAME",
                OptionKind::String,
                "A pod, or something that has pods; the incoming object when not given",
            )
            .optional(),
        )
        .positional(Positional::new("CONTAINER", OptionKind::String, "One container of the pod").optional())
        .options([
            OptionSpec::new("follow", OptionKind::Bool, "Go on until cancelled").short('f'),
            OptionSpec::new("container", OptionKind::String, "This container")
                .short('c')
                .value_name("name"),
            OptionSpec::new("all-containers", OptionKind::Bool, "All containers of each pod"),
            OptionSpec::new("all-pods", OptionKind::Bool, "All pods of the object, lines prefixed"),
            OptionSpec::new(
                "previous",
                OptionKind::Bool,
                "The container's run before the present one",
            )
            .short('p'),
            OptionSpec::new("since", OptionKind::Duration, "Only lines younger than this"),
            OptionSpec::new(
                "since-time",
                OptionKind::String,
                "Only lines after this time (RFC 3339)",
            )
            .value_name("time"),
            OptionSpec::new(
                "tail",
                OptionKind::Int,
                "Only the last lines; -1: all; without it all, or 10 with a selector",
            )
            .value_name("count"),
            OptionSpec::new("limit-bytes", OptionKind::Int, "At most so many bytes of each log").value_name("bytes"),
            OptionSpec::new(
                "ignore-errors",
                OptionKind::Bool,
                "A log that cannot be read is told, and the others go on",
            ),
            OptionSpec::new("timestamps", OptionKind::Bool, "The time before each line"),
            OptionSpec::new("prefix", OptionKind::Bool, "Pod and container before each line"),
            OptionSpec::new("max-log-requests", OptionKind::Int, "Most logs to follow at once")
                .default("5")
                .value_name("count"),
            selector_option(),
        ])
        .exclusive(&["since", "since-time"])
        .following(&["follow"])
        .ending(&["previous"])
        .output("{line, source}, one a line; the source is POD/CONTAINER.")
        .example(
            "kubectl:logs deploy/inspector --tail=5",
            "the last lines of one of its pods",
        )
        .example(
            "kubectl:logs -f -l run=inspector --prefix",
            "all pods of an app, as they write",
        );
    Verb::read(
        declaration,
        Logs {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of_pods(clients))
}

struct Logs {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Logs {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.all(call, output)).await
    }
}

/// One container of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stream {
    namespace: String,
    pod: String,
    container: String,
}

impl Logs {
    async fn all(&self, call: &Call, output: &Output) -> Result<(), Report> {
        check(call)?;
        let session = self.clients.session(&call.context).await?;
        let (words, named) = words(call);
        let pods = pods(call, &session, &words)
            .await
            .map_err(|report| elsewhere(report, call, &session))?;
        let container = call.arguments.text("container").or(named);
        let mut streams = Vec::new();
        for pod in &pods {
            streams.extend(choose(call, pod, container.as_deref())?);
        }
        let query = query(call);
        let prefixed = call.arguments.flag("prefix") || call.arguments.flag("all-pods");
        let goes_on = call.arguments.flag("ignore-errors");
        let read = async |stream: Stream| {
            let pod = stream.pod.clone();
            match follow(&session, stream, query.clone(), prefixed, output).await {
                Err(report) if goes_on && report.code != NOBODY_READS => {
                    call.operator
                        .note(SafeText::line(&format!("pod/{pod}: {}", report.sentence())));
                    Ok(())
                }
                other => other,
            }
        };
        if !call.arguments.flag("follow") {
            for stream in streams {
                read(stream).await?;
            }
            return Ok(());
        }
        let most = usize::try_from(call.arguments.int("max-log-requests").unwrap_or(5)).unwrap_or(0);
        if streams.len() > most {
            return Err(usage(format!(
                "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
                streams.len()
            )));
        }
        try_join_all(streams.into_iter().map(read)).await.map(|_| ())
    }
}

/// kubectl's words for what is not there name the namespace too.
fn elsewhere(mut report: Report, call: &Call, session: &Session) -> Report {
    if let (NOT_FOUND, Some(rest)) = (
        report.code,
        report.message.strip_prefix("Error from server (NotFound): "),
    ) {
        let namespace = target::namespace_of(call, session);
        report.message = format!("error from server (NotFound): {rest} in namespace \"{namespace}\"");
    }
    report
}

/// `POD CONTAINER` names a container behind the pod.
fn words(call: &Call) -> (Vec<String>, Option<String>) {
    let mut words = call.arguments.texts();
    let container = if words.len() == 2 { words.pop() } else { None };
    (words, container)
}

/// What cannot be right, before anything is asked of the server.
fn check(call: &Call) -> Result<(), Report> {
    let arguments = &call.arguments;
    if arguments.texts().len() == 2 && arguments.text("container").is_some() {
        return Err(usage("only one of -c or an inline [CONTAINER] arg is allowed"));
    }
    if arguments.int("limit-bytes").is_some_and(|bytes| bytes < 0) {
        return Err(usage("--limit-bytes must be greater than 0"));
    }
    if arguments.int("tail").is_some_and(|lines| lines < -1) {
        return Err(usage("--tail must be greater than or equal to -1"));
    }
    match arguments.text("since-time") {
        Some(time) if time.parse::<jiff::Timestamp>().is_err() => {
            Err(usage(unreadable_time(&time)).hint("for example 2026-01-31T08:00:00Z"))
        }
        _ => Ok(()),
    }
}

/// Go's sentence about a time that is none: it names the first part of its layout that is not there.
fn unreadable_time(text: &str) -> String {
    const LAYOUT: [&str; 12] = ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", "Z07:00"];
    let whole = format!("parsing time \"{text}\" as \"{}\"", LAYOUT.concat());
    let mut rest = text;
    for part in LAYOUT {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        let found = rest.get(..part.len()).filter(|found| match digits {
            true => found.bytes().all(|byte| byte.is_ascii_digit()),
            false => *found == part,
        });
        let Some(found) = found else {
            return format!("{whole}: cannot parse \"{rest}\" as \"{part}\"");
        };
        rest = rest.get(found.len()..).unwrap_or_default();
    }
    whole
}

fn query(call: &Call) -> Query {
    let arguments = &call.arguments;
    let selected = arguments.text("selector").is_some();
    let tail = match arguments.int("tail") {
        None if selected => Some(10),
        Some(-1) | None => None,
        Some(lines) => Some(lines),
    };
    let limit = arguments.int("limit-bytes").filter(|bytes| *bytes > 0);
    let flag = |name: &str| arguments.flag(name).then(|| "true".to_owned());
    // The API counts whole seconds; less than one would mean everything.
    let since = arguments
        .duration("since")
        .map(|since| since.as_secs_f64().ceil().max(1.0));
    Query::new()
        .with_some("follow", flag("follow"))
        .with_some("previous", flag("previous"))
        .with_some("timestamps", flag("timestamps"))
        .with_some("tailLines", tail.map(|lines| lines.to_string()))
        .with_some("sinceSeconds", since.map(|seconds| format!("{seconds:.0}")))
        .with_some("sinceTime", arguments.text("since-time"))
        .with_some("limitBytes", limit.map(|bytes| bytes.to_string()))
}

/// The pods whose logs are meant.
async fn pods(call: &Call, session: &Session, words: &[String]) -> Result<Vec<Value>, Report> {
    let selected = call.arguments.text("selector").is_some();
    if selected && !words.is_empty() {
        return Err(usage("only a selector (-l) or a POD name is allowed"));
    }
    if !selected && words.is_empty() && call.record.is_none() {
        return Err(usage(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the \
             logs command",
        ));
    }
    let words: Vec<String> = match words {
        [one] if !one.contains('/') => vec!["pods".to_owned(), one.clone()],
        [] if selected => vec!["pods".to_owned()],
        [] => Vec::new(),
        [_] => words.to_vec(),
        _ => return Err(usage("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'")),
    };
    let selection = target::selection(call, session, &words).await?;
    let listed = matches!(selection, Selection::Listed { .. });
    let found = target::objects(call, session, selection).await?;
    if found.is_empty() {
        let namespace = target::namespace_of(call, session);
        call.operator
            .note(SafeText::line(&format!("No resources found in {namespace} namespace.")));
    }
    let mut pods = Vec::new();
    for (target, live) in found {
        if listed || target.resource.kind == "Pod" {
            pods.push(live);
        } else {
            pods.extend(pods_of(call, session, &target, &live).await?);
        }
    }
    Ok(pods)
}

/// The containers of a pod whose logs are meant.
fn choose(call: &Call, pod: &Value, container: Option<&str>) -> Result<Vec<Stream>, Report> {
    let stream = |name: &str| Stream {
        namespace: object::namespace(pod).to_owned(),
        pod: object::name(pod).to_owned(),
        container: name.to_owned(),
    };
    let of = |pointer: &str| {
        list(pod, pointer)
            .iter()
            .map(|c| text(c, "/name").to_owned())
            .collect::<Vec<_>>()
    };
    let (init, regular) = (of("/spec/initContainers"), of("/spec/containers"));
    if call.arguments.flag("all-containers") {
        return Ok(init.iter().chain(&regular).map(|name| stream(name)).collect());
    }
    if let Some(wanted) = container {
        if !init.iter().chain(&regular).any(|name| name == wanted) {
            return Err(Report::failed(
                NOT_FOUND,
                format!("container {wanted} is not valid for pod {}", object::name(pod)),
            )
            .hint(format!("it has: {}", regular.join(", "))));
        }
        return Ok(vec![stream(wanted)]);
    }
    Ok(vec![stream(&default_container(call, pod))])
}

async fn follow(
    session: &Session,
    stream: Stream,
    query: Query,
    prefixed: bool,
    output: &Output,
) -> Result<(), Report> {
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}/log",
        encode(&stream.namespace),
        encode(&stream.pod)
    );
    let query = query.with_some("container", Some(&stream.container));
    let body = session
        .cluster
        .stream(&query.on(&path))
        .await
        .map_err(|error| session.cluster.report(&error))?;
    futures::pin_mut!(body);
    let source = format!("{}/{}", stream.pod, stream.container);
    let prefix = if prefixed {
        format!("[pod/{source}] ")
    } else {
        String::new()
    };
    loop {
        let cut = |error: std::io::Error| {
            Report::failed(UNREACHABLE, format!("the log of pod/{} broke off", stream.pod)).because(&error)
        };
        let Some(line) = next_line(&mut body).await.map_err(cut)? else {
            return Ok(());
        };
        let shown = format!("{prefix}{line}");
        output
            .emit_as(json!({"line": line, "source": source}), View::Text(shown))
            .await?;
    }
}

/// The next line without its end; none at the end of the stream.
pub(in crate::features::kubernetes) async fn next_line(
    body: &mut (impl AsyncBufRead + Unpin),
) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut limited = body.take(LONGEST_LINE);
    if limited.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::behind::rank;
    use super::super::testing::call;
    use super::*;

    #[tokio::test]
    async fn lines_survive_bad_bytes_and_have_a_longest_length() {
        let mut text = b"one\r\n\xff two\n".to_vec();
        text.extend(vec![b'x'; usize::try_from(LONGEST_LINE).unwrap() + 5]);
        let mut body = futures::io::Cursor::new(text);
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut body).await.unwrap() {
            lines.push(line);
        }
        assert_eq!(&lines[..2], ["one", "\u{fffd} two"]);
        assert_eq!(lines[3], "xxxxx", "cut, not lost");
    }

    #[test]
    fn the_query_follows_kubectl() {
        let on = |options: Value| query(&call(&[], options)).on("");
        assert_eq!(on(json!({"tail": -1})), "");
        assert_eq!(on(json!({"selector": "a=b"})), "?tailLines=10");
        assert_eq!(on(json!({"tail": -1, "selector": "a=b"})), "");
        assert_eq!(
            on(json!({"follow": true, "since": 200, "tail": 3})),
            "?follow=true&tailLines=3&sinceSeconds=1"
        );
    }

    #[test]
    fn a_time_that_is_none_is_told_as_go_tells_it() {
        let layout = "2006-01-02T15:04:05Z07:00";
        for (text, rest, part) in [
            ("yesterday", "yesterday", "2006"),
            ("2026-01-0x", "0x", "02"),
            ("2026-01-01", "", "T"),
        ] {
            let said = format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{part}\"");
            assert_eq!(unreadable_time(text), said);
        }
        assert!(unreadable_time("ä\u{fffd}").contains("cannot parse"));
    }

    #[test]
    fn the_default_container_is_the_annotated_or_the_first() {
        let mut pod = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        let call = call(&[], json!({}));
        assert_eq!(choose(&call, &pod, None).unwrap()[0].container, "a");
        pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "b"});
        assert_eq!(choose(&call, &pod, None).unwrap()[0].container, "b");
        assert_eq!(
            choose(&call, &pod, Some("c")).unwrap_err().message,
            "container c is not valid for pod p"
        );
    }

    #[test]
    fn a_ready_pod_is_looked_at_first() {
        let pod = |phase: &str, ready: &str| json!({"spec": {"nodeName": "n"}, "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}});
        let mut pods = [pod("Pending", "False"), pod("Running", "False"), pod("Running", "True")];
        pods.sort_by_key(rank);
        assert_eq!(pods[0], pod("Running", "True"));
    }
}
