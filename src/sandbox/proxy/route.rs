//! From the host a request names to a pod: names, load balancers, services and addresses of the world. Not for HTTP.

use std::net::Ipv4Addr;

use hyper::StatusCode;

use crate::sandbox::cloud::LoadBalancers;
use crate::sandbox::dns::Names;
use crate::sandbox::kubernetes::network::{Network, NoRoute, Route};
use crate::sandbox::kubernetes::objects::{name, namespace, text};
use crate::sandbox::kubernetes::store::Store;

/// Names listed in a refusal at most.
const LISTED: usize = 10;

/// A request that is answered here: status and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// Why, and what to do.
    pub text: String,
}

impl Refusal {
    /// A refusal with this status and text.
    pub fn new(status: StatusCode, text: String) -> Self {
        Self { status, text }
    }

    pub(super) fn closing() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the sandbox is stopping".into())
    }
}

/// Knows the way from a host to a pod.
#[derive(Clone)]
pub struct Router {
    names: Names,
    balancers: LoadBalancers,
    network: Network,
    store: Store,
}

impl Router {
    /// A router for the world that these parts make.
    pub fn new(names: Names, balancers: LoadBalancers, network: Network, store: Store) -> Self {
        Self {
            names,
            balancers,
            network,
            store,
        }
    }

    /// A way for one new connection to `host:port`.
    ///
    /// # Errors
    /// 502 when the host does not exist or does not listen there, 503 when no pod is ready.
    pub fn route(&self, host: &str, port: u16) -> Result<Route, Refusal> {
        if let Ok(ip) = host.parse::<Ipv4Addr>() {
            return self.route_address(ip, port);
        }
        let plain = host.trim_end_matches('.').to_ascii_lowercase();
        let Some(last) = self.names.canonical(host) else {
            return Err(unknown(format!(
                "{host}: no such name in this world.\n{}",
                self.what_exists()
            )));
        };
        let balancer = self
            .balancers
            .find(&last)
            .or_else(|| last.parse().ok().and_then(|ip| self.balancers.find_address(ip)));
        let Some(balancer) = balancer else {
            let why = if last == plain {
                "no such name in this world".to_owned()
            } else {
                format!("leads to {last}, which is no load balancer of this world")
            };
            return Err(unknown(format!(
                "{host}: {why}.
{}",
                self.what_exists()
            )));
        };
        self.route_service(host, &balancer.namespace, &balancer.service, port)
    }

    fn route_address(&self, ip: Ipv4Addr, port: u16) -> Result<Route, Refusal> {
        let host = ip.to_string();
        if let Some(balancer) = self.balancers.find_address(ip) {
            return self.route_service(&host, &balancer.namespace, &balancer.service, port);
        }
        let services = self.store.list("services", None);
        if let Some(service) = services.iter().find(|s| text(s, "/spec/clusterIP") == host) {
            return self.route_service(&host, namespace(service), name(service), port);
        }
        let route = self.network.route_pod(ip, port);
        let known = route.listener.is_some()
            || self
                .store
                .list("pods", None)
                .iter()
                .any(|p| text(p, "/status/podIP") == host);
        if known {
            Ok(route)
        } else {
            Err(unknown(format!(
                "{host}: no pod, service or load balancer has this address.\n{}",
                self.what_exists()
            )))
        }
    }

    fn route_service(&self, host: &str, space: &str, service: &str, port: u16) -> Result<Route, Refusal> {
        self.network
            .route_service(space, service, port)
            .map_err(|why| match why {
                NoRoute::NoPort => unknown(format!(
                    "{host}: service {space}/{service} does not listen on port {port}"
                )),
                NoRoute::NoEndpoints => Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("{host}: service {space}/{service} has no ready pod on port {port}"),
                ),
            })
    }

    /// The load balancers' hosts and what they lead to, for people who mistyped a name.
    pub fn what_exists(&self) -> String {
        let hosts = self.balancers.hosts();
        if hosts.is_empty() {
            return "There is no load balancer yet: expose a deployment with --type=LoadBalancer, then create a DNS record for its host.".into();
        }
        let mut lines: Vec<String> = hosts
            .iter()
            .take(LISTED)
            .filter_map(|host| {
                self.balancers
                    .find(host)
                    .map(|lb| format!("  {host} (service {}/{})", lb.namespace, lb.service))
            })
            .collect();
        if hosts.len() > LISTED {
            lines.push(format!("  and {} more", hosts.len() - LISTED));
        }
        format!(
            "Load balancers, and any DNS name that leads to one, are served:\n{}",
            lines.join("\n")
        )
    }
}

fn unknown(text: String) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, text)
}
