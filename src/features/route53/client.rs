//! The Route 53 operations this feature needs, each within the account's budget, over this feature's own types.

use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeInfo, ChangeStatus, HostedZone, ResourceRecord,
    ResourceRecordSet, RrType,
};

use super::model::{Alias, RecordSet, Zone, canonical_name, zone_id};
use crate::core::report::Report;
use crate::features::aws::client::{Route53, SERVICE, answered, report};
use crate::verb::catalogue::{did_you_mean, nearest};

/// Record sets a page at most (the API's limit).
pub const PAGE: i32 = 300;
/// Zones an account may have by default is 500; more pages than this are no account's.
const MOST_PAGES: usize = 200;

/// Where the next page of record sets begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    name: String,
    kind: Option<RrType>,
    identifier: Option<String>,
}

/// A change that Route 53 accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Without `/change/`.
    pub id: String,
    /// Every name server has it.
    pub insync: bool,
}

impl Accepted {
    /// The word for it.
    pub fn status(&self) -> &'static str {
        if self.insync { "INSYNC" } else { "PENDING" }
    }
}

/// All zones, all pages.
pub async fn zones(route53: &Route53) -> Result<Vec<Zone>, Report> {
    let (mut zones, mut marker) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        route53.account.permit().await;
        let page = route53.client.list_hosted_zones().set_marker(marker).send().await;
        let page = page.map_err(|error| report("list the hosted zones", &error))?;
        zones.extend(page.hosted_zones().iter().map(zone));
        marker = page.next_marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    Ok(zones)
}

/// The zone that an id or a domain name means: its id. A domain name is looked up.
pub async fn find_zone(route53: &Route53, text: &str) -> Result<String, Report> {
    if let Some(id) = zone_id(text) {
        return Ok(id.to_owned());
    }
    let wanted = canonical_name(text);
    let zones = zones(route53).await?;
    let found: Vec<&Zone> = zones
        .iter()
        .filter(|zone| canonical_name(&zone.name) == wanted)
        .collect();
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => {
            let near = nearest(&wanted, zones.iter().map(|zone| zone.name.clone()));
            Err(Report::refused(
                "E-R53-001",
                format!("{text} is neither a zone's id nor the name of a zone of this account"),
            )
            .hint(did_you_mean(&near).unwrap_or_else(|| "r53:zone list shows the zones".to_owned())))
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|zone| format!("{} ({})", zone.id, if zone.private { "private" } else { "public" }))
                .collect();
            Err(
                Report::refused("E-R53-002", format!("{text} names {} zones", several.len()))
                    .hint(format!("name one by its id: {}", ids.join(", "))),
            )
        }
    }
}

/// One page of a zone's record sets, and where the next begins.
pub async fn page(
    route53: &Route53,
    zone: &str,
    from: Option<Cursor>,
) -> Result<(Vec<RecordSet>, Option<Cursor>), Report> {
    route53.account.permit().await;
    let mut request = route53
        .client
        .list_resource_record_sets()
        .hosted_zone_id(zone)
        .max_items(PAGE);
    if let Some(from) = from {
        request = request
            .start_record_name(from.name)
            .set_start_record_type(from.kind)
            .set_start_record_identifier(from.identifier);
    }
    let page = request
        .send()
        .await
        .map_err(|error| report(&format!("list the records of zone {zone}"), &error))?;
    let next = page
        .next_record_name()
        .filter(|_| page.is_truncated())
        .map(|name| Cursor {
            name: name.to_owned(),
            kind: page.next_record_type().cloned(),
            identifier: page.next_record_identifier().map(str::to_owned),
        });
    Ok((page.resource_record_sets().iter().map(set).collect(), next))
}

/// All record sets of one name, of every type.
pub async fn at_name(route53: &Route53, zone: &str, name: &str) -> Result<Vec<RecordSet>, Report> {
    let wanted = canonical_name(name);
    let mut found = Vec::new();
    let mut cursor = Some(Cursor {
        name: name.to_owned(),
        kind: None,
        identifier: None,
    });
    for _ in 0..MOST_PAGES {
        let Some(from) = cursor.take() else { break };
        let (sets, next) = page(route53, zone, Some(from)).await?;
        let passed = sets.iter().any(|set| canonical_name(&set.name) != wanted);
        found.extend(sets.into_iter().filter(|set| canonical_name(&set.name) == wanted));
        cursor = next.filter(|_| !passed);
    }
    Ok(found)
}

/// Creates or replaces a record set.
pub async fn upsert(route53: &Route53, zone: &str, set: &RecordSet) -> Result<Accepted, Report> {
    submit(route53, zone, ChangeAction::Upsert, set).await
}

/// Deletes exactly this record set.
pub async fn delete(route53: &Route53, zone: &str, set: &RecordSet) -> Result<Accepted, Report> {
    submit(route53, zone, ChangeAction::Delete, set).await
}

/// Whether a change has reached every name server.
pub async fn status(route53: &Route53, id: &str) -> Result<Accepted, Report> {
    route53.account.permit().await;
    let answer = route53.client.get_change().id(id).send().await;
    let answer = answer.map_err(|error| report(&format!("look at change {id}"), &error))?;
    Ok(answer.change_info().map_or(
        Accepted {
            id: id.to_owned(),
            insync: false,
        },
        accepted,
    ))
}

async fn submit(route53: &Route53, zone: &str, action: ChangeAction, set: &RecordSet) -> Result<Accepted, Report> {
    let operation = format!("change {} {} in zone {zone}", set.kind, set.name);
    let unbuildable = |error: &(dyn std::error::Error + 'static)| {
        Report::refused("E-R53-003", format!("cannot {operation}: the record is incomplete")).because(error)
    };
    let change = Change::builder()
        .action(action)
        .resource_record_set(wire(set).map_err(|error| unbuildable(&error))?)
        .build()
        .map_err(|error| unbuildable(&error))?;
    let batch = ChangeBatch::builder()
        .changes(change)
        .build()
        .map_err(|error| unbuildable(&error))?;
    route53.account.permit().await;
    let request = route53
        .client
        .change_resource_record_sets()
        .hosted_zone_id(zone)
        .change_batch(batch);
    match request.send().await {
        Ok(answer) => answer.change_info().map(accepted).ok_or_else(|| {
            Report::failed(
                SERVICE,
                format!("cannot {operation}: Route 53 answered without a change"),
            )
        }),
        Err(error) => Err(refused(&operation, &error)),
    }
}

/// The reasons of a refused batch stand in a list of their own.
fn refused<R: std::fmt::Debug + 'static>(
    operation: &str,
    error: &SdkError<ChangeResourceRecordSetsError, R>,
) -> Report {
    if let Some(ChangeResourceRecordSetsError::InvalidChangeBatch(batch)) = error.as_service_error()
        && !batch.messages().is_empty()
    {
        return answered(operation, "InvalidChangeBatch", &batch.messages().join("; "));
    }
    report(operation, error)
}

fn accepted(info: &ChangeInfo) -> Accepted {
    let id = info.id().strip_prefix("/change/").unwrap_or(info.id());
    Accepted {
        id: id.to_owned(),
        insync: *info.status() == ChangeStatus::Insync,
    }
}

fn zone(zone: &HostedZone) -> Zone {
    Zone {
        id: zone.id().strip_prefix("/hostedzone/").unwrap_or(zone.id()).to_owned(),
        name: zone.name().to_owned(),
        private: zone.config().is_some_and(|config| config.private_zone()),
        count: zone.resource_record_set_count(),
        comment: zone.config().and_then(|config| config.comment()).map(str::to_owned),
    }
}

fn set(set: &ResourceRecordSet) -> RecordSet {
    RecordSet {
        name: set.name().to_owned(),
        kind: set.r#type().as_str().to_owned(),
        ttl: set.ttl(),
        values: set
            .resource_records()
            .iter()
            .map(|record| record.value().to_owned())
            .collect(),
        alias: set.alias_target().map(|alias| Alias {
            zone: alias.hosted_zone_id().to_owned(),
            host: alias.dns_name().to_owned(),
            evaluate: alias.evaluate_target_health(),
        }),
        identifier: set.set_identifier().map(str::to_owned),
        special: set.set_identifier().is_some()
            || set.health_check_id().is_some()
            || set.traffic_policy_instance_id().is_some(),
    }
}

fn wire(set: &RecordSet) -> Result<ResourceRecordSet, aws_sdk_route53::error::BuildError> {
    let mut wire = ResourceRecordSet::builder()
        .name(&set.name)
        .r#type(RrType::from(set.kind.as_str()));
    match &set.alias {
        Some(alias) => {
            let target = AliasTarget::builder()
                .hosted_zone_id(&alias.zone)
                .dns_name(&alias.host)
                .evaluate_target_health(alias.evaluate)
                .build()?;
            wire = wire.alias_target(target);
        }
        None => {
            wire = wire.set_ttl(set.ttl);
            for value in &set.values {
                wire = wire.resource_records(ResourceRecord::builder().value(value).build()?);
            }
        }
    }
    wire.build()
}
