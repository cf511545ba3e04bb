//! What a panel's table holds, for the clipboard: as a table of text, as JSON, cell by cell. Not for drawing it.

use serde_json::{Map, Value};

use super::widgets::table::Cell;
use super::{Theme, Tone};
use crate::render::table::Layout;

/// Told where there is no table.
pub const NO_TABLE: &str = "there is no table to copy here";

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The selected one.
    Selected,
    /// Those that are marked, else all that the filter shows.
    All,
}

/// Columns and cells, without glyphs and without what a narrow panel leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The columns' names; one may be empty.
    pub columns: Vec<String>,
    /// Rows of one cell a column.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// As kubectl lays tables out.
    pub fn to_text(&self) -> String {
        let mut layout = Layout::default();
        let named = self.columns.iter().any(|name| !name.is_empty());
        let head = named.then_some(&self.columns);
        let lines = || head.into_iter().chain(&self.rows);
        lines().for_each(|cells| {
            layout.fit(cells);
        });
        lines()
            .map(|cells| {
                format!(
                    "{}\n",
                    layout
                        .line(&cells.iter().map(String::as_str).collect::<Vec<_>>())
                        .trim_end()
                )
            })
            .collect()
    }

    /// A list of objects, the columns' names in lower case, a second one of a name numbered; of a table without names a
    /// list of texts.
    pub fn to_json(&self) -> String {
        let named = self.columns.iter().any(|name| !name.is_empty());
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let name = column.to_lowercase();
            let others = (2..).map(|number| format!("{name}-{number}"));
            let free = std::iter::once(name.clone())
                .chain(others)
                .find(|name| !names.contains(name));
            names.extend(free);
        }
        let row = |cells: &Vec<String>| match named {
            false => Value::String(cells.join(" ")),
            true => {
                let pairs = names.iter().cloned().zip(cells.iter().cloned().map(Value::String));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        serde_json::to_string_pretty(&rows).unwrap_or_default()
    }
}

/// The text of a cell without the glyph that repeats its state.
pub fn plain(cell: &Cell, theme: &Theme) -> String {
    const TONES: [Tone; 6] = [
        Tone::Ok,
        Tone::Warn,
        Tone::Bad,
        Tone::Progress,
        Tone::Waiting,
        Tone::Neutral,
    ];
    let text = cell.text.as_str();
    let word = |tone: &Tone| {
        let rest = text.strip_prefix(theme.glyphs.of(*tone))?.strip_prefix(' ')?;
        (cell.meaning == tone.meaning()).then(|| rest.to_owned())
    };
    TONES.iter().find_map(word).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_grid_is_a_table_or_json() {
        let theme = Theme::plain();
        let cells = [Cell::new("web\u{1b}[2J"), Cell::state(Tone::Ok, "available", &theme)];
        let row: Vec<String> = cells.iter().map(|cell| plain(cell, &theme)).collect();
        let grid = Grid {
            columns: vec!["NAME".into(), "STATE".into()],
            rows: vec![row, vec!["a".into(), "✓ odd".into()]],
        };
        assert_eq!(
            grid.to_text(),
            "NAME      STATE\nweb␛[2J   available\na         ✓ odd\n"
        );
        let json: Value = serde_json::from_str(&grid.to_json()).unwrap();
        assert_eq!(json[0], serde_json::json!({"name": "web␛[2J", "state": "available"}));
        let twice = Grid {
            columns: ["Name", "NAME", "", "", "name-2", "name"].map(str::to_owned).to_vec(),
            rows: vec![["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec()],
        };
        let json: Value = serde_json::from_str(&twice.to_json()).unwrap();
        assert_eq!(
            json[0],
            serde_json::json!({"name": "a", "name-2": "b", "": "c", "-2": "d", "name-2-2": "e", "name-3": "f"})
        );
        let lines = Grid {
            columns: vec![String::new()],
            rows: vec![vec!["one".into()], vec!["two".into()]],
        };
        assert_eq!(lines.to_text(), "one\ntwo\n");
        assert_eq!(
            serde_json::from_str::<Value>(&lines.to_json()).unwrap(),
            serde_json::json!(["one", "two"])
        );
    }
}
