//! `bundle uninstall`: forgets a version that is not in use.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::super::Library;
use super::{change, done, name, name_argument, state, still, version_argument};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, InputMode, Mutate, Output, Verb};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-uninstall", "Remove an installed version of a bundle")
        .description("The version that is in use stays: disable it first. The bundle's configuration stays too.")
        .input(InputMode::None)
        .risk(Risk::Destroy)
        .positional(name_argument())
        .positional(version_argument("which of its versions"))
        .output("{\"kind\", \"name\", \"action\", \"message\"}")
        .example("bundle uninstall demo 0.1.0", "");
    Verb::mutate(
        declaration,
        Uninstall {
            library: library.clone(),
        },
    )
}

struct Uninstall {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Uninstall {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (name, version) = (name(call), call.arguments.text_at(1));
        let installed = self.library.version(&name, version.as_deref()).await?;
        if installed.enabled {
            return Err(
                Report::refused("E-BUNDLE-045", format!("{name} {} is in use", installed.version))
                    .hint(format!("`bundle disable {name}`, or enable another version")),
            );
        }
        let before = state(Some(&installed));
        let mut change = change(
            "bundle-uninstall",
            format!("uninstall {name} {}", installed.version),
            &name,
            (before, Value::Null),
            None,
        );
        change.request = Value::String(installed.version);
        change.risk = Risk::Destroy;
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let (name, version) = (&change.target.name, change.request.as_str().unwrap_or_default());
        let now = self.library.version(name, Some(version)).await?;
        still(change, &state(Some(&now)))?;
        self.library.store.remove_bundle(name, version).await?;
        self.library.refresh(call).await?;
        output
            .emit(done(
                name,
                "uninstalled",
                &format!("bundle {name} {version} uninstalled"),
            ))
            .await
    }
}
