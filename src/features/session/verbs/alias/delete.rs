//! `alias delete NAME…`.

use async_trait::async_trait;
use serde_json::json;

use super::{declaration, find};
use crate::core::report::Report;
use crate::verb::{Call, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = declaration("alias-delete", "Remove aliases")
        .input(InputMode::None)
        .positional(Positional::new("names", OptionKind::String, "NAME, user:NAME or site:NAME").variadic())
        .output("{\"scope\", \"name\", \"action\", \"message\"}")
        .example("alias delete twice", "one's own")
        .example("alias delete site:restarts", "everyone's");
    Verb::read(declaration, Delete)
}

struct Delete;

#[async_trait]
impl Read for Delete {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        // All are found before the first is removed.
        let count = call.arguments.positionals.len();
        let found: Vec<_> = (0..count).map(|index| find(call, index)).collect::<Result<_, _>>()?;
        for (index, alias) in found.into_iter().enumerate() {
            super::own_unless_named(call, index, &alias)?;
            super::may_change(call, &alias)?;
            call.session.remove_alias(alias.scope, &alias.name).await?;
            let text = format!("alias {} removed", alias.qualified());
            let record = json!({"scope": alias.scope, "name": alias.name, "action": "removed", "message": text});
            output.emit_as(record, View::Text(text)).await?;
        }
        Ok(())
    }
}
