//! `head [N]`: the first records; what makes more of them is told to stop.

use async_trait::async_trait;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "head", "Keep the first records")
        .input(InputMode::All)
        .positional(Positional::new("count", OptionKind::Int, "how many, 10 if not given").optional())
        .option(OptionSpec::new("lines", OptionKind::Int, "the same as the argument").short('n'))
        .exclusive(&["count", "lines"])
        .output("The records as they are.")
        .example_expecting("seed --range 1-9 | head 2", "", "1\n2");
    Verb::read(declaration, Head)
}

struct Head;

#[async_trait]
impl Read for Head {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        for _ in 0..wanted(call)? {
            let Some(item) = input.next().await else { break };
            output.send(item).await?;
        }
        Ok(())
    }
}

/// The number of records that `head` and `tail` were asked for.
pub fn wanted(call: &Call) -> Result<usize, Report> {
    const DEFAULT: i64 = 10;
    let given = call.arguments.positionals.first().and_then(serde_json::Value::as_i64);
    let count = given.or(call.arguments.int("lines")).unwrap_or(DEFAULT);
    let count = usize::try_from(count).ok().filter(|count| *count > 0);
    count.ok_or_else(|| Report::refused("E-RECORDS-002", "the number of records must be 1 or more"))
}
