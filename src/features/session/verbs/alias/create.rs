//! `alias create NAME PIPELINE`.

use async_trait::async_trait;

use super::{Table, declaration, named};
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::verb::{
    Alias, AliasScope, Call, Input, InputMode, Known, OptionKind, OptionSpec, Output, Positional, Read, Verb,
};

/// The verb.
pub fn verb() -> Verb {
    let declaration = declaration("alias-create", "Name a pipeline")
        .description(
            "Called by its name, the pipeline stands in its place. In it $1, $2 … are the words after the name, $* \
             alone those that no number takes; what is left over goes to the end of its first command. A redirect \
             behind the call replaces the pipeline's own. Quote the pipeline with single quotes.\n\n\
             NAME is one's own; site:NAME is everyone's. A built-in command wins over an alias, one's own alias over \
             everyone's, an alias over a bundle's command. The next line that is started knows it.",
        )
        .input(InputMode::None)
        .positional(Positional::new("name", OptionKind::String, "letters, digits, _ and -"))
        .positional(Positional::new(
            "pipeline",
            OptionKind::String,
            "one pipeline, in quotes",
        ))
        .option(OptionSpec::new("replace", OptionKind::Bool, "even if there is one of that name").short('r'))
        .output("{\"scope\", \"name\", \"pipeline\"}")
        .example_expecting(
            "alias create twice 'echo $1 $1'",
            "`twice hi` says hi hi",
            "ALIAS        PIPELINE\nuser:twice   echo $1 $1",
        )
        .example(
            "alias create site:failed 'kubectl:get po --field-selector status.phase=Failed'",
            "for everyone",
        );
    Verb::read(declaration, Create)
}

struct Create;

#[async_trait]
impl Read for Create {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let text = |index| call.arguments.text_at(index).unwrap_or_default();
        let alias = made(&text(0), text(1))?;
        let there = call.session.catalogue().alias(Some(alias.scope), &alias.name).cloned();
        if let (Some(there), false) = (there, call.arguments.flag("replace")) {
            let report = Report::refused("E-ALIAS-009", format!("there is an alias {there}"));
            return Err(report.hint("--replace makes it anew"));
        }
        call.session.put_alias(alias.clone()).await?;
        output.send(Table::new().row(&alias)).await
    }

    fn makes_alias(&self, arguments: &Known) -> Option<Alias> {
        let text = |index: usize| arguments.positionals.get(index)?.as_ref().map(to_text);
        made(&text(0)?, text(1)?).ok()
    }
}

fn made(name: &str, body: String) -> Result<Alias, Report> {
    let (scope, name) = named(name, AliasScope::User)?;
    Ok(Alias { scope, name, body })
}
