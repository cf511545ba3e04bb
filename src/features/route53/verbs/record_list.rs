//! `r53:record-list`: the record sets of zones.

use async_trait::async_trait;

use super::super::model::{RecordSet, Zone};
use super::super::{Service, client};
use super::{open, until_cancelled};
use crate::core::record::text_at;
use crate::core::report::Report;
use crate::render::{Header, View};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new("r53", "record-list", "List the records of hosted zones")
        .description("The zones are named, or are the records of r53:zone that come down the pipe. Without either the only zone of \
             the account is meant.")
        .input(InputMode::Each)
        .permission("r53:read")
        .positional(
            Positional::new("zone", OptionKind::String, "hosted zones: ids or domain names")
                .optional()
                .variadic(),
        )
        .option(
            OptionSpec::new("zone", OptionKind::List, "the same as the argument")
                .short('z')
                .alias("zone-id"),
        )
        .option(OptionSpec::new("type", OptionKind::List, "only these types").short('t'))
        .option(OptionSpec::new("name", OptionKind::String, "only names with this in them").short('n'))
        .output("One record a record set: {Zone, Name, Type, TTL, AliasTarget, ResourceRecords}, the last a list.")
        .example("r53:record-list spawnhub.com", "all records of a zone")
        .example(
            "r53:record-list -z spawnhub.com -t A,CNAME --name inspector",
            "some of them",
        );
    Verb::read(declaration, List { service })
}

struct List {
    service: Service,
}

/// Which record sets are wanted.
struct Wanted {
    types: Vec<String>,
    part: String,
}

impl Wanted {
    fn matches(&self, set: &RecordSet) -> bool {
        (self.types.is_empty() || self.types.iter().any(|kind| kind.eq_ignore_ascii_case(&set.kind)))
            && set.name.to_lowercase().contains(&self.part)
    }
}

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let mut zones = call.arguments.list("zone");
        zones.extend(call.arguments.texts());
        if let (true, Some(record)) = (zones.is_empty(), &call.record) {
            zones.extend(
                ["Id", "Zone"]
                    .iter()
                    .find_map(|key| text_at(record, &[key]))
                    .map(str::to_owned),
            );
        }
        let wanted = Wanted {
            types: call.arguments.list("type"),
            part: call.arguments.text("name").unwrap_or_default().to_lowercase(),
        };
        let route53 = open(&self.service, call).await?;
        if zones.is_empty() {
            zones.push(only(until_cancelled(call, client::zones(&route53)).await?)?);
        }
        for text in zones {
            let zone = until_cancelled(call, client::find_zone(&route53, &text)).await?;
            let mut from = None;
            loop {
                let (sets, next) = until_cancelled(call, client::page(&route53, &zone, from)).await?;
                for set in sets.iter().filter(|set| wanted.matches(set)) {
                    output.emit_as(set.record(&zone), row(set)).await?;
                }
                match next {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }
}

/// The zone of an account that has one.
fn only(zones: Vec<Zone>) -> Result<String, Report> {
    match zones.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Report::failed("E-R53-004", "this account has no hosted zone")),
        several => {
            let names: Vec<&str> = several
                .iter()
                .take(5)
                .map(|zone| zone.name.trim_end_matches('.'))
                .collect();
            let message = format!("r53:record-list needs a zone: this account has {}", several.len());
            Err(Report::refused("E-R53-004", message).hint(format!("name it: r53:record-list {}", names.join(", or "))))
        }
    }
}

fn row(set: &RecordSet) -> View {
    View::Row {
        header: Header::new(["NAME", "TYPE", "TTL", "VALUE"]),
        cells: vec![
            super::super::model::unescaped(&set.name),
            set.kind.clone(),
            set.ttl.map_or_else(|| "-".to_owned(), |ttl| ttl.to_string()),
            set.value_line(),
        ],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_only_zone_needs_no_name_and_of_several_the_names_are_told() {
        let zone = |id: &str, name: &str| Zone {
            id: id.to_owned(),
            name: name.to_owned(),
            private: false,
            count: None,
            comment: None,
        };
        assert_eq!(only(vec![zone("Z1", "a.com.")]).unwrap(), "Z1");
        assert_eq!(only(Vec::new()).unwrap_err().code, "E-R53-004");
        let several = only(vec![zone("Z1", "a.com."), zone("Z2", "b.com.")]).unwrap_err();
        assert_eq!(several.code, "E-R53-004");
        assert_eq!(several.hint.unwrap(), "name it: r53:record-list a.com, or b.com");
    }
}
