//! `which NAME`: what a name runs.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::verb::catalogue::{BUILT_IN, NameError, did_you_mean};
use crate::verb::{
    Alias, AliasScope, Call, Catalogue, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View,
};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "which", "Say what a command's name runs")
        .input(InputMode::None)
        .positional(Positional::new("name", OptionKind::String, "with or without its bundle").variadic())
        .output("{\"bundle\", \"name\", \"version\"}; of an alias {\"bundle\": user or site, \"name\", \"pipeline\"}")
        .example_expecting("which jq", "", "cogdeck:jq (native)");
    Verb::read(declaration, Which)
}

struct Which;

#[async_trait]
impl Read for Which {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let name = call.arguments.texts().join("-");
        let catalogue = call.session.catalogue();
        if let Some(alias) = alias(&catalogue, &name) {
            let record = json!({"bundle": alias.scope, "name": alias.name, "pipeline": alias.body});
            return output.emit_as(record, View::Text(alias.to_string())).await;
        }
        let found = match name.split_once(':') {
            Some((bundle, command)) => catalogue.find(Some(bundle), command),
            None => catalogue.find(None, &name),
        };
        match found {
            Ok(verb) => {
                let declaration = &verb.declaration;
                let record =
                    json!({"bundle": declaration.bundle, "name": declaration.name, "version": declaration.version});
                let text = format!("{} ({})", declaration.qualified(), declaration.version);
                output.emit_as(record, View::Text(text)).await
            }
            Err(NameError::Ambiguous(names)) => Err(Report::failed(
                "E-WHICH-002",
                format!("{name} could be {}", names.join(" or ")),
            )),
            Err(NameError::UnknownBundle(near) | NameError::UnknownCommand(near)) => {
                let mut report = Report::failed("E-WHICH-001", format!("there is no command {name:?}"));
                report.hint = did_you_mean(&near);
                Err(report)
            }
        }
    }
}

/// The alias that a line which starts with this name would run: a built-in command wins over it.
fn alias<'a>(catalogue: &'a Catalogue, name: &str) -> Option<&'a Alias> {
    match name.split_once(':') {
        Some((word, name)) => catalogue.alias(Some(AliasScope::of_word(word)?), name),
        None if catalogue.find(Some(BUILT_IN), name).is_ok() => None,
        None => catalogue.alias(None, name),
    }
}
