//! A row of the table the server prints for a type: for types that have no slim row of their own.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::core::record::to_text;
use crate::feed::health::age;

/// Characters kept of a cell or a column's name; a screen shows fewer.
const CELL: usize = 512;

/// What all rows of a table share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableHead {
    /// The type as commands take it: `nodes`, `cronjobs.batch`.
    pub resource: String,
    /// `Node`, `CronJob`.
    pub kind: String,
    /// Its objects lie in namespaces.
    pub namespaced: bool,
    /// Columns, in the server's order; the first is the name.
    pub columns: Vec<TableColumn>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableColumn {
    /// The server's name for it, `Up-to-date`.
    pub name: String,
    /// Only for wide tables (a priority above 0).
    pub wide: bool,
    /// Holds numbers.
    pub right: bool,
    /// The age of the object.
    age: bool,
    /// A span of time up to the moment the server printed it.
    withers: bool,
}

/// An object as the server's table shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRow {
    /// Its table's type and columns.
    pub head: Arc<TableHead>,
    /// Namespace; empty for a cluster's own object.
    pub namespace: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The printed cells, one a column.
    cells: Box<[Box<str>]>,
}

impl TableColumn {
    /// From a column definition: its name, priority and OpenAPI type.
    pub fn new(name: &str, priority: i64, shape: &str) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let age = is("age");
        // The spans of the kinds that come with Kubernetes, and every date of a custom resource.
        let spans = ["Duration", "Last Schedule", "Last Seen", "First Seen"];
        TableColumn {
            name: name.chars().take(CELL).collect(),
            wide: priority > 0,
            right: matches!(shape, "integer" | "number"),
            age,
            withers: !age && (shape == "date" || spans.into_iter().any(is)),
        }
    }

    /// Whether its cells become wrong by the passing of time alone.
    pub fn withers(&self) -> bool {
        self.withers
    }
}

impl TableRow {
    /// The row of these cells, cut where they are absurdly long; cells beyond the columns are dropped.
    pub fn new(
        head: &Arc<TableHead>,
        namespace: &str,
        name: &str,
        created: Option<Timestamp>,
        cells: &[Value],
    ) -> Self {
        TableRow {
            head: head.clone(),
            namespace: namespace.into(),
            name: name.into(),
            created,
            cells: cells.iter().take(head.columns.len()).map(printed).collect(),
        }
    }

    /// The text of a column. The age is told from the time it was made, as the printed one stands still.
    pub fn cell(&self, column: usize, now: Timestamp) -> Cow<'_, str> {
        match (self.head.columns.get(column), self.created) {
            (Some(TableColumn { age: true, .. }), Some(created)) => Cow::Owned(age(now, created)),
            _ => Cow::Borrowed(self.cells.get(column).map_or("", |cell| cell)),
        }
    }
}

/// A cell as kubectl prints it.
fn printed(cell: &Value) -> Box<str> {
    let text = match cell {
        Value::Null => "<none>".to_owned(),
        Value::String(text) => return text.chars().take(CELL).collect(),
        Value::Array(items) => items.iter().map(to_text).collect::<Vec<_>>().join(","),
        other => to_text(other),
    };
    text.chars().take(CELL).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn the_age_goes_on_and_other_cells_stay_as_printed() {
        let head = Arc::new(TableHead {
            columns: [("Name", 0, "string"), ("Age", 0, "string"), ("Labels", 1, "")]
                .map(|(name, priority, shape)| TableColumn::new(name, priority, shape))
                .into(),
            ..TableHead::default()
        });
        let created: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let cells = [json!("a"), json!("5s"), json!(["x", 1]), json!("beyond")];
        let row = TableRow::new(&head, "", "a", Some(created), &cells);
        let now: Timestamp = "2026-01-01T02:00:00Z".parse().unwrap();
        assert_eq!(
            [0, 1, 2, 3].map(|at| row.cell(at, now).into_owned()),
            ["a", "120m", "x,1", ""]
        );
        let ageless = TableRow::new(&head, "", "a", None, &cells);
        assert_eq!(
            ageless.cell(1, now),
            "5s",
            "what the server printed is better than nothing"
        );
    }

    #[test]
    fn spans_of_time_wither() {
        let withers = |name, shape| TableColumn::new(name, 0, shape).withers();
        assert!(withers("Duration", "string") && withers("Last Backup", "date"));
        assert!(!withers("Age", "date") && !withers("Ready", "string"));
    }
}
