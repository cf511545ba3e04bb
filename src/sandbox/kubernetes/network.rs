//! The network of the cluster: which pod address is served by which listener, and which pods stand behind a service's
//! port (what CNI and kube-proxy do). Not for HTTP and not for names outside the cluster.
//!
//! Removing an endpoint takes effect a fifth of a second later, as on real nodes: a pod that dies at once loses requests,
//! one that drains does not.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::sandbox::clock::Clock;
use crate::sandbox::random::Random;

/// How long nodes still send new connections to an endpoint that was removed, at normal speed.
const REMOVAL_LAG: Duration = Duration::from_millis(200);

/// The shared state of the network. Cheap to clone.
#[derive(Clone)]
pub struct Network {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

struct State {
    random: Random,
    sockets: HashMap<(Ipv4Addr, u16), Socket>,
    services: HashMap<(String, String), Vec<ServicePort>>,
}

struct Socket {
    listener: SocketAddr,
    in_flight: Arc<AtomicUsize>,
}

/// One port of a service and the pods behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// `spec.ports[].port`.
    pub port: u16,
    /// Address and port of each pod.
    pub targets: Vec<Target>,
}

/// A pod's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The pod's address.
    pub ip: Ipv4Addr,
    /// The port on the pod.
    pub port: u16,
    /// Set once the endpoint was removed: until when nodes still use it.
    until: Option<Instant>,
}

impl Target {
    /// A ready endpoint.
    pub fn new(ip: Ipv4Addr, port: u16) -> Self {
        Self { ip, port, until: None }
    }

    fn is_used(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Where a connection goes. While it is held, the pod counts it as in flight and does not exit because of a drain.
#[derive(Debug)]
pub struct Route {
    /// The pod's address, as the cluster sees it.
    pub pod: (Ipv4Addr, u16),
    /// The listener that serves it; `None` when nothing listens there (connection refused).
    pub listener: Option<SocketAddr>,
    in_flight: Option<Arc<AtomicUsize>>,
}

impl Drop for Route {
    fn drop(&mut self) {
        if let Some(count) = &self.in_flight {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Why there is no way to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// The service has no such port.
    NoPort,
    /// No pod of the service is ready.
    NoEndpoints,
}

impl Network {
    /// A network without pods. The seed repeats the choices between endpoints.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let state = State {
            random: Random::new(seed).fork("network"),
            sockets: HashMap::new(),
            services: HashMap::new(),
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A pod starts to listen; its in-flight counter is returned.
    pub fn listen(&self, ip: Ipv4Addr, port: u16, listener: SocketAddr) {
        self.lock().sockets.insert(
            (ip, port),
            Socket {
                listener,
                in_flight: Arc::default(),
            },
        );
    }

    /// A pod is gone: connections to it are refused from now on.
    pub fn unlisten(&self, ip: Ipv4Addr) {
        self.lock().sockets.retain(|(address, _), _| *address != ip);
    }

    /// Connections to the pod that are open or about to be.
    pub fn in_flight(&self, ip: Ipv4Addr) -> usize {
        let state = self.lock();
        state
            .sockets
            .iter()
            .filter(|((address, _), _)| *address == ip)
            .map(|(_, s)| s.in_flight.load(Ordering::Acquire))
            .sum()
    }

    /// Whether some service still sends new connections to this pod.
    pub fn is_routed(&self, ip: Ipv4Addr) -> bool {
        let now = Instant::now();
        self.lock()
            .services
            .values()
            .flatten()
            .flat_map(|p| &p.targets)
            .any(|t| t.ip == ip && t.is_used(now))
    }

    /// The ready endpoints of a service changed. Those no longer named are used for the removal lag still.
    pub fn set_service(&self, namespace: &str, service: &str, ports: Vec<ServicePort>) {
        let now = Instant::now();
        let until = now + self.clock.scaled(REMOVAL_LAG);
        let mut state = self.lock();
        let entry = state
            .services
            .entry((namespace.to_owned(), service.to_owned()))
            .or_default();
        let old = std::mem::replace(entry, ports);
        for port in entry {
            let before = old.iter().find(|p| p.port == port.port);
            let gone: Vec<Target> = before
                .into_iter()
                .flat_map(|p| &p.targets)
                .filter(|t| t.is_used(now) && !port.targets.iter().any(|n| (n.ip, n.port) == (t.ip, t.port)))
                .map(|t| Target {
                    until: t.until.or(Some(until)),
                    ..t.clone()
                })
                .collect();
            port.targets.extend(gone);
        }
    }

    /// A service is gone.
    pub fn remove_service(&self, namespace: &str, service: &str) {
        self.lock().services.remove(&(namespace.to_owned(), service.to_owned()));
    }

    /// A way for one new connection to a service: a random one of its ready pods.
    ///
    /// # Errors
    /// [`NoRoute`] when the service has no such port or no ready pod.
    pub fn route_service(&self, namespace: &str, service: &str, port: u16) -> Result<Route, NoRoute> {
        let now = Instant::now();
        let mut state = self.lock();
        let ports = state
            .services
            .get(&(namespace.to_owned(), service.to_owned()))
            .ok_or(NoRoute::NoEndpoints)?;
        let found = ports.iter().find(|p| p.port == port).ok_or(NoRoute::NoPort)?;
        let targets: Vec<(Ipv4Addr, u16)> = found
            .targets
            .iter()
            .filter(|t| t.is_used(now))
            .map(|t| (t.ip, t.port))
            .collect();
        let (ip, port) = state.random.choose(&targets).copied().ok_or(NoRoute::NoEndpoints)?;
        Ok(state.route(ip, port))
    }

    /// A way to a pod's own address.
    pub fn route_pod(&self, ip: Ipv4Addr, port: u16) -> Route {
        self.lock().route(ip, port)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts the connection under the same lock that chose the pod, so that a drain can't miss it.
    fn route(&self, ip: Ipv4Addr, port: u16) -> Route {
        let socket = self.sockets.get(&(ip, port));
        if let Some(socket) = socket {
            socket.in_flight.fetch_add(1, Ordering::AcqRel);
        }
        Route {
            pod: (ip, port),
            listener: socket.map(|s| s.listener),
            in_flight: socket.map(|s| s.in_flight.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(100, 96, 1, 2);
    const B: Ipv4Addr = Ipv4Addr::new(100, 96, 1, 3);

    fn ports(ips: &[Ipv4Addr]) -> Vec<ServicePort> {
        vec![ServicePort {
            port: 80,
            targets: ips.iter().map(|ip| Target::new(*ip, 80)).collect(),
        }]
    }

    #[test]
    fn every_ready_pod_is_chosen_and_counted_while_in_use() {
        let network = Network::new(Clock::new(1.0), 1);
        for ip in [A, B] {
            network.listen(ip, 80, "127.0.0.1:1".parse().unwrap());
        }
        network.set_service("default", "s", ports(&[A, B]));
        let routes: Vec<Route> = (0..50)
            .map(|_| network.route_service("default", "s", 80).unwrap())
            .collect();
        let to_a = routes.iter().filter(|r| r.pod.0 == A).count();
        assert!(to_a > 0 && to_a < 50);
        assert_eq!(
            (network.in_flight(A), network.in_flight(A) + network.in_flight(B)),
            (to_a, 50)
        );
        drop(routes);
        assert_eq!(network.in_flight(A), 0);
        assert_eq!(network.route_service("default", "s", 81).unwrap_err(), NoRoute::NoPort);
        assert_eq!(
            network.route_service("default", "x", 80).unwrap_err(),
            NoRoute::NoEndpoints
        );
    }

    #[test]
    fn a_removed_endpoint_is_used_a_little_longer() {
        let network = Network::new(Clock::new(10.0), 1);
        network.set_service("default", "s", ports(&[A, B]));
        network.set_service("default", "s", ports(&[B]));
        assert!(network.is_routed(A));
        network.set_service("default", "s", ports(&[B]));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!network.is_routed(A) && network.is_routed(B));
        network.set_service("default", "s", ports(&[]));
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(
            network.route_service("default", "s", 80).unwrap_err(),
            NoRoute::NoEndpoints
        );
    }
}
