//! Comma-separated values as RFC 4180 has them, both ways. The separator may be another character. Not for what the
//! columns mean.

/// Cells of a row, at most.
const MOST_CELLS: usize = 10_000;

/// Why a text is no table: the line it shows in, from 1, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line of the text.
    pub line: usize,
    /// Why.
    pub reason: &'static str,
}

/// Rows of a text, one after another. Empty lines are left out; line breaks inside quotes stay.
pub struct Rows<'a> {
    symbols: std::iter::Peekable<std::str::Chars<'a>>,
    separator: char,
    line: usize,
}

impl<'a> Rows<'a> {
    /// Of this text.
    pub fn new(text: &'a str, separator: char) -> Rows<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Rows {
            symbols: text.chars().peekable(),
            separator,
            line: 1,
        }
    }

    /// The line that is read now, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    fn wrong(&self, reason: &'static str) -> Wrong {
        Wrong {
            line: self.line,
            reason,
        }
    }

    fn row(&mut self) -> Result<Vec<String>, Wrong> {
        let mut cells = Vec::new();
        loop {
            if cells.len() >= MOST_CELLS {
                return Err(self.wrong("a row has more than 10000 cells"));
            }
            cells.push(self.cell()?);
            match self.symbols.next() {
                Some(symbol) if symbol == self.separator => {}
                _ => return Ok(cells),
            }
        }
    }

    /// Up to the separator or the end of the line, which is left.
    fn cell(&mut self) -> Result<String, Wrong> {
        let mut cell = String::new();
        if self.symbols.next_if_eq(&'"').is_some() {
            self.quoted(&mut cell)?;
            self.end_of_line();
            return match self.symbols.peek() {
                None | Some('\n') => Ok(cell),
                Some(symbol) if *symbol == self.separator => Ok(cell),
                Some(_) => Err(self.wrong("something follows a closing quote")),
            };
        }
        loop {
            self.end_of_line();
            match self.symbols.peek() {
                None | Some('\n') => return Ok(cell),
                Some(symbol) if *symbol == self.separator => return Ok(cell),
                Some(_) => cell.extend(self.symbols.next()),
            }
        }
    }

    fn quoted(&mut self, cell: &mut String) -> Result<(), Wrong> {
        let open = self.wrong("a quote is not closed");
        loop {
            match self.symbols.next() {
                None => return Err(open),
                Some('"') if self.symbols.next_if_eq(&'"').is_some() => cell.push('"'),
                Some('"') => return Ok(()),
                Some(symbol) => {
                    self.line += usize::from(symbol == '\n');
                    cell.push(symbol);
                }
            }
        }
    }

    /// A carriage return before a line feed belongs to the line's end.
    fn end_of_line(&mut self) {
        let mut ahead = self.symbols.clone();
        if ahead.next() == Some('\r') && matches!(ahead.next(), None | Some('\n')) {
            self.symbols.next();
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<String>, Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.end_of_line();
            match self.symbols.peek()? {
                '\n' => {
                    self.symbols.next();
                    self.line += 1;
                }
                _ => break,
            }
        }
        let row = self.row();
        if row.is_err() {
            // What follows a wrong row can't be told apart from it.
            self.symbols = "".chars().peekable();
        }
        self.line += 1;
        Some(row)
    }
}

/// One row, without its line end.
pub fn row(cells: impl IntoIterator<Item = String>, separator: char) -> String {
    let cells = cells.into_iter().map(|cell| {
        let special = cell.contains(['"', '\n', '\r', separator]) || cell.starts_with(' ') || cell.ends_with(' ');
        if special {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    cells.collect::<Vec<_>>().join(&separator.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Result<Vec<String>, Wrong>> {
        Rows::new(text, ',').collect()
    }

    #[test]
    fn d3_rows_are_read_as_the_standard_has_them() {
        let own = |cells: &[&str]| Ok(cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            rows("\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\n\n,\n\"\"\n"),
            [own(&["a", "b"]), own(&["1", "x, \"y\"\nz"]), own(&["", ""]), own(&[""])]
        );
        assert_eq!(rows("a\rb\n"), [own(&["a\rb"])]);
        assert_eq!(
            rows("a\n\"b"),
            [
                own(&["a"]),
                Err(Wrong {
                    line: 2,
                    reason: "a quote is not closed"
                })
            ]
        );
        assert_eq!(rows("\"a\"b\nc").len(), 1);
        assert!(rows(&",".repeat(20_000))[0].is_err());
    }

    proptest! {
        #[test]
        fn d3_what_is_written_is_read_back(cells in proptest::collection::vec("[a ,;\"\n\r\u{e9}x]{0,8}", 1..6)) {
            let alone = cells.len() == 1 && cells[0].is_empty();
            prop_assume!(!alone);
            let read: Vec<_> = Rows::new(&row(cells.clone(), ';'), ';').collect();
            prop_assert_eq!(read, vec![Ok(cells)]);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,100}") {
            rows(&text);
        }
    }
}
