//! Live rows of the cluster: one watch per context, type and namespace, shared through the hub. Types that panels join
//! or reckon with have slim rows ([`rows`]); every other one the server knows comes as the table it prints ([`table`]).

mod backoff;
pub mod containers;
mod follow;
mod kind;
mod part;
pub mod patience;
mod table;

use std::sync::Arc;

pub use self::backoff::Backoff;
pub use self::follow::does_not_answer;
use self::kind::{Kind, Slim};
use super::client::Clients;
use super::model::{SlimRow, TableRow};
use crate::core::context::Context;
use crate::feed::{FeedKey, Hub, Subscription};

/// Rows of a type in the context's namespace, or in all where it shows everything. Needs a Tokio runtime around it.
pub fn rows<R: SlimRow>(hub: &Hub, clients: &Arc<Clients>, context: &Arc<Context>) -> Subscription<R> {
    let (_, _, plural) = R::TYPE;
    subscribe(hub, clients, context, plural, Slim::<R>::default)
}

/// Rows of the type that `word` means to the server (`no`, `nodes`, `cronjobs.batch`), as the server's own table: the
/// columns are in each row's [`TableRow::head`]. A word the server does not know, or a type that cannot be listed,
/// makes the feed's health `Failed` with the reason and a suggestion; it goes on asking, as the type may be installed
/// later. Needs a Tokio runtime around it.
pub fn table(hub: &Hub, clients: &Arc<Clients>, context: &Arc<Context>, word: &str) -> Subscription<TableRow> {
    let kind = format!("table/{word}");
    subscribe(hub, clients, context, &kind, || table::Tables::new(word))
}

fn subscribe<K: Kind>(
    hub: &Hub,
    clients: &Arc<Clients>,
    context: &Arc<Context>,
    name: &str,
    kind: impl FnOnce() -> K,
) -> Subscription<K::Row> {
    let scope = if context.kubernetes.everywhere { "all" } else { "own" };
    let key = FeedKey {
        context: context.clone(),
        kind: format!("kubernetes/{name}/{scope}"),
    };
    let (clients, context) = (clients.clone(), context.clone());
    hub.subscribe(key, move |source, stop| {
        tokio::spawn(follow::follow(kind(), clients, context, source, stop));
    })
}
