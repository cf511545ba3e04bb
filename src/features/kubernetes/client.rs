//! The way to the API server: one client per kubeconfig and kube context, opened at first use and shared by verbs,
//! feeds and completers. Not for what is asked: paths and bodies are the callers'.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

pub use super::cluster::{Cluster, JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, TABLE};
pub use super::credential::Asking;
use super::kubeconfig::Triple;
use super::rights::{Need, Rights};
use super::way::{self, Way};
use super::{credential, error};
use crate::core::context::{Context, KubeconfigSource};
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};

/// How long a connection may take to come about; longer means the server is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A credential that could not be renewed ahead is tried again after this time.
const RETRY: Duration = Duration::from_secs(10);
/// So long what is asked for waits for a renewal of a credential that still counts.
const WAIT: Duration = Duration::from_secs(2);
/// A plugin whose credentials the server refused is asked again after this time.
const REFUSED: Duration = Duration::from_secs(10);

/// The variables that the layers of the bundle's configuration set, for a room. Asked for every session of a context
/// whose cluster they may name.
pub type Variables =
    Arc<dyn Fn(Option<String>) -> BoxFuture<'static, Result<BTreeMap<String, Secret>, Report>> + Send + Sync>;

/// All clients of this process.
#[derive(Default)]
pub struct Clients {
    /// By what leads to the cluster; a namespace is not worth a connection of its own.
    open: Mutex<HashMap<Way, Arc<Slot>>>,
    variables: Option<Variables>,
    logins: watch::Sender<u64>,
    /// What the users of contexts may do, as it was told last.
    rights: Mutex<HashMap<Arc<Context>, Arc<Rights>>>,
    /// Held by who asks for that: one question serves all panels.
    reviewing: tokio::sync::Mutex<()>,
}

/// The place of one cluster's connection.
#[derive(Default)]
struct Slot {
    opened: Mutex<Option<Opened>>,
    /// Held by who opens or renews: a plugin runs once, however many wait for it.
    busy: Arc<tokio::sync::Mutex<()>>,
    /// When the server refused a plugin's credential last, and whether it had done so just before.
    refused: Mutex<Option<(Timestamp, bool)>>,
}

#[derive(Clone)]
struct Opened {
    cluster: Arc<Cluster>,
    namespace: String,
}

/// A cluster together with the namespace a call means when it names none.
#[derive(Clone)]
pub struct Session {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The namespace of the context.
    pub namespace: String,
}

impl Slot {
    fn opened(&self) -> Option<Opened> {
        held(&self.opened).clone()
    }

    fn keep(&self, opened: &Opened) {
        *held(&self.opened) = Some(opened.clone());
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

    /// The cluster of a context, opened when it is not open yet, with a credential that is renewed before it ends. A
    /// failure is not kept: the next call tries again.
    pub async fn session(&self, context: &Context) -> Result<Session, Report> {
        let way = self.way(context).await?;
        let slot = self.slot(&way);
        let now = Timestamp::now();
        let opened = match slot.opened() {
            Some(opened) if !opened.cluster.lease().is_due(now) => opened,
            Some(opened) if !opened.cluster.lease().is_over(now) => renewed(&slot, &way, opened).await,
            _ => {
                let _busy = slot.busy.lock().await;
                match slot.opened() {
                    Some(opened) if !opened.cluster.lease().is_over(now) => opened,
                    before => {
                        patient(&slot, now)?;
                        let opened = open(&way, before.as_ref(), Asking::Nobody).await?;
                        slot.keep(&opened);
                        opened
                    }
                }
            }
        };
        let own = context.kubernetes.namespace.clone();
        Ok(Session {
            cluster: opened.cluster,
            namespace: own.unwrap_or(opened.namespace),
        })
    }

    /// Forgets a client of a context whose credential the server refused, so that the next use reads its kubeconfig
    /// again: a token may have been renewed. Where that was done already, the newer one stays.
    pub async fn refused(&self, context: &Context, cluster: &Arc<Cluster>) {
        let Ok(way) = self.way(context).await else { return };
        let slot = self.slot(&way);
        let before = held(&slot.opened).take_if(|opened| Arc::ptr_eq(&opened.cluster, cluster));
        if before.is_some_and(|opened| opened.cluster.credential().plugin) {
            // The first time the plugin is asked at once for another; were that refused too, after a while.
            let (now, mut refused) = (Timestamp::now(), held(&slot.refused));
            *refused = Some((now, refused.is_some_and(|(at, _)| at + 2 * REFUSED > now)));
        }
    }

    /// Opens the cluster of a context anew. What waits for a login goes on at once. With [`Asking::Person`] the terminal
    /// must have been lent to its credential plugin.
    pub async fn login(&self, context: &Context, asking: Asking) -> Result<Session, Report> {
        let way = self.way(context).await?;
        let slot = self.slot(&way);
        let _busy = slot.busy.lock().await;
        let opened = open(&way, None, asking).await?;
        slot.keep(&opened);
        *held(&slot.refused) = None;
        // Somebody else may have logged in.
        held(&self.rights).clear();
        self.logins.send_modify(|count| *count += 1);
        Ok(Session {
            cluster: opened.cluster,
            namespace: context.kubernetes.namespace.clone().unwrap_or(opened.namespace),
        })
    }

    /// Which right is missing for something in a session's namespace; none: it is allowed, or nobody knows. Asked of
    /// the server where what it told last is old.
    pub async fn missing(&self, context: &Arc<Context>, session: &Session, need: &Need<'_>) -> Option<SafeText> {
        let known = || {
            let rights = held(&self.rights).get(context).cloned();
            rights.filter(|rights| !rights.is_old(Timestamp::now(), need))
        };
        if let Some(rights) = known() {
            return rights.missing(need);
        }
        let _reviewing = self.reviewing.lock().await;
        if let Some(rights) = known() {
            return rights.missing(need);
        }
        let rights = Arc::new(Rights::ask(&session.cluster, &session.namespace).await);
        let missing = rights.missing(need);
        held(&self.rights).insert(context.clone(), rights);
        missing
    }

    /// Which right is missing for something, as far as the server told already. Never asks.
    pub fn denied(&self, context: &Arc<Context>, need: &Need<'_>) -> Option<SafeText> {
        held(&self.rights).get(context)?.missing(need)
    }

    /// Wakes after each login.
    pub fn logins(&self) -> watch::Receiver<u64> {
        self.logins.subscribe()
    }

    /// Whether a context's cluster is asked with a credential that a plugin gives.
    pub async fn has_plugin(&self, context: &Context) -> Result<bool, Report> {
        let config = self.way(context).await?.config().await?;
        Ok(config.auth_info.exec.is_some())
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
            triple,
            https_proxy: target.https_proxy.clone(),
            no_proxy: context.no_proxy.clone(),
        })
    }

    fn slot(&self, way: &Way) -> Arc<Slot> {
        held(&self.open).entry(way.clone()).or_default().clone()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses to run a plugin again soon after the server refused what it gave twice: that would be a program every second.
fn patient(slot: &Slot, now: Timestamp) -> Result<(), Report> {
    match *held(&slot.refused) {
        Some((at, true)) if at + REFUSED > now => Err(Report::failed(
            error::LOGIN,
            "the server refuses what the credential plugin gives (Unauthorized)",
        )
        .hint("kubectl:login asks the plugin with the terminal lent to it")),
        _ => Ok(()),
    }
}

/// The connection with its next credential; the present one, which lets us in for a while yet, where there is none, or
/// where it takes longer than anybody should wait for it.
async fn renewed(slot: &Arc<Slot>, way: &Way, present: Opened) -> Opened {
    let Ok(busy) = slot.busy.clone().try_lock_owned() else {
        // Another one renews it.
        return present;
    };
    let (slot, way, before) = (slot.clone(), way.clone(), present.clone());
    let renewing = tokio::spawn(async move {
        let _busy = busy;
        match open(&way, Some(&before), Asking::Nobody).await {
            Ok(opened) => {
                slot.keep(&opened);
                Some(opened)
            }
            Err(report) => {
                let mut lease = before.cluster.lease();
                let next = Timestamp::now() + RETRY;
                lease.renew = Some(lease.ends.map_or(next, |ends| next.min(ends)));
                before.cluster.told(lease, Some(SafeText::line(&report.sentence())));
                None
            }
        }
    });
    match tokio::time::timeout(WAIT, renewing).await {
        Ok(Ok(Some(opened))) => opened,
        _ => present,
    }
}

/// Opens the connection; `before` is taken over where nothing became different, and what it is known to serve always.
async fn open(way: &Way, before: Option<&Opened>, asking: Asking) -> Result<Opened, Report> {
    let mut config = way.config().await?;
    // The client would run a plugin by itself, blocking a thread of everybody's and writing to our terminal.
    let credential = credential::replace(&mut config.auth_info, asking).await?;
    let server = config
        .cluster_url
        .authority()
        .map_or_else(|| config.cluster_url.to_string(), ToString::to_string);
    let known = before.filter(|before| before.cluster.server() == server);
    if let Some(known) =
        known.filter(|known| credential.proof.is_some() && known.cluster.credential().proof == credential.proof)
    {
        let (now, mut lease) = (Timestamp::now(), credential.lease);
        // A plugin may keep what it has until the last moment; where a token is written, somebody should have come by.
        let is_left = !credential.plugin && lease.ends.is_some_and(|ends| ends <= now + credential::AHEAD);
        let trouble = is_left.then(|| "nobody has put a newer token in its place".into());
        if is_left {
            lease.renew = Some(now + RETRY);
        }
        known.cluster.told(lease, trouble);
        return Ok(known.clone());
    }
    let via = config.proxy_url.as_ref().and_then(|proxy| proxy.authority());
    // Without who asks: that may be a password.
    let via = via.and_then(|via| via.as_str().rsplit('@').next()).map(str::to_owned);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Waiting out a 429 or 503 silently would hide the truth from feeds; callers decide about retries.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    let client = kube::Client::try_from(config).map_err(|error| way::unusable(&error))?;
    let discovery = known.map(|known| known.cluster.known()).unwrap_or_default();
    Ok(Opened {
        cluster: Arc::new(Cluster::new(client, (server, via), credential, discovery)),
        namespace,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn context(source: KubeconfigSource) -> Context {
        let mut context = Context::empty("test");
        context.kubernetes.kubeconfig = source;
        context
    }

    fn kubeconfig(user: &str, server: &str) -> KubeconfigSource {
        KubeconfigSource::Inline(Secret::new(format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             users: [{{name: u, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: team}}}}]\n"
        )))
    }

    #[tokio::test]
    async fn nothing_configured_says_what_to_do() {
        let report = Clients::new()
            .session(&context(KubeconfigSource::None))
            .await
            .err()
            .unwrap();
        assert_eq!(report.code, error::NOT_CONFIGURED);
        assert!(report.hint.unwrap().contains("cogdeck --sandbox"));
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_named_and_not_quoted() {
        let text = "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: s3cret\n";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        for source in [
            KubeconfigSource::Inline(Secret::new(text.to_owned())),
            KubeconfigSource::Files(vec![file]),
        ] {
            let report = Clients::new().session(&context(source)).await.err().unwrap();
            assert_eq!(report.code, error::KUBECONFIG);
            let told = format!("{report:?}");
            assert!(told.contains("line") && !told.contains("s3cret"), "{told}");
        }
    }

    #[tokio::test]
    async fn a_plugin_is_asked_once_and_again_when_its_token_ends() {
        let folder = tempfile::tempdir().unwrap();
        let asked = async |expires: &str, lines: usize| {
            let log = folder.path().join(expires);
            let answer = format!(r#"{{"status":{{"token":"t","expirationTimestamp":"{expires}T00:00:00Z"}}}}"#);
            let script = folder.path().join(format!("{expires}.sh"));
            std::fs::write(&script, format!("echo x >> {}\necho '{answer}'\n", log.display())).unwrap();
            let user = format!(
                "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{}']}}}}",
                script.display()
            );
            let (clients, context) = (Clients::new(), context(kubeconfig(&user, "https://127.0.0.1:1")));
            for _ in 0..2 {
                clients.session(&context).await.unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(log).unwrap().lines().count(),
                lines,
                "{expires}"
            );
        };
        asked("2999-01-01", 1).await;
        asked("2001-01-01", 2).await;
    }

    #[tokio::test]
    async fn the_context_s_namespace_wins_over_the_kubeconfig_s() {
        let clients = Clients::new();
        let mut context = context(kubeconfig("{token: t}", "https://127.0.0.1:1"));
        let first = clients.session(&context).await.unwrap();
        assert_eq!(first.namespace, "team");
        context.kubernetes.namespace = Some("other".into());
        let second = clients.session(&context).await.unwrap();
        assert_eq!(second.namespace, "other");
        assert!(
            Arc::ptr_eq(&first.cluster, &second.cluster),
            "a namespace opens no second client"
        );
    }

    #[tokio::test]
    async fn a_refused_connection_has_kubectl_s_words() {
        let clients = Clients::new();
        let session = clients
            .session(&context(kubeconfig("{token: t}", "http://127.0.0.1:1")))
            .await
            .unwrap();
        let report = session.cluster.discovery().await.err().unwrap();
        assert_eq!(
            report.message,
            "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"
        );
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_and_a_missing_file_are_named() {
        let broken = KubeconfigSource::Inline(Secret::new("a: [b"));
        assert_eq!(
            Clients::new().session(&context(broken)).await.err().unwrap().code,
            error::KUBECONFIG
        );
        let missing = KubeconfigSource::Files(vec!["/does/not/exist".into()]);
        let report = Clients::new().session(&context(missing)).await.err().unwrap();
        assert!(report.message.contains("/does/not/exist"), "{report}");
    }
}
