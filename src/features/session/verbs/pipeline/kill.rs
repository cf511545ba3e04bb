//! `pipeline kill N…`: interrupts pipelines with everything they run.

use async_trait::async_trait;

use super::named;
use crate::core::report::Report;
use crate::features::session::verbs::jobs::Table;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "pipeline-kill", "Interrupt pipelines")
        .once()
        .description("The process or container of a command included. Waits until they have ended.")
        .input(InputMode::None)
        .positional(Positional::new("numbers", OptionKind::Int, "as `pipeline list` lists them").variadic())
        .output("The pipelines, as `pipeline list` lists them.")
        .example("pipeline kill 3 4", "");
    Verb::read(declaration, Kill)
}

struct Kill;

#[async_trait]
impl Read for Kill {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let jobs = named(call)?;
        for job in &jobs {
            if let Err(report) = call.session.stop(job.number) {
                output.fail(report).await?;
            }
        }
        let table = Table::new();
        for job in jobs {
            let ended = tokio::select! {
                () = call.cancel.cancelled() => return Err(Report::interrupted()),
                ended = call.session.wait(Some(job.number)) => ended?,
            };
            for job in ended {
                output.send(table.row(&job)).await?;
            }
        }
        Ok(())
    }
}
