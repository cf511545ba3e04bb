//! `pipeline info N…`.

use async_trait::async_trait;
use serde_json::json;

use super::named;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "pipeline-info", "Show pipelines of this session")
        .input(InputMode::None)
        .positional(Positional::new("numbers", OptionKind::Int, "as `pipeline list` lists them").variadic())
        .output("{\"number\", \"state\", \"background\", \"started\", \"records\", \"pipeline\"}")
        .example("pipeline info 3", "");
    Verb::read(declaration, Info)
}

struct Info;

#[async_trait]
impl Read for Info {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        for job in named(call)? {
            let state = json!(job.state);
            let text = format!(
                "number   {}\nstate    {}\nstarted  {}\nrecords  {}\nwhere    {}\npipeline {}",
                job.number,
                state.as_str().unwrap_or_default(),
                job.started,
                job.records,
                if job.background { "in the background" } else { "a block" },
                job.pipeline,
            );
            output.emit_as(json!(job), View::Text(text)).await?;
        }
        Ok(())
    }
}
