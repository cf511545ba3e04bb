//! What Route 53 permits in a zone, rule by rule, each with its own words. Pure; one set or one name at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::elb;
use super::name::DnsName;
use super::record::{Alias, RecordSet, RecordType};
use super::value;

/// The API's limit of values in one set.
const MAX_VALUES: usize = 400;

/// What is wrong with the set itself.
pub(super) fn set(apex: &DnsName, set: &RecordSet) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &set.values {
        if !seen.insert(text) {
            reasons.push(format!("Duplicate Resource Record: '{text}'"));
        }
        if let Err(reason) = value::rdata(set.kind, text) {
            reasons.push(format!(
                "Invalid Resource Record: 'FATAL problem: {reason} encountered with '{text}''"
            ));
        }
    }
    if set.values.len() > MAX_VALUES {
        reasons.push(format!("The set has more than {MAX_VALUES} values."));
    }
    if set.kind == RecordType::CNAME && set.values.len() > 1 {
        reasons.push(format!(
            "The CNAME resource record set with DNS name {} has more than one value; exactly one is permitted",
            set.name
        ));
    }
    if set.kind == RecordType::SOA && (set.name != *apex || set.values.len() != 1) {
        reasons.push(format!("A zone has exactly one SOA record, at its apex {apex}"));
    }
    if set.alias.is_some() && matches!(set.kind, RecordType::NS | RecordType::SOA) {
        reasons.push(format!("An alias cannot be of type {}", set.kind));
    }
    reasons
}

/// What is wrong with the sets of one name together; only the sets that the batch writes are blamed.
pub(super) fn neighbours(apex: &DnsName, all: &[Arc<RecordSet>], written: &[&RecordSet]) -> Vec<String> {
    let mut reasons = Vec::new();
    for set in written {
        let others = |kind_of: &dyn Fn(RecordType) -> bool| all.iter().any(|other| kind_of(other.kind));
        if set.kind == RecordType::CNAME {
            if set.name == *apex {
                reasons.push(format!(
                    "RRSet of type CNAME with DNS name {} is not permitted at apex in zone {apex}",
                    set.name
                ));
            } else if others(&|kind| kind != RecordType::CNAME) {
                reasons.push(format!(
                    "RRSet of type CNAME with DNS name {} is not permitted as it conflicts with other records with the same DNS name in zone {apex}",
                    set.name
                ));
            }
        } else if set.name != *apex && others(&|kind| kind == RecordType::CNAME) {
            reasons.push(format!(
                "RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {apex}",
                set.kind, set.name
            ));
        }
        let mixed = all
            .iter()
            .any(|other| other.kind == set.kind && other.identifier.is_some() != set.identifier.is_some());
        if mixed {
            reasons.push(format!(
                "RRSet with DNS name {}, type {}{} cannot be created as a non-weighted set exists beside a weighted one with the same name and type.",
                set.name,
                set.kind,
                identifier(set)
            ));
        }
    }
    reasons
}

/// Why the alias's target cannot be in the zone that the alias names; the end of a sentence.
pub(super) fn alias_zone(zone_id: &str, apex: &DnsName, alias: &Alias) -> Option<&'static str> {
    let outside = Some("the alias target name does not lie within the target zone");
    if alias.zone_id == zone_id {
        return if alias.name.is_within(apex) { None } else { outside };
    }
    if elb::is_canonical_zone(&alias.zone_id) {
        let inside = alias
            .name
            .host()
            .is_some_and(|host| elb::lies_in(&host, &alias.zone_id));
        return if inside { None } else { outside };
    }
    Some("the target zone is neither this hosted zone nor the canonical zone of a load balancer")
}

/// `, set-identifier='x'`, or nothing.
pub(super) fn identifier(set: &RecordSet) -> String {
    set.identifier
        .as_ref()
        .map(|id| format!(", set-identifier='{id}'"))
        .unwrap_or_default()
}
