//! `abort-when VALUE`: ends the pipeline when a value says so.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(
        BUILT_IN,
        "abort-when",
        "End the pipeline when a value is true or above 0",
    )
    .description(
        "Hands its record on while the value is anything else: false, null, 0, a text, a list, or nothing at all. \
             What came before is delivered. A text counts as what it spells.",
    )
    .positional(Positional::new("value", OptionKind::Json, "such as $failed").optional())
    .option(OptionSpec::new("message", OptionKind::String, "why").short('m'))
    .output("The records as they are.")
    .example_expecting("seed '[{\"n\": 0}, {\"n\": 1}]' | abort-when $n -m enough", "", "N\n0")
    .example(
        "kubectl:get deploy | abort-when ${status.unavailableReplicas:-0} -m 'not all are there'",
        "a field that is there only while something is missing",
    );
    Verb::read(declaration, AbortWhen)
}

struct AbortWhen;

#[async_trait]
impl Read for AbortWhen {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        if call.arguments.positionals.first().is_some_and(says_so) {
            let message = call.arguments.text("message");
            let message = message.unwrap_or_else(|| "the pipeline was told to end here".to_owned());
            return Err(Report::failed("E-ABORT-001", format!("aborted: {message}")));
        }
        match &call.record {
            Some(record) => output.emit(record.clone()).await,
            None => Ok(()),
        }
    }
}

fn says_so(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => text == "true" || text.parse::<f64>().is_ok_and(|number| number > 0.0),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
