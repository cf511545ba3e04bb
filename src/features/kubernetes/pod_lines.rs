//! The lines of all pods of a workload in one stream: pods that come are read from their first line, those that go end,
//! a stream that breaks is taken up where it was. Not for showing logs (`kubectl:logs`), and not for what the lines mean.

use std::collections::{HashMap, HashSet, VecDeque};

use futures::future::BoxFuture;
use futures::io::AsyncBufRead;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, pin_mut};
use jiff::Timestamp;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use super::client::{Clients, JSON, Session};
use super::error::{self, usage};
use super::feed::Backoff;
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
/// Before a stream or a watch that ended is taken up again.
const PAUSE: Duration = Duration::from_millis(200);
/// Pods read at once while following. Policy: more are refused at the start; those that come later wait for a place.
const MOST: usize = 100;

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
}

type Sender = mpsc::Sender<Result<PodLine, Report>>;

impl Reading {
    /// Reads what there is of every pod, one after the other.
    async fn once(&self, sender: &Sender) -> Result<(), Report> {
        let pods = target::list(&self.session, &self.path, &self.query).await?;
        for pod in pods.iter().filter(|pod| has_begun(pod)) {
            let mut stream = self.stream(pod, None, true)?;
            self.read(&mut stream, sender).await?;
        }
        Ok(())
    }

    /// Reads all pods at once, and those that come.
    async fn follow(&self, sender: &Sender) -> Result<(), Report> {
        let there = target::list(&self.session, &self.path, &self.query).await?;
        if there.len() > MOST {
            return Err(usage(format!(
                "{} has {} pods, and {MOST} can be followed at once",
                self.title,
                there.len()
            ))
            .hint("follow a part of them: another object, or one pod"));
        }
        let there: HashSet<String> = there.iter().map(|pod| object::uid(pod).to_owned()).collect();
        let mut reading: FuturesUnordered<BoxFuture<'_, (Stream, Result<(), Report>)>> = FuturesUnordered::new();
        let mut waiting: VecDeque<Stream> = VecDeque::new();
        // How far each pod was read; none while it is being read or waits for a place.
        let mut known: HashMap<String, Option<Option<Timestamp>>> = HashMap::new();
        let mut first = true;
        loop {
            let watch = self.query.clone().with("watch", "true").on(&self.path);
            let events = match self.session.cluster.watch::<Value>(&watch, JSON).await {
                Ok(events) => events,
                Err(error) if first || matches!(error::code(&error), Some(401 | 403 | 404)) => {
                    return Err(self.session.cluster.report(&error));
                }
                Err(_) => {
                    sleep(PAUSE).await;
                    continue;
                }
            };
            first = false;
            pin_mut!(events);
            loop {
                tokio::select! {
                    event = events.next() => match event {
                        Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod))) => {
                            let uid = object::uid(&pod).to_owned();
                            let last = match known.get(&uid) {
                                Some(None) => continue,
                                Some(Some(last)) => *last,
                                None => None,
                            };
                            let over = known.contains_key(&uid) && !is_running(&pod);
                            if !has_begun(&pod) || over {
                                continue;
                            }
                            let stream = self.stream(&pod, last, there.contains(&uid))?;
                            known.insert(uid, None);
                            if reading.len() < MOST {
                                reading.push(self.read_all(stream, sender).boxed());
                            } else {
                                waiting.push_back(stream);
                            }
                        }
                        Some(Ok(WatchEvent::Deleted(pod))) => {
                            let uid = object::uid(&pod);
                            waiting.retain(|stream| stream.uid != uid);
                            known.remove(uid);
                        }
                        Some(Ok(WatchEvent::Bookmark(_))) => {}
                        Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => break,
                    },
                    Some((stream, result)) = reading.next(), if !reading.is_empty() => {
                        result?;
                        // A container that starts again is read on when its pod says so.
                        known.entry(stream.uid).and_modify(|state| *state = Some(stream.last));
                        if let Some(next) = waiting.pop_front() {
                            reading.push(self.read_all(next, sender).boxed());
                        }
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn stream(&self, pod: &Value, last: Option<Timestamp>, from_the_start: bool) -> Result<Stream, Report> {
        let names: Vec<&str> = list(pod, "/spec/containers").iter().map(|c| text(c, "/name")).collect();
        let container = match &self.wanted.container {
            Some(wanted) if names.contains(&wanted.as_str()) => wanted.clone(),
            Some(wanted) => {
                return Err(
                    usage(format!("container {wanted} is not valid for pod {}", object::name(pod)))
                        .hint(format!("it has: {}", names.join(", "))),
                );
            }
            None => behind::default_name(pod),
        };
        let raw = serde_json::from_value(pod.clone())
            .map_err(|error| Report::failed(error::UNREADABLE, "a pod cannot be read").because(&error))?;
        Ok(Stream {
            uid: object::uid(pod).to_owned(),
            row: PodRow::of(raw),
            container,
            last,
            from_the_start,
        })
    }

    /// Reads until the log ends; one that breaks off or does not begin is taken up again, ever more slowly.
    async fn read_all(&self, mut stream: Stream, sender: &Sender) -> (Stream, Result<(), Report>) {
        let mut backoff = Backoff::default();
        loop {
            let read_before = stream.last;
            match self.read(&mut stream, sender).await {
                Ok(()) => return (stream, Ok(())),
                // Its pod is gone.
                Err(report) if report.code == error::NOT_FOUND => return (stream, Ok(())),
                Err(report) if matches!(report.code, error::UNAUTHORIZED | error::FORBIDDEN) => {
                    return (stream, Err(report));
                }
                Err(_) => {
                    if stream.last > read_before {
                        backoff.reset();
                    }
                    sleep(backoff.next(None)).await;
                }
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

fn is_running(pod: &Value) -> bool {
    list(pod, "/status/containerStatuses")
        .iter()
        .any(|c| c.pointer("/state/running").is_some())
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
