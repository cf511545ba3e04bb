//! `audit`: what was changed, newest first.

use async_trait::async_trait;
use serde_json::Value;

use super::limit;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::AuditEntry;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "audit", "List the changes that were made, newest first")
        .description("Every change that was made, failed or was declined, with its state before and after.")
        .input(InputMode::None)
        .option(
            OptionSpec::new("limit", OptionKind::Int, "at most so many")
                .short('n')
                .default("50"),
        )
        .output(
            "{\"number\", \"at\", \"user\", \"context\", \"pipeline\", \"change\", \"outcome\", \"undoes\", \"hash\"}",
        )
        .example("audit", "")
        .example("audit -n 1 | jq .change.before", "what the last change found");
    Verb::read(declaration, Audit)
}

struct Audit;

#[async_trait]
impl Read for Audit {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let limit = limit(call, "limit")?;
        let header = Header::new(["NUMBER", "WHEN", "USER", "CONTEXT", "CHANGE", "OUTCOME"]);
        for entry in call.session.audit(limit).await? {
            let view = View::row(&header, cells(&entry));
            output
                .emit_as(serde_json::to_value(&entry).unwrap_or(Value::Null), view)
                .await?;
        }
        Ok(())
    }
}

fn cells(entry: &AuditEntry) -> Vec<String> {
    let outcome = match entry.undoes {
        Some(number) => format!("{} (undoes {number})", entry.outcome),
        None => entry.outcome.clone(),
    };
    vec![
        entry.number.to_string(),
        entry.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        entry.user.clone(),
        entry.context.clone(),
        entry.change.summary.clone(),
        outcome,
    ]
}
