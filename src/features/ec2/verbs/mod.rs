//! One file a verb; what they share is here.

mod instance_list;
mod instance_search;

use std::sync::Arc;

use super::complete::InstanceCompleter;
use super::model::{InstanceRow, Search};
use super::{Service, client, record};
use crate::core::report::Report;
use crate::feed::health::age;
use crate::render::{Header, View};
use crate::verb::{Call, OptionKind, OptionSpec, Output, Verb};

/// What the records of both verbs are.
const OUTPUT: &str = "One record an instance: what DescribeInstances tells, in snake_case, without what is not set; tags is a \
                      map, state is {code, name}.";

/// Every verb of the bundle.
pub(super) fn all(service: &Service) -> Vec<Verb> {
    let completer = Arc::new(InstanceCompleter::new(service.clone()));
    vec![
        instance_list::verb(service.clone()),
        instance_search::verb(service.clone()).completed_by(completer),
    ]
}

fn region_option() -> OptionSpec {
    OptionSpec::new("region", OptionKind::String, "region; the context's when not given").short('r')
}

/// Emits every instance that the search finds, page by page.
async fn emit(service: &Service, call: &Call, search: &Search, output: &Output) -> Result<(), Report> {
    let region = call.arguments.text("region");
    let work = async {
        let client = service.clients.ec2(&call.context, region.as_deref()).await?;
        let header = Header::new([
            "INSTANCE-ID",
            "NAME",
            "STATE",
            "TYPE",
            "ZONE",
            "PRIVATE-IP",
            "PUBLIC-IP",
            "AGE",
        ]);
        let mut token = None;
        loop {
            let (instances, next) = client::page(&client, search, token).await?;
            for instance in &instances {
                let record = record::of(instance);
                let cells = cells(service, &InstanceRow::of(&record));
                output.emit_as(record, View::row(&header, cells)).await?;
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    };
    tokio::select! {
        () = call.cancel.cancelled() => Err(Report::interrupted()),
        result = work => result,
    }
}

fn cells(service: &Service, row: &InstanceRow) -> Vec<String> {
    let shown = |text: &str| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text.to_owned()
        }
    };
    let launched = row.launched.map(|launched| age(service.shared.clock.now(), launched));
    vec![
        shown(&row.id),
        shown(&row.name),
        shown(&row.state),
        shown(&row.kind),
        shown(&row.zone),
        shown(&row.private_ip),
        shown(&row.public_ip),
        launched.unwrap_or_else(|| "-".to_owned()),
    ]
}
