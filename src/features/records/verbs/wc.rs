//! `wc`: lines, words and bytes of the records as text.

use async_trait::async_trait;
use serde_json::json;

use crate::core::record::{text_at, to_text};
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "wc", "Count lines, words and bytes")
        .description("A record of streamed text counts as its line, any other as its JSON.")
        .input(InputMode::All)
        .options([
            OptionSpec::new("lines", OptionKind::Bool, "only the lines").short('l'),
            OptionSpec::new("words", OptionKind::Bool, "only the words").short('w'),
            OptionSpec::new("bytes", OptionKind::Bool, "only the bytes").short('c'),
        ])
        .exclusive(&["lines", "words", "bytes"])
        .output("{\"lines\", \"words\", \"bytes\"}, or the one number.")
        .example_expecting("sh 'printf \"a b\\nc\\n\"' | wc -w", "", "3");
    Verb::read(declaration, Wc)
}

struct Wc;

#[async_trait]
impl Read for Wc {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let (mut lines, mut words, mut bytes) = (0_u64, 0_u64, 0_u64);
        while let Some(item) = input.next().await {
            let text = text_at(&item.record, &["line"]).map_or_else(|| to_text(&item.record), str::to_owned);
            lines += 1 + text.matches('\n').count() as u64;
            words += text.split_whitespace().count() as u64;
            bytes += text.len() as u64 + 1;
        }
        let only = [("lines", lines), ("words", words), ("bytes", bytes)];
        match only.iter().find(|(name, _)| call.arguments.flag(name)) {
            Some((_, count)) => output.emit(json!(count)).await,
            None => {
                output
                    .emit(json!({"lines": lines, "words": words, "bytes": bytes}))
                    .await
            }
        }
    }
}
