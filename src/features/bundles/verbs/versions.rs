//! `bundle versions`: the installed versions of one bundle.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::super::Library;
use super::{name, name_argument};
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "bundle-versions", "List the installed versions of a bundle")
        .input(InputMode::None)
        .positional(name_argument())
        .output("{\"name\", \"version\", \"enabled\", \"installed\", \"digest\", \"source\"}, the highest version last")
        .example("bundle versions kubectl", "");
    Verb::read(
        declaration,
        Versions {
            library: library.clone(),
        },
    )
}

struct Versions {
    library: Arc<Library>,
}

#[async_trait]
impl Read for Versions {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let header = Header::new(["VERSION", "ENABLED", "INSTALLED", "DIGEST", "SOURCE"]);
        for bundle in self.library.versions(&name(call)).await? {
            let record = json!({
                "name": bundle.name, "version": bundle.version, "enabled": bundle.enabled,
                "installed": bundle.installed, "digest": bundle.digest, "source": bundle.source,
            });
            let enabled = if bundle.enabled { "yes" } else { "no" };
            let digest = bundle.digest.chars().take(19).collect();
            let cells = vec![
                bundle.version,
                enabled.to_owned(),
                bundle.installed,
                digest,
                bundle.source,
            ];
            output.emit_as(record, View::row(&header, cells)).await?;
        }
        Ok(())
    }
}
