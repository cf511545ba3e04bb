//! The instances of the context's region, polled: EC2 has nothing to watch.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::model::{InstanceRow, Search};
use super::{Service, client, record};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::features::aws::client::{accepts_the_keys, failed};
use crate::feed::{FeedKey, Source, Subscription};

/// Between two polls.
const INTERVAL: Duration = Duration::from_secs(15);
/// Instances kept; a region with more is searched with the verb.
pub const MOST: usize = 5_000;

/// The feed of this context, started by its first subscriber.
pub fn subscribe(service: &Service, context: &Arc<Context>) -> Subscription<InstanceRow> {
    let key = FeedKey {
        context: context.clone(),
        kind: "ec2/instances".to_owned(),
    };
    service.shared.hub.subscribe(key, |source, stop| {
        tokio::spawn(follow(service.clone(), context.clone(), source, stop));
    })
}

async fn follow(service: Service, context: Arc<Context>, source: Arc<Source<InstanceRow>>, stop: CancellationToken) {
    loop {
        let polled = tokio::select! {
            () = stop.cancelled() => return,
            polled = poll(&service, &context) => polled,
        };
        let accepted = accepts_the_keys(&polled);
        match polled {
            Ok(rows) => source.replace(
                rows.into_iter()
                    .map(|row| (format!("{}\u{1}{}", row.name, row.id), row)),
            ),
            Err(report) => failed(&source, &report),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.clients.pause(INTERVAL, &context, accepted) => {}
        }
    }
}

async fn poll(service: &Service, context: &Context) -> Result<Vec<InstanceRow>, Report> {
    let client = service.clients.ec2(context, None).await?;
    let (mut rows, mut token, all) = (Vec::new(), None, Search::default());
    while rows.len() < MOST {
        let (instances, next) = client::page(&client, &all, token).await?;
        rows.extend(instances.iter().map(|instance| InstanceRow::of(&record::of(instance))));
        token = next;
        if token.is_none() {
            break;
        }
    }
    Ok(rows)
}
