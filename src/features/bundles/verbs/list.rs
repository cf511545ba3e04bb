//! `bundle list`: every bundle, built in and installed, and which is in use.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::super::Library;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(
        BUILT_IN,
        "bundle-list",
        "List bundles and which of their versions is in use",
    )
    .input(InputMode::None)
    .output("{\"name\", \"version\", \"state\", \"source\"}, one a version; state: built in, replaced, enabled, off")
    .example("bundle list", "");
    Verb::read(
        declaration,
        List {
            library: library.clone(),
        },
    )
}

struct List {
    library: Arc<Library>,
}

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let catalogue = call.session.catalogue();
        let installed = self.library.store.bundles().await?;
        let built_in = catalogue.built_in().into_iter().map(|name| {
            let state = if catalogue.is_replaced(&name) {
                "replaced"
            } else {
                "built in"
            };
            [name, "native".to_owned(), state.to_owned(), "-".to_owned()]
        });
        let others = installed.into_iter().map(|bundle| {
            let state = if bundle.enabled { "enabled" } else { "off" };
            [bundle.name, bundle.version, state.to_owned(), bundle.source]
        });
        let mut rows: Vec<[String; 4]> = built_in.chain(others).collect();
        rows.sort_by(|a, b| a[0].cmp(&b[0]));
        let header = Header::new(["NAME", "VERSION", "STATE", "SOURCE"]);
        for row in rows {
            let [name, version, state, source] = &row;
            let record = json!({"name": name, "version": version, "state": state, "source": source});
            let view = View::row(&header, row.to_vec());
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}
