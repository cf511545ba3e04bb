//! List in pages, then watch, for as long as someone looks. Decodes straight into slim rows; no object is kept.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use kube::core::WatchEvent;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::kind::{Kind, Listed};
use super::part::Part;
use super::patience::{BRIEF, PATIENCE, SILENCE, WATCH};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error;
use crate::features::kubernetes::listing::PAGE;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::rights::Need;
use crate::feed::{HealthState, Source};

/// Between two attempts where a right is missing.
const POLL: Duration = Duration::from_secs(5);
/// Events applied under one lock: a burst is one redraw.
const BATCH: usize = 256;

/// Why following ended for now.
enum Broken {
    /// The version is too old for the server: list again.
    Expired,
    /// Another cluster is meant from now on: rows of two never mix.
    Moved,
    /// The user may not list it; which right is missing.
    Denied(SafeText),
    /// It failed; the pause the server asked for.
    Failed(Report, Option<Duration>),
}

/// Keeps `source` up to date until `stop`.
pub(super) async fn follow<K: Kind>(
    kind: K,
    clients: Arc<Clients>,
    context: Arc<Context>,
    source: Arc<Source<K::Row>>,
    stop: CancellationToken,
) {
    let mut feed = Feed {
        kind,
        logins: clients.logins(),
        clients,
        context,
        source,
        part: Part::default(),
        known: None,
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = feed.run() => {}
    }
}

struct Feed<K: Kind> {
    kind: K,
    clients: Arc<Clients>,
    logins: watch::Receiver<u64>,
    context: Arc<Context>,
    source: Arc<Source<K::Row>>,
    part: Part,
    /// What the rows are of.
    known: Option<Session>,
}

impl<K: Kind> Feed<K> {
    async fn run(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            let pause = match self.list_and_watch(&mut backoff).await {
                Broken::Expired => {
                    self.source.set_health(
                        HealthState::Resync,
                        Some("the server dropped old changes; listing again".into()),
                    );
                    backoff.next(None)
                }
                Broken::Moved => {
                    self.source.write(|table| {
                        table.begin_list();
                        table.end_list();
                    });
                    self.source.set_health(
                        HealthState::Resync,
                        Some("the cluster is reached another way; listing again".into()),
                    );
                    Duration::ZERO
                }
                Broken::Denied(missing) => {
                    self.source.set_health(HealthState::Denied, Some(missing));
                    POLL
                }
                Broken::Failed(report, asked) => {
                    self.source.set_health(state_of(&report), Some(reason_of(&report)));
                    backoff.next(asked)
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                // Somebody logged in: what waits for it goes on at once.
                _ = self.logins.changed() => {}
            }
        }
    }

    async fn list_and_watch(&mut self, backoff: &mut Backoff) -> Broken {
        let session = match self.session().await {
            Ok(session) => session,
            Err(broken) => return broken,
        };
        let resource = match self.kind.resource(&session).await {
            Ok(resource) => resource,
            Err(report) => return Broken::Failed(report, None),
        };
        let need = |verb: &'static str| Need {
            verb,
            group: &resource.group,
            resource: &resource.plural,
            namespaced: resource.namespaced,
        };
        if let Some(missing) = self.missing(&session, &need("list")).await {
            return Broken::Denied(missing);
        }
        let everywhere = self.context.kubernetes.everywhere;
        let path = resource.collection((!everywhere).then_some(session.namespace.as_str()));
        let mut version = match self.list(&session, &path).await {
            Ok(version) => version,
            Err(broken) => return broken,
        };
        self.live();
        backoff.reset();
        let mut failed = false;
        loop {
            // Each watch begins with a credential that outlasts it.
            if let Err(broken) = self.session().await {
                return broken;
            }
            self.source.set_login_end(session.cluster.expiring());
            let begun = Instant::now();
            let must_list = match self.missing(&session, &need("watch")).await {
                None => self
                    .watch(&session, &path, &mut version)
                    .await
                    .map(|()| self.kind.withers()),
                // Who may list and not watch has rows all the same, which are a little older.
                Some(_) => {
                    sleep(POLL).await;
                    Ok(true)
                }
            };
            match must_list {
                // The server ended it in time, or the connection was cut: go on where it stopped.
                Ok(must_list) => {
                    failed = false;
                    if begun.elapsed() > BRIEF {
                        backoff.reset();
                    } else {
                        sleep(backoff.next(None)).await;
                    }
                    if must_list || self.could_show_more() {
                        version = match self.list(&session, &path).await {
                            Ok(version) => version,
                            Err(broken) => return broken,
                        };
                        self.live();
                    }
                }
                // Once more from the same version before anything is listed again: rows are kept meanwhile.
                Err(Broken::Failed(report, asked)) if !failed => {
                    failed = true;
                    self.source.set_health(state_of(&report), Some(reason_of(&report)));
                    sleep(backoff.next(asked)).await;
                }
                Err(broken) => return broken,
            }
        }
    }

    /// Which right is missing; none: nobody knows. What is allowed in all namespaces only the server's answer tells.
    async fn missing(&mut self, session: &Session, need: &Need<'_>) -> Option<SafeText> {
        let asked = !(self.context.kubernetes.everywhere && need.namespaced);
        match asked {
            true => self.clients.missing(&self.context, session, need).await,
            false => None,
        }
    }

    /// The session to ask now; [`Broken::Moved`] where it is not that of the rows.
    async fn session(&mut self) -> Result<Session, Broken> {
        let session = self.clients.session(&self.context).await;
        let session = session.map_err(|report| Broken::Failed(report, None))?;
        match self.known.replace(session.clone()) {
            Some(known) if known.is_elsewhere(&session) => Err(Broken::Moved),
            Some(_) => Ok(session),
            None => {
                self.clients.learn(&self.context, &session);
                Ok(session)
            }
        }
    }

    fn live(&self) {
        self.source.set_health(HealthState::Live, None);
    }

    fn could_show_more(&self) -> bool {
        self.source.read(|table, _| self.part.could_show_more(table))
    }

    /// Reads all pages; rows of a page are there as soon as it came. Returns the version to watch from.
    async fn list(&mut self, session: &Session, path: &str) -> Result<String, Broken> {
        let mut next = String::new();
        let mut first = None;
        loop {
            let query = Query::new()
                .with("limit", PAGE.to_string())
                .with_some("continue", Some(&next));
            let target = query.on(path);
            let asked = session.cluster.get_as::<K::Page>(&target, K::ACCEPT);
            let page = timeout(PATIENCE, asked)
                .await
                .map_err(|_| silent(session))?
                .map_err(|e| broken(session, &e))?;
            let begins = first.is_none();
            let Listed {
                version: at,
                next: more,
                rows,
            } = self.kind.page(page);
            let version = first.get_or_insert(at).clone();
            // Nothing is written before an answer came: writing says that there is new data.
            let part = &mut self.part;
            let done = self.source.write(|table| {
                if begins {
                    part.begin(table);
                }
                part.page(table, rows, more.is_empty())
            });
            if done {
                self.source.set_part(self.part.shown());
                return Ok(version);
            }
            next = more;
        }
    }

    /// One watch. `version` moves with it.
    async fn watch(&mut self, session: &Session, path: &str, version: &mut String) -> Result<(), Broken> {
        let query = Query::new()
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", WATCH.as_secs().to_string())
            .with("resourceVersion", &*version);
        let target = query.on(path);
        let opening = session.cluster.watch::<K::Object>(&target, K::ACCEPT);
        let events = timeout(PATIENCE, opening)
            .await
            .map_err(|_| silent(session))?
            .map_err(|e| broken(session, &e))?;
        if self.source.health().state != HealthState::Live {
            self.live();
        }
        self.source.touch();
        // What is there already is taken at once, so that a burst is applied under one lock.
        let events = events.ready_chunks(BATCH);
        pin_mut!(events);
        loop {
            let chunk = tokio::select! {
                chunk = timeout(SILENCE, events.next()) => chunk,
                // It does not end any more, or later; or it is another cluster's by now.
                Ok(()) = self.logins.changed() => {
                    self.session().await?;
                    self.source.set_login_end(session.cluster.expiring());
                    continue;
                }
            };
            let chunk = match chunk {
                Err(_) => return Err(silent(session)),
                Ok(None) => return Ok(()),
                Ok(Some(chunk)) => chunk,
            };
            self.apply(session, chunk, version)?;
        }
    }

    fn apply(
        &mut self,
        session: &Session,
        chunk: Vec<Result<WatchEvent<K::Object>, kube::Error>>,
        version: &mut String,
    ) -> Result<(), Broken> {
        if let [Ok(WatchEvent::Bookmark(mark))] = chunk.as_slice() {
            version.clone_from(&mark.metadata.resource_version);
            self.source.touch();
            return Ok(());
        }
        let (kind, part) = (&mut self.kind, &mut self.part);
        let applied = self.source.write(|table| {
            for event in chunk {
                match event {
                    Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                        let changed = kind.object(object);
                        *version = changed.version;
                        for (key, row) in changed.rows {
                            part.put(table, key, row);
                        }
                    }
                    Ok(WatchEvent::Deleted(object)) => {
                        let changed = kind.object(object);
                        *version = changed.version;
                        for (key, _) in changed.rows {
                            table.remove(&key);
                        }
                    }
                    Ok(WatchEvent::Bookmark(mark)) => *version = mark.metadata.resource_version,
                    Ok(WatchEvent::Error(status)) if status.code == 410 => return Err(Broken::Expired),
                    Ok(WatchEvent::Error(status)) => return Err(Broken::Failed(error::of_status(&status), None)),
                    Err(error) => return Err(broken(session, &error)),
                }
            }
            Ok(())
        });
        self.source.set_part(self.part.shown());
        applied
    }
}

/// The server took longer than [`PATIENCE`].
pub fn does_not_answer(session: &Session) -> Report {
    Report::failed(
        error::UNREACHABLE,
        format!("{} does not answer", session.cluster.server()),
    )
}

fn silent(session: &Session) -> Broken {
    Broken::Failed(does_not_answer(session), None)
}

fn broken(session: &Session, error: &kube::Error) -> Broken {
    if error::code(error) == Some(410) {
        return Broken::Expired;
    }
    Broken::Failed(session.cluster.report(error), error::pause(error))
}

/// What a failure means for what is shown.
pub(super) fn state_of(report: &Report) -> HealthState {
    match report.code {
        error::UNAUTHORIZED | error::LOGIN => HealthState::Login,
        error::FORBIDDEN => HealthState::Denied,
        error::NOT_CONFIGURED | error::KUBECONFIG | error::NOT_FOUND | error::UNKNOWN_TYPE => HealthState::Failed,
        _ => HealthState::Stale,
    }
}

pub(super) fn reason_of(report: &Report) -> SafeText {
    let hint = report
        .hint
        .as_ref()
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    SafeText::line(&format!("{}{hint}", report.sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_s_state_tells_what_to_do() {
        let of = |code: &'static str| state_of(&Report::failed(code, ""));
        assert_eq!(of(error::UNAUTHORIZED), HealthState::Login);
        assert_eq!(of(error::LOGIN), HealthState::Login);
        assert_eq!(of(error::FORBIDDEN), HealthState::Denied);
        assert_eq!(of(error::NOT_CONFIGURED), HealthState::Failed);
        assert_eq!(of(error::UNREACHABLE), HealthState::Stale);
    }
}
