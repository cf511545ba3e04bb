//! `map FIELD…`: new records of chosen values.

use async_trait::async_trait;
use serde_json::{Map as Fields, Value};

use crate::core::report::Report;
use crate::features::records::column::columns;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "map", "Make new records of chosen values")
        .description("A field is a path, named by its last step, or NAME=PATH; `NAME=` is the whole record. A missing value is null. What needs more than paths is jq's.")
        .input(InputMode::All)
        .positional(Positional::new("fields", OptionKind::String, "PATH or NAME=PATH").always().variadic())
        .option(OptionSpec::new("keep", OptionKind::Bool, "the record's own fields, too").short('k'))
        .output("{NAME: value, …}")
        .example_expecting("seed '{\"a\": {\"b\": 1}, \"c\": 2}' | map a.b two=c none=x | jq -c .", "", "{\"b\":1,\"two\":2,\"none\":null}");
    Verb::read(declaration, Map)
}

struct Map;

#[async_trait]
impl Read for Map {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let columns = columns(call, 0)?;
        let keep = call.arguments.flag("keep");
        while let Some(item) = input.next().await {
            let mut fields = match &item.record {
                Value::Object(own) if keep => own.clone(),
                _ => Fields::new(),
            };
            for column in &columns {
                let value = column.path.find(&item.record).cloned().unwrap_or_default();
                fields.insert(column.name.clone(), value);
            }
            output.emit(Value::Object(fields)).await?;
        }
        Ok(())
    }
}
