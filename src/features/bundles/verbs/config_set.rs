//! `bundle config set`: sets a variable in a layer. A secret is kept encrypted, or not at all.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::Library;
use super::super::library::place;
use super::{change, configure, documented, layer, layer_option, name, name_argument, setting_state};
use crate::bundle::layers::Layer;
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::{LONGEST_SECRET, MASK, Secret};
use crate::lang::Stage;
use crate::store::bundles::Setting;
use crate::verb::catalogue::{BUILT_IN, did_you_mean, nearest};
use crate::verb::{Call, Declaration, InputMode, Mutate, OptionKind, OptionSpec, Output, Positional, Verb};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let secret = OptionSpec {
        secret: true,
        ..OptionSpec::new(
            "secret",
            OptionKind::String,
            "a secret value: alone it is asked for, @FILE reads a file, - standard input",
        )
    };
    let declaration = Declaration::new(BUILT_IN, "bundle-config-set", "Set a variable of a bundle")
        .description(
            "In the layer base, of a room or of a user. A secret is kept encrypted with your own key and never shown \
             again; without a key it is refused.",
        )
        .input(InputMode::None)
        .risk(Risk::Change)
        .positional(name_argument())
        .positional(Positional::new(
            "variable",
            OptionKind::String,
            "as the bundle names it",
        ))
        .options([
            OptionSpec::new("value", OptionKind::String, "a value that may be shown"),
            secret,
            layer_option(),
        ])
        .exclusive(&["value", "secret"])
        .output("{\"kind\", \"name\", \"action\", \"message\"}")
        .example(
            "bundle config set kubectl KUBERNETES_SERVER --value https://10.0.0.1",
            "for everyone",
        )
        .example(
            "bundle config set kubectl KUBERNETES_TOKEN --secret",
            "asked for, unseen",
        )
        .example(
            "bundle config set kubectl KUBERNETES_TOKEN --secret @token --layer room/ops",
            "for a room",
        );
    Verb::mutate(
        declaration,
        Set {
            library: library.clone(),
        },
    )
}

struct Set {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Set {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (name, layer) = (name(call), layer(call)?);
        let variable = call.arguments.text_at(1).unwrap_or_default();
        checked(&variable)?;
        let documented = documented(call, &name);
        if !documented.contains(&variable) {
            self.library
                .versions(&name)
                .await
                .map_err(|report| match documented.as_slice() {
                    [] => report,
                    _ => no_variable(&name, &variable, documented),
                })?;
        }
        let known = self.library.setting(&name, &layer, &variable).await?;
        let (value, encrypted) = self.value(call, &name, &layer, &variable)?;
        let fresh = Setting {
            bundle: name.clone(),
            layer: layer.to_string(),
            variable,
            value,
            encrypted,
        };
        let shown = if encrypted { MASK } else { &fresh.value };
        let summary = format!("set {} of {name} in the layer {layer} to {shown}", fresh.variable);
        let back = back(known.as_ref(), &fresh);
        let before = setting_state(known.as_ref());
        // A secret is sealed anew each time it is planned; its fingerprint would make each plan another one.
        let after = match encrypted {
            true => json!({"layer": fresh.layer, "variable": fresh.variable, "secret": MASK}),
            false => setting_state(Some(&fresh)),
        };
        let mut change = change("bundle-config-set", summary, &name, (before, after), back);
        if let Some(inverse) = change.inverse.as_mut().filter(|_| encrypted) {
            inverse.expects = setting_state(Some(&fresh));
        }
        change.request =
            json!({"layer": fresh.layer, "variable": fresh.variable, "value": fresh.value, "encrypted": encrypted});
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let text = |key: &str| change.request[key].as_str().unwrap_or_default().to_owned();
        let setting = Setting {
            bundle: change.target.name.clone(),
            layer: text("layer"),
            variable: text("variable"),
            value: text("value"),
            encrypted: change.request["encrypted"] == Value::Bool(true),
        };
        let variable = setting.variable.clone();
        let record = configure(&self.library, call, change, (&variable, Some(setting))).await?;
        output.emit(record).await
    }
}

impl Set {
    /// The value as it is stored, and whether it is encrypted.
    fn value(&self, call: &Call, name: &str, layer: &Layer, variable: &str) -> Result<(String, bool), Report> {
        let (text, secret) = match (call.arguments.text("value"), call.arguments.text("secret")) {
            (Some(value), None) => (value, false),
            (None, Some(value)) => (value, true),
            _ => {
                return Err(Report::refused(
                    "E-BUNDLE-048",
                    "the value is missing: --value TEXT, or --secret, which asks for it",
                ));
            }
        };
        if text.len() > LONGEST_SECRET || text.contains('\0') {
            return Err(Report::refused(
                "E-BUNDLE-048",
                format!("the value of {variable} is longer than {LONGEST_SECRET} bytes or holds a zero byte"),
            ));
        }
        match secret {
            false => Ok((text, false)),
            true => {
                let place = place(name, &layer.to_string(), variable);
                self.library
                    .keyring
                    .seal(&Secret::new(text), &place)
                    .map(|sealed| (sealed, true))
            }
        }
    }
}

/// What takes it back: nothing does where a secret was, since its value is told to nobody.
fn back(known: Option<&Setting>, fresh: &Setting) -> Option<Stage> {
    match known {
        Some(known) if known.encrypted => None,
        Some(known) => Some(
            Stage::new("cogdeck:bundle-config-set")
                .arg(&fresh.bundle)
                .arg(&fresh.variable)
                .option("--value", Some(&known.value))
                .option("--layer", Some(&fresh.layer)),
        ),
        None => Some(
            Stage::new("cogdeck:bundle-config-unset")
                .arg(&fresh.bundle)
                .arg(&fresh.variable)
                .option("--layer", Some(&fresh.layer)),
        ),
    }
}

/// A built-in bundle has the variables that it documents, and no others.
fn no_variable(name: &str, variable: &str, documented: Vec<String>) -> Report {
    let all = format!("it has {}", documented.join(", "));
    let hint = did_you_mean(&nearest(variable, documented)).unwrap_or(all);
    Report::refused("E-BUNDLE-050", format!("{name} has no variable {variable}")).hint(hint)
}

fn checked(variable: &str) -> Result<(), Report> {
    let plain = !variable.is_empty() && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let ours = variable.starts_with("COG_") || variable.starts_with("RELAY_");
    match plain && !ours && !variable.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ok(()),
        false => Err(
            Report::refused("E-BUNDLE-049", format!("{variable:?} is no variable that can be set"))
                .hint("letters, digits and `_`; COG_… and RELAY_… belong to the contract"),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mistyped_variable_of_a_built_in_bundle_is_suggested() {
        let known = || vec!["KUBERNETES_SERVER".to_owned(), "KUBERNETES_TOKEN".to_owned()];
        let near = no_variable("kubectl", "KUBERNETES_SERVR", known());
        assert_eq!(near.message, "kubectl has no variable KUBERNETES_SERVR");
        assert!(near.hint.unwrap().contains("KUBERNETES_SERVER"));
        let far = no_variable("kubectl", "X", known()).hint.unwrap();
        assert_eq!(far, "it has KUBERNETES_SERVER, KUBERNETES_TOKEN");
    }
}
