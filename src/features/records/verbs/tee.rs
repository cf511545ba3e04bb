//! `tee NAME`: puts records away under a name and hands them on.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::records::kept::{Keeper, name};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "tee", "Keep records under a name and hand them on")
        .once()
        .description(
            "Only for the one who runs it, beyond the session, instead of what the name held before. Nothing is kept \
             of a pipeline that fails before its end.",
        )
        .input(InputMode::All)
        .positional(Positional::new("name", OptionKind::String, "letters, digits, . _ and -").always())
        .option(OptionSpec::new(
            "delete",
            OptionKind::Bool,
            "remove what the name holds instead",
        ))
        .output("The records as they are.")
        .example_expecting(
            "seed --range 1-3 | tee numbers | count && cat numbers",
            "",
            "3\n1\n2\n3",
        );
    Verb::read(declaration, Tee)
}

struct Tee;

#[async_trait]
impl Read for Tee {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let name = name(call)?;
        if call.arguments.flag("delete") {
            if !call.session.forget(&name).await? {
                return Err(Report::failed("E-KEPT-002", format!("nothing is kept as {name}")));
            }
            let text = format!("{name} removed");
            return output
                .emit_as(json!({"name": name, "message": text}), View::Text(text))
                .await;
        }
        let mut keeper = Keeper::new("tee");
        while let Some(item) = input.next().await {
            keeper.push(&item.record)?;
            output.send(item).await?;
        }
        if input.is_broken() {
            let text = format!("nothing is kept as {name}: a stage before failed, so the records are not complete");
            call.operator.note(SafeText::line(&text));
            return Ok(());
        }
        call.session.keep(&name, keeper.records()).await
    }
}
