//! Column layout as kubectl prints tables: left-justified, at least six columns wide, three blanks between, the last
//! column unpadded. Widths never shrink, so that rows of a stream stay under their header.

use crate::core::text::width;

/// The least width of a column that is not the last, padding included.
const LEAST: usize = 6;
/// Blanks between columns.
const PADDING: usize = 3;

/// Widths of a table's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    widths: Vec<usize>,
}

impl Layout {
    /// Makes room for a row; true when a width grew (rows laid out before are now too narrow).
    pub fn fit<T: AsRef<str>>(&mut self, cells: &[T]) -> bool {
        let mut grew = false;
        self.widths.resize(self.widths.len().max(cells.len()), LEAST);
        for (known, cell) in self.widths.iter_mut().zip(cells) {
            let wanted = width(cell.as_ref()) + PADDING;
            if wanted > *known {
                *known = wanted;
                grew = true;
            }
        }
        grew
    }

    /// Width of each column's widest cell.
    pub(super) fn natural(&self) -> Vec<usize> {
        self.widths.iter().map(|width| width.saturating_sub(PADDING)).collect()
    }

    /// Width of the widest line.
    pub(super) fn total(&self) -> usize {
        let last = self.widths.last().map_or(0, |width| width.saturating_sub(PADDING));
        self.widths.iter().rev().skip(1).sum::<usize>() + last
    }

    /// A row as one line: each cell padded to its column, the last one as it is.
    pub fn line<T: AsRef<str>>(&self, cells: &[T]) -> String {
        let mut line = String::new();
        let mut blanks = 0;
        for (cell, column) in cells.iter().zip(&self.widths) {
            let cell = cell.as_ref();
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(cell);
            blanks = column.saturating_sub(width(cell));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_kubectl() {
        let rows = [
            vec!["NAME", "READY", "AGE"],
            vec!["inspector", "1/1", "20s"],
            vec!["世界", "0/1", "5d"],
        ];
        let mut layout = Layout::default();
        for row in &rows {
            layout.fit(row);
        }
        assert_eq!(layout.line(&rows[0]), "NAME        READY   AGE");
        assert_eq!(layout.line(&rows[1]), "inspector   1/1     20s");
        assert_eq!(layout.line(&rows[2]), "世界        0/1     5d");
        assert!(!layout.fit(&["x", "y", "z"]));
        assert!(layout.fit(&["a-much-longer-name", "y", "z"]));
    }
}
