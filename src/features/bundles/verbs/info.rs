//! `bundle info`: what a version brings, before or after it is enabled.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::super::library::opened;
use super::super::{Library, brings};
use super::{built_in, name, name_argument, version_argument};
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-info", "Show what a bundle brings")
        .description("Image, mounts of the host, executables, permissions and variables of a version that is installed.")
        .input(InputMode::None)
        .positional(name_argument())
        .positional(version_argument("the highest if left out").optional())
        .output("{\"name\", \"version\", \"digest\", \"source\", \"image\", \"binds\", \"executables\", \"files\", \"permissions\", \"variables\", \"commands\"}")
        .example("bundle info kubectl", "");
    Verb::read(
        declaration,
        Info {
            library: library.clone(),
        },
    )
}

struct Info {
    library: Arc<Library>,
}

#[async_trait]
impl Read for Info {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let wanted = call.arguments.text_at(1);
        let name = name(call);
        if let (None, Some(info), false) = (&wanted, built_in(call, &name), self.library.has(&name).await?) {
            let catalogue = call.session.catalogue();
            let commands: Vec<String> = catalogue
                .commands(&name)
                .map(|verb| verb.declaration.qualified())
                .collect();
            let variables: Vec<&str> = info.variables.iter().map(|(variable, _)| variable.as_str()).collect();
            let page = format!(
                "{name} native: {}\nvariables:   {}\ncommands:    {}",
                info.summary,
                variables.join(", "),
                commands.join(", ")
            );
            let record = json!({
                "name": name, "version": info.version, "source": "built in", "variables": variables, "commands": commands,
            });
            return output.emit_as(record, View::Text(page)).await;
        }
        let installed = match (&wanted, self.library.enabled(&name).await?) {
            (None, Some(enabled)) => enabled,
            _ => self.library.version(&name, wanted.as_deref()).await?,
        };
        let opened = opened(&installed)?;
        let record = brings::record(&installed, &opened);
        let built_in = call.session.catalogue().built_in();
        let page = brings::page(
            &record,
            &opened.manifest.description,
            built_in.contains(&installed.name),
        );
        output.emit_as(record, View::Text(page)).await
    }
}
