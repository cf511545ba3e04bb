//! Which pods are read, which wait for a place, and which are read on when their container runs again: the states, without
//! the reading itself.

use std::collections::{HashMap, HashSet, VecDeque};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Duration;

use super::{Reading, Sender, Stream, has_begun};
use crate::core::report::Report;
use crate::features::kubernetes::object::{self, list, text};

/// Pods read at once while following. Policy: more are refused at the start; those that come later wait for a place.
pub const MOST: usize = 100;

/// What a stream came to the end of.
pub enum End {
    /// The log: its container may start again, or the connection was closed while it runs.
    Log,
    /// The pod: it is gone.
    Pod,
}

/// How far a pod is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is being read, or waits for a place; whether its container ran when the pod was seen last.
    Reading { runs: bool },
    /// To here, and its container runs no more.
    Read(Option<Timestamp>),
}

type Reads<'a> = FuturesUnordered<BoxFuture<'a, (Stream, Result<End, Report>)>>;

/// The pods that are followed.
pub struct Reader<'a> {
    of: &'a Reading,
    sender: &'a Sender,
    /// Those that were there when reading began, by uid.
    there: HashSet<String>,
    reading: Reads<'a>,
    waiting: VecDeque<Stream>,
    known: HashMap<String, State>,
}

impl<'a> Reader<'a> {
    /// Follows none yet; those that were there from the start are known by uid.
    pub fn new(of: &'a Reading, sender: &'a Sender, there: HashSet<String>) -> Self {
        Reader {
            of,
            sender,
            there,
            reading: FuturesUnordered::new(),
            waiting: VecDeque::new(),
            known: HashMap::new(),
        }
    }

    /// The next stream that ends; none: nothing is being read.
    pub async fn next(&mut self) -> Option<(Stream, Result<End, Report>)> {
        self.reading.next().await
    }

    /// A pod came or changed.
    pub fn changed(&mut self, pod: &Value) -> Result<(), Report> {
        let uid = object::uid(pod);
        let runs = is_running(pod, &self.of.container(pod)?);
        let last = match self.known.get_mut(uid) {
            // The end of its log and the news that it runs again come in either order.
            Some(State::Reading { runs: known }) => {
                *known = runs;
                return Ok(());
            }
            Some(State::Read(_)) if !runs => return Ok(()),
            Some(State::Read(last)) => *last,
            None if !has_begun(pod) => return Ok(()),
            None => None,
        };
        let stream = self.of.stream(pod, last, self.there.contains(uid))?;
        self.known.insert(uid.to_owned(), State::Reading { runs });
        if self.reading.len() < MOST {
            self.read(stream, Duration::ZERO);
        } else {
            self.waiting.push_back(stream);
        }
        Ok(())
    }

    /// A pod was deleted.
    pub fn gone(&mut self, uid: &str) {
        self.waiting.retain(|stream| stream.uid != uid);
        self.known.remove(uid);
    }

    /// A stream ended: one whose container runs, as far as is known, is taken up again; else the next one that waits is.
    pub fn ended(&mut self, mut stream: Stream, end: End) {
        match (self.known.get_mut(&stream.uid), end) {
            (_, End::Pod) => self.gone(&stream.uid),
            (Some(State::Reading { runs: true }), End::Log) => {
                let pause = stream.backoff.next(None);
                return self.read(stream, pause);
            }
            (Some(state), End::Log) => *state = State::Read(stream.last),
            (None, End::Log) => {}
        }
        if let Some(next) = self.waiting.pop_front() {
            self.read(next, Duration::ZERO);
        }
    }

    fn read(&mut self, stream: Stream, pause: Duration) {
        self.reading.push(self.of.read_all(stream, pause, self.sender).boxed());
    }
}

fn is_running(pod: &Value, container: &str) -> bool {
    let mut told = list(pod, "/status/containerStatuses").iter();
    told.any(|status| text(status, "/name") == container && status.pointer("/state/running").is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::core::context::KubeconfigSource;
    use crate::features::kubernetes::client::{Cluster, Session};
    use crate::features::kubernetes::connection::Connection;
    use crate::features::kubernetes::model::WantedLines;
    use crate::features::kubernetes::path::Query;
    use crate::features::kubernetes::way::Way;

    /// What reads the pods of a deployment, of a cluster that nobody asks: a stream is only begun.
    fn reading() -> Reading {
        let way = Way {
            kubeconfig: KubeconfigSource::None,
            kube_context: None,
            triple: None,
            room: None,
            https_proxy: None,
            no_proxy: None,
        };
        Reading {
            session: Session {
                cluster: Arc::new(Cluster::new(Connection::new(way))),
                namespace: String::new(),
            },
            path: String::new(),
            query: Query::new(),
            title: String::new(),
            wanted: WantedLines {
                words: Vec::new(),
                container: None,
                follow: true,
                since: None,
                tail: None,
            },
        }
    }

    fn pod(uid: &str, state: &str) -> Value {
        json!({"metadata": {"name": "web", "uid": uid}, "spec": {"containers": [{"name": "a"}, {"name": "beside"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "beside", "state": {"running": {}}}, {"name": "a", "state": {state: {}}},
        ]}})
    }

    #[tokio::test]
    async fn a_container_that_runs_again_is_read_on_in_whatever_order_its_end_and_that_news_come() {
        let (of, (sender, _lines)) = (reading(), mpsc::channel(1));
        let mut reader = Reader::new(&of, &sender, HashSet::new());
        let stream = || {
            of.stream(&pod("u", "running"), Timestamp::from_second(7).ok(), false)
                .unwrap()
        };
        reader.changed(&pod("u", "running")).unwrap();
        assert_eq!(reader.reading.len(), 1);
        // It ends, and runs again, before the stream of its first run has ended.
        reader.changed(&pod("u", "terminated")).unwrap();
        reader.changed(&pod("u", "running")).unwrap();
        reader.ended(stream(), End::Log);
        assert_eq!(reader.reading.len(), 2, "its second run is read");
        // The other way round.
        reader.changed(&pod("u", "terminated")).unwrap();
        reader.ended(stream(), End::Log);
        assert_eq!(
            (reader.reading.len(), reader.known["u"]),
            (2, State::Read(Timestamp::from_second(7).ok()))
        );
        reader.changed(&pod("u", "waiting")).unwrap();
        assert_eq!(reader.reading.len(), 2);
        reader.changed(&pod("u", "running")).unwrap();
        assert_eq!(reader.reading.len(), 3);
        reader.ended(stream(), End::Pod);
        assert!(
            reader.known.is_empty() && reader.reading.len() == 3,
            "what is gone is not read again"
        );
    }

    #[tokio::test]
    async fn pods_above_the_most_wait_for_a_place() {
        let (of, (sender, _lines)) = (reading(), mpsc::channel(1));
        let mut reader = Reader::new(&of, &sender, HashSet::new());
        for number in 0..MOST + 2 {
            reader.changed(&pod(&number.to_string(), "terminated")).unwrap();
        }
        assert_eq!((reader.reading.len(), reader.waiting.len()), (MOST, 2));
        reader.gone(&MOST.to_string());
        let first = of.stream(&pod("0", "terminated"), None, false).unwrap();
        reader.ended(first, End::Log);
        assert_eq!((reader.reading.len(), reader.waiting.len()), (MOST + 1, 0));
    }
}
