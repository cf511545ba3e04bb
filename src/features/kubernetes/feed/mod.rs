//! Live rows of the cluster: one watch per context, type and namespace, shared through the hub.

mod backoff;
mod follow;

use std::sync::Arc;

use super::client::Clients;
use super::model::SlimRow;
use crate::core::context::Context;
use crate::feed::{FeedKey, Hub, Subscription};

/// Rows of a type in the context's namespace, or in all with `everywhere`. Needs a Tokio runtime around it.
pub fn rows<R: SlimRow>(
    hub: &Hub,
    clients: &Arc<Clients>,
    context: &Arc<Context>,
    everywhere: bool,
) -> Subscription<R> {
    let (_, _, plural) = R::TYPE;
    let scope = if everywhere { "all" } else { "own" };
    let key = FeedKey {
        context: context.clone(),
        kind: format!("kubernetes/{plural}/{scope}"),
    };
    let (clients, context) = (clients.clone(), context.clone());
    hub.subscribe(key, move |source, stop| {
        tokio::spawn(follow::follow::<R>(clients, context, everywhere, source, stop));
    })
}
