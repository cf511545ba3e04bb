//! `history exec N`: runs a line of the history again.

use async_trait::async_trait;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "history-exec", "Run a line of the history again")
        .once()
        .description(
            "As if it were typed now: it is checked, asked about and remembered like any line. Its records flow on. \
             A line with a secret value has to be typed again, because the value is not kept.",
        )
        .input(InputMode::None)
        .positional(Positional::new(
            "number",
            OptionKind::Int,
            "as `history` lists it; -1 is the last line",
        ))
        .output("What the line emits.")
        .example("history exec 41", "")
        .example("history exec -1 | count", "the line before, counted");
    Verb::read(declaration, Exec)
}

struct Exec;

#[async_trait]
impl Read for Exec {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let number = call
            .arguments
            .positionals
            .first()
            .and_then(serde_json::Value::as_i64)
            .unwrap_or(0);
        let lines = call.session.history(super::history::MOST).await?;
        let line = match usize::try_from(-number) {
            Ok(back) if back > 0 => lines.len().checked_sub(back).and_then(|at| lines.get(at)),
            _ => lines.iter().find(|line| i64::try_from(line.number) == Ok(number)),
        };
        let line = line.ok_or_else(|| {
            Report::refused("E-HISTORY-001", format!("the history has no line {number}")).hint("`history` lists them")
        })?;
        call.session.run_line(&line.line, call, output).await
    }
}
