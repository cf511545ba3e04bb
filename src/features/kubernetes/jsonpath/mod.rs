//! JSONPath templates as kubectl reads them (client-go `util/jsonpath`): `{.items[*].metadata.name}`,
//! `{range .items[*]}…{end}`, filters, slices, unions, `..`. A key that is missing is nothing, an index that is missing is an
//! error. Not RFC 9535.

mod find;
mod parse;
mod print;

use serde_json::Value;

pub use print::{go, sorted, text};

/// Longest template that is read; longer ones are no template a person wrote.
const LONGEST: usize = 16 * 1024;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Printed as it is.
    Text(String),
    /// `{…}`.
    Action(Vec<Step>),
    /// `{range PATH}…{end}`.
    Range(Vec<Step>, Vec<Piece>),
}

/// One step from values to values.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// `.name` or `['name']`.
    Field(String),
    /// `.*`.
    Any,
    /// `..`: the value and everything below it.
    Below,
    /// `[a:b:c]`.
    Slice(Slice),
    /// `[1,2]`.
    Union(Vec<Vec<Step>>),
    /// `[?(left op right)]`.
    Filter(Filter),
    /// A quoted text, a number or a truth value: itself, whatever it stands on.
    Literal(Value),
}

/// `[start:end:step]`; `index` for a single number.
#[derive(Clone, Debug, PartialEq)]
struct Slice {
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
    index: bool,
}

/// A condition on the elements of a list.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    left: Vec<Step>,
    operator: Operator,
    right: Vec<Step>,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is wrong with a template, or with what it stands on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PathError(String);

impl JsonPath {
    /// Reads a template.
    pub fn parse(template: &str) -> Result<Self, PathError> {
        if template.len() > LONGEST {
            return Err(PathError(format!("the template is longer than {LONGEST} bytes")));
        }
        parse::template(template).map(|pieces| JsonPath { pieces })
    }

    /// Reads a path as `--sort-by` and `custom-columns` take it: braces and the first dot may be left out.
    pub fn relaxed(path: &str) -> Result<Self, PathError> {
        let inner = path.trim();
        let inner = inner
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(inner);
        if inner.contains(['{', '}']) {
            return Err(PathError(format!(
                "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{{name1.name2}}' or \
                 '{{.name1.name2}}': {path}"
            )));
        }
        let dot = if inner.starts_with(['.', '[']) { "" } else { "." };
        Self::parse(&format!("{{{dot}{inner}}}"))
    }

    /// The values of the template's actions, in order; its texts left out.
    pub fn values(&self, root: &Value) -> Result<Vec<Value>, PathError> {
        let mut found = Vec::new();
        find::pieces(&self.pieces, root, &mut |part| {
            if let find::Part::Values(values) = part {
                found.extend(values.iter().map(|value| value.clone().into_owned()));
            }
        })?;
        Ok(found)
    }

    /// The template's text on an object: values of one action with blanks between them, maps and lists as JSON.
    pub fn render(&self, root: &Value) -> Result<String, PathError> {
        let mut out = String::new();
        find::pieces(&self.pieces, root, &mut |part| match part {
            find::Part::Text(text) => out.push_str(text),
            find::Part::Values(values) => {
                let texts: Vec<String> = values.iter().map(|value| text(value)).collect();
                out.push_str(&texts.join(" "));
            }
        })?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
