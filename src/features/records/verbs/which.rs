//! `which NAME`: what a name runs.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::verb::catalogue::{BUILT_IN, NameError, did_you_mean};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "which", "Say what a command's name runs")
        .input(InputMode::None)
        .positional(Positional::new("name", OptionKind::String, "with or without its bundle").variadic())
        .output("{\"bundle\", \"name\", \"version\"}")
        .example_expecting("which jq", "", "cogdeck:jq (native)");
    Verb::read(declaration, Which)
}

struct Which;

#[async_trait]
impl Read for Which {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let name = call.arguments.texts().join("-");
        let catalogue = call.session.catalogue();
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
