//! `filter`: keeps records that have a path, or whose value there matches.

use std::borrow::Cow;

use async_trait::async_trait;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::core::record::to_text;
use crate::core::report::Report;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Item, OptionKind, OptionSpec, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "filter", "Keep records by the value at a path")
        .description("Keeps a record if the path exists in it and, with --matches, if its text there matches.")
        .input(InputMode::All)
        .options([
            OptionSpec::new("path", OptionKind::String, "where to look; quotes protect dots in keys")
                .short('p')
                .required(),
            OptionSpec::new("matches", OptionKind::String, "a regular expression, bare or as /re/i").short('m'),
            OptionSpec::new("invert", OptionKind::Bool, "keep the others").short('v'),
        ])
        .output("The records that are kept, as they are.")
        .example_expecting(
            "seed '[{\"a\": 1}, {\"a\": 2}]' | filter --path a --matches '^2$' | jq -c .",
            "",
            "{\"a\":2}",
        );
    Verb::read(declaration, Filter)
}

struct Filter;

#[async_trait]
impl Read for Filter {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let path = Path::parse(&call.arguments.text("path").unwrap_or_default())?;
        let pattern = call.arguments.text("matches").map(|text| pattern(&text)).transpose()?;
        let invert = call.arguments.flag("invert");
        let kept = |item: &Item| {
            let value = path.find(&item.record);
            let fits =
                value.is_some_and(|value| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&shown(value))));
            fits != invert
        };
        let mut items = Vec::new();
        while input.batch(&mut items).await {
            items.retain(kept);
            output.send_all(&mut items).await?;
        }
        Ok(())
    }
}

/// The text that is matched; what most records are told apart by needs no copy.
fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        other => Cow::Owned(to_text(other)),
    }
}

/// `re` or `/re/flags`.
fn pattern(text: &str) -> Result<Regex, Report> {
    let (body, flags) = match text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) => (body, flags),
        None => (text, ""),
    };
    let mut builder = RegexBuilder::new(body);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            other => {
                return Err(Report::refused(
                    "E-FILTER-001",
                    format!("/{body}/{flags}: there is no flag {other}"),
                ));
            }
        };
    }
    builder
        .build()
        .map_err(|error| Report::refused("E-FILTER-001", format!("{body:?} is no pattern")).because(&error))
}
