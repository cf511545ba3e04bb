//! `min` and `max`: the record with the extreme value.

use std::cmp::Ordering;

use async_trait::async_trait;

use crate::core::report::Report;
use crate::features::records::order::compare;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Item, OptionKind, Output, Positional, Read, Verb};

/// `min`.
pub fn min() -> Verb {
    verb("min", "Keep the record with the lowest value", Ordering::Less, "1")
}

/// `max`.
pub fn max() -> Verb {
    verb("max", "Keep the record with the highest value", Ordering::Greater, "3")
}

fn verb(name: &str, summary: &str, better: Ordering, example: &str) -> Verb {
    let declaration = Declaration::new(BUILT_IN, name, summary)
        .description("Of equal ones the first. Records without the path do not count.")
        .input(InputMode::All)
        .positional(
            Positional::new(
                "path",
                OptionKind::String,
                "where the value is; the record itself if not given",
            )
            .optional(),
        )
        .output("One record, or none if there are none.")
        .example_expecting(&format!("seed --range 1-3 | {name}"), "", example);
    Verb::read(declaration, Extreme(better))
}

struct Extreme(Ordering);

#[async_trait]
impl Read for Extreme {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text_at(0).unwrap_or_default())?;
        let mut best: Option<Item> = None;
        while let Some(item) = input.next().await {
            let Some(value) = path.find(&item.record) else { continue };
            let before = best.as_ref().and_then(|best| path.find(&best.record));
            if before.is_none_or(|before| compare(value, before) == self.0) {
                best = Some(item);
            }
        }
        match best {
            Some(item) => output.send(item).await,
            None => Ok(()),
        }
    }
}
