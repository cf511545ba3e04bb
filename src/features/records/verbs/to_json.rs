//! `to json`: each record as JSON text.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "to-json", "Write records as JSON text")
        .input(InputMode::All)
        .options([
            OptionSpec::new("pretty", OptionKind::Bool, "over several lines").short('p'),
            OptionSpec::new("slurp", OptionKind::Bool, "all records as one list").short('s'),
        ])
        .output("A text for each record.")
        .example_expecting("seed '[{\"a\": 1}, 2]' | to json", "", "{\"a\":1}\n2");
    Verb::read(declaration, ToJson)
}

struct ToJson;

#[async_trait]
impl Read for ToJson {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let pretty = call.arguments.flag("pretty");
        if call.arguments.flag("slurp") {
            let items = crate::features::records::held::all("to json", input).await?;
            let list = items.into_iter().map(|item| item.record).collect();
            return write(&list, pretty, output).await;
        }
        while let Some(item) = input.next().await {
            write(&item.record, pretty, output).await?;
        }
        Ok(())
    }
}

async fn write(record: &Value, pretty: bool, output: &Output) -> Result<(), Report> {
    let text = if pretty {
        format!("{record:#}")
    } else {
        record.to_string()
    };
    output.emit_as(Value::String(text.clone()), View::Text(text)).await
}
