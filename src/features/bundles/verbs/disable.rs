//! `bundle disable`: takes a bundle out of use; a built-in one of its name is back.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::super::Library;
use super::{change, done, name, name_argument, state, still};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::lang::Stage;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, InputMode, Mutate, Output, Verb};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-disable", "Take a bundle out of use")
        .description("It stays installed. A built-in bundle of the same name is back.")
        .input(InputMode::None)
        .risk(Risk::Change)
        .positional(name_argument())
        .output("{\"kind\", \"name\", \"action\", \"message\"}")
        .example("bundle disable demo", "");
    Verb::mutate(
        declaration,
        Disable {
            library: library.clone(),
        },
    )
}

struct Disable {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Disable {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let name = name(call);
        self.library.versions(&name).await?;
        let Some(now) = self.library.enabled(&name).await? else {
            return Err(Report::refused(
                "E-BUNDLE-047",
                format!("no version of {name} is in use"),
            ));
        };
        let back = Stage::new("cogdeck:bundle-enable").arg(&name).arg(&now.version);
        let summary = format!("disable {name} {}", now.version);
        let states = (state(Some(&now)), Value::Null);
        Ok(vec![change("bundle-disable", summary, &name, states, Some(back))])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let name = &change.target.name;
        let now = self.library.enabled(name).await?;
        still(change, &state(now.as_ref()))?;
        self.library.store.use_bundle(name, None).await?;
        self.library.refresh(call).await?;
        output
            .emit(done(name, "disabled", &format!("bundle {name} disabled")))
            .await
    }
}
