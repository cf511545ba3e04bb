//! One file a verb; what the two changing ones share is in `change`.

mod change;
mod record_create;
mod record_delete;
mod record_list;
mod zone;

use super::Service;
use crate::core::report::Report;
use crate::features::aws::client::Route53;
use crate::verb::{Call, OptionKind, OptionSpec, Verb};

/// Every verb of the bundle.
pub(super) fn all(service: &Service) -> Vec<Verb> {
    let completer = service.names();
    [
        zone::verb(service.clone()),
        record_list::verb(service.clone()),
        record_create::verb(service.clone()),
        record_delete::verb(service.clone()),
    ]
    .into_iter()
    .map(|verb| verb.completed_by(completer.clone()))
    .collect()
}

fn zone_option() -> OptionSpec {
    OptionSpec::new(
        "zone",
        OptionKind::String,
        "hosted zone: its id, with or without /hostedzone/, or its domain name",
    )
    .short('z')
    .alias("zone-id")
}

fn type_option() -> OptionSpec {
    OptionSpec::new("type", OptionKind::Enum(&super::model::TYPES), "record type").short('t')
}

fn wait_option() -> OptionSpec {
    OptionSpec::new(
        "wait",
        OptionKind::Bool,
        "until every name server of Route 53 has the change (INSYNC)",
    )
    .short('w')
}

/// A client of the call's context; a cancelled call does not wait for it.
async fn open(service: &Service, call: &Call) -> Result<Route53, Report> {
    until_cancelled(call, service.clients.route53(&call.context)).await
}

/// Runs it, but not beyond the call's end.
async fn until_cancelled<T>(call: &Call, work: impl Future<Output = Result<T, Report>>) -> Result<T, Report> {
    tokio::select! {
        () = call.cancel.cancelled() => Err(Report::interrupted()),
        result = work => result,
    }
}
