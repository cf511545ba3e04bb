//! Changes of a collection for as long as somebody wants them: a watch that outlasts its connections, and what of them
//! was told already. Not for how they are shown, and not for the feeds, which keep rows.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::patience::{Answer, Patience};
use crate::core::report::Report;
use crate::features::kubernetes::client::Session;
use crate::features::kubernetes::feed::Backoff;
use crate::features::kubernetes::feed::patience::{BRIEF, SILENCE, WATCH};
use crate::features::kubernetes::object::{self, text};
use crate::features::kubernetes::path::Query;
use crate::verb::Call;

/// What comes of a watch.
pub enum Next {
    /// What happened, `ADDED`, `MODIFIED` or `DELETED`, and to what: an object, or a table of it.
    Event(&'static str, Value),
    /// The server does not know any more what happened since: list again, and [`Watching::begin`] from there.
    Expired,
}

/// One watch after the other, each from where the one before stopped. The server ends them after a while, connections are
/// cut or fall silent, and servers are away for a while: that is waited out. It ends by what no patience mends, or by its
/// caller.
pub struct Watching<'a> {
    session: &'a Session,
    path: String,
    query: Query,
    accept: &'static str,
    version: String,
    events: Option<BoxStream<'static, Result<WatchEvent<Value>, kube::Error>>>,
    begun: Instant,
    /// Of watches that end well.
    backoff: Backoff,
    patience: Patience<'a>,
}

impl<'a> Watching<'a> {
    /// One of the collection at `path`, which accepts this media type. It begins at no version.
    pub fn new(call: &'a Call, session: &'a Session, path: &str, query: &Query, accept: &'static str) -> Self {
        let query = query
            .clone()
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", WATCH.as_secs().to_string());
        Watching {
            session,
            path: path.to_owned(),
            query,
            accept,
            version: String::new(),
            events: None,
            begun: Instant::now(),
            backoff: Backoff::default(),
            patience: Patience::new(call, session, "the watch"),
        }
    }

    /// Goes on from a list's version.
    pub fn begin(&mut self, version: &str) {
        self.version = version.to_owned();
        self.events = None;
    }

    /// Asks what the watch needs to go on, as patiently as it watches.
    ///
    /// # Errors
    /// What no patience mends.
    pub async fn ask<T>(&mut self, asking: impl Future<Output = Result<T, kube::Error>>) -> Result<Answer<T>, Report> {
        self.patience.ask(asking).await
    }

    /// Waits for the next event, through any number of connections.
    ///
    /// # Errors
    /// What the server refuses for good, such as a missing right.
    pub async fn next(&mut self) -> Result<Next, Report> {
        loop {
            let Some(events) = &mut self.events else {
                if let Answer::Expired = self.open().await? {
                    return Ok(Next::Expired);
                }
                continue;
            };
            let (word, value) = match timeout(SILENCE, events.next()).await {
                // It should have ended long since: nobody is there any more.
                Err(_) => {
                    self.events = None;
                    continue;
                }
                Ok(None) => {
                    self.events = None;
                    // In its time; one that ends at once would be asked for without a pause.
                    match self.begun.elapsed() < BRIEF {
                        true => sleep(self.backoff.next(None)).await,
                        false => self.stood(),
                    }
                    continue;
                }
                Ok(Some(Ok(WatchEvent::Added(value)))) => ("ADDED", value),
                Ok(Some(Ok(WatchEvent::Modified(value)))) => ("MODIFIED", value),
                Ok(Some(Ok(WatchEvent::Deleted(value)))) => ("DELETED", value),
                Ok(Some(Ok(WatchEvent::Bookmark(mark)))) => {
                    self.version = mark.metadata.resource_version;
                    continue;
                }
                Ok(Some(Ok(WatchEvent::Error(status)))) => match self.broken(kube::Error::Api(status)).await? {
                    Answer::Expired => return Ok(Next::Expired),
                    Answer::Later | Answer::Is(()) => continue,
                },
                Ok(Some(Err(error))) => match self.broken(error).await? {
                    Answer::Expired => return Ok(Next::Expired),
                    Answer::Later | Answer::Is(()) => continue,
                },
            };
            self.stood();
            if let Some(version) = version_of(&value) {
                self.version = version.to_owned();
            }
            return Ok(Next::Event(word, value));
        }
    }

    /// It works.
    fn stood(&mut self) {
        self.backoff.reset();
        self.patience.reset();
    }

    /// Begins the next watch, now or later.
    async fn open(&mut self) -> Result<Answer<()>, Report> {
        let path = self.query.clone().with("resourceVersion", &self.version).on(&self.path);
        let opening = self.session.cluster.watch::<Value>(&path, self.accept);
        Ok(match self.patience.ask(opening).await? {
            Answer::Is(events) => {
                self.begun = Instant::now();
                self.events = Some(events.boxed());
                Answer::Is(())
            }
            Answer::Later => Answer::Later,
            Answer::Expired => Answer::Expired,
        })
    }

    /// A watch that stood broke. That is nothing new where it was silent for a while: it is had again at once.
    async fn broken(&mut self, error: kube::Error) -> Result<Answer<()>, Report> {
        self.events = None;
        if self.begun.elapsed() >= BRIEF {
            self.stood();
        }
        self.patience.broken(&error).await
    }
}

/// Where the collection stands after an event: the version of its object, which a table has in its row.
fn version_of(value: &Value) -> Option<&str> {
    ["/rows/0/object/metadata/resourceVersion", "/metadata/resourceVersion"]
        .into_iter()
        .map(|at| text(value, at))
        .find(|version| !version.is_empty())
}

/// Which states of which objects were told, each with what its caller keeps of it. As many as there are objects: those
/// that are gone are forgotten.
pub struct Told<T> {
    states: HashMap<String, State<T>>,
    list: u64,
}

struct State<T> {
    uid: String,
    /// The version that was told.
    version: String,
    /// The list in which the object was seen last.
    seen: u64,
    kept: T,
}

/// What a state of an object is to those who were told the ones before.
#[derive(Debug, PartialEq, Eq)]
pub enum News<T> {
    /// There was no such object.
    New,
    /// There was another of its name, of which this was kept.
    Replaced(T),
    /// It was otherwise.
    Changed,
    /// It was told.
    Known,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Told {
            states: HashMap::new(),
            list: 0,
        }
    }
}

impl<T> Told<T> {
    /// A list begins.
    pub fn begin_list(&mut self) {
        self.list += 1;
    }

    /// It is complete: what was not in it is gone. Gives what was kept of that.
    pub fn end_list(&mut self) -> Vec<T> {
        let list = self.list;
        let gone = self.states.extract_if(|_, state| state.seen != list);
        gone.map(|(_, state)| state.kept).collect()
    }

    /// What an object's state is; from now on it is told.
    pub fn see(&mut self, object: &Value, kept: T) -> News<T> {
        let state = State {
            uid: object::uid(object).to_owned(),
            version: text(object, "/metadata/resourceVersion").to_owned(),
            seen: self.list,
            kept,
        };
        let (uid, version) = (state.uid.clone(), state.version.clone());
        match self.states.insert(key(object), state) {
            None => News::New,
            Some(before) if before.uid != uid => News::Replaced(before.kept),
            // Some types have no versions.
            Some(before) if version.is_empty() || before.version != version => News::Changed,
            Some(_) => News::Known,
        }
    }

    /// An object is gone.
    pub fn forget(&mut self, object: &Value) {
        self.states.remove(&key(object));
    }
}

/// What an object is known by in its collection.
fn key(object: &Value) -> String {
    format!("{}/{}", object::namespace(object), object::name(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_is_news_once() {
        let object = |name: &str, uid: &str, version: &str| json!({"metadata": {"name": name, "uid": uid, "resourceVersion": version}});
        let mut told = Told::default();
        assert_eq!(told.see(&object("a", "1", "1"), "a1"), News::New);
        assert_eq!(told.see(&object("a", "1", "1"), "a1"), News::Known);
        assert_eq!(told.see(&object("a", "1", "2"), "a2"), News::Changed);
        assert_eq!(told.see(&object("b", "2", "1"), "b1"), News::New);
        assert_eq!(told.see(&object("c", "3", "1"), "c1"), News::New);
        told.begin_list();
        assert_eq!(told.see(&object("b", "2", "1"), "b1"), News::Known);
        assert_eq!(told.see(&object("c", "4", "9"), "c9"), News::Replaced("c1"));
        assert_eq!(told.end_list(), ["a2"]);
        assert_eq!(told.see(&object("a", "1", "2"), "a2"), News::New);
        told.forget(&object("b", "2", "1"));
        assert_eq!(told.see(&object("b", "2", "1"), "b1"), News::New);
        let without_version = json!({"metadata": {"name": "x"}});
        assert_eq!(told.see(&without_version, "x"), News::New);
        assert_eq!(
            told.see(&without_version, "x"),
            News::Changed,
            "without a version nobody knows"
        );
    }

    #[test]
    fn a_table_s_version_is_its_row_s() {
        let row =
            json!({"metadata": {"resourceVersion": "1"}, "rows": [{"object": {"metadata": {"resourceVersion": "7"}}}]});
        assert_eq!(version_of(&row), Some("7"));
        assert_eq!(version_of(&json!({"metadata": {"resourceVersion": "3"}})), Some("3"));
        assert_eq!(version_of(&json!({})), None);
    }
}
