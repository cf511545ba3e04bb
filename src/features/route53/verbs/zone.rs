//! `r53:zone`: the hosted zones of the account.

use async_trait::async_trait;

use super::super::{Service, client};
use super::{open, until_cancelled};
use crate::core::report::Report;
use crate::render::{Header, View};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new("r53", "zone", "List hosted zones")
        .input(InputMode::None)
        .permission("r53:read")
        .positional(
            Positional::new(
                "subcommand",
                OptionKind::Enum(&["list"]),
                "list, which is what it does anyway",
            )
            .optional(),
        )
        .option(OptionSpec::new("name", OptionKind::String, "only zones with this in their name").short('n'))
        .output("One record a zone: {Id, Name, Private, ResourceRecordSetCount, Comment}.")
        .example("r53:zone list", "the zones of the account")
        .example(
            "r53:zone --name spawnhub | r53:record-list",
            "the records of some zones",
        );
    Verb::read(declaration, List { service })
}

struct List {
    service: Service,
}

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let route53 = open(&self.service, call).await?;
        let part = call.arguments.text("name").unwrap_or_default().to_lowercase();
        let header = Header::new(["ZONE-ID", "NAME", "VISIBILITY", "RECORDS"]);
        for zone in until_cancelled(call, client::zones(&route53)).await? {
            if !zone.name.to_lowercase().contains(&part) {
                continue;
            }
            let cells = vec![
                zone.id.clone(),
                zone.name.clone(),
                if zone.private { "private" } else { "public" }.to_owned(),
                zone.count.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            ];
            output.emit_as(zone.record(), View::row(&header, cells)).await?;
        }
        Ok(())
    }
}
