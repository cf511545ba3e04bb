//! `sleep`: waits once, then hands on what comes.

use async_trait::async_trait;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "sleep", "Wait, then hand on the records")
        .input(InputMode::All)
        .positional(Positional::new("time", OptionKind::Duration, "seconds, or such as 500ms").always())
        .output("The records as they are.")
        .example_expecting("seed --range 1-2 | sleep 10ms | count", "", "2");
    Verb::read(declaration, Sleep)
}

struct Sleep;

#[async_trait]
impl Read for Sleep {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let millis = call
            .arguments
            .positionals
            .first()
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            () = tokio::time::sleep(std::time::Duration::from_millis(millis)) => {}
        }
        while let Some(item) = input.next().await {
            output.send(item).await?;
        }
        Ok(())
    }
}
