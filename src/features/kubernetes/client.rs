//! The way to the API server: one client per kubeconfig and kube context, opened at first use and shared by verbs,
//! feeds and completers. Not for what is asked: paths and bodies are the callers'.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::Stream;
use futures::future::BoxFuture;
use futures::io::AsyncBufRead;
use http::{Method, Request, header};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

pub use super::credential::Asking;
use super::credential::{Lease, Obtained};
use super::discovery::Discovery;
use super::kubeconfig::{self, Triple};
use super::{credential, error, proxy};
use crate::core::context::{Context, KubeconfigSource};
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};

/// How long a connection may take to come about; longer means the server is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A credential that could not be renewed ahead is tried again after this time.
const RETRY: Duration = Duration::from_secs(10);
/// A plugin whose credentials the server refused is asked again after this time.
const REFUSED: Duration = Duration::from_secs(10);
/// Media type of plain answers.
pub const JSON: &str = "application/json";
/// Asks for the server's own table; plain JSON where it has none.
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// JSON merge patch (RFC 7386).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// JSON patch (RFC 6902).
pub const JSON_PATCH: &str = "application/json-patch+json";
/// Strategic merge patch: lists merge by the key their type names.
pub const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";

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
}

/// What leads to a cluster. Two contexts of the same way share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    kubeconfig: KubeconfigSource,
    kube_context: Option<String>,
    /// Instead of the kubeconfig.
    triple: Option<Triple>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
}

/// The place of one cluster's connection.
#[derive(Default)]
struct Slot {
    opened: Mutex<Option<Opened>>,
    /// Held by who opens or renews: a plugin runs once, however many wait for it.
    busy: tokio::sync::Mutex<()>,
    /// When the server refused a plugin's credential last, and whether it had done so just before.
    refused: Mutex<Option<(Timestamp, bool)>>,
}

#[derive(Clone)]
struct Opened {
    cluster: Arc<Cluster>,
    namespace: String,
}

/// An open cluster: client and what it is known to serve.
pub struct Cluster {
    client: kube::Client,
    server: String,
    proxy: Option<String>,
    discovery: Arc<tokio::sync::RwLock<Option<Arc<Discovery>>>>,
    credential: Obtained,
    lease: Mutex<(Lease, Option<SafeText>)>,
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
            Some(opened) if !opened.cluster.lease().is_over(now) => match slot.busy.try_lock() {
                Ok(_busy) => renewed(&slot, &way, opened).await,
                // Another one renews it, and it still lets us in.
                Err(_) => opened,
            },
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

    /// Forgets the client of a context whose credential the server refused, so that the next use reads its kubeconfig
    /// again: a token may have been renewed.
    pub async fn refused(&self, context: &Context) {
        let Ok(way) = self.way(context).await else { return };
        let slot = self.slot(&way);
        let before = held(&slot.opened).take();
        if before.is_some_and(|opened| opened.cluster.credential.plugin) {
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
        self.logins.send_modify(|count| *count += 1);
        Ok(Session {
            cluster: opened.cluster,
            namespace: context.kubernetes.namespace.clone().unwrap_or(opened.namespace),
        })
    }

    /// Wakes after each login.
    pub fn logins(&self) -> watch::Receiver<u64> {
        self.logins.subscribe()
    }

    /// Whether a context's cluster is asked with a credential that a plugin gives.
    pub async fn has_plugin(&self, context: &Context) -> Result<bool, Report> {
        let way = self.way(context).await?;
        let kubeconfig = kubeconfig(&way).await?;
        let options = options(&way);
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Ok(config.map_err(|error| unusable(&error))?.auth_info.exec.is_some())
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

/// The connection with its next credential; the present one, which lets us in for a while yet, where there is none.
async fn renewed(slot: &Slot, way: &Way, present: Opened) -> Opened {
    match open(way, Some(&present), Asking::Nobody).await {
        Ok(opened) => {
            slot.keep(&opened);
            opened
        }
        Err(report) => {
            let mut lease = held(&present.cluster.lease);
            let next = Timestamp::now() + RETRY;
            lease.0.renew = Some(lease.0.ends.map_or(next, |ends| next.min(ends)));
            lease.1 = Some(SafeText::line(&report.sentence()));
            drop(lease);
            present
        }
    }
}

fn unusable(error: &(dyn std::error::Error + 'static)) -> Report {
    Report::failed(error::KUBECONFIG, "the kubeconfig cannot be used").because(error)
}

async fn kubeconfig(way: &Way) -> Result<Kubeconfig, Report> {
    match &way.triple {
        Some(triple) => triple.kubeconfig(),
        None => kubeconfig::read(&way.kubeconfig).await,
    }
}

fn options(way: &Way) -> KubeConfigOptions {
    let named = way.kube_context.clone().filter(|_| way.triple.is_none());
    KubeConfigOptions {
        context: named,
        ..KubeConfigOptions::default()
    }
}

/// Opens the connection; `before` is taken over where nothing became different, and what it is known to serve always.
async fn open(way: &Way, before: Option<&Opened>, asking: Asking) -> Result<Opened, Report> {
    let kubeconfig = kubeconfig(way).await?;
    let options = options(way);
    let own_proxy = proxy_url(&kubeconfig, options.context.as_deref());
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unusable(&error))?;
    if config.auth_info.auth_provider.is_some() {
        return Err(Report::failed(
            error::KUBECONFIG,
            "the kubeconfig's user logs in through an auth-provider, which Kubernetes took out in 1.26",
        )
        .hint("use a credential plugin (exec), a token or a client certificate"));
    }
    // What the client read by itself compares NO_PROXY with the proxy instead of the server.
    let (https, no) = (way.https_proxy.as_deref(), way.no_proxy.as_deref());
    config.proxy_url = proxy::before(&config.cluster_url, own_proxy.as_deref(), https, no)?;
    // The client would run a plugin by itself, blocking a thread of everybody's and writing to our terminal.
    let credential = credential::replace(&mut config.auth_info, asking).await?;
    let server = config
        .cluster_url
        .authority()
        .map_or_else(|| config.cluster_url.to_string(), ToString::to_string);
    let known = before.filter(|before| before.cluster.server == server);
    if let Some(known) =
        known.filter(|known| credential.proof.is_some() && known.cluster.credential.proof == credential.proof)
    {
        *held(&known.cluster.lease) = (credential.lease, None);
        return Ok(known.clone());
    }
    let via = config.proxy_url.as_ref().and_then(|proxy| proxy.authority());
    // Without who asks: that may be a password.
    let via = via.and_then(|via| via.as_str().rsplit('@').next()).map(str::to_owned);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Waiting out a 429 or 503 silently would hide the truth from feeds; callers decide about retries.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    let client = kube::Client::try_from(config).map_err(|error| unusable(&error))?;
    Ok(Opened {
        cluster: Arc::new(Cluster {
            client,
            server,
            proxy: via,
            discovery: known.map(|known| known.cluster.discovery.clone()).unwrap_or_default(),
            lease: Mutex::new((credential.lease.clone(), None)),
            credential,
        }),
        namespace,
    })
}

/// The `proxy-url` of the cluster that a kube context names.
fn proxy_url(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context)?
        .context
        .as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}

impl Cluster {
    /// Host and port of the server, as errors name it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A failed request as a report.
    pub fn report(&self, error: &kube::Error) -> Report {
        error::report(error, &self.server, self.proxy.as_deref())
    }

    fn lease(&self) -> Lease {
        held(&self.lease).0.clone()
    }

    /// When the credential ends; none: nobody said.
    pub fn credential_ends(&self) -> Option<Timestamp> {
        self.lease().ends
    }

    /// When the credential ends, and why there is no next one yet; none: it does not end, or was not tried to be
    /// renewed in vain.
    pub fn expiring(&self) -> Option<(Timestamp, SafeText)> {
        let lease = held(&self.lease);
        lease.0.ends.zip(lease.1.clone())
    }

    /// What the server serves; asked once.
    pub async fn discovery(&self) -> Result<Arc<Discovery>, Report> {
        if let Some(known) = self.discovery.read().await.clone() {
            return Ok(known);
        }
        self.rediscover().await
    }

    /// Asks again what the server serves: a type may have been installed meanwhile.
    pub async fn rediscover(&self) -> Result<Arc<Discovery>, Report> {
        let fresh = Arc::new(Discovery::ask(self).await.map_err(|error| self.report(&error))?);
        *self.discovery.write().await = Some(fresh.clone());
        Ok(fresh)
    }

    /// Reads JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, kube::Error> {
        self.get_as(path, JSON).await
    }

    /// Reads with a particular `Accept`.
    pub async fn get_as<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, kube::Error> {
        self.client.request(request(Method::GET, path, accept, None)?).await
    }

    /// Sends a body.
    pub async fn write(&self, method: Method, path: &str, media: &str, body: &Value) -> Result<Value, kube::Error> {
        let mut sent = request(method, path, JSON, Some(body))?;
        if let Ok(value) = media.parse() {
            sent.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        self.client.request(sent).await
    }

    /// Reads a body as it comes, line by line.
    pub async fn stream(&self, path: &str) -> Result<impl AsyncBufRead + use<>, kube::Error> {
        self.client
            .request_stream(request(Method::GET, path, "*/*", None)?)
            .await
    }

    /// The pods of a namespace through kube's own client, for what goes over WebSocket.
    pub fn pods(&self, namespace: &str) -> kube::Api<Pod> {
        kube::Api::namespaced(self.client.clone(), namespace)
    }

    /// Follows changes. The stream ends when the server or the connection ends it; an error event is an item.
    pub async fn watch<T: DeserializeOwned + Clone + Send + 'static>(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<T>, kube::Error>> + Send + use<T>, kube::Error> {
        let events = self
            .client
            .request_events::<T>(request(Method::GET, path, accept, None)?)
            .await?;
        Ok(events)
    }
}

fn request(method: Method, path: &str, accept: &str, body: Option<&Value>) -> Result<Request<Vec<u8>>, kube::Error> {
    let bytes = match body {
        Some(body) => serde_json::to_vec(body).map_err(kube::Error::SerdeError)?,
        None => Vec::new(),
    };
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, accept);
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, JSON);
    }
    builder.body(bytes).map_err(kube::Error::HttpError)
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
