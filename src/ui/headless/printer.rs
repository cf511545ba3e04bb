//! Records to stdout, as they come: text for people, JSON for scripts. Knows nothing of pipelines.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::core::record::Record;
use crate::core::text::safe_line;
use crate::render::table::Layout;
use crate::render::{Header, View, json, prose, verbatim};

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rendered; a terminal gets safe text, anything else the bytes as they are.
    Text {
        /// Whether stdout is a terminal.
        terminal: bool,
    },
    /// One array a pipeline.
    Json,
    /// One record a line.
    JsonLines,
}

/// Prints the records of one pipeline after another.
pub struct Printer<W: Write> {
    out: W,
    format: Format,
    table: Option<OpenTable>,
    /// Records of this pipeline's array so far; none: no array is open.
    array: Option<usize>,
}

/// A table whose rows may still come. Rows wait for [`Printer::settle`] so that columns fit what came together.
struct OpenTable {
    header: Arc<Header>,
    layout: Layout,
    rows: Vec<Vec<String>>,
    header_printed: bool,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`.
    pub fn new(out: W, format: Format) -> Self {
        Printer {
            out,
            format,
            table: None,
            array: None,
        }
    }

    /// A pipeline begins; its text is echoed before the results of a script.
    pub fn begin(&mut self, echo: Option<&str>) -> io::Result<()> {
        match self.format {
            Format::Text { .. } => match echo {
                Some(line) => {
                    let line = self.shown(line);
                    writeln!(self.out, "> {line}")
                }
                None => Ok(()),
            },
            Format::Json => {
                self.array = Some(0);
                write!(self.out, "[")
            }
            Format::JsonLines => Ok(()),
        }
    }

    /// One record.
    pub fn record(&mut self, record: &Record, view: Option<&View>) -> io::Result<()> {
        match self.format {
            Format::JsonLines => writeln!(self.out, "{record}"),
            Format::Json => {
                let count = self.array.get_or_insert(0);
                let separator = if *count == 0 { "\n  " } else { ",\n  " };
                *count += 1;
                write!(self.out, "{separator}{record}")
            }
            Format::Text { .. } => match view {
                Some(view) => self.view(record, view),
                None => self.view(record, &View::by_shape(record)),
            },
        }
    }

    fn view(&mut self, record: &Record, view: &View) -> io::Result<()> {
        if let View::Row { header, cells } = view {
            return self.row(header, cells);
        }
        self.close_table()?;
        match view {
            View::Text(text) => self.lines(text),
            View::Raw(text) if self.is_terminal() => self.lines(text),
            View::Raw(text) => write!(self.out, "{text}"),
            View::Prose(paragraphs) => self.lines(&prose::plain(paragraphs)),
            View::Verbatim(text) => self.verbatim(text),
            View::Json(indent) => self.json(record, *indent),
            View::Lines(lines) => lines.iter().try_for_each(|line| writeln!(self.out, "{}", line.text())),
            View::Row { .. } | View::Hidden => Ok(()),
        }
    }

    fn lines(&mut self, text: &str) -> io::Result<()> {
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            let line = self.shown(line);
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn verbatim(&mut self, text: &str) -> io::Result<()> {
        if self.is_terminal() {
            for line in verbatim::lines(text.strip_suffix('\n').unwrap_or(text)) {
                writeln!(self.out, "{}", line.text())?;
            }
            return Ok(());
        }
        writeln!(self.out, "{}", text.strip_suffix('\n').unwrap_or(text))
    }

    fn json(&mut self, record: &Value, indent: usize) -> io::Result<()> {
        if !self.is_terminal() {
            return self.exact_json(record, indent);
        }
        for line in json::lines(record, indent) {
            writeln!(self.out, "{}", line.text())?;
        }
        Ok(())
    }

    /// As the value is: what a pipe reads must parse back to it.
    fn exact_json(&mut self, record: &Value, indent: usize) -> io::Result<()> {
        if indent == 0 {
            return writeln!(self.out, "{record}");
        }
        let blanks = " ".repeat(indent);
        let formatter = serde_json::ser::PrettyFormatter::with_indent(blanks.as_bytes());
        record.serialize(&mut serde_json::Serializer::with_formatter(&mut self.out, formatter))?;
        writeln!(self.out)
    }

    fn row(&mut self, header: &Arc<Header>, cells: &[String]) -> io::Result<()> {
        if self.table.as_ref().is_some_and(|table| table.header != *header) {
            self.close_table()?;
            if !header.columns.is_empty() {
                writeln!(self.out)?;
            }
        }
        let cells: Vec<String> = cells.iter().map(|cell| self.shown(cell)).collect();
        let table = self.table.get_or_insert_with(|| {
            let mut layout = Layout::default();
            layout.fit(&header.columns);
            OpenTable {
                header: header.clone(),
                layout,
                rows: Vec::new(),
                header_printed: false,
            }
        });
        table.layout.fit(&cells);
        table.rows.push(cells);
        Ok(())
    }

    /// Nothing more came for a moment: prints the rows that wait. Later rows go under the same header.
    pub fn settle(&mut self) -> io::Result<()> {
        if let Some(table) = &mut self.table {
            if !table.header_printed {
                if let Some(title) = &table.header.title {
                    writeln!(self.out, "{title}")?;
                }
                if !table.header.columns.is_empty() {
                    writeln!(self.out, "{}", table.layout.line(&table.header.columns).trim_end())?;
                }
                table.header_printed = true;
            }
            for row in table.rows.drain(..) {
                writeln!(self.out, "{}", table.layout.line(&row))?;
            }
        }
        self.out.flush()
    }

    fn close_table(&mut self) -> io::Result<()> {
        if self.table.is_some() {
            self.settle()?;
            self.table = None;
        }
        Ok(())
    }

    /// The pipeline ended.
    pub fn end(&mut self) -> io::Result<()> {
        self.close_table()?;
        if let Some(count) = self.array.take() {
            writeln!(self.out, "{}]", if count == 0 { "" } else { "\n" })?;
        }
        self.out.flush()
    }

    fn is_terminal(&self) -> bool {
        matches!(self.format, Format::Text { terminal: true })
    }

    fn shown(&self, text: &str) -> String {
        if self.is_terminal() {
            safe_line(text)
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(format: Format, records: &[(Value, Option<View>)]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format);
        printer.begin(Some("echo x")).unwrap();
        for (record, view) in records {
            printer.record(record, view.as_ref()).unwrap();
        }
        printer.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn row(cells: [&str; 2]) -> (Value, Option<View>) {
        let header = Header::new(["NAME", "AGE"]);
        (
            json!({"name": cells[0]}),
            Some(View::Row {
                header,
                cells: cells.map(str::to_owned).to_vec(),
            }),
        )
    }

    #[test]
    fn text_lays_rows_out_together_and_echoes_the_line() {
        let text = printed(
            Format::Text { terminal: false },
            &[row(["a", "1s"]), row(["long-name", "2s"])],
        );
        assert_eq!(text, "> echo x\nNAME        AGE\na           1s\nlong-name   2s\n");
    }

    #[test]
    fn json_is_one_array_and_jsonl_one_line_each() {
        let records = [row(["a", "1s"]), (json!("x"), None)];
        let array: Value = serde_json::from_str(&printed(Format::Json, &records)).unwrap();
        assert_eq!(array, json!([{"name": "a"}, "x"]));
        assert_eq!(printed(Format::Json, &[]), "[]\n");
        assert_eq!(printed(Format::JsonLines, &records), "{\"name\":\"a\"}\n\"x\"\n");
    }

    #[test]
    fn a_terminal_gets_no_escape_and_a_pipe_gets_the_bytes() {
        let hostile = [(json!(1), Some(View::Text("\u{1b}[2Jx".into())))];
        assert!(!printed(Format::Text { terminal: true }, &hostile).contains('\u{1b}'));
        assert!(printed(Format::Text { terminal: false }, &hostile).contains('\u{1b}'));
    }

    #[test]
    fn a_blank_line_parts_two_tables_and_a_raw_text_gets_no_line_break() {
        let other = View::row(&Header::new(["TYPE"]), vec!["x".to_owned()]);
        let bare = View::row(&Header::new(Vec::<String>::new()), vec!["y".to_owned()]);
        let raw = View::Raw("1.5".to_owned());
        let records = [
            row(["a", "1s"]),
            (json!(1), Some(other)),
            (json!(2), Some(bare)),
            (json!("1.5"), Some(raw)),
        ];
        let text = |terminal| printed(Format::Text { terminal }, &records);
        assert_eq!(text(false), "> echo x\nNAME   AGE\na      1s\n\nTYPE\nx\ny\n1.5");
        assert_eq!(text(true), format!("{}\n", text(false)));
    }

    #[test]
    fn rows_that_come_later_stay_under_their_header() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Format::Text { terminal: false });
        let (record, view) = row(["a-rather-long-name", "1s"]);
        printer.record(&record, view.as_ref()).unwrap();
        printer.settle().unwrap();
        let (record, view) = row(["b", "2s"]);
        printer.record(&record, view.as_ref()).unwrap();
        printer.end().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME                 AGE\na-rather-long-name   1s\nb                    2s\n"
        );
    }
}
