//! The reading operations with their cursors, and CreateHostedZone, whose answer shows the new zone.

use http::{HeaderValue, StatusCode, header};

use super::super::fault::Fault;
use super::super::server::{Call, Reply, xml};
use super::super::xml::Xml;
use super::name::DnsName;
use super::record::RecordType;
use super::zone::Zone;
use super::zones::Zones;
use super::{XMLNS, render, request};

/// The API's page sizes.
const ZONES_PER_PAGE: usize = 100;
const SETS_PER_PAGE: usize = 300;

/// ListHostedZones.
pub(super) fn zones(zones: &Zones, marker: Option<&str>, max_items: Option<&str>) -> Result<String, Fault> {
    let size = page_size(max_items, ZONES_PER_PAGE)?;
    zones.read(|all| {
        let start = match marker {
            None => 0,
            Some(marker) => all
                .iter()
                .position(|zone| zone.id == marker)
                .ok_or_else(|| Fault::bad("InvalidInput", "The specified marker is not valid."))?,
        };
        let page = &all[start..all.len().min(start + size)];
        let next = all.get(start + size);
        Ok(Xml::document("ListHostedZonesResponse", XMLNS, |x| {
            list(page, x);
            x.optional("Marker", marker);
            x.text("IsTruncated", next.is_some().to_string());
            x.optional("NextMarker", next.map(|zone| &zone.id));
            x.text("MaxItems", size.to_string());
        }))
    })
}

/// ListHostedZonesByName: sorted by name, from the name given on.
pub(super) fn zones_by_name(
    zones: &Zones,
    dns_name: Option<&str>,
    id: Option<&str>,
    max_items: Option<&str>,
) -> Result<String, Fault> {
    let size = page_size(max_items, ZONES_PER_PAGE)?;
    let from = dns_name.map(|text| parse_name(text, "InvalidDomainName")).transpose()?;
    zones.read(|all| {
        let mut sorted: Vec<&Zone> = all
            .iter()
            .filter(|zone| {
                from.as_ref()
                    .is_none_or(|from| (&zone.apex, zone.id.as_str()) >= (from, id.unwrap_or_default()))
            })
            .collect();
        sorted.sort_by(|a, b| (&a.apex, &a.id).cmp(&(&b.apex, &b.id)));
        let next = sorted.get(size).copied();
        sorted.truncate(size);
        Ok(Xml::document("ListHostedZonesByNameResponse", XMLNS, |x| {
            list(sorted.iter().copied(), x);
            x.optional("DNSName", dns_name);
            x.optional("HostedZoneId", id);
            x.text("IsTruncated", next.is_some().to_string());
            x.optional("NextDNSName", next.map(|zone| zone.apex.to_string()));
            x.optional("NextHostedZoneId", next.map(|zone| &zone.id));
            x.text("MaxItems", size.to_string());
        }))
    })
}

/// GetHostedZoneCount.
pub(super) fn count(zones: &Zones) -> String {
    let count = zones.read(<[Zone]>::len);
    Xml::document("GetHostedZoneCountResponse", XMLNS, |x| {
        x.text("HostedZoneCount", count.to_string())
    })
}

/// GetHostedZone.
pub(super) fn zone(zones: &Zones, id: &str) -> Result<String, Fault> {
    zones.with(id, |zone| {
        Xml::document("GetHostedZoneResponse", XMLNS, |x| {
            render::zone(zone, x);
            render::delegation_set(x);
        })
    })
}

/// CreateHostedZone.
pub(super) fn create(zones: &Zones, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, reference, comment) = request::hosted_zone(call.body)?;
    let (id, change) = zones.create(name, reference, comment)?;
    let body = zones.with(&id, |zone| {
        Xml::document("CreateHostedZoneResponse", XMLNS, |x| {
            render::zone(zone, x);
            render::change(&change, x);
            render::delegation_set(x);
        })
    })?;
    let mut reply = xml(StatusCode::CREATED, body);
    if let Ok(location) = HeaderValue::from_str(&format!("/2013-04-01/hostedzone/{id}")) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    Ok(reply)
}

/// ListResourceRecordSets, from the cursor (name, type, identifier) on.
pub(super) fn record_sets(
    zones: &Zones,
    id: &str,
    name: Option<&str>,
    kind: Option<&str>,
    identifier: Option<&str>,
    max_items: Option<&str>,
) -> Result<String, Fault> {
    let size = page_size(max_items, SETS_PER_PAGE)?;
    if kind.is_some() && name.is_none() || identifier.is_some() && kind.is_none() {
        return Err(Fault::bad(
            "InvalidInput",
            "The cursor is incomplete: a type needs a name, an identifier needs a type.",
        ));
    }
    let name = name.map(|text| parse_name(text, "InvalidInput")).transpose()?;
    let kind = match kind {
        None => RecordType::A,
        Some(text) => text
            .parse()
            .map_err(|()| Fault::bad("InvalidInput", format!("Unknown record type '{text:.20}'.")))?,
    };
    zones.with(id, |zone| {
        let from = (
            name.unwrap_or_else(|| zone.apex.clone()),
            kind,
            identifier.map(str::to_owned),
        );
        let mut sets = zone.sets.range(from..).map(|(_, set)| set);
        let page: Vec<_> = sets.by_ref().take(size).collect();
        let next = sets.next();
        Xml::document("ListResourceRecordSetsResponse", XMLNS, |x| {
            x.element("ResourceRecordSets", |x| {
                for set in &page {
                    render::record_set(set, x);
                }
            });
            x.text("IsTruncated", next.is_some().to_string());
            if let Some(next) = next {
                x.text("NextRecordName", next.name.to_string());
                x.text("NextRecordType", next.kind.name());
                x.optional("NextRecordIdentifier", next.identifier.as_ref());
            }
            x.text("MaxItems", size.to_string());
        })
    })
}

fn list<'a>(zones: impl IntoIterator<Item = &'a Zone>, x: &mut Xml) {
    x.element("HostedZones", |x| {
        for zone in zones {
            render::zone(zone, x);
        }
    });
}

/// Larger wishes are cut to the API's page.
fn page_size(text: Option<&str>, most: usize) -> Result<usize, Fault> {
    match text.map(str::parse::<usize>) {
        None => Ok(most),
        Some(Ok(size)) if size > 0 => Ok(size.min(most)),
        Some(_) => Err(Fault::bad("InvalidInput", "MaxItems is not a number above 0.")),
    }
}

fn parse_name(text: &str, code: &'static str) -> Result<DnsName, Fault> {
    DnsName::parse(text).map_err(|reason| Fault::bad(code, format!("{reason} in '{text:.300}'")))
}
