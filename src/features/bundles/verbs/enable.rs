//! `bundle enable`: puts one version of a bundle in use, or goes back to an earlier one.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::library::opened;
use super::super::{Library, brings};
use super::{as_approved, change, done, name, name_argument, state, still, version_argument};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::lang::Stage;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, InputMode, Mutate, Output, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-enable", "Put a version of a bundle in use")
        .description(
            "Shows what it brings: image, mounts of the host, executables, permissions. At most one version of a bundle \
             is in use; `undo` goes back to the one before. A bundle of a built-in bundle's name takes its place only \
             when its version is named.",
        )
        .input(InputMode::None)
        .risk(Risk::Change)
        .positional(name_argument())
        .positional(version_argument("the highest installed if left out").optional())
        .output("{\"kind\", \"name\", \"action\", \"message\"}")
        .example("bundle enable demo", "the highest version")
        .example("bundle enable kubectl 0.1.15", "in place of the built-in one");
    Verb::mutate(
        declaration,
        Enable {
            library: library.clone(),
        },
    )
}

struct Enable {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Enable {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (name, version) = (name(call), call.arguments.text_at(1));
        let wanted = self.library.version(&name, version.as_deref()).await?;
        if version.is_none() && call.session.catalogue().built_in().contains(&name) {
            let message = format!("{name} is built in, and another bundle takes its place only by its version");
            return Err(
                Report::refused("E-BUNDLE-046", message).hint(format!("bundle enable {name} {}", wanted.version))
            );
        }
        let now = self.library.enabled(&name).await?;
        let back = match &now {
            Some(now) => Stage::new("cogdeck:bundle-enable").arg(&name).arg(&now.version),
            None => Stage::new("cogdeck:bundle-disable").arg(&name),
        };
        let summary = match &now {
            Some(now) => format!("enable {name} {} → {}", now.version, wanted.version),
            None => format!("enable {name} {}", wanted.version),
        };
        // What is to be used must be readable; what it takes the place of need not.
        let after = brings::record(&wanted, &opened(&wanted)?);
        let states = (state(now.as_ref()), after);
        Ok(vec![change("bundle-enable", summary, &name, states, Some(back))])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let name = &change.target.name;
        let version = change.after["version"].as_str().unwrap_or_default();
        still(change, &state(self.library.enabled(name).await?.as_ref()))?;
        let installed = self.library.version(name, Some(version)).await?;
        let opened = opened(&installed)?;
        as_approved(change, &brings::record(&installed, &opened))?;
        self.library.store.use_bundle(name, Some(&installed.version)).await?;
        self.library.refresh(call).await?;
        let message = format!("bundle {name} {version} enabled");
        let built_in = call.session.catalogue().built_in().contains(name);
        let page = brings::page(&change.after, &opened.manifest.description, built_in);
        output
            .emit_as(
                done(name, "enabled", &message),
                View::Text(format!("{page}\n\n{message}")),
            )
            .await
    }
}
