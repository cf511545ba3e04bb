//! The whole world, started together: cluster, API server, AWS, DNS, proxy and the admin API. Not for any of their
//! rules. Everything listens on 127.0.0.1 and ends when the [`Sandbox`] is dropped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::SecureRandom;
use tokio::net::TcpListener;

use super::aws::{AwsConfig, AwsHandle, AwsServer, ec2};
use super::clock::Clock;
use super::cloud::LoadBalancers;
use super::cluster::{CLUSTER, REGION};
use super::dns::{DnsHandle, DnsServer, Names};
use super::faults::{Admin, AdminError, Faults, Levers};
use super::kubernetes::api::{ApiConfig, ApiHandle, ApiServer, StartError};
use super::kubernetes::control_plane::{ClusterConfig, ControlPlane};
use super::kubernetes::store::Store;
use super::kubernetes::world::{Load, MOST_NODES, PODS_PER_NODE};
use super::proxy::{Proxy, Router};

/// The kube context's name.
pub const CONTEXT: &str = "sandbox";

/// The name of the guest's kube context.
pub const GUEST_CONTEXT: &str = "sandbox-guest";

/// How the world shall be.
#[derive(Debug, Clone, Copy)]
pub struct SandboxConfig {
    /// How many times faster than real time pods start, load balancers come and changes propagate.
    pub speed: f64,
    /// Repeats names, addresses and random choices.
    pub seed: u64,
    /// Deployments beside the world's own, sharing `pods`.
    pub deployments: usize,
    /// Pods beside the world's own.
    pub pods: usize,
    /// Worker nodes at least; more come when the pods need them.
    pub nodes: usize,
    /// Pod status changes a second.
    pub events: usize,
    /// Deleted pods die at once instead of leaving the endpoints first.
    pub drain_race: bool,
    /// The first of five ports in a row: Kubernetes API, AWS endpoint, DNS, HTTP proxy, admin API. 0: free ones.
    pub port: u16,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            speed: 1.0,
            seed: 1,
            deployments: 0,
            pods: 0,
            nodes: 0,
            events: 0,
            drain_race: false,
            port: 0,
        }
    }
}

/// Why the world could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A part could not listen.
    #[error("the sandbox's {part} could not listen on 127.0.0.1, port {}: {source}", if *port == 0 { "any".to_owned() } else { port.to_string() })]
    Listen {
        /// Which part.
        part: &'static str,
        /// The port asked for; 0 is any.
        port: u16,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The API server could not start.
    #[error("the sandbox's Kubernetes API could not start: {0}")]
    Api(#[from] StartError),
    /// The admin API could not start.
    #[error("the sandbox's admin API could not start: {0}")]
    Admin(#[from] AdminError),
    /// More pods or nodes than the address plan has room for.
    #[error("{pods} pods on {nodes} nodes are too many: at most {MOST_NODES} nodes of {PODS_PER_NODE} pods")]
    TooLarge {
        /// Pods asked for.
        pods: usize,
        /// Nodes asked for.
        nodes: usize,
    },
    /// No randomness for the world's secrets.
    #[error("the operating system gave no random bytes for the sandbox's keys")]
    NoRandomness,
}

/// A part that listens: its name, and its place in the row of ports.
type Part = (&'static str, u16);
const KUBERNETES: Part = ("Kubernetes API", 0);
const AWS: Part = ("AWS endpoint", 1);
const DNS: Part = ("DNS server", 2);
const PROXY: Part = ("HTTP proxy", 3);
const ADMIN: Part = ("admin API", 4);

/// The first port of the row; 0 when every part takes a free one.
#[derive(Clone, Copy)]
struct Ports(u16);

impl Ports {
    fn of(self, (_, place): Part) -> u16 {
        if self.0 == 0 { 0 } else { self.0.saturating_add(place) }
    }

    fn failed(self, part: Part) -> impl Fn(io::Error) -> SandboxError {
        move |source| SandboxError::Listen {
            part: part.0,
            port: self.of(part),
            source,
        }
    }

    async fn listen(self, part: Part) -> Result<TcpListener, SandboxError> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, self.of(part)))
            .await
            .map_err(self.failed(part))
    }
}

/// The running world.
pub struct Sandbox {
    clock: Clock,
    plane: ControlPlane,
    api: ApiHandle,
    aws: AwsHandle,
    dns: DnsHandle,
    proxy: Proxy,
    admin: Admin,
    secrets: Secrets,
}

/// What clients need to be let in.
struct Secrets {
    token: String,
    guest_token: String,
    admin_token: String,
    access_key_id: String,
    secret_access_key: String,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("kubernetes", &self.api.url)
            .field("aws", &self.aws.addr)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts the world; when this returns, everything answers.
    ///
    /// # Errors
    /// [`SandboxError`]: a port, certificate or size that can't be had.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let clock = Clock::new(config.speed);
        let secrets = Secrets::new().ok_or(SandboxError::NoRandomness)?;
        let balancers = LoadBalancers::new(config.seed);
        let cluster = ClusterConfig {
            seed: config.seed,
            load: Load {
                deployments: config.deployments,
                pods: config.pods,
                nodes: config.nodes,
            },
            events: config.events,
            drain_race: config.drain_race,
        };
        let plane = ControlPlane::start(&clock, cluster, balancers.clone()).map_err(|_| SandboxError::TooLarge {
            pods: config.pods,
            nodes: config.nodes,
        })?;
        let ports = Ports(config.port);
        let listener = ports.listen(KUBERNETES).await?;
        let runtime = Arc::new(plane.kubelets.clone());
        let faults = Faults::new();
        let api = ApiServer::start(
            plane.store.clone(),
            ApiConfig {
                runtime: Some(runtime),
                gate: Some(Arc::new(faults.clone())),
                metrics: true,
                guest_token: Some(secrets.guest_token.clone()),
                ..ApiConfig::new(secrets.token.clone())
            },
            listener,
        )?;
        plane.publish_authority(&api.ca_pem);
        let listener = ports.listen(AWS).await?;
        let account = AwsConfig {
            access_key_id: secrets.access_key_id.clone(),
            secret_access_key: secrets.secret_access_key.clone(),
            region: REGION.to_owned(),
            instances: ec2::default_world(),
            clock: clock.clone(),
            seed: config.seed,
        };
        let aws = AwsServer::serve(listener, account).map_err(ports.failed(AWS))?;
        let lookup = balancers.clone();
        let names = Names::new(aws.zones.clone(), Arc::new(move |host: &str| lookup.addresses(host)));
        let dns = DnsServer::start_on(ports.of(DNS), names.clone())
            .await
            .map_err(ports.failed(DNS))?;
        let router = Router::new(names, balancers, plane.network.clone(), plane.store.clone());
        let proxy = Proxy::serve(ports.listen(PROXY).await?, router).map_err(ports.failed(PROXY))?;
        let listener = ports.listen(ADMIN).await?;
        let restarted = plane.store.clone();
        let levers = Levers {
            faults,
            clock: clock.clone(),
            restart: Box::new(move || restarted.restart()),
        };
        let admin = Admin::start(listener, secrets.admin_token.clone(), levers)?;
        Ok(Self {
            clock,
            plane,
            api,
            aws,
            dns,
            proxy,
            admin,
            secrets,
        })
    }

    /// The kubeconfig, as YAML with the certificate authority and the tokens in it: the context `sandbox`, and
    /// `sandbox-guest` to try with few rights, whose user may look at the workloads of the namespace `default` and
    /// scale them, and nothing else.
    pub fn kubeconfig(&self) -> String {
        let users = [
            (CONTEXT, self.secrets.token.as_str()),
            (GUEST_CONTEXT, self.secrets.guest_token.as_str()),
        ];
        self.api.kubeconfig_of(CLUSTER, &users)
    }

    /// The lines of a shell that point other programs at this world; `kubeconfig` is where that file was written.
    pub fn env_exports(&self, kubeconfig: &Path) -> String {
        self.env(kubeconfig)
            .iter()
            .map(|(name, value)| format!("export {name}={}\n", quote(value)))
            .collect()
    }

    /// The environment variables of [`Sandbox::env_exports`], unquoted.
    pub fn env(&self, kubeconfig: &Path) -> Vec<(&'static str, String)> {
        let direct = "localhost,127.0.0.1,::1".to_owned();
        vec![
            ("KUBECONFIG", kubeconfig.to_string_lossy().into_owned()),
            ("AWS_ENDPOINT_URL", self.aws_url()),
            ("AWS_ACCESS_KEY_ID", self.secrets.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secrets.secret_access_key.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("COGDECK_DNS", self.dns().to_string()),
            ("http_proxy", format!("http://{}", self.proxy())),
            ("no_proxy", direct.clone()),
            ("NO_PROXY", direct),
        ]
    }

    /// URL and token of the admin API, as lines a shell can source. It holds a secret: write it with mode 0600.
    pub fn admin_file(&self) -> String {
        let (url, token) = (&self.admin.url, &self.secrets.admin_token);
        format!("COGDECK_ADMIN_URL={url}\nCOGDECK_ADMIN_TOKEN={token}\n")
    }

    /// `http://127.0.0.1:PORT` of the admin API.
    pub fn admin_url(&self) -> &str {
        &self.admin.url
    }

    /// The bearer token of the admin API.
    pub fn admin_token(&self) -> &str {
        &self.secrets.admin_token
    }

    /// `https://127.0.0.1:PORT` of the Kubernetes API.
    pub fn kubernetes_url(&self) -> &str {
        &self.api.url
    }

    /// The certificate authority of the Kubernetes API, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.api.ca_pem
    }

    /// The bearer token of the Kubernetes API.
    pub fn token(&self) -> &str {
        &self.secrets.token
    }

    /// `http://127.0.0.1:PORT` of the AWS endpoint.
    pub fn aws_url(&self) -> String {
        format!("http://{}", self.aws.addr)
    }

    /// The access key that the AWS endpoint accepts.
    pub fn access_key_id(&self) -> &str {
        &self.secrets.access_key_id
    }

    /// Its secret.
    pub fn secret_access_key(&self) -> &str {
        &self.secrets.secret_access_key
    }

    /// The region that everything lies in.
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// Where the DNS server listens, udp and tcp.
    pub fn dns(&self) -> SocketAddr {
        self.dns.addr
    }

    /// Where the HTTP proxy listens.
    pub fn proxy(&self) -> SocketAddr {
        self.proxy.addr
    }

    /// The cluster's objects, for tests that look behind the API.
    pub fn store(&self) -> &Store {
        &self.plane.store
    }

    /// Changes the speed of everything, waits that have begun included.
    pub fn set_speed(&self, speed: f64) {
        self.clock.set_speed(speed);
    }

    /// Ends everything and waits for the controllers and kubelets to have ended. Dropping does the same without waiting.
    pub async fn stop(self) {
        self.plane.stop().await;
    }
}

impl Secrets {
    /// Fresh secrets from the operating system: those of different processes never agree, whatever the seed.
    fn new() -> Option<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let draw = |alphabet: &[u8], length: usize| draw(provider.secure_random, alphabet, length);
        Some(Self {
            token: draw(b"abcdefghijklmnopqrstuvwxyz0123456789", 32)?,
            guest_token: draw(b"abcdefghijklmnopqrstuvwxyz0123456789", 32)?,
            admin_token: draw(b"abcdefghijklmnopqrstuvwxyz0123456789", 32)?,
            access_key_id: format!("AKIA{}", draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)?),
            secret_access_key: draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40)?,
        })
    }
}

fn draw(random: &dyn SecureRandom, alphabet: &[u8], length: usize) -> Option<String> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes).ok()?;
    Some(
        bytes
            .into_iter()
            .map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
            .collect(),
    )
}

/// A value as one word of a POSIX shell.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_one_word_of_a_shell() {
        assert_eq!(quote("/tmp/a b;$(x)'y"), r"'/tmp/a b;$(x)'\''y'");
    }

    #[test]
    fn secrets_look_like_the_real_ones_and_differ() {
        let (a, b) = (Secrets::new().unwrap(), Secrets::new().unwrap());
        assert_eq!(
            (a.access_key_id.len(), a.secret_access_key.len(), a.token.len()),
            (20, 40, 32)
        );
        assert_ne!(a.token, b.token);
    }
}
