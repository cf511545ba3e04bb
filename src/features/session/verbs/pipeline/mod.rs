//! Pipelines of this session by the names their operators know: `list`, `info`, `kill`. What runs is `jobs`' business;
//! these choose among all that are known.

mod info;
mod kill;
mod list;

use crate::core::report::Report;
use crate::verb::session::Job;
use crate::verb::{Call, Verb};

/// All of them.
pub fn all() -> Vec<Verb> {
    vec![info::verb(), kill::verb(), list::verb()]
}

/// The blocks and jobs that the positionals name, in their order; all have to be there.
fn named(call: &Call) -> Result<Vec<Job>, Report> {
    let jobs = call.session.jobs();
    let find = |value: &serde_json::Value| {
        let job = jobs.iter().find(|job| Some(job.number) == value.as_u64());
        job.cloned().ok_or_else(|| {
            Report::refused("E-JOB-001", format!("there is no pipeline {value}")).hint("`pipeline list` lists them")
        })
    };
    call.arguments.positionals.iter().map(find).collect()
}
