//! `history`: the lines that were run, oldest first.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "history", "List the lines that were run, oldest first")
        .description("Lines that start with a blank are not kept; secret values are masked.")
        .input(InputMode::None)
        .option(
            OptionSpec::new("limit", OptionKind::Int, "at most so many")
                .short('l')
                .default("20"),
        )
        .output("{\"line\", \"context\", \"exit\"}")
        .example("history -l 5", "");
    Verb::read(declaration, History)
}

struct History;

#[async_trait]
impl Read for History {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let limit = call
            .arguments
            .int("limit")
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(0);
        let header = Header::new(["EXIT", "CONTEXT", "LINE"]);
        for entry in call.session.history(limit).await? {
            let exit = entry.exit.map_or_else(|| "-".to_owned(), |exit| exit.to_string());
            let view = View::Row {
                header: header.clone(),
                cells: vec![exit, entry.context.clone(), entry.line.clone()],
            };
            let record = json!({"line": entry.line, "context": entry.context, "exit": entry.exit});
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}
