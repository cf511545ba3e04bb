//! A document: what a block's records look like, growing as they stream. Bounded by its owner; it drops nothing itself.

use std::sync::Arc;

use super::fitted::Fitted;
use super::prose::Paragraph;
use super::table::Layout;
use super::verbatim::Sgr;
use super::view::{Header, View};
use super::{json, verbatim};
use crate::core::record::Record;
use crate::core::text::SafeText;

/// What a part of a line means; themes turn it into a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// A table's header.
    Header,
    /// A JSON key.
    Key,
    /// A JSON string.
    String,
    /// A JSON number or boolean.
    Number,
    /// Of second rank.
    Dim,
    /// Verbatim text with its own attributes.
    Styled(Sgr),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text, on one line.
    pub text: SafeText,
    /// Its meaning.
    pub role: Role,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its parts, left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// A line of one role.
    pub fn new(text: &str, role: Role) -> Self {
        Line {
            spans: vec![Span {
                text: SafeText::line(text),
                role,
            }],
        }
    }

    /// An ordinary line.
    pub fn plain(text: &str) -> Self {
        Line::new(text, Role::Plain)
    }

    /// The text without roles.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// A row of a table with its cells apart, or a line.
#[derive(Clone, Debug)]
pub struct Row {
    /// Of a table: its columns.
    pub header: Option<Arc<Header>>,
    /// Its cells; of a line one.
    pub cells: Vec<SafeText>,
}

enum Section {
    Lines(Vec<Line>),
    Prose(Prose),
    Table {
        header: Arc<Header>,
        rows: Vec<Vec<SafeText>>,
        layout: Layout,
    },
}

/// Lines and tables in the order of their records.
#[derive(Default)]
pub struct Document {
    sections: Vec<Section>,
}

impl Document {
    /// Adds a record, by its view or else by its shape.
    pub fn push(&mut self, record: &Record, view: Option<&View>) {
        match view {
            Some(view) => self.push_view(record, view),
            None => self.push_view(record, &View::by_shape(record)),
        }
    }

    fn push_view(&mut self, record: &Record, view: &View) {
        match view {
            View::Row { header, cells } => self.push_row(header, cells),
            View::Text(text) | View::Raw(text) => {
                let text = text.strip_suffix('\n').unwrap_or(text);
                self.extend(text.split('\n').map(|line| Line::plain(line.trim_end_matches('\r'))));
            }
            View::Prose(paragraphs) => self.sections.push(Section::Prose(Prose::new(paragraphs))),
            View::Verbatim(text) => self.extend(verbatim::lines(text.strip_suffix('\n').unwrap_or(text))),
            View::Json(indent) => self.extend(json::lines(record, *indent)),
            View::Lines(lines) => self.extend(lines.iter().cloned()),
            View::Hidden => {}
        }
    }

    fn extend(&mut self, lines: impl IntoIterator<Item = Line>) {
        if let Some(Section::Lines(known)) = self.sections.last_mut() {
            known.extend(lines);
        } else {
            self.sections.push(Section::Lines(lines.into_iter().collect()));
        }
    }

    fn push_row(&mut self, header: &Arc<Header>, cells: &[String]) {
        let cells: Vec<SafeText> = cells.iter().map(|cell| SafeText::line(cell)).collect();
        let same = matches!(self.sections.last(), Some(Section::Table { header: known, .. }) if known == header);
        if !same {
            let below_another = matches!(self.sections.last(), Some(Section::Table { .. }));
            if below_another && !header.columns.is_empty() {
                self.sections.push(Section::Lines(vec![Line::default()]));
            }
            let mut layout = Layout::default();
            layout.fit(&header.columns);
            self.sections.push(Section::Table {
                header: header.clone(),
                rows: Vec::new(),
                layout,
            });
        }
        if let Some(Section::Table { rows, layout, .. }) = self.sections.last_mut() {
            layout.fit(&cells.iter().map(SafeText::as_str).collect::<Vec<_>>());
            rows.push(cells);
        }
    }

    /// Number of lines, headers included.
    pub fn len(&self) -> usize {
        self.sections.iter().map(Section::len).sum()
    }

    /// Nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines from `first`, at most `count`.
    pub fn lines(&self, first: usize, count: usize) -> Vec<Line> {
        let mut lines = Vec::with_capacity(count.min(256));
        let mut skip = first;
        for section in &self.sections {
            let length = section.len();
            if skip >= length {
                skip -= length;
                continue;
            }
            for index in skip..length {
                if lines.len() == count {
                    return lines;
                }
                lines.push(section.line(index));
            }
            skip = 0;
        }
        lines
    }

    /// The lines from `first`, at most `count`, in a room of `columns`: a line of a table that does not fit becomes as
    /// many lines as it takes, or is cut where it must be one; with `whole` nothing is cut. Other lines are as long as
    /// they are.
    pub fn lines_within(&self, first: usize, count: usize, columns: usize, whole: bool) -> Vec<Line> {
        let mut lines = Vec::with_capacity(count.min(256));
        let (mut skip, mut left) = (first, count);
        for section in &self.sections {
            let length = section.len();
            if skip >= length {
                skip -= length;
                continue;
            }
            let shown = left.min(length - skip);
            section.lines_within(skip, shown, columns, whole, &mut lines);
            (skip, left) = (0, left - shown);
            if left == 0 {
                break;
            }
        }
        lines
    }

    /// Whether [`Document::lines_within`] cuts something in a room of `columns`.
    pub fn is_cut(&self, columns: usize) -> bool {
        self.sections.iter().any(|section| match section {
            Section::Lines(_) | Section::Prose(_) => false,
            Section::Table { header, rows, layout } => {
                Fitted::of(layout, &header.columns, rows, columns, false).cuts(layout, rows)
            }
        })
    }

    /// Rows and lines, without headers; at most the last `count`.
    pub fn rows(&self, count: usize) -> Vec<Row> {
        let mut last: Vec<Row> = Vec::new();
        for section in self.sections.iter().rev() {
            let left = count - last.len();
            match section {
                Section::Lines(lines) => last.extend(lines.iter().rev().take(left).map(|line| Row {
                    header: None,
                    cells: vec![SafeText::line(&line.text())],
                })),
                Section::Prose(prose) => last.extend(prose.lines.iter().rev().take(left).map(|(line, _)| Row {
                    header: None,
                    cells: vec![SafeText::line(line)],
                })),
                Section::Table { header, rows, .. } => last.extend(rows.iter().rev().take(left).map(|cells| Row {
                    header: Some(header.clone()),
                    cells: cells.clone(),
                })),
            }
        }
        last.reverse();
        last
    }

    /// Every line as plain text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines(0, usize::MAX) {
            text.push_str(&line.text());
            text.push('\n');
        }
        text
    }
}

/// Paragraphs, and their lines where the room is not known: each with the paragraph that it begins, if it begins one.
struct Prose {
    paragraphs: Vec<Paragraph>,
    lines: Vec<(String, Option<usize>)>,
}

impl Prose {
    fn new(paragraphs: &[Paragraph]) -> Self {
        let lines = paragraphs.iter().enumerate().flat_map(|(at, paragraph)| {
            let begins = move |(line, text)| (text, (line == 0).then_some(at));
            paragraph.plain().into_iter().enumerate().map(begins)
        });
        Prose {
            lines: lines.collect(),
            paragraphs: paragraphs.to_vec(),
        }
    }

    /// A paragraph is all there where its first line is asked for.
    fn lines_within(&self, first: usize, count: usize, columns: usize, out: &mut Vec<Line>) {
        for (at, (line, begins)) in self.lines.iter().enumerate().skip(first).take(count) {
            match begins.and_then(|at| self.paragraphs.get(at)) {
                Some(paragraph) => out.extend(paragraph.within(columns).iter().map(|line| Line::plain(line))),
                None if at == first => out.push(Line::plain(line)),
                None => {}
            }
        }
    }
}

impl Section {
    fn len(&self) -> usize {
        match self {
            Section::Lines(lines) => lines.len(),
            Section::Prose(prose) => prose.lines.len(),
            Section::Table { header, rows, .. } => rows.len() + header.lines(),
        }
    }

    fn lines_within(&self, first: usize, count: usize, columns: usize, whole: bool, out: &mut Vec<Line>) {
        let (header, rows, layout) = match self {
            Section::Lines(_) => return out.extend((first..first + count).map(|index| self.line(index))),
            Section::Prose(prose) => return prose.lines_within(first, count, columns, out),
            Section::Table { header, rows, layout } => (header, rows, layout),
        };
        let fitted = Fitted::of(layout, &header.columns, rows, columns, whole);
        let titled = usize::from(header.title.is_some());
        for index in first..first + count {
            match index.checked_sub(header.lines()) {
                None if index < titled => out.push(self.line(index)),
                None => out.extend(fitted.header(layout, &header.columns)),
                Some(row) => {
                    let cells = rows.get(row).map_or(&[][..], Vec::as_slice);
                    out.extend(fitted.row(layout, &header.columns, cells, row == 0));
                }
            }
        }
    }

    fn line(&self, index: usize) -> Line {
        match self {
            Section::Lines(lines) => lines.get(index).cloned().unwrap_or_default(),
            Section::Prose(prose) => prose
                .lines
                .get(index)
                .map(|(line, _)| Line::plain(line))
                .unwrap_or_default(),
            Section::Table { header, rows, layout } => match (index.checked_sub(header.lines()), &header.title) {
                (None, Some(title)) if index == 0 => Line::new(title, Role::Header),
                (None, _) => Line::new(&layout.line(&header.columns), Role::Header),
                (Some(row), _) => {
                    let cells: Vec<&str> = rows
                        .get(row)
                        .map(|cells| cells.iter().map(SafeText::as_str).collect())
                        .unwrap_or_default();
                    Line::plain(&layout.line(&cells))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::text::width;
    use serde_json::json;

    #[test]
    fn running_text_is_laid_out_for_its_room_and_folds_by_its_plain_lines() {
        let paragraph = |text: &str| Paragraph {
            first: "  ",
            rest: "  ",
            text: text.to_owned(),
            verbatim: false,
        };
        let mut document = Document::default();
        let view = View::Prose(vec![paragraph(&"word ".repeat(30)), paragraph("end")]);
        document.push(&json!({}), Some(&view));
        assert_eq!((document.len(), document.text().lines().count()), (3, 3));
        let lines = document.lines_within(0, usize::MAX, 40, false);
        assert!(lines.iter().all(|line| width(&line.text()) <= 40) && lines.len() > 4);
        let words: String = lines.iter().map(|line| line.text()).collect::<Vec<_>>().join(" ");
        assert_eq!(words.matches("word").count(), 30, "nothing twice, nothing lost");
        assert_eq!(document.lines_within(2, 1, 40, false), [Line::plain("  end")]);
    }

    #[test]
    fn shapes_decide_without_a_view() {
        let mut document = Document::default();
        document.push(&json!({"line": "hello", "source": "stdout"}), None);
        document.push(
            &json!({"kind": "Deployment", "action": "scaled", "message": "deployment.apps/x scaled"}),
            None,
        );
        document.push(&json!("quoted"), None);
        document.push(&json!({"name": "a", "ttl": 60}), None);
        document.push(&json!({"name": "bcdefgh", "ttl": null}), None);
        assert_eq!(
            document.text(),
            "hello\ndeployment.apps/x scaled\n\"quoted\"\nNAME      TTL\na         60\nbcdefgh   -\n"
        );
        assert_eq!(document.len(), 6);
        assert_eq!(document.lines(4, 1)[0].text(), "a         60");
    }

    #[test]
    fn hostile_cells_cannot_break_the_table() {
        let mut document = Document::default();
        let header = Header::new(["NAME", "AGE"]);
        let cells = vec!["a\nb\u{1b}[2J".to_owned(), "1s".to_owned()];
        document.push(&json!({}), Some(&View::Row { header, cells }));
        assert_eq!(document.len(), 2);
        assert_eq!(document.lines(1, 1)[0].text(), "a⏎b␛[2J   1s");
    }

    #[test]
    fn a_table_without_a_header_shows_every_row_in_every_room() {
        let table = |title: Option<&str>, rows: &[&str]| {
            let header = Arc::new(Header {
                columns: Vec::new(),
                title: title.map(str::to_owned),
            });
            let mut document = Document::default();
            for name in rows {
                document.push(
                    &json!({}),
                    Some(&View::row(&header, vec![(*name).to_owned(), "1/1".to_owned()])),
                );
            }
            document
        };
        let names = ["web-0", "web-1", "web-2"];
        for (columns, whole) in [(80, false), (80, true), (4, false), (4, true)] {
            let shown = |document: &Document| document.lines_within(0, usize::MAX, columns, whole);
            let document = table(None, &names);
            let lines = shown(&document);
            assert_eq!(lines.len(), 3, "{columns} {whole}: {lines:?}");
            assert!(lines.iter().all(|line| line.text().starts_with('w')), "{lines:?}");
            assert_eq!(document.lines_within(2, 1, columns, whole).len(), 1);
            assert_eq!(shown(&table(None, &["web-0"])).len(), 1, "{columns} {whole}");
            assert_eq!(shown(&table(Some("Pods"), &names)).len(), 4, "{columns} {whole}");
        }
    }

    #[test]
    fn rows_under_another_header_start_another_table() {
        let mut document = Document::default();
        for (name, cell) in [("A", "1"), ("A", "2"), ("B", "3")] {
            document.push(
                &json!(1),
                Some(&View::Row {
                    header: Header::new([name]),
                    cells: vec![cell.into()],
                }),
            );
        }
        assert_eq!(document.text(), "A\n1\n2\n\nB\n3\n");
    }
}
