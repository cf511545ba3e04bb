//! Changes of a collection for as long as somebody wants them: a watch that outlasts its connections, and what of them
//! was told already. Not for how they are shown, and not for the feeds, which keep rows.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Session;
use crate::features::kubernetes::error;
use crate::features::kubernetes::feed::Backoff;
use crate::features::kubernetes::object::{self, text};
use crate::features::kubernetes::path::Query;
use crate::verb::Call;

/// A watch that ended well sooner is followed by the next one after a pause.
const BRIEF: Duration = Duration::from_secs(1);

/// What comes of a watch.
pub enum Next {
    /// What happened, `ADDED`, `MODIFIED` or `DELETED`, and to what: an object, or a table of it.
    Event(&'static str, Value),
    /// The server does not know any more what happened since: list again, and [`Watching::begin`] from there.
    Expired,
}

/// One watch after the other, each from where the one before stopped. The server ends them after minutes, connections are
/// cut, and servers are away for a while: that is waited out. It ends by what no patience mends, or by its caller.
pub struct Watching<'a> {
    call: &'a Call,
    session: &'a Session,
    path: String,
    query: Query,
    accept: &'static str,
    version: String,
    events: Option<BoxStream<'static, Result<WatchEvent<Value>, kube::Error>>>,
    begun: Instant,
    backoff: Backoff,
    /// The operator was told that it is interrupted.
    told: bool,
}

impl<'a> Watching<'a> {
    /// One of the collection at `path`, which accepts this media type. It begins at no version.
    pub fn new(call: &'a Call, session: &'a Session, path: &str, query: &Query, accept: &'static str) -> Self {
        Watching {
            call,
            session,
            path: path.to_owned(),
            query: query.clone().with("watch", "true").with("allowWatchBookmarks", "true"),
            accept,
            version: String::new(),
            events: None,
            begun: Instant::now(),
            backoff: Backoff::default(),
            told: false,
        }
    }

    /// Goes on from a list's version.
    pub fn begin(&mut self, version: &str) {
        self.version = version.to_owned();
        self.events = None;
    }

    /// Waits for the next event, through any number of connections.
    ///
    /// # Errors
    /// What the server refuses for good, such as a missing right.
    pub async fn next(&mut self) -> Result<Next, Report> {
        loop {
            let Some(events) = &mut self.events else {
                if self.open().await?.is_none() {
                    return Ok(Next::Expired);
                }
                continue;
            };
            let (word, value) = match events.next().await {
                None => {
                    self.events = None;
                    // In its time; one that ends at once would be asked for without a pause.
                    match self.begun.elapsed() < BRIEF {
                        true => sleep(self.backoff.next(None)).await,
                        false => self.backoff.reset(),
                    }
                    continue;
                }
                Some(Ok(WatchEvent::Added(value))) => ("ADDED", value),
                Some(Ok(WatchEvent::Modified(value))) => ("MODIFIED", value),
                Some(Ok(WatchEvent::Deleted(value))) => ("DELETED", value),
                Some(Ok(WatchEvent::Bookmark(mark))) => {
                    self.version = mark.metadata.resource_version;
                    continue;
                }
                Some(Ok(WatchEvent::Error(status))) => {
                    if self.broken(kube::Error::Api(status)).await?.is_none() {
                        return Ok(Next::Expired);
                    }
                    continue;
                }
                Some(Err(error)) => {
                    if self.broken(error).await?.is_none() {
                        return Ok(Next::Expired);
                    }
                    continue;
                }
            };
            self.backoff.reset();
            self.told = false;
            if let Some(version) = version_of(&value) {
                self.version = version.to_owned();
            }
            return Ok(Next::Event(word, value));
        }
    }

    /// Begins the next watch, now or later. `None`: the version is too old.
    async fn open(&mut self) -> Result<Option<()>, Report> {
        let query = self.query.clone().with("resourceVersion", &self.version);
        match self
            .session
            .cluster
            .watch::<Value>(&query.on(&self.path), self.accept)
            .await
        {
            Ok(events) => {
                self.begun = Instant::now();
                self.events = Some(events.boxed());
                Ok(Some(()))
            }
            Err(error) => self.broken(error).await,
        }
    }

    /// Waits out what may pass. `None`: the version is too old.
    async fn broken(&mut self, error: kube::Error) -> Result<Option<()>, Report> {
        self.events = None;
        if error::code(&error) == Some(410) {
            return Ok(None);
        }
        if !error::may_pass(&error) {
            return Err(self.session.cluster.report(&error));
        }
        // A connection that is cut while it is silent is nothing new; one that cannot be had again is.
        if !self.told && self.begun.elapsed() < BRIEF {
            self.told = true;
            let report = self.session.cluster.report(&error);
            let words = format!(
                "the watch is interrupted and goes on as soon as it can: {}",
                report.sentence()
            );
            self.call.operator.note(SafeText::line(&words));
        }
        self.begun = Instant::now();
        sleep(self.backoff.next(error::pause(&error))).await;
        Ok(Some(()))
    }
}

/// Where the collection stands after an event: the version of its object, which a table has in its row.
fn version_of(value: &Value) -> Option<&str> {
    ["/rows/0/object/metadata/resourceVersion", "/metadata/resourceVersion"]
        .into_iter()
        .map(|at| text(value, at))
        .find(|version| !version.is_empty())
}

/// Which states of which objects were told. As many as there are objects: those that are gone are forgotten.
#[derive(Default)]
pub struct Told {
    /// The version that was told, and the list in which the object was seen last.
    states: HashMap<String, (String, u64)>,
    list: u64,
}

impl Told {
    /// A list begins.
    pub fn begin_list(&mut self) {
        self.list += 1;
    }

    /// It is complete: what was not in it is gone.
    pub fn end_list(&mut self) {
        let list = self.list;
        self.states.retain(|_, (_, seen)| *seen == list);
    }

    /// Whether an object's state was not told yet; it is from now on.
    pub fn is_news(&mut self, object: &Value) -> bool {
        let version = text(object, "/metadata/resourceVersion").to_owned();
        let before = self.states.insert(key(object), (version.clone(), self.list));
        version.is_empty() || before.is_none_or(|(told, _)| told != version)
    }

    /// An object is gone.
    pub fn forget(&mut self, object: &Value) {
        self.states.remove(&key(object));
    }
}

/// What an object is known by; some types have no identities.
fn key(object: &Value) -> String {
    match object::uid(object) {
        "" => format!("{}/{}", object::namespace(object), object::name(object)),
        uid => uid.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_is_news_once() {
        let object = |uid: &str, version: &str| json!({"metadata": {"uid": uid, "resourceVersion": version}});
        let mut told = Told::default();
        assert!(told.is_news(&object("a", "1")) && !told.is_news(&object("a", "1")));
        assert!(told.is_news(&object("a", "2")) && told.is_news(&object("b", "1")));
        told.begin_list();
        assert!(!told.is_news(&object("b", "1")));
        told.end_list();
        assert!(told.is_news(&object("a", "2")) && !told.is_news(&object("b", "1")));
        told.forget(&object("b", "1"));
        assert!(told.is_news(&object("b", "1")));
        let nameless = |name: &str| json!({"metadata": {"name": name}});
        assert!(told.is_news(&nameless("x")) && told.is_news(&nameless("y")) && told.is_news(&nameless("x")));
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
