//! `bundle config unset`: removes a variable from a layer.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::super::Library;
use super::{change, configure, layer, layer_option, name, name_argument, setting_state};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::lang::Stage;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, InputMode, Mutate, OptionKind, Output, Positional, Verb};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(
        BUILT_IN,
        "bundle-config-unset",
        "Remove a variable of a bundle from a layer",
    )
    .input(InputMode::None)
    .risk(Risk::Change)
    .positional(name_argument())
    .positional(Positional::new(
        "variable",
        OptionKind::String,
        "as `bundle config` shows it",
    ))
    .option(layer_option())
    .output("{\"kind\", \"name\", \"action\", \"message\"}")
    .example("bundle config unset kubectl KUBERNETES_TOKEN --layer room/ops", "");
    Verb::mutate(
        declaration,
        Unset {
            library: library.clone(),
        },
    )
}

struct Unset {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Unset {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (name, layer) = (name(call), layer(call)?);
        let variable = call.arguments.text_at(1).unwrap_or_default();
        let Some(known) = self.library.setting(&name, &layer, &variable).await? else {
            let message = format!("the layer {layer} of {name} does not set {variable:?}");
            return Err(Report::refused("E-BUNDLE-050", message)
                .hint(format!("`bundle config {name} --all` shows what is set")));
        };
        // A secret's value is told to nobody, so nothing can put it back.
        let back = (!known.encrypted).then(|| {
            Stage::new("cogdeck:bundle-config-set")
                .arg(&name)
                .arg(&variable)
                .option("--value", Some(&known.value))
                .option("--layer", Some(&known.layer))
        });
        let summary = format!("unset {variable} of {name} in the layer {layer}");
        let mut change = change(
            "bundle-config-unset",
            summary,
            &name,
            (setting_state(Some(&known)), Value::Null),
            back,
        );
        change.request = serde_json::json!({"layer": known.layer, "variable": variable});
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let variable = change.request["variable"].as_str().unwrap_or_default();
        let record = configure(&self.library, call, change, (variable, None)).await?;
        output.emit(record).await
    }
}
