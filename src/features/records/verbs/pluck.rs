//! `pluck PATH`: the value at a path of each record.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "pluck", "Take one value out of each record")
        .description("Records that do not have the path are left out.")
        .input(InputMode::All)
        .positional(Positional::new("path", OptionKind::String, "where the value is").always())
        .option(OptionSpec::new("as", OptionKind::String, "make a record with this one field").value_name("field"))
        .output("The values, or {FIELD: value}.")
        .example_expecting("seed '{\"a\": {\"b\": 7}}' | pluck a.b", "", "7");
    Verb::read(declaration, Pluck)
}

struct Pluck;

#[async_trait]
impl Read for Pluck {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text_at(0).unwrap_or_default())?;
        let field = call.arguments.text("as");
        while let Some(item) = input.next().await {
            let Some(value) = path.find(&item.record).cloned() else {
                continue;
            };
            match &field {
                Some(field) => output.emit(json!({field.as_str(): value})).await?,
                None => output.emit(value).await?,
            }
        }
        Ok(())
    }
}
