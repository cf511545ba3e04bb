//! What `~if cond=…~` asks: a comparison, `bound?`, `not_bound?`, `empty?`, `not_empty?`, `length(…)`.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::path::Path;
use crate::core::record::to_text;

/// A value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A place in the data.
    Path(Path),
    /// The number of entries (or characters) there.
    Length(Path),
    /// As written.
    Literal(Value),
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Neither null, false nor missing.
    True(Operand),
    /// `bound?`, or its contrary: there, and not null.
    Bound(Operand, bool),
    /// `empty?`, or its contrary: missing, null, or without content.
    Empty(Operand, bool),
    /// A comparison.
    Compare(Operand, Operator, Operand),
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Operand {
    /// Reads an operand; the rest of the text comes back with it.
    pub fn read(text: &str) -> Result<(Operand, &str), String> {
        let text = text.trim_start();
        if text.starts_with('$') {
            return Path::read(text).map(|(path, rest)| (Operand::Path(path), rest));
        }
        if let Some(inside) = text.strip_prefix("length(") {
            let (path, rest) = Path::read(inside.trim_start())?;
            let rest = rest.trim_start().strip_prefix(')').ok_or("a `)` is missing")?;
            return Ok((Operand::Length(path), rest));
        }
        for quote in ['"', '\''] {
            if let Some(inside) = text.strip_prefix(quote) {
                let (value, rest) = inside
                    .split_once(quote)
                    .ok_or_else(|| format!("a {quote} is missing"))?;
                return Ok((Operand::Literal(Value::String(value.to_owned())), rest));
            }
        }
        let end = text.find(|c: char| c.is_whitespace() || "=!<>".contains(c));
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        if word.is_empty() {
            return Err("a value is missing".to_owned());
        }
        let plain = || Value::String(word.to_owned());
        let scalar = serde_json::from_str::<Value>(word)
            .ok()
            .filter(|v| !v.is_object() && !v.is_array());
        Ok((Operand::Literal(scalar.unwrap_or_else(plain)), rest))
    }

    /// Its value. Never a copy of the data: `$results` itself may be asked about once a row.
    fn of<'a, 'v: 'a>(&'a self, value: &impl Fn(&Path) -> Option<&'v Value>) -> Option<Cow<'a, Value>> {
        match self {
            Operand::Path(path) => value(path).map(Cow::Borrowed),
            Operand::Length(path) => value(path).map(|found| Cow::Owned(Value::from(length(found)))),
            Operand::Literal(literal) => Some(Cow::Borrowed(literal)),
        }
    }
}

impl Condition {
    /// Reads a whole condition.
    pub fn read(text: &str) -> Result<Condition, String> {
        let (left, rest) = Operand::read(text)?;
        let rest = rest.trim();
        match rest {
            "" => return Ok(Condition::True(left)),
            "bound?" => return Ok(Condition::Bound(left, true)),
            "not_bound?" => return Ok(Condition::Bound(left, false)),
            "empty?" => return Ok(Condition::Empty(left, true)),
            "not_empty?" => return Ok(Condition::Empty(left, false)),
            _ => {}
        }
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)));
        let (operator, rest) = found.ok_or_else(|| format!("{rest:?} is not a comparison"))?;
        let (right, rest) = Operand::read(rest)?;
        match rest.trim() {
            "" => Ok(Condition::Compare(left, operator, right)),
            more => Err(format!("{more:?} is too much: conditions know neither and nor or")),
        }
    }

    /// Whether it holds, with what `value` finds at a path.
    pub fn holds<'v>(&self, value: impl Fn(&Path) -> Option<&'v Value>) -> bool {
        match self {
            Condition::True(operand) => {
                (operand.of(&value)).is_some_and(|found| !found.is_null() && *found != Value::Bool(false))
            }
            Condition::Bound(operand, wanted) => operand.of(&value).is_some_and(|found| !found.is_null()) == *wanted,
            Condition::Empty(operand, wanted) => operand.of(&value).is_none_or(|found| is_empty(&found)) == *wanted,
            Condition::Compare(left, operator, right) => {
                let (left, right) = (left.of(&value), right.of(&value));
                let null = Value::Null;
                compare(
                    left.as_deref().unwrap_or(&null),
                    *operator,
                    right.as_deref().unwrap_or(&null),
                )
            }
        }
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::String(text) => text.chars().count(),
        _ => 0,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) | Value::String(_) => length(value) == 0,
        other => other.is_null(),
    }
}

/// Numbers by value, texts by their order; things of different kinds are unequal and neither is greater.
fn compare(left: &Value, operator: Operator, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let equal = left == right || order == Some(Ordering::Equal) || same_text(left, right);
    match operator {
        Operator::Equal => equal,
        Operator::Unequal => !equal,
        Operator::Less => order == Some(Ordering::Less),
        Operator::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// `$x == "5"` where the record has the number.
fn same_text(left: &Value, right: &Value) -> bool {
    let scalar = |value: &Value| matches!(value, Value::Number(_) | Value::Bool(_));
    let mixed = (left.is_string() && scalar(right)) || (right.is_string() && scalar(left));
    mixed && to_text(left) == to_text(right)
}
