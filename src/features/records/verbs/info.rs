//! `info`: what runs here, and which bundles it has.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "info", "Show versions")
        .input(InputMode::None)
        .output("{\"name\", \"version\", \"user\", \"context\", \"bundles\": [{\"name\", \"version\", \"commands\"}]}")
        .example_expecting("info | jq -r .name", "", "cogdeck");
    Verb::read(declaration, Info)
}

struct Info;

#[async_trait]
impl Read for Info {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let version = env!("CARGO_PKG_VERSION");
        let catalogue = call.session.catalogue();
        let mut bundles = Vec::new();
        let mut text = vec![
            format!("cogdeck {version}"),
            format!("user {}, context {}", call.user, call.context.name),
        ];
        for name in catalogue.bundles() {
            let of_bundle = catalogue
                .commands(name)
                .next()
                .map(|verb| verb.declaration.version.clone());
            let count = catalogue.commands(name).count();
            text.push(format!(
                "{name} {} ({count} commands)",
                of_bundle.clone().unwrap_or_default()
            ));
            bundles.push(json!({"name": name, "version": of_bundle, "commands": count}));
        }
        let record: Value = json!({
            "name": "cogdeck", "version": version, "user": call.user, "context": call.context.name, "bundles": bundles,
        });
        output.emit_as(record, View::Text(text.join("\n"))).await
    }
}
