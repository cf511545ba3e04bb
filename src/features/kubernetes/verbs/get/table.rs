//! The server's Table (meta.k8s.io/v1) as rows of cells with their objects; a plain list or object where the server has
//! no table for a type. Not for layout.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use crate::core::record::to_text;
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::object::{self, Lean};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name as the server gives it, `Up-to-date`.
    pub name: String,
    /// 0: always shown; above: with `-o wide` only.
    pub wide: bool,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The object, cleaned.
    pub object: Value,
    /// Cells, one a column.
    pub cells: Vec<String>,
}

/// A page of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns; empty in later events of a watch, where those of the first still hold.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The list's resourceVersion.
    pub version: String,
}

/// The Table as it comes.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: String,
    api_version: String,
    metadata: Meta,
    column_definitions: Option<Vec<Definition>>,
    rows: Option<Vec<Line>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    r#continue: String,
    resource_version: String,
}

#[derive(serde::Deserialize)]
struct Definition {
    name: String,
    #[serde(default)]
    priority: i64,
}

#[derive(serde::Deserialize)]
struct Line {
    #[serde(default)]
    cells: Vec<Cell>,
    #[serde(default)]
    object: Option<Lean>,
}

impl Answer {
    fn is_table(&self) -> bool {
        self.kind == "Table" && self.api_version.starts_with("meta.k8s.io/")
    }
}

impl Table {
    /// Reads an answer of any of the three forms.
    pub fn parse(text: &str, resource: &Resource) -> Result<Table, serde_json::Error> {
        match serde_json::from_str::<Answer>(text) {
            Ok(answer) if answer.is_table() => Ok(Table::of(answer, resource)),
            _ => Ok(Table::of_objects(serde_json::from_str(text)?, resource)),
        }
    }

    /// The same of an answer that was read already, as the object of an event is.
    pub fn read(answer: Value, resource: &Resource) -> Table {
        match Answer::deserialize(&answer) {
            Ok(table) if table.is_table() => Table::of(table, resource),
            _ => Table::of_objects(answer, resource),
        }
    }

    fn of(answer: Answer, resource: &Resource) -> Table {
        let columns = answer.column_definitions.unwrap_or_default().into_iter();
        let rows = answer.rows.unwrap_or_default().into_iter();
        Table {
            columns: columns
                .map(|column| Column {
                    name: column.name,
                    wide: column.priority > 0,
                })
                .collect(),
            rows: rows
                .map(|row| Row {
                    cells: row.cells.into_iter().map(|cell| cell.0).collect(),
                    object: row.object.map_or(Value::Null, |object| clean(object.0, resource)),
                })
                .collect(),
            next: Some(answer.metadata.r#continue).filter(|token| !token.is_empty()),
            version: answer.metadata.resource_version,
        }
    }

    fn of_objects(mut answer: Value, resource: &Resource) -> Table {
        let next = Some(object::text(&answer, "/metadata/continue").to_owned()).filter(|token| !token.is_empty());
        let version = object::text(&answer, "/metadata/resourceVersion").to_owned();
        let objects = match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => vec![answer],
        };
        let rows = objects.into_iter().map(|found| Row {
            cells: vec![object::name(&found).to_owned()],
            object: clean(found, resource),
        });
        Table {
            columns: vec![Column {
                name: "Name".to_owned(),
                wide: false,
            }],
            rows: rows.collect(),
            next,
            version,
        }
    }
}

fn clean(found: Value, resource: &Resource) -> Value {
    object::cleaned(found, &resource.api_version(), &resource.kind)
}

/// A cell as text, read straight into it: of a list of many rows the cells are most.
struct Cell(String);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shown).map(Cell)
    }
}

/// How each JSON value is shown in a cell.
struct Shown;

impl<'de> Visitor<'de> for Shown {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cell")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(json!(number).to_string())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<String, E> {
        Ok(truth.to_string())
    }

    fn visit_unit<E>(self) -> Result<String, E> {
        Ok("<none>".to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<String, A::Error> {
        let items: Vec<Value> = Deserialize::deserialize(SeqAccessDeserializer::new(items))?;
        Ok(items.iter().map(to_text).collect::<Vec<_>>().join(","))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<String, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(fields)).map(|map| map.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_table_gives_cells_and_cleaned_objects() {
        let answer = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "9", "continue": "c"},
            "columnDefinitions": [{"name": "Name", "priority": 0}, {"name": "Images", "priority": 1}],
            "rows": [{"cells": ["web", 3], "object": {"metadata": {"name": "web", "managedFields": []}}}]});
        let resource = Resource {
            kind: "Deployment".into(),
            group: "apps".into(),
            version: "v1".into(),
            ..Resource::default()
        };
        let table = Table::read(answer.clone(), &resource);
        assert_eq!(Table::parse(&answer.to_string(), &resource).unwrap(), table);
        assert_eq!((table.next.as_deref(), table.version.as_str()), (Some("c"), "9"));
        assert!(table.columns[1].wide);
        assert_eq!(table.rows[0].cells, ["web", "3"]);
        assert_eq!(
            table.rows[0].object,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})
        );
    }

    #[test]
    fn a_cell_shows_any_value_the_same_way_from_a_text_and_from_an_event() {
        let cells = json!(["web", 3, -1, 1.5, true, null, "", ["a", 2, null], {"k": [1]}]);
        let answer =
            json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "rows": [{"cells": cells}]});
        let table = Table::parse(&answer.to_string(), &Resource::default()).unwrap();
        assert_eq!(
            table.rows[0].cells,
            [
                "web",
                "3",
                "-1",
                "1.5",
                "true",
                "<none>",
                "",
                "a,2,null",
                r#"{"k":[1]}"#
            ]
        );
        assert_eq!(table.rows[0].object, Value::Null, "no object was sent");
        assert_eq!(Table::read(answer, &Resource::default()), table);
    }

    #[test]
    fn a_server_without_tables_still_gives_rows() {
        let list = json!({"kind": "ThingList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]});
        let table = Table::read(list.clone(), &Resource::default());
        assert_eq!(Table::parse(&list.to_string(), &Resource::default()).unwrap(), table);
        assert_eq!(
            table.rows.iter().map(|row| row.cells[0].as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn an_object_whose_kind_is_called_table_is_no_table() {
        let own = json!({"kind": "Table", "apiVersion": "furniture/v1", "metadata": {"name": "oak"}, "rows": 3});
        let table = Table::parse(&own.to_string(), &Resource::default()).unwrap();
        assert_eq!(table.rows[0].cells, ["oak"]);
        assert_eq!(table.rows[0].object, own);
    }
}
