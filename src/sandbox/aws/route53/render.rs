//! The XML of zones, sets and changes.

use super::super::xml::Xml;
use super::XMLNS;
use super::record::RecordSet;
use super::zone::{NAME_SERVERS, Zone};
use super::zones::ChangeInfo;

/// `<HostedZone>`.
pub(super) fn zone(zone: &Zone, x: &mut Xml) {
    x.element("HostedZone", |x| {
        x.text("Id", format!("/hostedzone/{}", zone.id));
        x.text("Name", zone.apex.to_string());
        x.text("CallerReference", &zone.reference);
        x.element("Config", |x| {
            x.optional("Comment", zone.comment.as_ref());
            x.text("PrivateZone", "false");
        });
        x.text("ResourceRecordSetCount", zone.sets.len().to_string());
    });
}

/// `<DelegationSet>`.
pub(super) fn delegation_set(x: &mut Xml) {
    x.element("DelegationSet", |x| {
        x.element("NameServers", |x| {
            for server in NAME_SERVERS {
                x.text("NameServer", server.trim_end_matches('.'));
            }
        });
    });
}

/// `<ResourceRecordSet>`.
pub(super) fn record_set(set: &RecordSet, x: &mut Xml) {
    x.element("ResourceRecordSet", |x| {
        x.text("Name", set.name.to_string());
        x.text("Type", set.kind.name());
        x.optional("SetIdentifier", set.identifier.as_ref());
        x.optional("Weight", set.weight.map(|weight| weight.to_string()));
        x.optional("TTL", set.ttl.map(|ttl| ttl.to_string()));
        if !set.values.is_empty() {
            x.element("ResourceRecords", |x| {
                for value in &set.values {
                    x.element("ResourceRecord", |x| x.text("Value", value));
                }
            });
        }
        if let Some(alias) = &set.alias {
            x.element("AliasTarget", |x| {
                x.text("HostedZoneId", &alias.zone_id);
                x.text("DNSName", alias.name.to_string());
                x.text("EvaluateTargetHealth", alias.evaluate_target_health.to_string());
            });
        }
    });
}

/// `<ChangeInfo>`.
pub(super) fn change(info: &ChangeInfo, x: &mut Xml) {
    x.element("ChangeInfo", |x| {
        x.text("Id", format!("/change/{}", info.id));
        x.text("Status", if info.in_sync { "INSYNC" } else { "PENDING" });
        x.text(
            "SubmittedAt",
            info.submitted.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        );
    });
}

/// A document that holds nothing but a change.
pub(super) fn change_info(root: &str, info: &ChangeInfo) -> String {
    Xml::document(root, XMLNS, |x| change(info, x))
}
