//! One file a verb.

mod config;
mod config_set;
mod config_unset;
mod disable;
mod enable;
mod info;
mod install;
mod list;
mod uninstall;
mod versions;

use std::sync::Arc;

use serde_json::{Value, json};

use super::Library;
use super::brings;
use super::library::opened;
use crate::bundle::layers::Layer;
use crate::core::change::{Change, Inverse, Risk, Target};
use crate::core::report::Report;
use crate::lang::{Stage, print};
use crate::store::bundles::{Installed, Setting};
use crate::verb::{BundleInfo, Call, OptionKind, OptionSpec, Positional, Verb};

/// All of them.
pub fn all(library: &Arc<Library>) -> Vec<Verb> {
    vec![
        config::verb(library),
        config_set::verb(library),
        config_unset::verb(library),
        disable::verb(library),
        enable::verb(library),
        info::verb(library),
        install::verb(library),
        list::verb(library),
        uninstall::verb(library),
        versions::verb(library),
    ]
}

fn name_argument() -> Positional {
    Positional::new("name", OptionKind::String, "the bundle")
}

fn version_argument(help: &str) -> Positional {
    Positional::new("version", OptionKind::String, help)
}

fn layer_option() -> OptionSpec {
    OptionSpec::new("layer", OptionKind::String, "base, room/NAME or user/NAME").default("base")
}

fn name(call: &Call) -> String {
    call.arguments.text_at(0).unwrap_or_default()
}

fn layer(call: &Call) -> Result<Layer, Report> {
    call.arguments
        .text("layer")
        .unwrap_or_else(|| "base".to_owned())
        .parse()
}

/// The variables that a built-in bundle of this name documents; none: it is no built-in one, or has none.
fn documented(call: &Call, name: &str) -> Vec<String> {
    let variables = built_in(call, name).into_iter().flat_map(|info| info.variables);
    variables.map(|(variable, _)| variable).collect()
}

/// What a built-in bundle of this name says of itself.
fn built_in(call: &Call, name: &str) -> Option<BundleInfo> {
    let catalogue = call.session.catalogue();
    let known = catalogue.built_in().iter().any(|known| known == name);
    catalogue.info(name).filter(|_| known).cloned()
}

/// The state of a version as changes show it: what it brings; null: there is none. One that cannot be read any more
/// still has a state, so that it can be replaced, left for another and removed.
fn state(installed: Option<&Installed>) -> Value {
    let Some(installed) = installed else {
        return Value::Null;
    };
    match opened(installed) {
        Ok(opened) => brings::record(installed, &opened),
        Err(report) => json!({
            "name": installed.name, "version": installed.version, "digest": installed.digest,
            "source": installed.source, "unreadable": report.message,
        }),
    }
}

/// Refuses what is not what the operator saw in the plan.
fn as_approved(change: &Change, found: &Value) -> Result<(), Report> {
    match change.after == *found {
        true => Ok(()),
        false => Err(Report::failed(
            "E-BUNDLE-042",
            format!("{} is not what was approved; nothing was done", change.target.name),
        )
        .hint("run it again to see the new plan")),
    }
}

/// Sets a layer's variable as it was planned, or removes it; `done` says so.
async fn configure(
    library: &Library,
    call: &Call,
    change: &Change,
    setting: (&str, Option<Setting>),
) -> Result<Value, Report> {
    let (name, (variable, setting)) = (&change.target.name, setting);
    let layer: Layer = change.request["layer"].as_str().unwrap_or_default().parse()?;
    let known = library.setting(name, &layer, variable).await?;
    still(change, &setting_state(known.as_ref()))?;
    let action = match &setting {
        Some(setting) => {
            library.store.put_setting(setting).await?;
            "set"
        }
        None => {
            library.store.remove_setting(name, &layer.to_string(), variable).await?;
            "unset"
        }
    };
    library.refresh(call).await?;
    let message = format!("{variable} of {name} {action} in the layer {layer}");
    Ok(done(name, "configured", &message))
}

/// The state of a layer's variable as changes show it: a secret by a fingerprint of what is stored.
fn setting_state(setting: Option<&Setting>) -> Value {
    match setting {
        None => Value::Null,
        Some(setting) if setting.encrypted => {
            let print = crate::bundle::Package::of_manifest(&setting.value).digest();
            json!({"layer": setting.layer, "variable": setting.variable, "secret": print})
        }
        Some(setting) => json!({"layer": setting.layer, "variable": setting.variable, "value": setting.value}),
    }
}

/// A change of what is kept about a bundle. `back`: the stage that takes it back.
fn change(verb: &str, summary: String, name: &str, states: (Value, Value), back: Option<Stage>) -> Change {
    let (before, after) = states;
    let target = Target {
        kind: "Bundle".to_owned(),
        scope: String::new(),
        name: name.to_owned(),
    };
    Change {
        verb: format!("cogdeck:{verb}"),
        summary,
        target,
        precondition: before.clone(),
        request: Value::Null,
        risk: Risk::Change,
        inverse: back.map(|stage| Inverse {
            pipeline: print(&stage),
            expects: after.clone(),
        }),
        before,
        after,
        recovery: false,
    }
}

/// Refuses to apply what was planned on another state.
fn still(change: &Change, now: &Value) -> Result<(), Report> {
    match change.precondition == *now {
        true => Ok(()),
        false => Err(Report::failed(
            "E-BUNDLE-042",
            format!("{} was changed meanwhile; nothing was done", change.target.name),
        )),
    }
}

/// What a change answers with.
fn done(name: &str, action: &str, message: &str) -> Value {
    json!({"kind": "Bundle", "name": name, "action": action, "message": message})
}
