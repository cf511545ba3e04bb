//! `table COLUMN…`: chosen values of each record as a table.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::core::report::Report;
use crate::features::records::column::{Column, columns};
use crate::render::view::cell;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "table", "Show chosen values as a table")
        .description(
            "A column is a path, headed by its last step, or NAME=PATH. Columns of one heading are headed by their \
             whole paths. A missing value leaves its cell empty.",
        )
        .input(InputMode::All)
        .positional(
            Positional::new("columns", OptionKind::String, "PATH or NAME=PATH")
                .always()
                .variadic(),
        )
        .output("{COLUMN: value, …}, missing values left out.")
        .example_expecting(
            "seed '[{\"a\": {\"b\": 1}, \"c\": null}, {\"c\": \"x\"}]' | table a.b kind=c",
            "",
            "B     KIND\n1     -\n      x",
        );
    Verb::read(declaration, Table)
}

struct Table;

#[async_trait]
impl Read for Table {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let columns = named(columns(call, 0)?);
        let header = Header::new(columns.iter().map(|column| column.name.to_uppercase()));
        while let Some(item) = input.next().await {
            let values: Vec<Option<&Value>> = columns.iter().map(|column| column.path.find(&item.record)).collect();
            let cells = values.iter().map(|value| value.map(cell).unwrap_or_default()).collect();
            let named = columns.iter().zip(values);
            let record: Map<String, Value> = named
                .filter_map(|(column, value)| Some((column.name.clone(), value?.clone())))
                .collect();
            let view = View::row(&header, cells);
            output.emit_as(Value::Object(record), view).await?;
        }
        Ok(())
    }
}

/// Headings that several columns have become the whole paths.
fn named(mut columns: Vec<Column>) -> Vec<Column> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<String> = columns
        .iter()
        .filter(|column| !seen.insert(column.name.clone()))
        .map(|column| column.name.clone())
        .collect();
    for column in columns.iter_mut().filter(|column| twice.contains(&column.name)) {
        column.name.clone_from(&column.text);
    }
    columns
}
