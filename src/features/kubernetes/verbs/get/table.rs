//! The server's Table (meta.k8s.io/v1) as rows of cells with their objects; a plain list or object where the server has
//! no table for a type. Not for layout.

use serde_json::{Value, json};

use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::object;

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

impl Table {
    /// Reads an answer of any of the three forms.
    pub fn read(mut answer: Value, resource: &Resource) -> Table {
        let next = Some(object::text(&answer, "/metadata/continue").to_owned()).filter(|token| !token.is_empty());
        let version = object::text(&answer, "/metadata/resourceVersion").to_owned();
        let clean = |value: Value| object::cleaned(value, &resource.api_version(), &resource.kind);
        if answer["kind"] == "Table" && object::text(&answer, "/apiVersion").starts_with("meta.k8s.io/") {
            let columns = object::list(&answer, "/columnDefinitions").iter().map(column).collect();
            let rows = match answer.get_mut("rows").map(Value::take) {
                Some(Value::Array(rows)) => rows,
                _ => Vec::new(),
            };
            let rows = rows.into_iter().map(|mut row| Row {
                cells: object::list(&row, "/cells").iter().map(cell).collect(),
                object: clean(row["object"].take()),
            });
            return Table {
                columns,
                rows: rows.collect(),
                next,
                version,
            };
        }
        let objects = match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => vec![answer],
        };
        let rows = objects.into_iter().map(|found| Row {
            cells: vec![object::name(&found).to_owned()],
            object: clean(found),
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

fn column(definition: &Value) -> Column {
    Column {
        name: object::text(definition, "/name").to_owned(),
        wide: definition["priority"].as_i64().unwrap_or_default() > 0,
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<none>".to_owned(),
        Value::Array(items) => items
            .iter()
            .map(crate::core::record::to_text)
            .collect::<Vec<_>>()
            .join(","),
        other if *other == json!("") => String::new(),
        other => crate::core::record::to_text(other),
    }
}

#[cfg(test)]
mod tests {
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
        let table = Table::read(answer, &resource);
        assert_eq!((table.next.as_deref(), table.version.as_str()), (Some("c"), "9"));
        assert!(table.columns[1].wide);
        assert_eq!(table.rows[0].cells, ["web", "3"]);
        assert_eq!(
            table.rows[0].object,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})
        );
    }

    #[test]
    fn a_server_without_tables_still_gives_rows() {
        let list = json!({"kind": "ThingList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]});
        let table = Table::read(list, &Resource::default());
        assert_eq!(
            table.rows.iter().map(|row| row.cells[0].as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
