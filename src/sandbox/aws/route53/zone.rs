//! One hosted zone: the sets as the API shows them at once, and as DNS serves them once a change is INSYNC.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::delay::Delay;
use super::batch::{Delta, Sets};
use super::name::DnsName;
use super::record::{Key, RecordSet, RecordType};
use super::zones::Published;
use crate::sandbox::clock::Clock;

/// The name servers of every zone.
pub(super) const NAME_SERVERS: [&str; 4] = [
    "ns-101.awsdns-12.com.",
    "ns-1002.awsdns-61.net.",
    "ns-1303.awsdns-34.org.",
    "ns-1904.awsdns-46.co.uk.",
];

/// A hosted zone.
pub(super) struct Zone {
    pub id: String,
    pub apex: DnsName,
    pub reference: String,
    pub comment: Option<String>,
    pub sets: Sets,
    served: Sets,
    pending: VecDeque<(Delay, Delta)>,
}

impl Zone {
    /// A zone with its NS and SOA.
    pub fn new(id: String, apex: DnsName, reference: String, comment: Option<String>) -> Self {
        let set = |kind, ttl, values: Vec<String>| RecordSet {
            name: apex.clone(),
            kind,
            identifier: None,
            weight: None,
            ttl: Some(ttl),
            values,
            alias: None,
        };
        let ns = set(RecordType::NS, 172_800, NAME_SERVERS.map(str::to_owned).to_vec());
        let soa = format!(
            "{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
            NAME_SERVERS[0]
        );
        let soa = set(RecordType::SOA, 900, vec![soa]);
        let sets: Sets = [ns, soa].into_iter().map(|set| (set.key(), Arc::new(set))).collect();
        Self {
            id,
            apex,
            reference,
            comment,
            served: sets.clone(),
            sets,
            pending: VecDeque::new(),
        }
    }

    /// How many changes are still on their way to DNS.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Takes a planned change: at once for the API, after the delay for DNS.
    pub fn apply(&mut self, delta: Delta, delay: Delay) {
        write(&mut self.sets, &delta);
        self.pending.push_back((delay, delta));
    }

    /// Moves what has waited long enough to DNS.
    pub fn settle(&mut self, clock: &Clock) {
        while let Some((_, delta)) = self.pending.pop_front_if(|(delay, _)| delay.is_over(clock)) {
            write(&mut self.served, &delta);
        }
    }

    /// What DNS knows of a name within this zone.
    pub fn published(&self, name: &DnsName) -> Published {
        let soa = self.at(&self.apex).find(|set| set.kind == RecordType::SOA);
        let mut published = Published {
            zone_id: self.id.clone(),
            apex: self.apex.clone(),
            sets: self.at(name).collect(),
            exists: self.exists(name),
            delegation: self.delegation(name),
            soa,
        };
        if !published.exists
            && let Some(wildcard) = self.wildcard(name)
        {
            published.sets = self.at(&wildcard).collect();
            published.exists = true;
        }
        published
    }

    fn at(&self, name: &DnsName) -> impl Iterator<Item = Arc<RecordSet>> {
        self.served
            .range(first(name)..)
            .take_while(move |(key, _)| key.0 == *name)
            .map(|(_, set)| set.clone())
    }

    /// A name exists when it or a name below it has a set (RFC 4592, empty non-terminals).
    fn exists(&self, name: &DnsName) -> bool {
        self.served
            .range(first(name)..)
            .next()
            .is_some_and(|(key, _)| key.0.is_within(name))
    }

    /// The wildcard at the closest encloser, if there is one (RFC 4592).
    fn wildcard(&self, name: &DnsName) -> Option<DnsName> {
        let mut encloser = name.parent()?;
        while !self.exists(&encloser) {
            encloser = encloser.parent()?;
        }
        let wildcard = encloser.wildcard();
        (encloser.is_within(&self.apex) && self.at(&wildcard).next().is_some()).then_some(wildcard)
    }

    /// The NS set of the topmost cut between the apex and the name.
    fn delegation(&self, name: &DnsName) -> Option<Arc<RecordSet>> {
        let mut at = name.clone();
        let mut cut = None;
        while at != self.apex {
            if let Some(ns) = self.at(&at).find(|set| set.kind == RecordType::NS) {
                cut = Some(ns);
            }
            at = at.parent()?;
        }
        cut
    }
}

fn first(name: &DnsName) -> Key {
    (name.clone(), RecordType::A, None)
}

fn write(sets: &mut Sets, delta: &Delta) {
    for (key, set) in delta {
        match set {
            Some(set) => {
                sets.insert(key.clone(), set.clone());
            }
            None => {
                sets.remove(key);
            }
        }
    }
}
