//! `echo`: its arguments as a record.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::record::to_text;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "echo", "Emit the arguments as a record")
        .description(
            "Joins the arguments with blanks. A single argument that is a variable keeps its JSON type; among others, \
             maps and lists are written as JSON.",
        )
        .positional(
            Positional::new("values", OptionKind::Json, "what to emit")
                .optional()
                .variadic(),
        )
        .output("A text, or the one value as it is.")
        .example_expecting("echo hello world", "a text", "hello world")
        .example("kubectl:get po | echo $metadata.name", "one field of each record")
        .example_expecting(
            "let n = jq -n '[1, 2]' && echo $n",
            "a variable keeps its type",
            "[\n  1,\n  2\n]\n[\n  1,\n  2\n]",
        );
    Verb::read(declaration, Echo)
}

struct Echo;

#[async_trait]
impl Read for Echo {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        match call.arguments.positionals.as_slice() {
            [Value::String(text)] => {
                output
                    .emit_as(Value::String(text.clone()), View::Text(text.clone()))
                    .await
            }
            [value] => output.emit(value.clone()).await,
            several => {
                let text = several.iter().map(to_text).collect::<Vec<_>>().join(" ");
                output.emit_as(Value::String(text.clone()), View::Text(text)).await
            }
        }
    }
}
