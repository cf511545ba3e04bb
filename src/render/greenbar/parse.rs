//! A template's text to its tree: tags, the text between them, comments. Tags that stand alone on their line leave no
//! empty line behind.

use super::TemplateError;
use super::condition::{Condition, Operand};
use super::path::Path;

/// Tags inside one another, at most.
const DEEPEST: usize = 32;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Markup as written.
    Text(String),
    /// A value.
    Value(Path),
    /// `~br~`
    Break,
    /// The number of a value's entries.
    Count(Path),
    /// A value as JSON, verbatim.
    Json(Path),
    /// Shown while the condition holds.
    If(Condition, Vec<Node>),
    /// Once for each entry, under this name; between them the text.
    Each {
        /// The list.
        list: Path,
        /// What an entry is called inside.
        name: String,
        /// Stands between two entries.
        with: Option<String>,
        /// For each.
        body: Vec<Node>,
    },
    /// A body with a bar and a title.
    Attachment(Vec<(String, Operand)>, Vec<Node>),
}

/// Reads a template.
pub fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        closed_at: 0,
    };
    match parser.nodes()? {
        (_, true) => Err(parser.error_at(parser.closed_at, "`~end~` has no beginning".to_owned())),
        (nodes, false) => Ok(nodes),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Where the last `~end~` stands.
    closed_at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, why: String) -> TemplateError {
        self.error_at(self.at, why)
    }

    fn error_at(&self, at: usize, why: String) -> TemplateError {
        let before = self.text.get(..at.min(self.text.len())).unwrap_or_default();
        TemplateError {
            line: before.matches('\n').count() + 1,
            why,
        }
    }

    /// Pieces up to the end, or up to and with an `~end~`; whether there was one.
    fn nodes(&mut self) -> Result<(Vec<Node>, bool), TemplateError> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        let mut closed = false;
        while let Some(symbol) = self.rest().chars().next() {
            let rest = self.rest();
            match symbol {
                '\\' if rest[1..].starts_with(['~', '#']) => {
                    // `\#` at the start of a line is how a heading is written.
                    text.push_str(&rest[1..2]);
                    self.at += 2;
                }
                '#' if self.is_comment() => self.comment(&mut text),
                '~' if rest[1..].starts_with(|c: char| c == '$' || c.is_ascii_alphabetic()) => {
                    let begun = self.at;
                    let (tag, after) = self.tag()?;
                    if word(tag) == "end" {
                        self.closed_at = begun;
                        self.trim_line(&mut text, after);
                        closed = true;
                        break;
                    }
                    let block = matches!(word(tag), "if" | "each" | "join" | "attachment");
                    match block {
                        true => {
                            self.trim_line(&mut text, after);
                        }
                        false => self.at = after,
                    }
                    if !text.is_empty() {
                        nodes.push(Node::Text(std::mem::take(&mut text)));
                    }
                    let node = self.node(tag, begun)?;
                    if node == Node::Break && self.rest().starts_with('\n') {
                        self.at += 1;
                    }
                    nodes.push(node);
                }
                _ => {
                    text.push(symbol);
                    self.at += symbol.len_utf8();
                }
            }
        }
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        Ok((nodes, closed))
    }

    /// What stands between the two `~` that start here, and where it goes on behind them.
    fn tag(&self) -> Result<(&'t str, usize), TemplateError> {
        let inside = &self.rest()[1..];
        let mut quote = None;
        for (at, symbol) in inside.char_indices() {
            match (symbol, quote) {
                ('\n', _) => break,
                ('"' | '\'', None) => quote = Some(symbol),
                (_, Some(open)) if symbol == open => quote = None,
                ('~', None) => return Ok((inside[..at].trim(), self.at + 1 + at + 1)),
                _ => {}
            }
        }
        let shown: String = inside.chars().take(20).collect();
        Err(self.error(format!(
            "the tag {:?} is not closed by `~`",
            shown.lines().next().unwrap_or_default()
        )))
    }

    /// Moves behind a tag; where it stands alone on its line, its blanks and its line break go with it.
    fn trim_line(&mut self, text: &mut String, after: usize) {
        let line = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let alone = self.text[line..self.at].trim().is_empty();
        let behind = self.text.get(after..).unwrap_or_default();
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t', '\r']).len();
        let ends = after + blanks == self.text.len();
        if alone && (ends || behind[blanks..].starts_with('\n')) {
            text.truncate(text.trim_end_matches([' ', '\t']).len());
            self.at = after + blanks + usize::from(!ends);
        } else {
            self.at = after;
        }
    }

    fn is_comment(&self) -> bool {
        let before = self.text[..self.at].chars().next_back();
        let line = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let starts = self.text[line..self.at].trim().is_empty();
        let alone = before.is_some_and(char::is_whitespace) && self.rest()[1..].starts_with(char::is_whitespace);
        starts || alone
    }

    fn comment(&mut self, text: &mut String) {
        let line = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let whole = self.text[line..self.at].trim().is_empty();
        text.truncate(text.trim_end_matches([' ', '\t']).len());
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += length + usize::from(whole && length < self.rest().len());
    }

    fn node(&mut self, tag: &str, begun: usize) -> Result<Node, TemplateError> {
        if tag.starts_with('$') {
            return match Path::read(tag) {
                Ok((path, "")) => Ok(Node::Value(path)),
                Ok((_, more)) => Err(self.error(format!("{more:?} is too much behind a variable"))),
                Err(why) => Err(self.error(why)),
            };
        }
        let name = word(tag);
        let rest = tag[name.len()..].trim();
        if name == "if" {
            let condition = rest
                .strip_prefix("cond=")
                .ok_or_else(|| self.error("`if` needs cond=".to_owned()))?;
            let condition = Condition::read(condition).map_err(|why| self.error(why))?;
            return Ok(Node::If(condition, self.body(name, begun)?));
        }
        let mut attributes = attributes(rest).map_err(|why| self.error(why))?;
        let list = |attributes: &mut Vec<(String, Operand)>| match taken(attributes, "var") {
            Some(Operand::Path(path)) => Ok(path),
            _ => Err(format!("`{name}` needs var=$NAME")),
        };
        let node = match name {
            "br" => Node::Break,
            "count" => Node::Count(list(&mut attributes).map_err(|why| self.error(why))?),
            "json" => Node::Json(list(&mut attributes).map_err(|why| self.error(why))?),
            "each" | "join" => {
                let list = list(&mut attributes).map_err(|why| self.error(why))?;
                let text = |operand: Option<Operand>, default: &str| match operand {
                    Some(Operand::Literal(value)) => crate::core::record::to_text(&value),
                    _ => default.to_owned(),
                };
                let item = text(taken(&mut attributes, "as"), "item");
                let with = (name == "join").then(|| text(taken(&mut attributes, "with"), ", "));
                let body = self.body(name, begun)?;
                Node::Each {
                    list,
                    name: item.trim_start_matches('$').to_owned(),
                    with,
                    body,
                }
            }
            "attachment" => Node::Attachment(std::mem::take(&mut attributes), self.body(name, begun)?),
            other => return Err(self.error(format!("there is no tag {other:?}"))),
        };
        match attributes.first() {
            Some((extra, _)) => Err(self.error(format!("`{name}` has no attribute {extra:?}"))),
            None => Ok(node),
        }
    }

    fn body(&mut self, name: &str, begun: usize) -> Result<Vec<Node>, TemplateError> {
        let unclosed = self.error_at(begun, format!("`{name}` has no ~end~"));
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(format!("tags are nested deeper than {DEEPEST}")));
        }
        let (nodes, closed) = self.nodes()?;
        self.depth -= 1;
        if closed { Ok(nodes) } else { Err(unclosed) }
    }
}

fn word(tag: &str) -> &str {
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    &tag[..end.unwrap_or(tag.len())]
}

fn taken(attributes: &mut Vec<(String, Operand)>, name: &str) -> Option<Operand> {
    let at = attributes.iter().position(|(known, _)| known == name)?;
    Some(attributes.remove(at).1)
}

fn attributes(mut text: &str) -> Result<Vec<(String, Operand)>, String> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if text.is_empty() {
            return Ok(found);
        }
        let (name, rest) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not name=value"))?;
        let name = name.trim().trim_matches(['"', '\'']);
        if name.is_empty() {
            return Err("an attribute has no name".to_owned());
        }
        let (value, rest) = Operand::read(rest)?;
        found.push((name.to_owned(), value));
        text = rest;
    }
}
