//! `alias move SOURCE TARGET`: renames an alias, or makes it everyone's or one's own.

use async_trait::async_trait;

use super::{Table, declaration, find, named};
use crate::core::report::Report;
use crate::verb::{Alias, AliasScope, Call, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = declaration("alias-move", "Rename an alias, or make it everyone's")
        .input(InputMode::None)
        .positional(Positional::new(
            "source",
            OptionKind::String,
            "NAME, user:NAME or site:NAME",
        ))
        .positional(Positional::new(
            "target",
            OptionKind::String,
            "NAME, site, user, site:NAME or user:NAME",
        ))
        .output("{\"scope\", \"name\", \"pipeline\"}")
        .example("alias move twice double", "another name")
        .example("alias move twice site", "everyone's, by the same name");
    Verb::read(declaration, Move)
}

struct Move;

#[async_trait]
impl Read for Move {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let source = find(call, 0)?;
        super::own_unless_named(call, 0, &source)?;
        let text = call.arguments.text_at(1).unwrap_or_default();
        let (scope, name) = match AliasScope::of_word(&text) {
            Some(scope) => (scope, source.name.clone()),
            None => named(&text, source.scope)?,
        };
        if (scope, &name) == (source.scope, &source.name) {
            return Err(Report::refused(
                "E-ALIAS-009",
                format!("{} is there already", source.qualified()),
            ));
        }
        if let Some(there) = call.session.catalogue().alias(Some(scope), &name) {
            let report = Report::refused("E-ALIAS-009", format!("there is an alias {there}"));
            return Err(report.hint("delete that one first"));
        }
        let moved = Alias {
            scope,
            name,
            body: source.body.clone(),
        };
        super::may_change(call, &source)?;
        super::may_change(call, &moved)?;
        // Made before the other goes: a fault between both leaves two, never none.
        call.session.put_alias(moved.clone()).await?;
        call.session.remove_alias(source.scope, &source.name).await?;
        output.send(Table::new().row(&moved)).await
    }
}
