//! `ec2:instance-search`: the instances of a region that match filters.

use async_trait::async_trait;

use super::super::Service;
use super::super::model::Search;
use super::{OUTPUT, emit, region_option};
use crate::core::report::Report;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new("ec2", "instance-search", "Find instances by tags and properties")
        .description(
            "Filters are EC2's own: tag:KEY=VALUE, instance-state-name=running, instance-type=m4.large and so on; `*` \
             and `?` stand for any text and any character. The same key again is an alternative; different keys must \
             all match. The value begins after the first equals sign and may hold more of them.",
        )
        .input(InputMode::None)
        .permission("ec2:read")
        .positional(Positional::new("filter", OptionKind::String, "key=value").optional().variadic())
        .option(region_option())
        .output(OUTPUT)
        .example("ec2:instance-search tag:env=staging tag:env=test instance-state-name=running", "what runs in two environments")
        .example(
            "ec2:instance-search 'tag:KubernetesCluster=staging.spawnhub.com' | jq '.public_ip_address | values | \"ssh://admin@\\(.)\"'",
            "a line for each instance that has a public address",
        );
    Verb::read(declaration, Find { service })
}

struct Find {
    service: Service,
}

#[async_trait]
impl Read for Find {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let search = Search::parse(&call.arguments.texts())?;
        emit(&self.service, call, &search, output).await
    }
}
