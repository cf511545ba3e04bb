//! `ec2:instance-list`: all instances of a region.

use async_trait::async_trait;

use super::super::Service;
use super::super::model::Search;
use super::{OUTPUT, emit, region_option};
use crate::core::report::Report;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new("ec2", "instance-list", "List instances")
        .input(InputMode::None)
        .permission("ec2:read")
        .option(region_option())
        .output(OUTPUT)
        .notes("Terminated instances stay in the list for about an hour.")
        .example("ec2:instance-list", "all instances of the context's region")
        .example("ec2:instance-list -r us-east-1 | jq '.instance_id'", "those of another");
    Verb::read(declaration, List { service })
}

struct List {
    service: Service,
}

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        emit(&self.service, call, &Search::default(), output).await
    }
}
