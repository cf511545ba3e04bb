//! The cloud provider's load balancers: names, public addresses and the services behind them. Not for DNS records of
//! hosted zones (see `aws`) and not for choosing pods (see `kubernetes::network`).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sandbox::cluster::REGION;
use crate::sandbox::random::Random;

/// One load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// The service's namespace.
    pub namespace: String,
    /// The service.
    pub service: String,
    /// Its public addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// The registry. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct LoadBalancers {
    state: Arc<Mutex<State>>,
}

struct State {
    random: Random,
    next_address: u32,
    known: BTreeMap<String, LoadBalancer>,
}

impl LoadBalancers {
    /// An empty registry; the seed repeats the digits in names.
    pub fn new(seed: u64) -> Self {
        let state = State {
            random: Random::new(seed).fork("load balancers"),
            next_address: 0,
            known: BTreeMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Allocates a load balancer for a service and returns its host name: `a` and the service's UID without dashes, 32
    /// letters in all, then digits. The same service gets the same one again.
    pub fn allocate(&self, uid: &str, namespace: &str, service: &str) -> String {
        let mut state = self.lock();
        let known = state
            .known
            .iter()
            .find(|(_, lb)| lb.namespace == namespace && lb.service == service);
        if let Some((host, _)) = known {
            return host.clone();
        }
        let id: String = format!("a{}", uid.replace('-', "")).chars().take(32).collect();
        let digits = 1_000_000_000 + state.random.below(1_000_000_000);
        let host = format!("{id}-{digits}.{REGION}.elb.amazonaws.com");
        let addresses = state.addresses();
        state.known.insert(
            host.clone(),
            LoadBalancer {
                namespace: namespace.into(),
                service: service.into(),
                addresses,
            },
        );
        host
    }

    /// Releases a service's load balancer, if it has one.
    pub fn release(&self, namespace: &str, service: &str) {
        self.lock()
            .known
            .retain(|_, lb| lb.namespace != namespace || lb.service != service);
    }

    /// The load balancer of that host name; case and a final dot do not matter.
    pub fn find(&self, host: &str) -> Option<LoadBalancer> {
        self.lock()
            .known
            .get(host.trim_end_matches('.').to_ascii_lowercase().as_str())
            .cloned()
    }

    /// The load balancer with that public address.
    pub fn find_address(&self, address: Ipv4Addr) -> Option<LoadBalancer> {
        self.lock()
            .known
            .values()
            .find(|lb| lb.addresses.contains(&address))
            .cloned()
    }

    /// The public addresses of a host name, for DNS.
    pub fn addresses(&self, host: &str) -> Option<Vec<Ipv4Addr>> {
        self.find(host).map(|lb| lb.addresses)
    }

    /// All host names, sorted.
    pub fn hosts(&self) -> Vec<String> {
        self.lock().known.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Two addresses of TEST-NET-2 (198.51.100.0/24), one a zone; those of instances are in TEST-NET-3. Beyond 126
    /// load balancers they come from 198.18.0.0/15, the benchmarking range, and stay unique.
    fn addresses(&mut self) -> Vec<Ipv4Addr> {
        let n = self.next_address;
        self.next_address += 1;
        let base = if n < 126 {
            u32::from(Ipv4Addr::new(198, 51, 100, 1)) + 2 * n
        } else {
            u32::from(Ipv4Addr::new(198, 18, 0, 0)) + 2 * ((n - 126) % 65_000)
        };
        vec![Ipv4Addr::from(base), Ipv4Addr::from(base + 1)]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_of_classic_load_balancers() {
        let balancers = LoadBalancers::new(1);
        let host = balancers.allocate("e4b20613-c215-496d-b25b-502aac8c6890", "default", "inspector");
        let (name, rest) = host.split_once('-').unwrap();
        assert_eq!(name, "ae4b20613c215496db25b502aac8c689");
        assert_eq!(name.len(), 32);
        assert!(
            rest.ends_with(".ap-southeast-2.elb.amazonaws.com") && rest.as_bytes()[..10].iter().all(u8::is_ascii_digit)
        );
        assert_eq!(
            balancers.allocate("other", "default", "inspector"),
            host,
            "one a service"
        );
        let found = balancers.find(&format!("{}.", host.to_uppercase())).unwrap();
        assert_eq!((found.service.as_str(), found.addresses.len()), ("inspector", 2));
        assert_eq!(balancers.find_address(found.addresses[1]), Some(found));
        balancers.release("default", "inspector");
        assert_eq!((balancers.find(&host), balancers.hosts().len()), (None, 0));
    }

    #[test]
    fn addresses_stay_unique() {
        let balancers = LoadBalancers::new(1);
        let hosts: Vec<String> = (0..300)
            .map(|n| balancers.allocate(&format!("{n:032x}"), "default", &format!("s{n}")))
            .collect();
        let mut all: Vec<Ipv4Addr> = hosts.iter().flat_map(|h| balancers.addresses(h).unwrap()).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 600);
    }
}
