//! `alias info NAME`.

use async_trait::async_trait;

use super::{Table, find};
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "alias-info", "Show an alias")
        .input(InputMode::None)
        .positional(Positional::new(
            "name",
            OptionKind::String,
            "NAME, user:NAME or site:NAME",
        ))
        .output("{\"scope\", \"name\", \"pipeline\"}")
        .example("alias info twice", "");
    Verb::read(declaration, Info)
}

struct Info;

#[async_trait]
impl Read for Info {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        output.send(Table::new().row(&find(call, 0)?)).await
    }
}
