//! Records that a verb has to hold until it has seen all of them: bounded, so that an endless stream is an error and
//! not the end of the process.

use crate::core::report::Report;
use crate::verb::{Input, Item};

/// Records held at most.
pub const MAX_HELD: usize = 1_000_000;

/// The report of a stream that is too long for `verb`.
pub fn too_many(verb: &str) -> Report {
    Report::failed(
        "E-RECORDS-001",
        format!("{verb} would have to hold more than {MAX_HELD} records"),
    )
    .hint("narrow them before: filter, head, jq")
}

/// The whole stream.
pub async fn all(verb: &str, input: &mut Input) -> Result<Vec<Item>, Report> {
    let mut items = Vec::new();
    while let Some(item) = input.next().await {
        if items.len() >= MAX_HELD {
            return Err(too_many(verb));
        }
        items.push(item);
    }
    Ok(items)
}
