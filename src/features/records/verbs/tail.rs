//! `tail [N]`: the last records.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::head::wanted;
use crate::core::report::Report;
use crate::features::records::held::{MAX_HELD, too_many};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "tail", "Keep the last records")
        .input(InputMode::All)
        .positional(Positional::new("count", OptionKind::Int, "how many, 10 if not given").optional())
        .option(OptionSpec::new("lines", OptionKind::Int, "the same as the argument").short('n'))
        .exclusive(&["count", "lines"])
        .output("The records as they are.")
        .example_expecting("seed --range 1-9 | tail 2", "", "8\n9");
    Verb::read(declaration, Tail)
}

struct Tail;

#[async_trait]
impl Read for Tail {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let wanted = wanted(call)?;
        if wanted > MAX_HELD {
            return Err(too_many("tail"));
        }
        let mut last = VecDeque::new();
        while let Some(item) = input.next().await {
            if last.len() == wanted {
                last.pop_front();
            }
            last.push_back(item);
        }
        for item in last {
            output.send(item).await?;
        }
        Ok(())
    }
}
