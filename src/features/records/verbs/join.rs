//! `join RECORDS --on PATH`: each record with the fields of the others that have the same value.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "join", "Join records with others by a value they share")
        .description(
            "The others are what `let` named. Each record comes once for every other with the same value, with that \
             one's fields added; where both have a field, the record's own stays. Records without a match are left out.",
        )
        .input(InputMode::All)
        .positional(Positional::new("records", OptionKind::Json, "the others, such as $pods").always())
        .options([
            OptionSpec::new("on", OptionKind::String, "where the value is").value_name("path").required(),
            OptionSpec::new("with", OptionKind::String, "where it is in the others, if elsewhere").value_name("path"),
            OptionSpec::new("as", OptionKind::String, "put the other into this field as a whole").value_name("field"),
            OptionSpec::new("left", OptionKind::Bool, "keep records without a match, as they are").short('l'),
        ])
        .output("The records with the others' fields.")
        .example_expecting(
            "let ages = seed '[{\"who\": \"ana\", \"age\": 7}]' && seed '[{\"n\": \"ana\"}, {\"n\": \"bo\"}]' | join $ages --on n --with who | jq -c .",
            "",
            "…{\"n\":\"ana\",\"who\":\"ana\",\"age\":7}",
        );
    Verb::read(declaration, Join)
}

struct Join;

#[async_trait]
impl Read for Join {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let on = Path::parse(&call.arguments.text("on").unwrap_or_default())?;
        let with = call
            .arguments
            .text("with")
            .map_or_else(|| Ok(on.clone()), |text| Path::parse(&text))?;
        let (field, left) = (call.arguments.text("as"), call.arguments.flag("left"));
        let others = others(call)?;
        let mut index: HashMap<String, Vec<&Record>> = HashMap::new();
        for other in &others {
            if let Some(value) = with.find(other) {
                index.entry(value.to_string()).or_default().push(other);
            }
        }
        while let Some(item) = input.next().await {
            let found = on.find(&item.record).and_then(|value| index.get(&value.to_string()));
            match found {
                Some(found) => {
                    for other in found {
                        output.emit(joined(&item.record, other, field.as_deref())).await?;
                    }
                }
                None if left => output.send(item).await?,
                None => {}
            }
        }
        Ok(())
    }
}

fn others(call: &Call) -> Result<Vec<Record>, Report> {
    match call.arguments.positionals.first() {
        Some(Value::Array(records)) => Ok(records.clone()),
        Some(record @ Value::Object(_)) => Ok(vec![record.clone()]),
        _ => {
            let report = Report::refused("E-JOIN-001", "what is joined with has to be records");
            Err(report.hint("name them before: let pods = kubectl:get po, then … | join $pods --on PATH"))
        }
    }
}

fn joined(record: &Record, other: &Record, field: Option<&str>) -> Record {
    match (record, other, field) {
        (Value::Object(map), other, Some(field)) => {
            let mut map = map.clone();
            map.insert(field.to_owned(), other.clone());
            Value::Object(map)
        }
        (Value::Object(map), Value::Object(more), None) => {
            let mut map = map.clone();
            for (name, value) in more {
                if !map.contains_key(name) {
                    map.insert(name.clone(), value.clone());
                }
            }
            Value::Object(map)
        }
        _ => record.clone(),
    }
}
