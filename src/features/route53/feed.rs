//! The records of the account's zones, polled: Route 53 has nothing to watch. Looks again at once after a change made
//! here, and often while one is under way. Every request asks the account's budget first.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::changes::{Changes, Pending};
use super::client;
use super::model::{DnsRow, Zone, canonical_name, order};
use super::{Service, model};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::features::aws::client::{Route53, accepts_the_keys, failed};
use crate::feed::{FeedKey, Source, Subscription};

/// Between two polls.
const INTERVAL: Duration = Duration::from_secs(15);
/// Between two polls while a change is under way.
const SOON: Duration = Duration::from_secs(2);
/// Zones looked at, public ones first; each costs a request of the account's four a second.
pub const MOST_ZONES: usize = 20;

/// The feed of this context, started by its first subscriber.
pub fn subscribe(service: &Service, context: &Arc<Context>) -> Subscription<DnsRow> {
    let key = FeedKey {
        context: context.clone(),
        kind: "route53/records".to_owned(),
    };
    service.shared.hub.subscribe(key, |source, stop| {
        tokio::spawn(follow(service.clone(), context.clone(), source, stop));
    })
}

async fn follow(service: Service, context: Arc<Context>, source: Arc<Source<DnsRow>>, stop: CancellationToken) {
    let mut moved = service.changes.moved();
    loop {
        moved.mark_unchanged();
        let polled = tokio::select! {
            () = stop.cancelled() => return,
            polled = poll(&service, &context) => polled,
        };
        let accepted = accepts_the_keys(&polled);
        match polled {
            Ok(rows) => source.replace(rows),
            Err(report) => failed(&source, &report),
        }
        let pause = if service.changes.pending(&context.aws).is_empty() {
            INTERVAL
        } else {
            SOON
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.clients.pause(pause, &context, accepted) => {}
            _ = moved.changed() => {}
        }
    }
}

type Rows = Vec<(String, DnsRow)>;

async fn poll(service: &Service, context: &Context) -> Result<Rows, Report> {
    let route53 = service.clients.route53(context).await?;
    let pending = under_way(&route53, &service.changes, context).await;
    let mut zones = client::zones(&route53).await?;
    zones.sort_by_key(|zone| (zone.private, order(&zone.name)));
    let (mut rows, mut failed) = (Rows::new(), None);
    let all = zones.len();
    for (rank, zone) in zones.into_iter().enumerate() {
        let (sets, error) = match rank < MOST_ZONES {
            true => match client::page(&route53, &zone.id, None).await {
                Ok((sets, _)) => (sets, None),
                Err(report) => (Vec::new(), Some(failed.insert(report).sentence())),
            },
            false => (
                Vec::new(),
                Some(format!("only {MOST_ZONES} zones of {all} are looked at")),
            ),
        };
        let kept = sets.len();
        rows.extend(sets.into_iter().map(|set| record_row(rank, &zone, set, &pending)));
        rows.push((key(rank, &zone.id, ""), DnsRow::Zone { zone, kept, error }));
    }
    match failed {
        // No zone could be read: what is on the screen is older than it seems.
        Some(report)
            if rows
                .iter()
                .all(|(_, row)| matches!(row, DnsRow::Zone { error: Some(_), .. })) =>
        {
            Err(report)
        }
        _ => Ok(rows),
    }
}

fn record_row(rank: usize, zone: &Zone, set: model::RecordSet, pending: &[Pending]) -> (String, DnsRow) {
    let identifier = set.identifier.as_deref().unwrap_or_default();
    let rest = format!("{}\u{2}{}\u{2}{identifier}", order(&set.name), set.kind);
    let name = canonical_name(&set.name);
    let pending = pending
        .iter()
        .any(|change| change.zone == zone.id && change.kind == set.kind && change.name == name);
    let zone = zone.id.clone();
    (key(rank, &zone, &rest), DnsRow::Record { zone, set, pending })
}

/// Zones in their order, each before its records.
fn key(rank: usize, zone: &str, rest: &str) -> String {
    format!("{rank:04}\u{1}{zone}\u{1}{rest}")
}

/// The changes that are still under way; forgets those that are not, or that Route 53 does not know any more.
async fn under_way(route53: &Route53, changes: &Changes, context: &Context) -> Vec<Pending> {
    let mut left = Vec::new();
    for change in changes.pending(&context.aws) {
        match client::status(route53, &change.id).await {
            Ok(accepted) if !accepted.insync => left.push(change),
            Err(report) if !report.message.contains("NoSuchChange") => left.push(change),
            _ => changes.settled(&change.id),
        }
    }
    left
}
