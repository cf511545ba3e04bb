//! `raw`: records shown as JSON, whatever they are usually shown as.

use async_trait::async_trait;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "raw", "Show records as JSON")
        .input(InputMode::All)
        .output("The records as they are.")
        .example_expecting("seed '{\"a\": 1}' | raw", "", "{\n  \"a\": 1\n}");
    Verb::read(declaration, Raw)
}

struct Raw;

#[async_trait]
impl Read for Raw {
    async fn run(&self, _: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        while let Some(item) = input.next().await {
            output.emit_as(item.record, View::Json(2)).await?;
        }
        Ok(())
    }
}
