//! How a record wants to be shown. The record is the truth, a view only its rendering; without one its shape decides.

use std::sync::Arc;

use serde_json::Value;

use super::document::Line;
use super::prose::Paragraph;
use crate::core::record::{Record, text_at, to_text};

/// A table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Names as printed (`NAME`, `UP-TO-DATE`).
    pub columns: Vec<String>,
    /// Printed above the table; none: nothing.
    pub title: Option<String>,
}

impl Header {
    /// How many lines it takes: the title, and the columns' names unless there are none (`--no-headers`).
    pub fn lines(&self) -> usize {
        usize::from(self.title.is_some()) + usize::from(!self.columns.is_empty())
    }

    /// A header without a title.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Arc<Header> {
        Arc::new(Header {
            columns: columns.into_iter().map(Into::into).collect(),
            title: None,
        })
    }
}

/// The rendering of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// One row of a table; neighbouring rows of an equal header form one table.
    Row {
        /// The columns, shared by the rows.
        header: Arc<Header>,
        /// Cells, one a column. Remote text: made safe when rendered.
        cells: Vec<String>,
    },
    /// Lines of plain text.
    Text(String),
    /// Text as it is, without a line break behind it where it has none: what a script takes as a value.
    Raw(String),
    /// Running text, laid out for the room there is.
    Prose(Vec<Paragraph>),
    /// Lines whose colours (SGR) survive; every other control is made visible.
    Verbatim(String),
    /// JSON over several lines, indented by this many blanks.
    Json(usize),
    /// Finished lines: what a template made.
    Lines(Vec<Line>),
    /// Shown as nothing (the record still flows).
    Hidden,
}

/// A flat record with more keys than this is shown as JSON, not as a row.
const WIDEST_ROW: usize = 10;

impl View {
    /// A row under a header that others share.
    pub fn row(header: &Arc<Header>, cells: Vec<String>) -> View {
        View::Row {
            header: header.clone(),
            cells,
        }
    }

    /// The view a record gets by its shape: a text line, a message, a row for a flat map, JSON for the rest.
    pub fn by_shape(record: &Record) -> View {
        let Value::Object(map) = record else {
            return View::Json(2);
        };
        if let (Some(line), 2) = (text_at(record, &["line"]), map.len())
            && map.contains_key("source")
        {
            return View::Text(line.to_owned());
        }
        if let (Some(Value::Array(lines)), 1) = (map.get("body"), map.len()) {
            return View::Text(lines.iter().map(to_text).collect::<Vec<_>>().join("\n"));
        }
        if let (Some(message), true) = (text_at(record, &["message"]), map.contains_key("action")) {
            return View::Text(message.to_owned());
        }
        let flat = !map.is_empty() && map.len() <= WIDEST_ROW && map.values().all(|v| !v.is_object() && !v.is_array());
        if flat {
            let header = Header::new(map.keys().map(|key| key.to_uppercase()));
            return View::Row {
                header,
                cells: map.values().map(cell).collect(),
            };
        }
        View::Json(2)
    }
}

/// A value in a cell: null is shown as `-`, text as it is.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        other => to_text(other),
    }
}
