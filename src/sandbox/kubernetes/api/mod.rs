//! The sandbox's Kubernetes API server: HTTP over TLS in front of the store. It answers real kubectl, client
//! libraries and our own client alike. Not for what controllers do: they see only the store.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::runtime::PodRuntime;
use super::store::Store;
use crate::sandbox::faults::Gate;

mod accept;
mod attach;
mod body;
mod connection;
mod cuttable;
mod decode;
pub mod defaults;
mod discovery;
mod dispatch;
mod exec;
mod logs;
mod metrics;
mod openapi;
mod openapi_v2;
mod patch;
mod port_forward;
mod protobuf;
mod read;
mod remove;
mod render;
mod review;
mod route;
mod scale;
pub(in crate::sandbox::kubernetes) mod selector;
mod status;
mod table;
mod tls;
mod upgrade;
mod users;
mod validate;
mod version;
mod watch;
mod write;

pub use tls::TlsError;

/// What the API server needs to know at start.
#[derive(Clone)]
pub struct ApiConfig {
    /// The bearer token of whoever may do everything.
    pub token: String,
    /// The bearer token of the guest, who may do little; none: there is no guest.
    pub guest_token: Option<String>,
    /// Asked before each request; for fault injection.
    pub gate: Option<Arc<dyn Gate>>,
    /// Who runs the pods; without it nothing has logs, and nobody can look inside.
    pub runtime: Option<Arc<dyn PodRuntime>>,
    /// Whether `metrics.k8s.io` is served, as where metrics-server is installed.
    pub metrics: bool,
}

impl ApiConfig {
    /// A configuration with a token and nothing else.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            guest_token: None,
            gate: None,
            runtime: None,
            metrics: false,
        }
    }
}

/// The API server. See [`ApiServer::start`].
#[derive(Debug)]
pub struct ApiServer;

/// A running API server. It stops, and cuts its connections, when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct ApiHandle {
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    /// The certificate of the authority that signed the server's, as PEM.
    pub ca_pem: String,
    /// Where it listens.
    pub addr: SocketAddr,
    _stop: Arc<DropGuard>,
}

/// Why the API server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener is unusable.
    #[error("the API server's listener is unusable: {0}")]
    Listener(#[from] std::io::Error),
    /// The listener is reachable from other machines.
    #[error("the API server listens on loopback only, not on {0}: bind 127.0.0.1 or ::1")]
    NotLoopback(SocketAddr),
}

/// What all requests share.
struct Api {
    store: Store,
    config: ApiConfig,
    address: SocketAddr,
    /// Fires when the server stops: what was upgraded from HTTP ends by it.
    stop: CancellationToken,
    /// The cells of the rows that were listed last.
    kept: table::Kept,
    /// Held while addresses and ports are chosen and the object that takes them is stored.
    allocation: Mutex<()>,
}

impl ApiServer {
    /// Serves `store` on `listener` until the handle is dropped.
    ///
    /// # Errors
    /// When the listener is not on loopback, or the certificate cannot be made.
    pub fn start(store: Store, config: ApiConfig, listener: TcpListener) -> Result<ApiHandle, StartError> {
        let addr = listener.local_addr()?;
        if !addr.ip().is_loopback() {
            return Err(StartError::NotLoopback(addr));
        }
        let (tls, ca_pem) = tls::configure()?;
        let stop = CancellationToken::new();
        let api = Arc::new(Api {
            store,
            config,
            address: addr,
            stop: stop.clone(),
            kept: table::Kept::default(),
            allocation: Mutex::new(()),
        });
        tokio::spawn(connection::serve(api, listener, tls, stop.clone()));
        Ok(ApiHandle {
            url: format!("https://{addr}"),
            ca_pem,
            addr,
            _stop: Arc::new(stop.drop_guard()),
        })
    }
}

impl ApiHandle {
    /// A kubeconfig for this server: one cluster, user and context. It holds the token: write it with mode 0600.
    pub fn kubeconfig(&self, cluster: &str, context: &str, token: &str) -> String {
        self.kubeconfig_of(cluster, &[(context, token)])
    }

    /// The same for several users, each with a context of its name and a token; the first is the current one.
    pub fn kubeconfig_of(&self, cluster: &str, users: &[(&str, &str)]) -> String {
        let ca = base64::engine::general_purpose::STANDARD.encode(&self.ca_pem);
        let url = &self.url;
        let mut text = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {cluster}\n  cluster:\n    server: {url}\n    \
             certificate-authority-data: {ca}\nusers:\n"
        );
        for (user, token) in users {
            text.push_str(&format!("- name: {user}\n  user:\n    token: {token}\n"));
        }
        text.push_str("contexts:\n");
        for (user, _) in users {
            text.push_str(&format!(
                "- name: {user}\n  context:\n    cluster: {cluster}\n    user: {user}\n    namespace: default\n"
            ));
        }
        let current = users.first().map_or("", |(user, _)| user);
        text.push_str(&format!("current-context: {current}\n"));
        text
    }
}
