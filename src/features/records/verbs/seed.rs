//! `seed`: records from JSON on the line.

use async_trait::async_trait;
use serde_json::{Deserializer, Value, json};

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

const WRONG: &str = "E-SEED-001";

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "seed", "Make records from JSON")
        .description("Takes JSON values; the items of a list become records of their own.")
        .input(InputMode::None)
        .positional(Positional::new("json", OptionKind::Json, "one or more JSON values").optional())
        .option(OptionSpec::new("range", OptionKind::String, "whole numbers, both ends included").value_name("from-to"))
        .exclusive(&["json", "range"])
        .output("The values.")
        .example_expecting("seed '[{\"a\": 1}, {\"a\": 2}]' | pluck a", "two records", "1\n2")
        .example_expecting("seed --range 3-5 | head 1", "numbers", "3");
    Verb::read(declaration, Seed)
}

struct Seed;

#[async_trait]
impl Read for Seed {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        if let Some(range) = call.arguments.text("range") {
            let (from, to) = bounds(&range)?;
            for number in from..=to {
                output.emit(json!(number)).await?;
            }
            return Ok(());
        }
        match call.arguments.positionals.first() {
            Some(Value::String(text)) => {
                for value in Deserializer::from_str(text).into_iter::<Value>() {
                    let wrong = |error| Report::refused(WRONG, "what seed was given is not JSON").because(&error);
                    spread(value.map_err(wrong)?, output).await?;
                }
                Ok(())
            }
            Some(value) => spread(value.clone(), output).await,
            None => Err(Report::refused(WRONG, "seed needs JSON, or --range")),
        }
    }
}

async fn spread(value: Value, output: &Output) -> Result<(), Report> {
    match value {
        Value::Array(items) => {
            for item in items {
                output.emit(item).await?;
            }
            Ok(())
        }
        other => output.emit(other).await,
    }
}

/// `1-9`, `-3-4`.
fn bounds(text: &str) -> Result<(i64, i64), Report> {
    let split = text
        .char_indices()
        .skip(1)
        .find(|(_, symbol)| *symbol == '-')
        .map(|(at, _)| at);
    let parsed = split.and_then(|at| Some((text.get(..at)?.parse().ok()?, text.get(at + 1..)?.parse().ok()?)));
    parsed.ok_or_else(|| Report::refused(WRONG, format!("{text:?} is no range")).hint("such as 1-100"))
}
