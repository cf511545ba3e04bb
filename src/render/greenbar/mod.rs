//! Greenbar, the templates of Cog's bundles: Markdown with `~tags~`, rendered to lines.
//!
//! What a template says is markup, what a command answered is data, and the two never mix: values keep a mark of their
//! origin until the lines are made, so that no `*`, `|`, back-tick, line break or escape in them is read as markup.
//! Inside a fenced block data is verbatim, colours included. Not for choosing a template, and not for Mustache.
//!
//! Differences from the original: a `#` inside a word or a line is text (only one at the start of a line, or one alone
//! between blanks, starts a comment), and a key of something that has no keys prints nothing.

mod condition;
mod expand;
mod inline;
mod lines;
mod parse;
mod path;

use std::fmt;

use serde_json::Value;

use self::expand::Expansion;
use self::parse::Node;
use super::document::Line;

/// The longest template, bytes.
pub const LONGEST: usize = 64 << 10;

/// A template that can be rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Line of the template, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the template: {}", self.line, self.why)
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        if text.len() > LONGEST {
            let why = format!("it is longer than {LONGEST} bytes");
            return Err(TemplateError { line: 1, why });
        }
        parse::parse(text).map(|nodes| Template { nodes })
    }

    /// The lines for these records, which the template knows as `$results`. Bounded in time and size: where that is
    /// too little, the last line says so.
    pub fn render(&self, results: &[Value]) -> Vec<Line> {
        let results = Value::Array(results.to_vec());
        let mut expansion = Expansion::new(&results);
        expansion.nodes(&self.nodes);
        expansion.lines()
    }
}

#[cfg(test)]
mod tests;
