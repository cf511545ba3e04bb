//! `fields`: the names of each record's fields.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "fields", "Name the fields of each record, sorted")
        .input(InputMode::All)
        .output("A list of texts for each record; of a record without fields the empty list.")
        .example_expecting("seed '{\"b\": 1, \"a\": 2}' | fields | jq -c .", "", "[\"a\",\"b\"]");
    Verb::read(declaration, Fields)
}

struct Fields;

#[async_trait]
impl Read for Fields {
    async fn run(&self, _: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        while let Some(item) = input.next().await {
            let mut names: Vec<String> = match item.record {
                Value::Object(map) => map.into_iter().map(|(name, _)| name).collect(),
                _ => Vec::new(),
            };
            names.sort();
            output.emit(names.into()).await?;
        }
        Ok(())
    }
}
