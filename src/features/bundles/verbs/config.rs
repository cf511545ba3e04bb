//! `bundle config`: what a bundle's variables are set to for a room and a user, and by which layer. No secret is shown.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::super::Library;
use super::super::library::manifest;
use super::{documented, name, name_argument};
use crate::core::report::Report;
use crate::store::bundles::Installed;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-config", "Show how a bundle is configured")
        .description(
            "The merge of the layers base, room/NAME, user/NAME and environment, the later winning; and the variables \
             that the bundle documents but nothing sets. Secret values are never shown.",
        )
        .input(InputMode::None)
        .positional(name_argument())
        .options([
            OptionSpec::new("room", OptionKind::String, "as in this room"),
            OptionSpec::new("user", OptionKind::String, "as for this user"),
            OptionSpec::new("all", OptionKind::Bool, "every layer instead of the merge").short('a'),
        ])
        .output("{\"variable\", \"value\", \"layer\", \"required\"}; value null: not set; ••• for a secret")
        .example("bundle config kubectl --room ops", "what counts in a room");
    Verb::read(
        declaration,
        Config {
            library: library.clone(),
        },
    )
}

struct Config {
    library: Arc<Library>,
}

#[async_trait]
impl Read for Config {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let name = name(call);
        // Each with whether it must be set.
        let known: Vec<(String, bool)> = match (self.library.enabled(&name).await?, documented(call, &name)) {
            (None, own) if !own.is_empty() => own.into_iter().map(|variable| (variable, false)).collect(),
            (Some(enabled), _) => variables(&enabled)?,
            (None, _) => variables(&self.library.version(&name, None).await?)?,
        };
        let settings = self.library.store.settings().await?;
        let layers = self.library.layers(&name, &settings);
        let room = call.arguments.text("room").or_else(|| call.context.room.clone());
        let user = call.arguments.text("user").unwrap_or_else(|| call.user.clone());
        let required = |variable: &str| known.iter().any(|(name, required)| name == variable && *required);
        let mut rows: Vec<(String, Option<String>, String)> = match call.arguments.flag("all") {
            true => {
                let every = layers.iter();
                every
                    .map(|(layer, name, held)| (name.to_owned(), Some(held.to_string()), layer.to_string()))
                    .collect()
            }
            false => {
                let merged = layers.effective(room.as_deref(), &user).into_iter();
                merged
                    .map(|(name, (layer, held))| (name.to_owned(), Some(held.to_string()), layer.to_string()))
                    .collect()
            }
        };
        let missing = known
            .iter()
            .filter(|(variable, _)| !rows.iter().any(|(name, ..)| name == variable));
        let missing: Vec<_> = missing
            .map(|(variable, _)| (variable.clone(), None, String::new()))
            .collect();
        rows.extend(missing);
        let header = Header::new(["VARIABLE", "VALUE", "LAYER"]);
        for (variable, value, layer) in rows {
            let unset = if required(&variable) {
                "not set (required)"
            } else {
                "not set"
            };
            let cells = vec![
                variable.clone(),
                value.clone().unwrap_or_else(|| unset.to_owned()),
                layer.clone(),
            ];
            let record = json!({
                "variable": variable, "value": value, "layer": layer, "required": required(&variable),
            });
            output.emit_as(record, View::row(&header, cells)).await?;
        }
        Ok(())
    }
}

/// The variables that an installed bundle documents, each with whether it must be set.
fn variables(installed: &Installed) -> Result<Vec<(String, bool)>, Report> {
    let manifest = manifest(installed)?;
    let documented = manifest.config.iter().flat_map(|config| &config.env);
    Ok(documented
        .map(|known| (known.var.clone(), known.is_required()))
        .collect())
}
