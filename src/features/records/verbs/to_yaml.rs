//! `to yaml`: each record as a YAML document.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "to-yaml", "Write records as YAML text")
        .description("From the second record on a document starts with `---`.")
        .input(InputMode::All)
        .page()
        .output("A text for each record.")
        .example_expecting("seed '[{\"a\": [1]}, 2]' | to yaml", "", "a:\n…- 1\n---\n2");
    Verb::read(declaration, ToYaml)
}

struct ToYaml;

#[async_trait]
impl Read for ToYaml {
    async fn run(&self, _: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let mut first = true;
        while let Some(item) = input.next().await {
            let written = serde_saphyr::to_string(&item.record).map_err(|error| {
                Report::failed("E-YAML-002", "the record can't be written as YAML")
                    .because(&error)
                    .on_record(&item.record)
            })?;
            let start = if std::mem::take(&mut first) { "" } else { "---\n" };
            let text = format!("{start}{}", written.trim_end_matches('\n'));
            output.emit_as(Value::String(text.clone()), View::Text(text)).await?;
        }
        Ok(())
    }
}
