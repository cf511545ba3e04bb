//! `to csv`: records as comma-separated text.

use async_trait::async_trait;
use serde_json::Value;

use super::from_csv::{separator, separator_of};
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::features::records::column::{Column, columns};
use crate::features::records::csv::row;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "to-csv", "Write records as comma-separated text")
        .description(
            "Without columns: the fields of the first record, or all items of lists. Null and missing values are \
             empty, maps and lists are written as JSON. A record with a field that is no column fails.",
        )
        .input(InputMode::All)
        .positional(
            Positional::new("columns", OptionKind::String, "PATH or NAME=PATH")
                .optional()
                .variadic(),
        )
        .options([
            separator(),
            OptionSpec::new("no-header", OptionKind::Bool, "without the row of names").short('n'),
        ])
        .output("A text for each row.")
        .example_expecting(
            "seed '[{\"a\": 1, \"b\": \"x,y\"}, {\"a\": null}]' | to csv",
            "",
            "a,b\n1,\"x,y\"\n,",
        );
    Verb::read(declaration, ToCsv)
}

struct ToCsv;

#[async_trait]
impl Read for ToCsv {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let separator = separator_of(call)?;
        let given = columns(call, 0)?;
        let chosen = !given.is_empty();
        let mut table = chosen.then_some(given);
        let mut header = !call.arguments.flag("no-header");
        while let Some(item) = input.next().await {
            if let (Value::Array(cells), false) = (&item.record, chosen) {
                write(row(cells.iter().map(cell), separator), output).await?;
                continue;
            }
            let Value::Object(map) = &item.record else {
                let report = Report::failed("E-CSV-004", "only a record with fields, or a list, is a row");
                output.fail(report.on_record(&item.record)).await?;
                continue;
            };
            let columns = table.get_or_insert_with(|| map.keys().map(|name| own(name)).collect());
            if let (false, Some(extra)) = (
                chosen,
                map.keys().find(|name| !columns.iter().any(|c| c.name == **name)),
            ) {
                let report = Report::failed("E-CSV-005", format!("{extra:?} is no field of the first record"));
                output
                    .fail(report.on_record(&item.record).hint("name the columns: to csv a b"))
                    .await?;
                continue;
            }
            if std::mem::take(&mut header) {
                write(row(columns.iter().map(|column| column.name.clone()), separator), output).await?;
            }
            let cells = columns
                .iter()
                .map(|column| column.path.find(&item.record).map(cell).unwrap_or_default());
            write(row(cells, separator), output).await?;
        }
        Ok(())
    }
}

/// A field of the first record: its name is no path.
fn own(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        path: Path::key(name),
        text: name.to_owned(),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => to_text(other),
    }
}

async fn write(text: String, output: &Output) -> Result<(), Report> {
    output.emit_as(Value::String(text.clone()), View::Text(text)).await
}
