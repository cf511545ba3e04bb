//! `list PATH`: one value of each record, joined into one text.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::record::to_text;
use crate::core::report::Report;
use crate::features::records::held;
use crate::features::records::order::compare;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "list", "Join one value of each record into a text")
        .description("Records without the path, or with null there, are left out.")
        .input(InputMode::All)
        .positional(
            Positional::new(
                "path",
                OptionKind::String,
                "where the value is; the record itself if not given",
            )
            .optional(),
        )
        .options([
            OptionSpec::new(
                "order",
                OptionKind::Enum(&["asc", "desc"]),
                "sorted; as they come if not given",
            )
            .short('o'),
            OptionSpec::new("join", OptionKind::String, "what stands between them")
                .short('j')
                .default(", "),
        ])
        .output("A text.")
        .example_expecting(
            "seed '[{\"n\": \"b\"}, {\"n\": \"a\"}, {}]' | list n -o asc",
            "",
            "a, b",
        );
    Verb::read(declaration, List)
}

struct List;

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text_at(0).unwrap_or_default())?;
        let items = held::all("list", input).await?;
        let mut values: Vec<&Value> = items
            .iter()
            .filter_map(|item| path.find(&item.record))
            .filter(|value| !value.is_null())
            .collect();
        match call.arguments.text("order").as_deref() {
            Some("asc") => values.sort_by(|a, b| compare(a, b)),
            Some("desc") => values.sort_by(|a, b| compare(b, a)),
            _ => {}
        }
        let between = call.arguments.text("join").unwrap_or_default();
        let text = values.into_iter().map(to_text).collect::<Vec<_>>().join(&between);
        output.emit_as(Value::String(text.clone()), View::Text(text)).await
    }
}
