//! Reads the XML of ChangeResourceRecordSets and CreateHostedZone. Shape only: what a zone permits is judged later.

use super::super::fault::Fault;
use super::super::xml::{self, Element};
use super::batch::{Action, Change};
use super::name::DnsName;
use super::record::{Alias, RecordSet, RecordType};

/// More changes than values are permitted make no batch.
const MAX_CHANGES: usize = 1_000;

/// The changes of a batch.
pub(super) fn batch(body: &[u8]) -> Result<Vec<Change>, Fault> {
    let root = document(body, "ChangeResourceRecordSetsRequest")?;
    let changes = root
        .child("ChangeBatch")
        .and_then(|batch| batch.child("Changes"))
        .ok_or_else(|| malformed("ChangeBatch with its Changes is missing"))?;
    let changes: Vec<&Element> = changes.all("Change").collect();
    if changes.is_empty() || changes.len() > MAX_CHANGES {
        return Err(Fault::bad(
            "InvalidChangeBatch",
            format!("[A batch has between 1 and {MAX_CHANGES} changes.]"),
        ));
    }
    changes.into_iter().map(change).collect()
}

/// Name, caller reference and comment of a zone to be made.
pub(super) fn hosted_zone(body: &[u8]) -> Result<(DnsName, String, Option<String>), Fault> {
    let root = document(body, "CreateHostedZoneRequest")?;
    let name = name(
        root.child_text("Name").ok_or_else(|| malformed("Name is missing"))?,
        "InvalidDomainName",
    )?;
    let reference = root
        .child_text("CallerReference")
        .ok_or_else(|| malformed("CallerReference is missing"))?;
    let config = root.child("HostedZoneConfig");
    if config.and_then(|config| config.child_text("PrivateZone")) == Some("true") || root.child("VPC").is_some() {
        return Err(Fault::bad("InvalidInput", "The sandbox has no private hosted zones."));
    }
    let comment = config.and_then(|config| config.child_text("Comment"));
    if reference.len() > 128 || comment.is_some_and(|comment| comment.chars().count() > 256) {
        return Err(Fault::bad(
            "InvalidInput",
            "CallerReference has up to 128 characters, Comment up to 256.",
        ));
    }
    Ok((name, reference.to_owned(), comment.map(str::to_owned)))
}

fn document(body: &[u8], root: &str) -> Result<Element, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is no UTF-8"))?;
    let document = xml::parse(text).map_err(|reason| malformed(&reason))?;
    if document.name != root {
        return Err(malformed(&format!("its root is not {root}")));
    }
    Ok(document)
}

fn change(element: &Element) -> Result<Change, Fault> {
    let action = match element.child_text("Action") {
        Some("CREATE") => Action::Create,
        Some("UPSERT") => Action::Upsert,
        Some("DELETE") => Action::Delete,
        other => {
            return Err(Fault::bad(
                "InvalidInput",
                format!(
                    "1 validation error detected: Value '{}' at 'changeBatch.changes.member.action' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, DELETE, UPSERT]",
                    other.unwrap_or("null")
                ),
            ));
        }
    };
    let set = element
        .child("ResourceRecordSet")
        .ok_or_else(|| malformed("a Change has no ResourceRecordSet"))?;
    Ok(Change {
        action,
        set: record_set(set, element.child_text("Action").unwrap_or_default())?,
    })
}

fn record_set(element: &Element, action: &str) -> Result<RecordSet, Fault> {
    let text = |name: &str| element.child_text(name);
    let kind = text("Type").unwrap_or("null");
    let kind: RecordType = kind.parse().map_err(|()| {
        let known: Vec<&str> = RecordType::ALL.iter().map(|kind| kind.name()).collect();
        Fault::bad(
            "InvalidInput",
            format!(
                "1 validation error detected: Value '{kind}' at 'changeBatch.changes.member.resourceRecordSet.type' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                known.join(", ")
            ),
        )
    })?;
    let shown = text("Name").unwrap_or("null");
    let name = name(shown, "InvalidChangeBatch")?;
    for routing in [
        "Region",
        "GeoLocation",
        "GeoProximityLocation",
        "CidrRoutingConfig",
        "Failover",
        "MultiValueAnswer",
        "HealthCheckId",
        "TrafficPolicyInstanceId",
    ] {
        if element.child(routing).is_some() {
            return Err(Fault::bad(
                "InvalidInput",
                format!("The sandbox routes by weight only; {routing} is not supported."),
            ));
        }
    }
    let identifier = text("SetIdentifier").map(str::to_owned);
    let weight = text("Weight").map(|weight| number(weight, "Weight", 255)).transpose()?;
    if identifier.is_some() != weight.is_some() || identifier.as_ref().is_some_and(|id| id.chars().count() > 128) {
        return Err(Fault::bad(
            "InvalidInput",
            "Invalid request: Weight and a SetIdentifier of up to 128 characters belong together",
        ));
    }
    let ttl = text("TTL").map(|ttl| number(ttl, "TTL", 2_147_483_647)).transpose()?;
    let values: Vec<String> = element
        .child("ResourceRecords")
        .map(|records| {
            records
                .all("ResourceRecord")
                .map(|record| record.child("Value").map(|v| v.text.clone()).unwrap_or_default())
                .collect()
        })
        .unwrap_or_default();
    let alias = element.child("AliasTarget").map(alias).transpose()?;
    let basic = ttl.is_some() && !values.is_empty();
    let any_basic = ttl.is_some() || !values.is_empty();
    let problem = match (&alias, basic, any_basic) {
        (Some(_), _, true) => Some("found more than one"),
        (None, false, _) => Some("found none"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(Fault::bad(
            "InvalidInput",
            format!(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but {problem} in Change with [Action={action}, Name={shown}, Type={kind}, SetIdentifier={}]",
                identifier.as_deref().unwrap_or("null")
            ),
        ));
    }
    Ok(RecordSet {
        name,
        kind,
        identifier,
        weight: weight.and_then(|weight| u8::try_from(weight).ok()),
        ttl,
        values,
        alias,
    })
}

fn alias(element: &Element) -> Result<Alias, Fault> {
    let required = |field: &str| {
        element.child_text(field).ok_or_else(|| {
            Fault::bad(
                "InvalidInput",
                format!("Invalid request: AliasTarget lacks {field}, which is required"),
            )
        })
    };
    let evaluate = required("EvaluateTargetHealth")?;
    Ok(Alias {
        zone_id: required("HostedZoneId")?.trim_start_matches("/hostedzone/").to_owned(),
        name: name(required("DNSName")?, "InvalidChangeBatch")?,
        evaluate_target_health: match evaluate {
            "true" => true,
            "false" => false,
            _ => {
                return Err(Fault::bad(
                    "InvalidInput",
                    "Invalid request: EvaluateTargetHealth is neither true nor false",
                ));
            }
        },
    })
}

fn name(text: &str, code: &'static str) -> Result<DnsName, Fault> {
    DnsName::parse(text).map_err(|reason| {
        let shown: String = text.chars().take(300).collect();
        Fault::bad(code, format!("[FATAL problem: {reason} encountered with '{shown}']"))
    })
}

fn number(text: &str, field: &str, most: u32) -> Result<u32, Fault> {
    text.parse().ok().filter(|number| *number <= most).ok_or_else(|| {
        Fault::bad(
            "InvalidInput",
            format!("Invalid request: {field} is not a number between 0 and {most}"),
        )
    })
}

fn malformed(reason: &str) -> Fault {
    Fault::bad("InvalidInput", format!("The request's XML cannot be used: {reason}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(set: &str) -> Vec<u8> {
        format!(
            "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>UPSERT</Action><ResourceRecordSet>{set}</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        )
        .into_bytes()
    }

    #[test]
    fn an_alias_needs_all_three_fields() {
        let alias = "<Name>a.b</Name><Type>A</Type><AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>c.d</DNSName></AliasTarget>";
        let fault = batch(&request(alias)).unwrap_err();
        assert!(fault.message.contains("EvaluateTargetHealth"), "{fault:?}");
    }

    #[test]
    fn shapes_that_are_neither_basic_nor_alias_are_refused() {
        let values = "<ResourceRecords><ResourceRecord><Value>1.2.3.4</Value></ResourceRecord></ResourceRecords>";
        for set in [
            "<Name>a.b</Name><Type>A</Type><TTL>1</TTL>".to_owned(),
            format!("<Name>a.b</Name><Type>A</Type>{values}"),
            format!("<Name>a.b</Name><Type>A</Type><TTL>-1</TTL>{values}"),
            format!("<Name>a.b</Name><Type>A</Type><TTL>2147483648</TTL>{values}"),
            format!("<Name>a..b</Name><Type>A</Type><TTL>1</TTL>{values}"),
            format!("<Name>a.b</Name><Type>HINFO</Type><TTL>1</TTL>{values}"),
            format!("<Name>a.b</Name><Type>A</Type><Weight>1</Weight><TTL>1</TTL>{values}"),
        ] {
            assert!(batch(&request(&set)).is_err(), "{set}");
        }
        let good = format!("<Name>A.b</Name><Type>A</Type><TTL>60</TTL>{values}");
        assert_eq!(batch(&request(&good)).unwrap()[0].set.name.to_string(), "a.b.");
    }
}
