//! `unique`: each record once.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::core::report::Report;
use crate::features::records::held::{MAX_HELD, too_many};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "unique", "Keep the first of equal records")
        .description("Whole records are compared; the order of their fields does not matter.")
        .input(InputMode::All)
        .output("The records as they are, in their order.")
        .example_expecting("seed '[1, 2, 1]' | unique", "", "1\n2");
    Verb::read(declaration, Unique)
}

struct Unique;

#[async_trait]
impl Read for Unique {
    async fn run(&self, _: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(item) = input.next().await {
            if !seen.insert(sorted(&item.record).to_string()) {
                continue;
            }
            if seen.len() > MAX_HELD {
                return Err(too_many("unique"));
            }
            output.send(item).await?;
        }
        Ok(())
    }
}

/// The same value with its fields in one order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut fields: Vec<(&String, &Value)> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
