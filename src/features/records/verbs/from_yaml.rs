//! `from yaml`: YAML text to records, one a document.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::core::yaml;
use crate::features::records::text;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "from-yaml", "Read YAML text")
        .description("A record a document. Aliases, depth and size are bounded.")
        .input(InputMode::All)
        .output("The documents.")
        .example_expecting(
            "sh 'printf \"a: 1\\nb: [x]\\n---\\nc\\n\"' | from yaml | jq -c .",
            "",
            "{\"a\":1,\"b\":[\"x\"]}\n\"c\"",
        );
    Verb::read(declaration, FromYaml)
}

struct FromYaml;

#[async_trait]
impl Read for FromYaml {
    async fn run(&self, _: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let text = text::all("from yaml", input).await?;
        for document in documents(&text)? {
            output.emit(document).await?;
        }
        Ok(())
    }
}

/// All documents of a text.
fn documents(text: &str) -> Result<Vec<Value>, Report> {
    yaml::all(text).map_err(|why| Report::failed("E-YAML-001", format!("the text is not YAML: {why}")))
}
