//! Aligns tab-separated text as kubectl's describe does: Go's `text/tabwriter` with a padding of two blanks, where a
//! column is a run of consecutive lines that have a tab there.

/// Blanks after the widest cell of a column.
const PADDING: usize = 2;

/// The text with its tabs replaced by blanks.
pub fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len()]).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    // The last cell of a line ends no column. Columns are settled left to right: a run of a later column never goes
    // beyond a run of the one before it, since a line with cell n+1 has cell n too.
    for column in 0..columns {
        let mut at = 0;
        while at < lines.len() {
            let run = lines[at..].iter().take_while(|cells| cells.len() > column + 1).count();
            let width = lines[at..at + run]
                .iter()
                .map(|cells| crate::core::text::width(cells[column]) + PADDING)
                .max();
            for line in &mut widths[at..at + run] {
                line[column] = width.unwrap_or(0);
            }
            at += run.max(1);
        }
    }
    let mut aligned = String::with_capacity(text.len() * 2);
    for (at, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        if at > 0 {
            aligned.push('\n');
        }
        for (cell, width) in cells.iter().zip(widths) {
            aligned.push_str(cell);
            aligned.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(crate::core::text::width(cell)),
            ));
        }
    }
    aligned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_runs_of_lines() {
        let text = "Name:\ta\nNamespace:\tb\nPod:\n  x:\ty\n  long:\tz\n";
        assert_eq!(
            align(text),
            "Name:       a\nNamespace:  b\nPod:\n  x:     y\n  long:  z\n"
        );
    }

    #[test]
    fn an_empty_first_cell_still_takes_its_column() {
        let text = "Labels:\ta=1\n\tb=2\nX:\t1\t2\n";
        assert_eq!(align(text), "Labels:  a=1\n         b=2\nX:       1  2\n");
    }
}
