//! The way to the API server: one client per kubeconfig and kube context, opened at first use and shared by verbs,
//! feeds and completers. Not for what is asked: paths and bodies are the callers'.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

pub use super::cluster::{Cluster, JSON, JSON_PATCH, MERGE_PATCH, NAMES_ONLY, STRATEGIC_PATCH, TABLE};
use super::connection::{Connection, Pass, Turn};
pub use super::credential::Asking;
use super::discovery::Discovery;
use super::kubeconfig::Triple;
use super::rights::{Need, Rights};
use super::verbs::common::Remembered;
use super::way::Way;
use crate::core::context::{Context, KubeconfigSource};
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::verb::Call;

/// The variables that the layers of the bundle's configuration set, for a room. Asked for every session of a context
/// whose cluster they may name.
pub type Variables =
    Arc<dyn Fn(Option<String>) -> BoxFuture<'static, Result<BTreeMap<String, Secret>, Report>> + Send + Sync>;

/// What a user may do, and by which credential that was asked.
type Told = (Option<Pass>, Arc<Rights>);

/// All clients of this process.
#[derive(Default)]
pub struct Clients {
    /// By what leads to the cluster, whatever its token; a namespace is not worth a connection of its own.
    open: Mutex<HashMap<Way, Arc<Cluster>>>,
    variables: Option<Variables>,
    logins: watch::Sender<u64>,
    /// What the users of contexts may do, as it was told last, and to whom.
    rights: Mutex<HashMap<Arc<Context>, Told>>,
    /// The sessions that feeds of contexts had last.
    sessions: Mutex<HashMap<Arc<Context>, Session>>,
    /// Held by who asks for that: one question serves all panels.
    reviewing: tokio::sync::Mutex<()>,
    /// Where the calls that plan a change found what they change.
    planned: Remembered<Session>,
}

/// A cluster together with the namespace a call means when it names none.
#[derive(Clone)]
pub struct Session {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The namespace of the context.
    pub namespace: String,
}

impl Session {
    fn of(cluster: Arc<Cluster>, context: &Context) -> Session {
        let own = context.kubernetes.namespace.clone();
        Session {
            namespace: own.unwrap_or_else(|| cluster.connection().namespace().to_owned()),
            cluster,
        }
    }

    /// Whether it is another cluster or namespace than this one. A renewed credential is no other cluster.
    pub fn is_elsewhere(&self, other: &Session) -> bool {
        !Arc::ptr_eq(&self.cluster, &other.cluster) || self.namespace != other.namespace
    }
}

/// A login whose turn it is: nobody else asks the credential plugin meanwhile.
pub struct Login {
    clients: Arc<Clients>,
    context: Context,
    way: Way,
    cluster: Arc<Cluster>,
    turn: Turn,
}

impl Login {
    /// Whether a credential plugin is asked that may want to ask somebody.
    pub async fn may_ask(&self) -> Result<bool, Report> {
        self.cluster.connection().may_ask().await
    }

    /// Opens the cluster of the context anew. What waits for a login goes on at once. With [`Asking::Person`] the
    /// terminal must have been lent to its credential plugin.
    pub async fn run(self, asking: Asking) -> Result<Session, Report> {
        let mut cluster = self.cluster;
        if let Some(other) = cluster.connection().again(self.turn, asking).await? {
            cluster = Arc::new(Cluster::new(other));
            held(&self.clients.open).insert(self.way, cluster.clone());
        }
        // Somebody else may have logged in.
        held(&self.clients.rights).clear();
        self.clients.logins.send_modify(|count| *count += 1);
        Ok(Session::of(cluster, &self.context))
    }
}

impl Clients {
    /// No open connections.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// No open connections; the bundle's configuration may name a cluster.
    pub fn configured(variables: Variables) -> Arc<Self> {
        Arc::new(Clients {
            variables: Some(variables),
            ..Self::default()
        })
    }

    /// The cluster of a context, opened when it is not open yet. It stays the same cluster and namespace whatever becomes
    /// of the kubeconfig; another one only where the bundle's configuration names another server, or after a login.
    pub async fn session(&self, context: &Context) -> Result<Session, Report> {
        let cluster = self.cluster(self.way(context).await?);
        cluster.connection().client().await?;
        Ok(Session::of(cluster, context))
    }

    /// The session that a call plans its change with: the same one for every plan of it, and for [`Clients::planned`].
    pub async fn planning(&self, call: &Call) -> Result<Session, Report> {
        if let Some(session) = self.planned.get(call, &call.context.name) {
            return Ok(session);
        }
        let session = self.session(&call.context).await?;
        self.planned.keep(call, &call.context.name, session.clone());
        Ok(session)
    }

    /// The session that a call planned with: what was approved is about that cluster, whatever was configured since.
    pub async fn planned(&self, call: &Call) -> Result<Session, Report> {
        match self.planned.get(call, &call.context.name) {
            Some(session) => Ok(session),
            None => self.session(&call.context).await,
        }
    }

    /// Waits until it is this login's turn: a credential plugin may be running.
    pub async fn login(self: &Arc<Self>, context: &Context) -> Result<Login, Report> {
        let way = self.way(context).await?;
        let cluster = self.cluster(way.clone());
        Ok(Login {
            turn: cluster.connection().turn().await,
            clients: self.clone(),
            context: context.clone(),
            way: way.without_token(),
            cluster,
        })
    }

    /// Which right is missing for something in a session's namespace; none: it is allowed, or nobody knows. Asked of
    /// the server where what it told last is old.
    pub async fn missing(&self, context: &Arc<Context>, session: &Session, need: &Need<'_>) -> Option<SafeText> {
        let is_old = |rights: &Rights| rights.is_old(Timestamp::now(), need);
        self.rights(context, session, is_old).await.missing(need)
    }

    /// Which right is missing for something, as far as the server told lately. Asks only beside this, for the next time:
    /// a right may be granted at any moment.
    pub fn denied(self: &Arc<Self>, context: &Arc<Context>, need: &Need<'_>) -> Option<SafeText> {
        // The rows are of any namespace, and of those only one was asked about.
        if context.kubernetes.everywhere && need.namespaced {
            return None;
        }
        let (_, rights) = held(&self.rights).get(context).cloned()?;
        let missing = rights.missing(need)?;
        let now = Timestamp::now();
        if rights.is_old(now, need)
            && self.reviewing.try_lock().is_ok()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (clients, context) = (self.clone(), context.clone());
            runtime.spawn(async move {
                if let Ok(session) = clients.session(&context).await {
                    let is_older = |rights: &Rights| rights.is_older_than(now);
                    clients.rights(&context, &session, is_older).await;
                }
            });
        }
        (!rights.is_past(now)).then_some(missing)
    }

    /// What the user may do, asked of the server where what it told last is old, or was told to somebody else.
    async fn rights(&self, context: &Arc<Context>, session: &Session, is_old: impl Fn(&Rights) -> bool) -> Arc<Rights> {
        let pass = || session.cluster.connection().pass();
        let known = || {
            let (told, rights) = held(&self.rights).get(context).cloned()?;
            (told == pass() && !is_old(&rights)).then_some(rights)
        };
        if let Some(rights) = known() {
            return rights;
        }
        let _reviewing = self.reviewing.lock().await;
        if let Some(rights) = known() {
            return rights;
        }
        let asked = pass();
        let rights = Arc::new(Rights::ask(&session.cluster, &session.namespace).await);
        held(&self.rights).insert(context.clone(), (asked, rights.clone()));
        rights
    }

    /// A feed of this context has a session.
    pub fn learn(&self, context: &Arc<Context>, session: &Session) {
        held(&self.sessions).insert(context.clone(), session.clone());
    }

    /// What the cluster that the feeds of a context look at serves; none: nobody has asked it yet.
    pub fn discovered(&self, context: &Arc<Context>) -> Option<Arc<Discovery>> {
        held(&self.sessions).get(context)?.cluster.discovered()
    }

    /// The namespace that the feeds of a context look at; none: none of them has found its cluster yet.
    pub fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        held(&self.sessions)
            .get(context)
            .map(|session| session.namespace.clone())
    }

    /// Wakes after each login.
    pub fn logins(&self) -> watch::Receiver<u64> {
        self.logins.subscribe()
    }

    /// Whether anything names a cluster for a context: a kubeconfig, or the layers of the bundle's configuration. Asks
    /// no server.
    pub async fn names_a_cluster(&self, context: &Context) -> bool {
        let way = self.way(context).await;
        way.is_ok_and(|way| way.triple.is_some() || way.kubeconfig != KubeconfigSource::None)
    }

    async fn way(&self, context: &Context) -> Result<Way, Report> {
        let target = &context.kubernetes;
        let triple = match &self.variables {
            Some(variables) if target.configurable && !context.closed => {
                Triple::of(&variables(context.room.clone()).await?)?
            }
            _ => None,
        };
        Ok(Way {
            kubeconfig: target.kubeconfig.clone(),
            kube_context: target.kube_context.clone(),
            room: context.room.clone().filter(|_| triple.is_some()),
            triple,
            https_proxy: target.https_proxy.clone(),
            no_proxy: context.no_proxy.clone(),
        })
    }

    fn cluster(&self, way: Way) -> Arc<Cluster> {
        let mut open = held(&self.open);
        let cluster = open
            .entry(way.clone().without_token())
            .or_insert_with(|| Arc::new(Cluster::new(Connection::new(way.clone()))))
            .clone();
        drop(open);
        cluster.connection().goes(way);
        cluster
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod tests;
