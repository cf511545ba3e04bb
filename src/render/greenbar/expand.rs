//! Puts data into a template's tree: markup and data as one stream of characters, each with the mark of its origin.

use serde_json::Value;

use super::condition::Operand;
use super::lines;
use super::parse::Node;
use super::path::Path;
use crate::core::record::to_text;
use crate::render::document::{Line, Role};

/// Characters of one rendering, at most.
const MOST_CHARACTERS: usize = 1 << 20;
/// Pieces of one rendering, at most: loops over loops that print nothing end too.
const MOST_STEPS: usize = 1_000_000;

/// A character and whether it is data.
pub type Mark = (char, bool);

/// A part of the rendering.
enum Part {
    /// Markdown with data in it.
    Marked(Vec<Mark>),
    /// Finished lines.
    Lines(Vec<Line>),
}

/// One rendering.
pub struct Expansion<'v> {
    scope: Vec<(String, &'v Value)>,
    parts: Vec<Part>,
    characters: usize,
    steps: usize,
}

impl<'v> Expansion<'v> {
    /// A rendering of these results.
    pub fn new(results: &'v Value) -> Self {
        Expansion {
            scope: vec![("results".to_owned(), results)],
            parts: Vec::new(),
            characters: 0,
            steps: 0,
        }
    }

    /// The finished lines.
    pub fn lines(self) -> Vec<Line> {
        let cut = self.is_full();
        let mut all = Vec::new();
        for part in self.parts {
            match part {
                Part::Marked(marks) => all.extend(lines::lines(&marks)),
                Part::Lines(lines) => all.extend(lines),
            }
        }
        if cut {
            all.push(Line::new(
                "… cut here: this is more than a template may print",
                Role::Dim,
            ));
        }
        all
    }

    fn is_full(&self) -> bool {
        self.characters >= MOST_CHARACTERS || self.steps >= MOST_STEPS
    }

    /// Adds what these nodes print.
    pub fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.steps += 1;
            if self.is_full() {
                return;
            }
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.put(text, false),
            Node::Value(path) => match self.value(path) {
                None | Some(Value::Null) => {}
                Some(value) => self.put(&to_text(value), true),
            },
            Node::Break => self.put("\n", false),
            Node::Count(path) => {
                let count = match self.value(path) {
                    Some(Value::Array(items)) => items.len(),
                    Some(Value::Object(map)) => map.len(),
                    _ => 0,
                };
                self.put(&count.to_string(), true);
            }
            Node::Json(path) => {
                let value = self.value(path).cloned().unwrap_or_default();
                self.characters += value.to_string().len();
                self.parts.push(Part::Lines(crate::render::json::lines(&value, 2)));
            }
            Node::If(condition, body) => {
                if condition.holds(|path| self.value(path)) {
                    self.nodes(body);
                }
            }
            Node::Each { list, name, with, body } => self.each(list, name, with.as_deref(), body),
            Node::Attachment(attributes, body) => self.attachment(attributes, body),
        }
    }

    fn each(&mut self, list: &Path, name: &str, with: Option<&str>, body: &[Node]) {
        let Some(Value::Array(items)) = self.value(list) else {
            return;
        };
        for (index, item) in items.iter().enumerate() {
            self.steps += 1;
            if self.is_full() {
                return;
            }
            if let (Some(with), true) = (with, index > 0) {
                self.put(with, false);
            }
            self.scope.push((name.to_owned(), item));
            self.nodes(body);
            self.scope.pop();
        }
    }

    fn attachment(&mut self, attributes: &[(String, Operand)], body: &[Node]) {
        let outer = std::mem::take(&mut self.parts);
        self.nodes(body);
        let inner = std::mem::replace(&mut self.parts, outer);
        let content = inner.into_iter().flat_map(|part| match part {
            Part::Marked(marks) => lines::lines(&marks),
            Part::Lines(lines) => lines,
        });
        let content = content.collect();
        let texts = attributes.iter().filter_map(|(name, operand)| {
            let text = self.text(operand)?;
            (!text.is_empty()).then_some((name.as_str(), text))
        });
        let texts: Vec<(&str, String)> = texts.collect();
        self.characters += texts.iter().map(|(_, text)| text.len()).sum::<usize>();
        self.parts.push(Part::Lines(lines::attachment(&texts, content)));
    }

    fn text(&self, operand: &Operand) -> Option<String> {
        match operand {
            Operand::Literal(value) => Some(to_text(value)),
            Operand::Path(path) => self.value(path).filter(|value| !value.is_null()).map(to_text),
            Operand::Length(_) => None,
        }
    }

    fn value(&self, path: &Path) -> Option<&'v Value> {
        let (_, root) = self.scope.iter().rev().find(|(name, _)| *name == path.name)?;
        path.follow(root)
    }

    fn put(&mut self, text: &str, data: bool) {
        let room = MOST_CHARACTERS.saturating_sub(self.characters);
        let marks = text.chars().take(room).map(|symbol| (symbol, data));
        if let Some(Part::Marked(known)) = self.parts.last_mut() {
            let before = known.len();
            known.extend(marks);
            self.characters += known.len() - before;
        } else {
            let marks: Vec<Mark> = marks.collect();
            self.characters += marks.len();
            self.parts.push(Part::Marked(marks));
        }
    }
}
