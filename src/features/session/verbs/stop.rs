//! `stop N`: interrupts a job.

use async_trait::async_trait;

use super::jobs::Table;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "stop", "Interrupt a job")
        .once()
        .description("Like Ctrl-C in its block: what it runs is told to end. Waits until it has.")
        .input(InputMode::None)
        .positional(Positional::new(
            "number",
            OptionKind::Int,
            "its number, as `jobs` lists it",
        ))
        .output("The job, as `jobs` lists it.")
        .example("stop 3", "");
    Verb::read(declaration, Stop)
}

struct Stop;

#[async_trait]
impl Read for Stop {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let number = call.arguments.positionals.first().and_then(serde_json::Value::as_u64);
        let number = number.ok_or_else(|| Report::refused("E-JOB-004", "job numbers start at 1"))?;
        call.session.stop(number)?;
        let ended = tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            ended = call.session.wait(Some(number)) => ended?,
        };
        let table = Table::new();
        for job in ended {
            output.send(table.row(&job)).await?;
        }
        Ok(())
    }
}
