//! The context: the whole set of targets a pipeline acts on, as one immutable value. Switching makes a new one;
//! a running plan keeps the one it was made with. Not for open connections: those are the features' clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::text::Secret;

/// Where the cluster's kubeconfig comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KubeconfigSource {
    /// Nothing configured: Kubernetes verbs say so.
    None,
    /// Files, merged in the order of kubectl's own rules.
    Files(Vec<PathBuf>),
    /// The text itself (YAML), as the sandbox gives it.
    Inline(Secret),
    /// The service account of the pod we run in.
    InCluster {
        /// URL of the server.
        server: String,
        /// The folder with `token`, `ca.crt` and `namespace`.
        folder: PathBuf,
    },
}

/// The Kubernetes part of a context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KubernetesTarget {
    /// Where the kubeconfig comes from.
    pub kubeconfig: KubeconfigSource,
    /// The kube context inside it; none: its `current-context`.
    pub kube_context: Option<String>,
    /// The namespace; none: that of the kube context, else `default`.
    pub namespace: Option<String>,
    /// Panels show what lies in any namespace; lines run in the one above all the same.
    pub everywhere: bool,
    /// Nobody named this cluster: the layers of the bundle `kubectl` may say which it is, and win over the kubeconfig.
    pub configurable: bool,
    /// A room or the environment brings such layers; whether they name one is asked when a session is opened.
    pub layered: bool,
    /// Proxy for TLS connections to the cluster, as `HTTPS_PROXY`, unless the kubeconfig names one.
    pub https_proxy: Option<String>,
}

/// The AWS part of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AwsTarget {
    /// Named profile of the shared configuration.
    pub profile: Option<String>,
    /// Region; none: the profile's or the environment's.
    pub region: Option<String>,
    /// Endpoint for every service, as `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// Fixed keys (access key id, secret access key); none: the SDK's own chain.
    pub keys: Option<(String, Secret)>,
}

/// Where in a cloud a context leads to, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cloud {
    /// The account's number.
    pub account: Option<String>,
    /// The region that is used where a line names none.
    pub region: Option<String>,
}

/// The admin API of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SandboxAdmin {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Its bearer token.
    pub token: Secret,
}

/// The whole set of targets. Immutable; shared as `Arc<Context>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// The name shown in the status line and stored with every change.
    pub name: String,
    /// Cluster and namespace.
    pub kubernetes: KubernetesTarget,
    /// Account, region, endpoint.
    pub aws: AwsTarget,
    /// DNS server to ask (`COGDECK_DNS`); none: the system's.
    pub resolver: Option<SocketAddr>,
    /// HTTP proxy for what the traffic verbs fetch, as `http_proxy`.
    pub http_proxy: Option<String>,
    /// Hosts that bypass the proxies, as `no_proxy`.
    pub no_proxy: Option<String>,
    /// Docker engine, as `DOCKER_HOST`; none: the local socket.
    pub docker_host: Option<String>,
    /// The admin API of the one sandbox this process knows (`COGDECK_ADMIN_URL`, `COGDECK_ADMIN_TOKEN`): the same in
    /// every context, wherever that leads.
    pub sandbox: Option<SandboxAdmin>,
    /// The room layer of bundle configuration.
    pub room: Option<String>,
    /// Raises every risk class but recovery by one.
    pub production: bool,
    /// Refuses every change.
    pub read_only: bool,
    /// A closed world: nothing outside this context's own endpoints may be reached (the sandbox).
    pub closed: bool,
    /// Variables of the caller's environment that executables may see (an allow-list taken at the start).
    pub environment: BTreeMap<String, String>,
}

impl Context {
    /// A context by this name with nothing configured.
    pub fn empty(name: impl Into<String>) -> Self {
        Context {
            name: name.into(),
            kubernetes: KubernetesTarget {
                kubeconfig: KubeconfigSource::None,
                kube_context: None,
                namespace: None,
                everywhere: false,
                configurable: false,
                layered: false,
                https_proxy: None,
            },
            aws: AwsTarget::default(),
            resolver: None,
            http_proxy: None,
            no_proxy: None,
            docker_host: None,
            sandbox: None,
            room: None,
            production: false,
            read_only: false,
            closed: false,
            environment: BTreeMap::new(),
        }
    }

    /// Whether nothing at all is configured: the console then offers the sandbox.
    pub fn is_unconfigured(&self) -> bool {
        let kubernetes = &self.kubernetes;
        kubernetes.kubeconfig == KubeconfigSource::None && !kubernetes.layered && self.aws == AwsTarget::default()
    }
}
