//! Applies a change batch to a zone's sets: all of it or none of it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::fault::Fault;
use super::name::DnsName;
use super::record::{Key, RecordSet, RecordType};
use super::rules;

/// The API's limits of one batch; an UPSERT counts twice in both.
const MAX_VALUES: usize = 1_000;
const MAX_CHARACTERS: usize = 32_000;

/// What is to be done with a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Upsert,
    Delete,
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub action: Action,
    pub set: RecordSet,
}

/// The sets of a zone.
pub(super) type Sets = BTreeMap<Key, Arc<RecordSet>>;

/// A set that is new, or gone (`None`).
pub(super) type Delta = Vec<(Key, Option<Arc<RecordSet>>)>;

/// What the batch changes, or every reason why it may not.
pub(super) fn plan(zone_id: &str, apex: &DnsName, sets: &Sets, changes: &[Change]) -> Result<Delta, Fault> {
    limits(changes)?;
    let mut after = Overlay {
        sets,
        delta: BTreeMap::new(),
    };
    let mut reasons = Vec::new();
    let mut seen: BTreeSet<(Key, bool)> = BTreeSet::new();
    for Change { action, set } in changes {
        let key = set.key();
        let label = format!("[name='{}', type='{}'{}]", set.name, set.kind, rules::identifier(set));
        // A set may be deleted and created in one batch, nothing else twice.
        let deletes = *action == Action::Delete;
        let clash = *action == Action::Upsert && seen.contains(&(key.clone(), true));
        if !seen.insert((key.clone(), deletes)) || clash {
            return Err(invalid(&[format!(
                "The request contains an invalid set of changes for a resource record set '{} {}'",
                set.kind, set.name
            )]));
        }
        if !set.name.is_within(apex) {
            reasons.push(format!(
                "RRSet with DNS name {} is not permitted in zone {apex}",
                set.name
            ));
            continue;
        }
        match (action, after.get(&key)) {
            (Action::Create, Some(_)) => {
                reasons.push(format!(
                    "Tried to create resource record set {label} but it already exists"
                ));
                continue;
            }
            (Action::Delete, None) => {
                reasons.push(format!(
                    "Tried to delete resource record set {label} but it was not found"
                ));
                continue;
            }
            (Action::Delete, Some(current)) if !same(&current, set) => {
                reasons.push(format!(
                    "Tried to delete resource record set {label} but the values provided do not match the current values"
                ));
                continue;
            }
            _ => {}
        }
        if deletes {
            after.delta.insert(key, None);
        } else {
            reasons.extend(rules::set(apex, set));
            after.delta.insert(key, Some(Arc::new(set.clone())));
        }
    }
    let touched: BTreeSet<&DnsName> = changes.iter().map(|change| &change.set.name).collect();
    for name in touched {
        let at_name: Vec<Arc<RecordSet>> = after.at(name);
        let created: Vec<&RecordSet> = changes
            .iter()
            .filter(|change| change.action != Action::Delete && change.set.name == *name)
            .map(|change| &change.set)
            .collect();
        reasons.extend(rules::neighbours(apex, &at_name, &created));
    }
    reasons.extend(aliases(zone_id, apex, &after, changes));
    for kind in [RecordType::NS, RecordType::SOA] {
        if after.get(&(apex.clone(), kind, None)).is_none() {
            reasons.push(format!(
                "A HostedZone must contain at least one {kind} record for the zone itself."
            ));
        }
    }
    if reasons.is_empty() {
        Ok(after.delta.into_iter().collect())
    } else {
        reasons.dedup();
        Err(invalid(&reasons))
    }
}

/// The sets as they would be.
struct Overlay<'a> {
    sets: &'a Sets,
    delta: BTreeMap<Key, Option<Arc<RecordSet>>>,
}

impl Overlay<'_> {
    fn get(&self, key: &Key) -> Option<Arc<RecordSet>> {
        match self.delta.get(key) {
            Some(changed) => changed.clone(),
            None => self.sets.get(key).cloned(),
        }
    }

    /// All sets of one name.
    fn at(&self, name: &DnsName) -> Vec<Arc<RecordSet>> {
        let first = (name.clone(), RecordType::A, None);
        let old = self
            .sets
            .range(first.clone()..)
            .take_while(|(key, _)| key.0 == *name)
            .map(|(key, _)| key);
        let new = self
            .delta
            .range(first..)
            .take_while(|(key, _)| key.0 == *name)
            .map(|(key, _)| key);
        let keys: BTreeSet<&Key> = old.chain(new).collect();
        keys.into_iter().filter_map(|key| self.get(key)).collect()
    }
}

/// An alias within the zone needs a target of its type.
fn aliases(zone_id: &str, apex: &DnsName, after: &Overlay<'_>, changes: &[Change]) -> Vec<String> {
    let mut reasons = Vec::new();
    for Change { set, .. } in changes.iter().filter(|change| change.action != Action::Delete) {
        let Some(alias) = &set.alias else { continue };
        let what = format!(
            "Tried to create an alias that targets {}, type {} in zone {}, but ",
            alias.name, set.kind, alias.zone_id
        );
        if let Some(reason) = rules::alias_zone(zone_id, apex, alias) {
            reasons.push(what + reason);
        } else if alias.zone_id != zone_id && !matches!(set.kind, RecordType::A | RecordType::AAAA) {
            // A load balancer has addresses and nothing else.
            reasons.push(what + "that target was not found");
        } else if alias.zone_id == zone_id && !after.at(&alias.name).iter().any(|target| target.kind == set.kind) {
            reasons.push(what + "that target was not found");
        } else if alias.zone_id == zone_id && alias.name == set.name {
            reasons.push(what + "an alias cannot target itself");
        }
    }
    reasons
}

/// Values are a set: their order does not matter.
fn same(a: &RecordSet, b: &RecordSet) -> bool {
    let sorted = |set: &RecordSet| {
        let mut values = set.values.clone();
        values.sort();
        values
    };
    a.ttl == b.ttl && a.weight == b.weight && a.alias == b.alias && sorted(a) == sorted(b)
}

fn limits(changes: &[Change]) -> Result<(), Fault> {
    let (mut values, mut characters) = (0, 0);
    for Change { action, set } in changes {
        let times = if *action == Action::Upsert { 2 } else { 1 };
        values += times * set.values.len().max(1);
        characters += times * set.values.iter().map(|value| value.chars().count()).sum::<usize>();
    }
    if values > MAX_VALUES {
        return Err(invalid(&[format!("Number of records limit of {MAX_VALUES} exceeded.")]));
    }
    if characters > MAX_CHARACTERS {
        return Err(invalid(&[format!(
            "Number of characters limit of {MAX_CHARACTERS} exceeded."
        )]));
    }
    Ok(())
}

fn invalid(reasons: &[String]) -> Fault {
    /// More reasons help nobody.
    const SHOWN: usize = 20;
    let shown = reasons.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    Fault::bad("InvalidChangeBatch", format!("[{shown}]"))
}
