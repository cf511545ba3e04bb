//! `wait`: until jobs have ended.

use async_trait::async_trait;

use super::jobs::Table;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::JobState;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "wait", "Wait until background jobs have ended")
        .once()
        .description("Without numbers: for every background job that runs now. Fails when one of them failed.")
        .input(InputMode::None)
        .positional(
            Positional::new("number", OptionKind::Int, "a job")
                .optional()
                .variadic(),
        )
        .output("The jobs, as `jobs` lists them.")
        .example("wait 3", "for one job");
    Verb::read(declaration, Wait)
}

struct Wait;

#[async_trait]
impl Read for Wait {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let numbers = call.arguments.positionals.iter().map(|number| number.as_u64());
        let mut wanted: Vec<Option<u64>> = numbers.collect();
        if wanted.is_empty() {
            wanted.push(None);
        } else if wanted.contains(&None) {
            return Err(Report::refused("E-JOB-004", "job numbers start at 1"));
        }
        let mut failed = Vec::new();
        let table = Table::new();
        for number in wanted {
            let of_all = number.is_none();
            let ended = tokio::select! {
                () = call.cancel.cancelled() => return Err(Report::interrupted()),
                ended = call.session.wait(number) => ended?,
            };
            if ended.is_empty() && of_all {
                call.operator.note("no job runs: all have ended".into());
            }
            for job in ended {
                output.send(table.row(&job)).await?;
                if job.state == JobState::Failed {
                    failed.push(job.number.to_string());
                }
            }
        }
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Report::failed(
                "E-JOB-005",
                format!("failed: job {}", failed.join(", ")),
            )),
        }
    }
}
