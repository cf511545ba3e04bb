//! What a pinned pipeline answered, as rows of a panel: a table where all records are rows of one, else lines.

use std::collections::HashMap;
use std::sync::Arc;

use crate::render::{Document, Header, View};
use crate::verb::Item;

/// Rows of one answer at most; of one that goes on the newest are kept.
pub const MOST: usize = 1_000;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its place, lowest first; those of an answer that goes on count down from 0, so that the newest stands on top.
    pub at: i64,
    /// The columns; none: it is a line.
    pub head: Option<Arc<Header>>,
    /// A cell for each column; of a line one.
    pub cells: Vec<String>,
}

impl Row {
    fn line(at: usize, text: String) -> Row {
        Row {
            at: place(at),
            head: None,
            cells: vec![text],
        }
    }
}

/// A whole answer: each row under a key that stays the same while the row does, so that the selection stays on it.
pub fn of_answer(items: &[Item], more: usize) -> Vec<(String, Row)> {
    let (mut rows, lines) = match table(items) {
        Some(rows) => (rows, 0),
        None => lines(items),
    };
    let left_out = match (lines, more) {
        (0, 0) => return rows,
        (0, more) => format!("… and {more} more"),
        (lines, 0) => format!("… and {lines} more lines"),
        (lines, more) => format!("… and {lines} more lines, and {more} more records"),
    };
    let at = rows.len();
    rows.push((format!("{at:06}"), Row::line(at, left_out)));
    rows
}

fn table(items: &[Item]) -> Option<Vec<(String, Row)>> {
    let views: Vec<View> = items.iter().map(view).filter(|view| *view != View::Hidden).collect();
    let head = match views.first()? {
        View::Row { header, .. } if !header.columns.is_empty() => header.clone(),
        _ => return None,
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let row = |(at, view): (usize, View)| {
        let View::Row { header, cells } = view else { return None };
        let name = cells.first().cloned().unwrap_or_default();
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        let row = Row {
            at: place(at),
            head: Some(head.clone()),
            cells,
        };
        (header.columns == head.columns).then(|| (format!("{name}\n{times}"), row))
    };
    views.into_iter().enumerate().map(row).collect()
}

/// The first lines, and how many there are beyond those.
fn lines(items: &[Item]) -> (Vec<(String, Row)>, usize) {
    let mut document = Document::default();
    for item in items {
        document.push(&item.record, item.view.as_ref());
    }
    let lines = document.lines(0, MOST).into_iter().enumerate();
    let rows = lines.map(|(at, line)| (format!("{at:06}"), Row::line(at, line.text())));
    (rows.collect(), document.len().saturating_sub(MOST))
}

/// One record of an answer that goes on, the `count`th from 0; `head`: the columns of those before it. None: it shows as
/// nothing.
pub fn of_stream(count: usize, item: &Item, head: &mut Option<Arc<Header>>) -> Option<Row> {
    let row = match view(item) {
        View::Hidden => return None,
        View::Row { header, cells } => {
            if head.is_none() && !header.columns.is_empty() {
                *head = Some(header);
            }
            // Later events of a watch bring no names: those of the first still hold.
            Row {
                at: 0,
                head: head.clone(),
                cells,
            }
        }
        View::Json(_) => Row::line(0, item.record.to_string()),
        other => {
            let mut document = Document::default();
            document.push(&item.record, Some(&other));
            Row::line(0, document.text().trim_end().to_owned())
        }
    };
    Some(Row {
        at: -place(count) - 1,
        ..row
    })
}

fn view(item: &Item) -> View {
    item.view.clone().unwrap_or_else(|| View::by_shape(&item.record))
}

fn place(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX - 1)
}
