//! `group-by PATH…`: records of equal values together.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::records::column::{Column, columns};
use crate::features::records::held;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "group-by", "Group records by their values")
        .description("In the order in which the values come first. A missing value is a group of its own, as null.")
        .input(InputMode::All)
        .positional(
            Positional::new("paths", OptionKind::String, "PATH or NAME=PATH")
                .always()
                .variadic(),
        )
        .option(OptionSpec::new("count", OptionKind::Bool, "only how many, without the records").short('c'))
        .output("{NAME: value, …, \"count\", \"records\": […]}")
        .example_expecting(
            "seed '[{\"a\": 1}, {\"a\": 2}, {\"a\": 1}]' | group-by a -c",
            "",
            "A     COUNT\n1     2\n2     1",
        );
    Verb::read(declaration, GroupBy)
}

struct GroupBy;

#[async_trait]
impl Read for GroupBy {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let columns = columns(call, 0)?;
        let only_count = call.arguments.flag("count");
        let mut groups: Vec<Group> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut held = 0;
        while let Some(item) = input.next().await {
            let values = values(&columns, &item.record);
            let key = values.iter().map(Value::to_string).collect::<Vec<_>>().join("\u{0}");
            let at = *index.entry(key).or_insert(groups.len());
            if at == groups.len() {
                groups.push(Group {
                    values,
                    count: 0,
                    records: Vec::new(),
                });
                held += 1;
            }
            if let Some(group) = groups.get_mut(at) {
                group.count += 1;
                if !only_count {
                    group.records.push(item.record);
                    held += 1;
                }
            }
            if held > held::MAX_HELD {
                return Err(held::too_many("group-by"));
            }
        }
        for group in groups {
            output.emit(group.record(&columns, only_count)).await?;
        }
        Ok(())
    }
}

struct Group {
    values: Vec<Value>,
    count: u64,
    records: Vec<Record>,
}

impl Group {
    fn record(self, columns: &[Column], only_count: bool) -> Record {
        let named = columns.iter().zip(self.values);
        let mut map: Map<String, Value> = named.map(|(column, value)| (column.name.clone(), value)).collect();
        map.insert("count".to_owned(), json!(self.count));
        if !only_count {
            map.insert("records".to_owned(), Value::Array(self.records));
        }
        Value::Object(map)
    }
}

fn values(columns: &[Column], record: &Record) -> Vec<Value> {
    let found = columns.iter().map(|column| column.path.find(record).cloned());
    found.map(Option::unwrap_or_default).collect()
}
