//! `count [PATH]`: how many records there are, or how many have a path.

use async_trait::async_trait;
use serde_json::json;

use crate::core::report::Report;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "count", "Count records")
        .input(InputMode::All)
        .positional(Positional::new("path", OptionKind::String, "count only records that have it").optional())
        .output("A number.")
        .example_expecting("seed --range 1-3 | count", "all records", "3");
    Verb::read(declaration, Count)
}

struct Count;

#[async_trait]
impl Read for Count {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text_at(0).unwrap_or_default())?;
        let mut count: u64 = 0;
        while let Some(item) = input.next().await {
            count += u64::from(path.find(&item.record).is_some());
        }
        output.emit(json!(count)).await
    }
}
