//! Views of several contexts' records together: each says which context it is from. Not for the records themselves.

use std::sync::Arc;

use super::document::{Line, Role, Span};
use super::prose::Paragraph;
use super::view::{Header, View};
use crate::core::text::SafeText;

/// The column's name.
const COLUMN: &str = "CONTEXT";

/// Marks the views of one context's records.
#[derive(Debug)]
pub struct ContextMark {
    name: String,
    /// The last header and the one with the column, so that rows go on sharing one.
    header: Option<(Arc<Header>, Arc<Header>)>,
}

impl ContextMark {
    /// For the records of this context.
    pub fn new(name: impl Into<String>) -> Self {
        ContextMark {
            name: name.into(),
            header: None,
        }
    }

    /// A row gets a first column, a line the name before it, several lines a line of their own above them (which is a
    /// comment in YAML). JSON shows the record, which says it itself.
    pub fn view(&mut self, view: View) -> View {
        let line = |text: &str| text.strip_suffix('\n').unwrap_or(text).contains('\n');
        match view {
            View::Row { header, mut cells } => {
                cells.insert(0, self.name.clone());
                View::Row {
                    header: self.header(header),
                    cells,
                }
            }
            View::Text(text) | View::Raw(text) if line(&text) => View::Text(format!("{}\n{text}", self.above())),
            View::Text(text) | View::Raw(text) => View::Text(format!("{}{text}", self.before())),
            View::Verbatim(text) if line(&text) => View::Verbatim(format!("{}\n{text}", self.above())),
            View::Verbatim(text) => View::Verbatim(format!("{}{text}", self.before())),
            View::Prose(mut paragraphs) => {
                let above = Paragraph {
                    first: "",
                    rest: "",
                    text: self.above(),
                    verbatim: false,
                };
                paragraphs.insert(0, above);
                View::Prose(paragraphs)
            }
            View::Lines(mut lines) => {
                match lines.as_mut_slice() {
                    [only] => only.spans.insert(
                        0,
                        Span {
                            text: SafeText::line(&self.before()),
                            role: Role::Dim,
                        },
                    ),
                    _ => lines.insert(0, Line::new(&self.above(), Role::Dim)),
                }
                View::Lines(lines)
            }
            other @ (View::Json(_) | View::Hidden) => other,
        }
    }

    fn before(&self) -> String {
        format!("[{}] ", self.name)
    }

    fn above(&self) -> String {
        format!("# context: {}", self.name)
    }

    /// A table without a header stays without one.
    fn header(&mut self, header: Arc<Header>) -> Arc<Header> {
        if header.columns.is_empty() {
            return header;
        }
        if let Some((known, marked)) = &self.header
            && *known == header
        {
            return marked.clone();
        }
        let columns = std::iter::once(COLUMN).chain(header.columns.iter().map(String::as_str));
        let marked = Arc::new(Header {
            columns: columns.map(str::to_owned).collect(),
            title: header.title.clone(),
        });
        self.header = Some((header, marked.clone()));
        marked
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;
    use crate::render::Document;
    use serde_json::json;

    fn shown(views: &[View]) -> Vec<String> {
        let mut document = Document::default();
        for (view, name) in views.iter().zip(["blue", "green"].iter().cycle()) {
            let view = ContextMark::new(*name).view(view.clone());
            document.push(&json!({"context": name}), Some(&view));
        }
        let lines = document.lines(0, usize::MAX);
        lines.iter().map(|line| line.text().trim_end().to_owned()).collect()
    }

    #[test]
    fn every_view_says_which_context_it_is_from() {
        let header = Header::new(["NAME", "READY"]);
        let row = |name: &str| View::row(&header, vec![name.into(), "1/1".into()]);
        assert_eq!(
            shown(&[row("web"), row("api")]),
            ["CONTEXT   NAME   READY", "blue      web    1/1", "green     api    1/1"],
            "one table"
        );
        let bare = Header::new(Vec::<String>::new());
        assert_eq!(
            shown(&[
                View::row(&bare, vec!["web".into()]),
                View::row(&bare, vec!["api".into()])
            ]),
            ["blue   web", "green   api"].map(|line| line.replace("blue   ", "blue    "))
        );
        assert_eq!(
            shown(&[View::Text("a: 1\nb: 2\n".into()), View::Text("pod/web\n".into())]),
            ["# context: blue", "a: 1", "b: 2", "[green] pod/web"]
        );
        assert_eq!(
            shown(&[View::Verbatim("x".into()), View::Verbatim("y\nz".into())]),
            ["[blue] x", "# context: green", "y", "z"]
        );
        let lines = |text: &[&str]| View::Lines(text.iter().map(|line| Line::plain(line)).collect());
        assert_eq!(
            shown(&[lines(&["x"]), lines(&["y", "z"])]),
            ["[blue] x", "# context: green", "y", "z"]
        );
        assert_eq!(shown(&[View::Hidden]), Vec::<String>::new());
    }

    #[test]
    fn the_rows_of_a_context_share_one_header() {
        let mut mark = ContextMark::new("blue");
        let header = Header::new(["NAME"]);
        let mut headers = (0..3).map(|n| match mark.view(View::row(&header, vec![n.to_string()])) {
            View::Row { header, .. } => header,
            other => panic!("{other:?}"),
        });
        let first = headers.next();
        assert!(headers.all(|next| first.as_ref().is_some_and(|first| Arc::ptr_eq(first, &next))));
    }
}
