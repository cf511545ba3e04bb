//! The lines of all pods of a workload in one stream: pods that come are read from their first line, those that go end,
//! a stream that breaks is taken up where it was. Not for showing logs (`kubectl:logs`), and not for what the lines mean.

mod reader;

use futures::io::AsyncBufRead;
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep, timeout, timeout_at};

use self::reader::{End, MOST, Reader};
use super::client::{Clients, JSON, Session};
use super::error::{self, usage};
use super::feed::Backoff;
use super::feed::patience::{SILENCE, WATCH};
use super::listing;
use super::model::{PodLine, PodRow, SlimRow, WantedLines};
use super::object::{self, list, text};
use super::path::{Query, encode};
use super::target::{self, Target};
use super::verbs::behind;
use super::verbs::logs::next_line;
use crate::core::report::Report;
use crate::verb::Call;

/// Lines on their way to the reader. Policy: the pods' streams wait when it is full, nothing is dropped.
const QUEUE: usize = 1_024;
/// Before a watch that ended is taken up again.
const PAUSE: Duration = Duration::from_millis(200);

/// The lines of an object's pods.
pub struct PodLines {
    /// `deployment.apps/web`.
    pub title: String,
    /// The lines; the last item may be why there are no more.
    pub lines: mpsc::Receiver<Result<PodLine, Report>>,
}

/// Opens the lines of the pods of the object that the words name. Reading stops when the receiver is dropped.
///
/// # Errors
/// When the cluster cannot be reached, there is no such object, or it selects no pods.
pub async fn open(clients: &Clients, call: &Call, wanted: WantedLines) -> Result<PodLines, Report> {
    let session = clients.session(&call.context).await?;
    let selection = target::selection(call, &session, &wanted.words).await?;
    let found = target::objects(call, &session, selection).await?;
    let [(target, live)] = found.as_slice() else {
        return Err(usage(format!("one object is needed, found {}", found.len())).hint("for example: deploy/NAME"));
    };
    let pods = session.cluster.discovery().await?.find("pods")?;
    let reading = Reading {
        path: pods.collection(Some(&target.namespace)),
        query: pods_query(target, live)?,
        title: target.title(),
        session,
        wanted,
    };
    let (sender, lines) = mpsc::channel(QUEUE);
    let title = reading.title.clone();
    tokio::spawn(async move {
        let gone = sender.clone();
        let work = async {
            let result = if reading.wanted.follow {
                reading.follow(&sender).await
            } else {
                reading.once(&sender).await
            };
            if let Err(report) = result {
                // Nobody reads any more: then nobody asks why either.
                let _ = sender.send(Err(report)).await;
            }
        };
        tokio::select! {
            () = gone.closed() => {}
            () = work => {}
        }
    });
    Ok(PodLines { title, lines })
}

/// What finds the pods of an object.
fn pods_query(target: &Target, live: &Value) -> Result<Query, Report> {
    if target.resource.kind == "Pod" {
        return Ok(Query::new().with("fieldSelector", format!("metadata.name={}", target.name)));
    }
    Ok(Query::new().with("labelSelector", behind::pod_selector(target, live)?))
}

struct Reading {
    session: Session,
    path: String,
    query: Query,
    title: String,
    wanted: WantedLines,
}

/// One container of one pod, and how far it was read.
struct Stream {
    uid: String,
    row: PodRow,
    container: String,
    last: Option<Timestamp>,
    /// It was there when reading began: how far back to read counts for it; of pods that come later every line does.
    from_the_start: bool,
    /// The pauses before it is taken up again; from the start where lines came.
    backoff: Backoff,
}

type Sender = mpsc::Sender<Result<PodLine, Report>>;

impl Reading {
    /// Reads what there is of every pod, one after the other.
    async fn once(&self, sender: &Sender) -> Result<(), Report> {
        let pods = listing::list(&self.session, &self.path, &self.query).await?;
        for pod in pods.iter().filter(|pod| has_begun(pod)) {
            let mut stream = self.stream(pod, None, true)?;
            self.read(&mut stream, sender).await?;
        }
        Ok(())
    }

    /// Reads all pods at once, and those that come.
    async fn follow(&self, sender: &Sender) -> Result<(), Report> {
        let there = listing::list(&self.session, &self.path, &self.query).await?;
        let running = there.iter().filter(|pod| text(pod, "/status/phase") == "Running");
        let running = running.count();
        if running > MOST {
            return Err(usage(format!(
                "{} has {running} pods that run, and {MOST} can be followed at once",
                self.title
            ))
            .hint("follow a part of them: another object, or one pod"));
        }
        let there = there.iter().map(|pod| object::uid(pod).to_owned()).collect();
        let mut reader = Reader::new(self, sender, there);
        let mut version = String::new();
        let mut first = true;
        loop {
            let watch = self
                .query
                .clone()
                .with("watch", "true")
                .with("allowWatchBookmarks", "true")
                .with("timeoutSeconds", WATCH.as_secs().to_string())
                .with_some("resourceVersion", Some(&version))
                .on(&self.path);
            let opening = timeout(SILENCE, self.session.cluster.watch::<Value>(&watch, JSON));
            let events = match opening.await {
                Ok(Ok(events)) => events,
                Ok(Err(error)) if first || matches!(error::code(&error), Some(401 | 403 | 404)) => {
                    return Err(self.session.cluster.report(&error));
                }
                Ok(Err(_)) | Err(_) => {
                    version.clear();
                    sleep(PAUSE).await;
                    continue;
                }
            };
            first = false;
            pin_mut!(events);
            let mut heard = Instant::now();
            loop {
                tokio::select! {
                    event = timeout_at(heard + SILENCE, events.next()) => {
                        heard = Instant::now();
                        match event {
                            Ok(Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod)))) => {
                                text(&pod, "/metadata/resourceVersion").clone_into(&mut version);
                                reader.changed(&pod)?;
                            }
                            Ok(Some(Ok(WatchEvent::Deleted(pod)))) => {
                                text(&pod, "/metadata/resourceVersion").clone_into(&mut version);
                                reader.gone(object::uid(&pod));
                            }
                            Ok(Some(Ok(WatchEvent::Bookmark(mark)))) => version = mark.metadata.resource_version,
                            // The server ended it in time: go on where it stopped.
                            Ok(None) => break,
                            // Too old, cut, or silent although the server should have ended it: from the start.
                            Ok(Some(Ok(WatchEvent::Error(_)) | Err(_))) | Err(_) => {
                                version.clear();
                                break;
                            }
                        }
                    }
                    Some((stream, end)) = reader.next() => reader.ended(stream, end?),
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// The container of a pod whose lines are wanted.
    fn container(&self, pod: &Value) -> Result<String, Report> {
        let names: Vec<&str> = list(pod, "/spec/containers").iter().map(|c| text(c, "/name")).collect();
        match &self.wanted.container {
            Some(wanted) if names.contains(&wanted.as_str()) => Ok(wanted.clone()),
            Some(wanted) => Err(
                usage(format!("container {wanted} is not valid for pod {}", object::name(pod)))
                    .hint(format!("it has: {}", names.join(", "))),
            ),
            None => Ok(behind::default_name(pod)),
        }
    }

    fn stream(&self, pod: &Value, last: Option<Timestamp>, from_the_start: bool) -> Result<Stream, Report> {
        let container = self.container(pod)?;
        let raw = serde_json::from_value(pod.clone())
            .map_err(|error| Report::failed(error::UNREADABLE, "a pod cannot be read").because(&error))?;
        Ok(Stream {
            uid: object::uid(pod).to_owned(),
            row: PodRow::of(raw),
            container,
            last,
            from_the_start,
            backoff: Backoff::default(),
        })
    }

    /// Reads until the log ends; one that breaks off or does not begin is taken up again, ever more slowly.
    async fn read_all(&self, mut stream: Stream, pause: Duration, sender: &Sender) -> (Stream, Result<End, Report>) {
        sleep(pause).await;
        loop {
            let read_before = stream.last;
            let read = self.read(&mut stream, sender).await;
            if stream.last > read_before {
                stream.backoff.reset();
            }
            match read {
                Ok(()) => return (stream, Ok(End::Log)),
                Err(report) if report.code == error::NOT_FOUND => return (stream, Ok(End::Pod)),
                Err(report) if matches!(report.code, error::UNAUTHORIZED | error::FORBIDDEN) => {
                    return (stream, Err(report));
                }
                Err(_) => sleep(stream.backoff.next(None)).await,
            }
        }
    }

    async fn read(&self, stream: &mut Stream, sender: &Sender) -> Result<(), Report> {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log",
            encode(&stream.row.namespace),
            encode(&stream.row.name)
        );
        let seconds = self.wanted.since.map(|since| since.as_secs_f64().ceil().max(1.0));
        let limit = |value: Option<String>| value.filter(|_| stream.from_the_start && stream.last.is_none());
        let query = Query::new()
            .with("container", &stream.container)
            .with("timestamps", "true")
            .with_some("follow", self.wanted.follow.then_some("true"))
            .with_some("sinceTime", stream.last.map(|at| at.to_string()))
            .with_some("sinceSeconds", limit(seconds.map(|seconds| format!("{seconds:.0}"))))
            .with_some("tailLines", limit(self.wanted.tail.map(|lines| lines.to_string())));
        let body = self.session.cluster.stream(&query.on(&path)).await;
        let body = body.map_err(|error| self.session.cluster.report(&error))?;
        self.lines(stream, body, sender).await
    }

    async fn lines(&self, stream: &mut Stream, body: impl AsyncBufRead, sender: &Sender) -> Result<(), Report> {
        pin_mut!(body);
        let until = stream.last;
        loop {
            let cut = |error: std::io::Error| {
                let what = format!("the log of pod/{} broke off", stream.row.name);
                Report::failed(error::UNREACHABLE, what).because(&error)
            };
            let Some(line) = next_line(&mut body).await.map_err(cut)? else {
                return Ok(());
            };
            let (at, text) = timed(&line);
            // The server counts whole seconds: what was read before comes again.
            if at.is_some() && at <= until {
                continue;
            }
            stream.last = at.or(stream.last);
            let line = PodLine {
                pod: stream.row.name.clone(),
                version: stream.row.version.to_string(),
                at,
                text: text.to_owned(),
            };
            if sender.send(Ok(line)).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// A line's time, as the server puts it before the line, and the rest.
fn timed(line: &str) -> (Option<Timestamp>, &str) {
    match line.split_once(' ') {
        Some((at, rest)) => match at.parse() {
            Ok(at) => (Some(at), rest),
            Err(_) => (None, line),
        },
        None => (
            line.parse().ok(),
            if line.parse::<Timestamp>().is_ok() { "" } else { line },
        ),
    }
}

/// Whether a pod has a log to read: before its containers start the server refuses.
fn has_begun(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Running" | "Succeeded" | "Failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_taken_off_a_line() {
        let (at, rest) = timed("2026-11-22T02:00:00.5Z GET / 200");
        assert_eq!((at.map(|at| at.as_second()), rest), (Some(1_795_312_800), "GET / 200"));
        assert_eq!(timed("no time here"), (None, "no time here"));
        assert_eq!(timed("2026-11-22T02:00:00Z").1, "");
        assert_eq!(timed(""), (None, ""));
    }
}
