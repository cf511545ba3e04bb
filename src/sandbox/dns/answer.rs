//! From a question to an answer: authority, CNAME chains in one answer, Aliases as addresses, negative answers with
//! the SOA (RFC 1034, 2308, 4592, 8482). Pure but for reading the names; no sockets here.

use hickory_server::proto::op::ResponseCode;
use hickory_server::proto::rr::rdata::SOA;
use hickory_server::proto::rr::{Name, RData, Record, RecordType as WireType};

use super::names::{Known, MAX_CHAIN, Names, balancer_data, balancer_ttl};
use crate::sandbox::aws::route53::{DnsName, Published, RecordType};

/// How long a load balancer's missing name may be remembered.
const BALANCER_NEGATIVE_TTL: u32 = 60;

/// The sections of an answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub code: ResponseCode,
    pub authoritative: bool,
    pub answers: Vec<Record>,
    pub authorities: Vec<Record>,
}

/// Answers a question of class IN. `asked` keeps the case in which it was asked.
pub(super) fn answer(names: &Names, asked: &Name, kind: WireType) -> Answer {
    let mut out = Answer::default();
    let mut owner = asked.clone();
    for _ in 0..MAX_CHAIN {
        let name = DnsName::from_labels(owner.iter());
        let next = match names.find(&name) {
            None => {
                if out.answers.is_empty() {
                    out.code = ResponseCode::Refused;
                }
                None
            }
            Some(Known::Balancer { apex, addresses }) => {
                out.authoritative = true;
                balancer(&mut out, &owner, kind, &apex, addresses.as_deref());
                None
            }
            Some(Known::Zone(published)) => zone(names, &mut out, &owner, &name, kind, &published),
        };
        match next {
            Some(target) => owner = target,
            None => return out,
        }
    }
    // A loop: what was found of it is the answer.
    out
}

fn balancer(out: &mut Answer, owner: &Name, kind: WireType, apex: &DnsName, addresses: Option<&[std::net::Ipv4Addr]>) {
    let data = match kind {
        WireType::A | WireType::ANY => balancer_data(RecordType::A, addresses),
        _ => Vec::new(),
    };
    if addresses.is_none()
        && apex.to_string() != format!("{}.", owner.to_ascii().trim_end_matches('.').to_ascii_lowercase())
    {
        out.code = ResponseCode::NXDomain;
    }
    if data.is_empty() {
        out.authorities.extend(balancer_soa(apex));
    }
    out.answers.extend(
        data.into_iter()
            .map(|data| Record::from_rdata(owner.clone(), balancer_ttl(), data)),
    );
}

/// The answer from a hosted zone; a CNAME's target when the chain goes on.
fn zone(
    names: &Names,
    out: &mut Answer,
    owner: &Name,
    name: &DnsName,
    kind: WireType,
    published: &Published,
) -> Option<Name> {
    if let Some(cut) = published
        .delegation
        .as_ref()
        .filter(|cut| cut.name != *name || kind != WireType::DS)
    {
        let (ttl, servers) = names.data(cut);
        let at = wire(&cut.name)?;
        out.authorities.extend(
            servers
                .into_iter()
                .map(|data| Record::from_rdata(at.clone(), ttl, data)),
        );
        return None;
    }
    out.authoritative = true;
    let wanted = match kind {
        // Minimal: one set of those that are there (RFC 8482).
        WireType::ANY => published.sets.first().map(|set| set.kind),
        kind => RecordType::ALL
            .iter()
            .copied()
            .find(|known| known.name() == kind.to_string()),
    };
    if let Some(set) = wanted.and_then(|wanted| names.choose(&published.sets, wanted)) {
        let (ttl, data) = names.data(&set);
        if !data.is_empty() {
            out.answers.extend(
                data.into_iter()
                    .map(|data| Record::from_rdata(owner.clone(), ttl, data)),
            );
            return None;
        }
    } else if let Some(set) = names.choose(&published.sets, RecordType::CNAME) {
        let (ttl, data) = names.data(&set);
        if let Some(RData::CNAME(target)) = data.first().cloned() {
            let again = out.answers.iter().any(|record| record.name == *owner);
            if again {
                return None;
            }
            out.answers
                .push(Record::from_rdata(owner.clone(), ttl, RData::CNAME(target.clone())));
            return Some(target.0);
        }
    }
    if !published.exists {
        out.code = ResponseCode::NXDomain;
    }
    out.authorities.extend(zone_soa(names, published));
    None
}

/// The SOA with the TTL of a negative answer: the lesser of its own TTL and its last field (RFC 2308).
fn zone_soa(names: &Names, published: &Published) -> Option<Record> {
    let (ttl, data) = names.data(published.soa.as_ref()?);
    let data = data.into_iter().next()?;
    let ttl = match &data {
        RData::SOA(soa) => ttl.min(soa.minimum),
        _ => ttl,
    };
    Some(Record::from_rdata(wire(&published.apex)?, ttl, data))
}

fn balancer_soa(apex: &DnsName) -> Option<Record> {
    let server = Name::from_ascii("ns-101.awsdns-12.com.").ok()?;
    let mailbox = Name::from_ascii("awsdns-hostmaster.amazon.com.").ok()?;
    let soa = SOA::new(server, mailbox, 1, 7200, 900, 1_209_600, BALANCER_NEGATIVE_TTL);
    Some(Record::from_rdata(wire(apex)?, BALANCER_NEGATIVE_TTL, RData::SOA(soa)))
}

fn wire(name: &DnsName) -> Option<Name> {
    let mut wire = Name::from_labels(name.labels()).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}
