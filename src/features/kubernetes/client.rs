//! The way to the API server: one client per kubeconfig and kube context, opened at first use and shared by verbs,
//! feeds and completers. Not for what is asked: paths and bodies are the callers'.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::Stream;
use futures::io::AsyncBufRead;
use http::{Method, Request, header};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::discovery::Discovery;
use super::{credential, error};
use crate::core::context::{Context, KubeconfigSource};
use crate::core::report::Report;
use crate::core::yaml;

/// How long a connection may take to come about; longer means the server is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A plugin's credential is asked for again so long before it ends.
const AHEAD: Duration = Duration::from_secs(10);
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

type Opened = Arc<OnceCell<(Arc<Cluster>, String)>>;

/// All clients of this process.
#[derive(Default)]
pub struct Clients {
    /// By kubeconfig and kube context; a namespace is not worth a connection of its own.
    open: Mutex<HashMap<(KubeconfigSource, Option<String>), Opened>>,
}

/// An open cluster: client and what it is known to serve.
pub struct Cluster {
    /// When the credential that a plugin gave ends.
    expires: Option<Timestamp>,
    client: kube::Client,
    server: String,
    discovery: tokio::sync::RwLock<Option<Arc<Discovery>>>,
}

/// A cluster together with the namespace a call means when it names none.
#[derive(Clone)]
pub struct Session {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The namespace of the context.
    pub namespace: String,
}

impl Clients {
    /// No open connections.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The cluster of a context, opened when it is not open yet. A failure is not kept: the next call tries again.
    pub async fn session(&self, context: &Context) -> Result<Session, Report> {
        let target = &context.kubernetes;
        let key = (target.kubeconfig.clone(), target.kube_context.clone());
        let cell = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let ends = Timestamp::now() + AHEAD;
            if let Some((known, _)) = open.get(&key).and_then(|cell| cell.get())
                && known.expires.is_some_and(|expires| expires <= ends)
            {
                // A new cell: whoever comes first asks the plugin again, the others wait for its answer.
                open.remove(&key);
            }
            open.entry(key).or_default().clone()
        };
        let (cluster, namespace) = cell
            .get_or_try_init(|| open(&target.kubeconfig, target.kube_context.as_deref()))
            .await?
            .clone();
        Ok(Session {
            cluster,
            namespace: target.namespace.clone().unwrap_or(namespace),
        })
    }

    /// Forgets the client of a context, so that the next use reads its kubeconfig again: a token may have been renewed.
    pub fn forget(&self, context: &Context) {
        let target = &context.kubernetes;
        let key = (target.kubeconfig.clone(), target.kube_context.clone());
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

async fn open(source: &KubeconfigSource, context: Option<&str>) -> Result<(Arc<Cluster>, String), Report> {
    let unusable = |error: &(dyn std::error::Error + 'static)| {
        Report::failed(error::KUBECONFIG, "the kubeconfig cannot be used").because(error)
    };
    let kubeconfig = read(source).await?;
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    // The environment's HTTPS_PROXY is not ours to read here: a context says by itself how its server is reached.
    let proxies: Vec<Option<String>> = kubeconfig
        .clusters
        .iter()
        .map(|c| c.cluster.as_ref().and_then(|c| c.proxy_url.clone()))
        .collect();
    let proxied = proxies.iter().any(Option::is_some);
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unusable(&error))?;
    if !proxied {
        config.proxy_url = None;
    }
    if config.auth_info.auth_provider.is_some() {
        return Err(Report::failed(
            error::KUBECONFIG,
            "the kubeconfig's user logs in through an auth-provider, which Kubernetes took out in 1.26",
        )
        .hint("use a credential plugin (exec), a token or a client certificate"));
    }
    // The client would run a plugin by itself, blocking a thread of everybody's and writing to our terminal.
    let expires = credential::replace(&mut config.auth_info).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Waiting out a 429 or 503 silently would hide the truth from feeds; callers decide about retries.
    config.default_retry = false;
    let server = config
        .cluster_url
        .authority()
        .map_or_else(|| config.cluster_url.to_string(), ToString::to_string);
    let namespace = config.default_namespace.clone();
    let client = kube::Client::try_from(config).map_err(|error| unusable(&error))?;
    Ok((
        Arc::new(Cluster {
            expires,
            client,
            server,
            discovery: tokio::sync::RwLock::default(),
        }),
        namespace,
    ))
}

/// A kube context of a kubeconfig, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// The cluster it names.
    pub cluster: String,
    /// The user it names.
    pub user: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Whether it is the one in use.
    pub current: bool,
}

/// The kube contexts of a kubeconfig. `chosen` is in use instead of the kubeconfig's own current one.
pub async fn contexts(source: &KubeconfigSource, chosen: Option<&str>) -> Result<Vec<KubeContext>, Report> {
    let kubeconfig = read(source).await?;
    let current = chosen.map(str::to_owned).or(kubeconfig.current_context);
    Ok(kubeconfig
        .contexts
        .into_iter()
        .map(|named| {
            let context = named.context.unwrap_or_default();
            KubeContext {
                current: current.as_ref() == Some(&named.name),
                name: named.name,
                cluster: context.cluster,
                user: context.user.unwrap_or_default(),
                namespace: context.namespace.unwrap_or_default(),
            }
        })
        .collect())
}

async fn read(source: &KubeconfigSource) -> Result<Kubeconfig, Report> {
    let failed = |message: String| Report::failed(error::KUBECONFIG, message);
    match source {
        KubeconfigSource::None => Err(
            Report::failed(error::NOT_CONFIGURED, "no Kubernetes cluster is configured")
                .hint("set KUBECONFIG, or start `cogdeck --sandbox` for a built-in one"),
        ),
        KubeconfigSource::Inline(text) => {
            Kubeconfig::from_yaml(text.reveal()).map_err(|error| unreadable("the kubeconfig cannot be read", &error))
        }
        KubeconfigSource::Files(paths) => {
            let paths = paths.clone();
            tokio::task::spawn_blocking(move || merge(&paths))
                .await
                .map_err(|error| failed(format!("reading the kubeconfig failed: {error}")))?
        }
    }
}

/// What is wrong with a kubeconfig, without its lines: they hold tokens and keys.
fn unreadable(what: &str, error: &KubeconfigError) -> Report {
    match error {
        KubeconfigError::Parse(error) => Report::failed(error::KUBECONFIG, format!("{what}: {}", yaml::reason(error))),
        other => Report::failed(error::KUBECONFIG, what.to_owned()).because(other),
    }
}

/// kubectl's rule: files of the list that do not exist are skipped, and the first to set a value wins.
fn merge(paths: &[std::path::PathBuf]) -> Result<Kubeconfig, Report> {
    let mut merged: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|path| path.exists()) {
        let unusable = |error: KubeconfigError| unreadable(&format!("kubeconfig {}", path.display()), &error);
        let next = Kubeconfig::read_from(path).map_err(unusable)?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(unusable)?,
        });
    }
    merged.ok_or_else(|| {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        Report::failed(error::NOT_CONFIGURED, format!("no kubeconfig at {}", names.join(", ")))
            .hint("set KUBECONFIG, or start `cogdeck --sandbox` for a built-in cluster")
    })
}

impl Cluster {
    /// Host and port of the server, as errors name it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A failed request as a report.
    pub fn report(&self, error: &kube::Error) -> Report {
        error::report(error, &self.server)
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
    use crate::core::text::Secret;

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
