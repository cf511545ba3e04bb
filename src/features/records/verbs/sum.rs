//! `sum [PATH]`: the sum of numbers.

use async_trait::async_trait;
use serde_json::{Number, Value, json};

use crate::core::report::Report;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "sum", "Add numbers up")
        .description("Records without the path do not count; a value that is no number is a failure of its record.")
        .input(InputMode::All)
        .positional(
            Positional::new(
                "path",
                OptionKind::String,
                "where the number is; the record itself if not given",
            )
            .optional(),
        )
        .output("A number: whole as long as all of them are.")
        .example_expecting("seed --range 1-4 | sum", "", "10");
    Verb::read(declaration, Sum)
}

struct Sum;

#[async_trait]
impl Read for Sum {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text_at(0).unwrap_or_default())?;
        let (mut whole, mut float) = (Some(0_i64), 0.0);
        while let Some(item) = input.next().await {
            let Some(value) = path.find(&item.record) else { continue };
            let Some(number) = number(value) else {
                let message = format!("{value} is no number");
                output
                    .fail(Report::failed("E-SUM-001", message).on_record(&item.record))
                    .await?;
                continue;
            };
            whole = whole
                .zip(number.as_i64())
                .and_then(|(sum, number)| sum.checked_add(number));
            float += number.as_f64().unwrap_or(0.0);
        }
        output.emit(whole.map_or_else(|| json!(float), Value::from)).await
    }
}

/// A number, also one that is written as text.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text
            .parse::<i64>()
            .map(Number::from)
            .ok()
            .or_else(|| Number::from_f64(text.parse().ok()?)),
        _ => None,
    }
}
