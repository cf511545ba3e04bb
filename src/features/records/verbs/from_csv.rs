//! `from csv`: comma-separated text to records, one a row.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::core::report::Report;
use crate::features::records::csv::{Rows, Wrong};
use crate::features::records::text;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "from-csv", "Read comma-separated text")
        .description("The first row names the fields. Values stay text; a row with more or fewer cells fails.")
        .input(InputMode::All)
        .options([
            separator(),
            OptionSpec::new("no-header", OptionKind::Bool, "rows are lists, the first one included").short('n'),
        ])
        .output("{FIELD: text, …}, or lists of texts.")
        .example_expecting(
            "sh 'printf \"a,b\\n1,\\\"x,y\\\"\\n\"' | from csv | jq -c .",
            "",
            "{\"a\":\"1\",\"b\":\"x,y\"}",
        );
    Verb::read(declaration, FromCsv)
}

/// `--separator`, for reader and writer.
pub fn separator() -> OptionSpec {
    OptionSpec::new("separator", OptionKind::String, "one character; tab for a tabulator")
        .short('s')
        .default(",")
}

/// The character that was given.
pub fn separator_of(call: &Call) -> Result<char, Report> {
    let text = call.arguments.text("separator").unwrap_or_default();
    let mut symbols = text.chars();
    match (text.as_str(), symbols.next(), symbols.next()) {
        ("tab", ..) => Ok('\t'),
        (_, Some(one), None) if !"\"\r\n".contains(one) => Ok(one),
        _ => Err(Report::refused("E-CSV-002", format!("{text:?} can't separate values")).hint("one character, or tab")),
    }
}

struct FromCsv;

#[async_trait]
impl Read for FromCsv {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let separator = separator_of(call)?;
        let text = text::all("from csv", input).await?;
        let mut rows = Rows::new(&text, separator);
        let wrong = |wrong: Wrong| Report::failed("E-CSV-001", format!("line {}: {}", wrong.line, wrong.reason));
        let header = match call.arguments.flag("no-header") {
            true => None,
            false => rows.next().transpose().map_err(wrong)?,
        };
        while let Some(row) = rows.next() {
            let cells = row.map_err(wrong)?.into_iter().map(Value::String);
            let Some(header) = &header else {
                output.emit(cells.collect()).await?;
                continue;
            };
            if cells.len() != header.len() {
                let message = format!(
                    "before line {}: {} cells for {} fields",
                    rows.line(),
                    cells.len(),
                    header.len()
                );
                output
                    .fail(Report::failed("E-CSV-003", message).on_record(&cells.collect()))
                    .await?;
                continue;
            }
            let fields: Map<String, Value> = header.iter().cloned().zip(cells).collect();
            output.emit(Value::Object(fields)).await?;
        }
        Ok(())
    }
}
