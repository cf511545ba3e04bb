//! `from json`: JSON text to records, as it comes.

use async_trait::async_trait;
use serde_json::{Deserializer, Value};

use crate::core::report::Report;
use crate::features::records::text::{no_text, text_of};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb};

/// Bytes of one value.
const LARGEST: usize = 64 << 20;

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "from-json", "Read JSON text")
        .description("Values one after another; one may go over several lines.")
        .input(InputMode::All)
        .option(
            OptionSpec::new(
                "spread",
                OptionKind::Bool,
                "the items of a list become records of their own",
            )
            .short('s'),
        )
        .output("The values.")
        .example_expecting(
            "sh 'echo \"{\\\"a\\\": [1,\"; echo \"2]} 7\"' | from json | jq -c .",
            "",
            "{\"a\":[1,2]}\n7",
        );
    Verb::read(declaration, FromJson)
}

struct FromJson;

#[async_trait]
impl Read for FromJson {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let spread = call.arguments.flag("spread");
        let mut open = String::new();
        // A value that is not complete is tried again when there is twice as much of it: the whole work stays linear.
        let mut try_at = 0;
        while let Some(item) = input.next().await {
            let Some(text) = text_of(&item.record) else {
                output.fail(no_text("from json").on_record(&item.record)).await?;
                continue;
            };
            open.push_str(&text);
            open.push('\n');
            if open.len() < try_at {
                continue;
            }
            let (values, used) = complete(&open, false)?;
            emit(values, spread, output).await?;
            open.drain(..used);
            try_at = open.len() * 2;
            if open.len() > LARGEST {
                return Err(Report::failed(
                    "E-JSON-002",
                    format!("a value is larger than {} MiB", LARGEST >> 20),
                ));
            }
        }
        let (values, _) = complete(&open, true)?;
        emit(values, spread, output).await
    }
}

/// The values that are complete and the bytes they take; at the end all has to be.
fn complete(text: &str, end: bool) -> Result<(Vec<Value>, usize), Report> {
    let mut values = Vec::new();
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    let mut used = 0;
    while let Some(value) = stream.next() {
        match value {
            Ok(value) => values.push(value),
            Err(error) if error.is_eof() && !end => return Ok((values, used)),
            Err(error) => return Err(Report::failed("E-JSON-001", "the text is not JSON").because(&error)),
        }
        used = stream.byte_offset();
    }
    Ok((values, text.len()))
}

async fn emit(values: Vec<Value>, spread: bool, output: &Output) -> Result<(), Report> {
    for value in values {
        match value {
            Value::Array(items) if spread => {
                for item in items {
                    output.emit(item).await?;
                }
            }
            value => output.emit(value).await?,
        }
    }
    Ok(())
}
