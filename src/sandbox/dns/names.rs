//! Who knows a name: a hosted zone or the load balancers. Follows CNAME and Alias targets. Not for the wire.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_server::proto::rr::RData;

use crate::sandbox::aws::route53::{DnsName, Published, RecordSet, RecordType, Zones, rdata};
use crate::sandbox::random::Random;

/// The longest chain of CNAMEs and Aliases that is followed; a loop ends here too.
pub(super) const MAX_CHAIN: usize = 16;
/// The TTL of a load balancer's addresses, and of an Alias to it.
const BALANCER_TTL: u32 = 60;

/// The addresses of a load balancer by its host name (lower case, no last dot); `None` when there is none of that name.
pub type LoadBalancers = Arc<dyn Fn(&str) -> Option<Vec<Ipv4Addr>> + Send + Sync>;

/// All names of the world. A clone shares the state.
#[derive(Clone)]
pub struct Names {
    zones: Zones,
    load_balancers: LoadBalancers,
    random: Arc<Mutex<Random>>,
}

/// What is known of one name.
pub(super) enum Known {
    /// It lies in a hosted zone.
    Zone(Published),
    /// It lies where the load balancers' names are (the apex), and is one with these addresses, or is none.
    Balancer {
        apex: DnsName,
        addresses: Option<Vec<Ipv4Addr>>,
    },
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Names {
    /// Names of these zones and load balancers.
    pub fn new(zones: Zones, load_balancers: LoadBalancers) -> Self {
        Self {
            zones,
            load_balancers,
            random: Arc::new(Mutex::new(Random::new(0))),
        }
    }

    /// The last name that `name` leads to by CNAME and Alias, such as a load balancer's host: lower case, without
    /// the last dot. `None` when the name or a target within the world does not exist, or the chain is a loop.
    pub fn canonical(&self, name: &str) -> Option<String> {
        let mut name = DnsName::parse(name).ok()?;
        for _ in 0..MAX_CHAIN {
            let sets = match self.find(&name) {
                None => return name.host(),
                Some(Known::Balancer { addresses, .. }) => {
                    addresses?;
                    return name.host().map(|host| without_dualstack(&host).to_owned());
                }
                Some(Known::Zone(published)) if published.exists => published.sets,
                Some(Known::Zone(_)) => return None,
            };
            let of = |kind| self.choose(&sets, kind);
            let Some(set) = of(RecordType::CNAME)
                .or_else(|| of(RecordType::A))
                .or_else(|| of(RecordType::AAAA))
            else {
                return name.host();
            };
            name = match (&set.alias, set.kind, set.values.first()) {
                (Some(alias), _, _) => alias.name.clone(),
                (None, RecordType::CNAME, Some(target)) => DnsName::parse(target).ok()?,
                _ => return name.host(),
            };
        }
        None
    }

    /// Who knows the name; `None` when nobody here does.
    pub(super) fn find(&self, name: &DnsName) -> Option<Known> {
        if let Some(published) = self.zones.published(name) {
            return Some(Known::Zone(published));
        }
        let apex = balancer_apex(name)?;
        let addresses = name
            .host()
            .and_then(|host| (self.load_balancers)(&host).or_else(|| (self.load_balancers)(without_dualstack(&host))));
        Some(Known::Balancer { apex, addresses })
    }

    /// The set of a kind; of several weighted ones a random one by weight.
    pub(super) fn choose(&self, sets: &[Arc<RecordSet>], kind: RecordType) -> Option<Arc<RecordSet>> {
        let candidates: Vec<&Arc<RecordSet>> = sets.iter().filter(|set| set.kind == kind).collect();
        let weight = |set: &RecordSet| u64::from(set.weight.unwrap_or(0));
        let total: u64 = candidates.iter().map(|set| weight(set)).sum();
        if candidates.len() < 2 || total == 0 {
            return candidates.first().map(|set| Arc::clone(set));
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = random.below(total);
        candidates
            .into_iter()
            .find(|set| {
                let hit = left < weight(set);
                left = left.saturating_sub(weight(set));
                hit
            })
            .cloned()
    }

    /// The data of a set with its TTL; an Alias gives its target's.
    pub(super) fn data(&self, set: &RecordSet) -> (u32, Vec<RData>) {
        self.data_within(set, MAX_CHAIN)
    }

    fn data_within(&self, set: &RecordSet, steps: usize) -> (u32, Vec<RData>) {
        let Some(alias) = &set.alias else {
            let data = set
                .values
                .iter()
                .filter_map(|value| rdata(set.kind, value).ok())
                .collect();
            return (set.ttl.unwrap_or(0), data);
        };
        let Some(steps) = steps.checked_sub(1) else {
            return (0, Vec::new());
        };
        match self.find(&alias.name) {
            Some(Known::Balancer { addresses, .. }) => (BALANCER_TTL, balancer_data(set.kind, addresses.as_deref())),
            Some(Known::Zone(published)) => match self.choose(&published.sets, set.kind) {
                Some(target) => self.data_within(&target, steps),
                None => (0, Vec::new()),
            },
            None => (0, Vec::new()),
        }
    }
}

/// A load balancer's records of a type: it has addresses of version 4 only.
pub(super) fn balancer_data(kind: RecordType, addresses: Option<&[Ipv4Addr]>) -> Vec<RData> {
    match kind {
        RecordType::A => addresses
            .unwrap_or_default()
            .iter()
            .map(|address| RData::A((*address).into()))
            .collect(),
        _ => Vec::new(),
    }
}

/// The TTL that goes with [`balancer_data`].
pub(super) fn balancer_ttl() -> u32 {
    BALANCER_TTL
}

/// `elb.amazonaws.com.` (classic, application) or `elb.REGION.amazonaws.com.` (network) above or at the name.
fn balancer_apex(name: &DnsName) -> Option<DnsName> {
    let labels: Vec<&[u8]> = name.labels().collect();
    let is = |from_end: usize, label: &str| {
        labels.len().checked_sub(from_end).and_then(|at| labels.get(at)) == Some(&label.as_bytes())
    };
    if !is(1, "com") || !is(2, "amazonaws") {
        return None;
    }
    let count = if is(3, "elb") {
        3
    } else if is(4, "elb") {
        4
    } else {
        return None;
    };
    Some(DnsName::from_labels(labels[labels.len() - count..].iter().copied()))
}

fn without_dualstack(host: &str) -> &str {
    host.strip_prefix("dualstack.").unwrap_or(host)
}
