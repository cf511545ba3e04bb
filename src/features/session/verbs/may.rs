//! `may USER PIPELINE`: whether someone may run something, without running it.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "may", "Say whether a user may run a pipeline")
        .description(
            "Asks the rules for every stage as a run would, and runs nothing. Where values decide that only the run \
             knows, the answer is `depends`. Approvals and read-only contexts are another question.",
        )
        .input(InputMode::None)
        .positional(Positional::new("user", OptionKind::String, "as the configuration names them"))
        .positional(Positional::new("pipeline", OptionKind::String, "in quotes"))
        .output("{\"user\", \"pipeline\", \"stage\", \"verb\", \"text\", \"allowed\": true, false or null, \"reason\"} for each stage")
        .example_expecting("may ana 'echo x | count' | pluck allowed | unique", "", "true")
        .example("may ana 'kubectl:delete po web'", "");
    Verb::read(declaration, May)
}

struct May;

#[async_trait]
impl Read for May {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let user = call.arguments.text_at(0).unwrap_or_default();
        let line = call.arguments.text_at(1).unwrap_or_default();
        let header = Header::new(["STAGE", "VERB", "ALLOWED", "REASON"]);
        for answer in call.session.may(&user, &line)? {
            let word = match answer.allowed {
                Some(true) => "yes",
                Some(false) => "no",
                None => "depends",
            };
            let stage = match answer.pipeline {
                1 => answer.stage.to_string(),
                pipeline => format!("{pipeline}.{}", answer.stage),
            };
            let reason = answer.reason.clone().unwrap_or_else(|| "-".to_owned());
            let view = View::row(&header, vec![stage, answer.verb.clone(), word.to_owned(), reason]);
            let record = json!({
                "user": user, "pipeline": answer.pipeline, "stage": answer.stage, "verb": answer.verb,
                "text": answer.text, "allowed": answer.allowed, "reason": answer.reason,
            });
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}
