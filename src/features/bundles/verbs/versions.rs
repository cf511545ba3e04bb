//! `bundle versions`: the installed versions of one bundle.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::super::Library;
use super::{built_in, name, name_argument};
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
        let name = name(call);
        let native = built_in(call, &name);
        if let Some(info) = &native {
            let record = json!({
                "name": name, "version": info.version, "enabled": !call.session.catalogue().is_replaced(&name),
                "installed": null, "digest": null, "source": "built in",
            });
            let enabled = if record["enabled"] == json!(true) { "yes" } else { "no" };
            let cells = [&info.version, enabled, "-", "-", "built in"]
                .map(str::to_owned)
                .to_vec();
            output.emit_as(record, View::row(&header, cells)).await?;
            if !self.library.has(&name).await? {
                return Ok(());
            }
        }
        for bundle in self.library.versions(&name).await? {
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
