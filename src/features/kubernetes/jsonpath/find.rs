//! What a template finds in a value. Not for how it is printed.

use std::borrow::Cow;

use serde_json::Value;

use super::{Filter, Operator, PathError, Piece, Slice, Step};

/// What a walk over a template comes by.
pub enum Part<'p, 'v> {
    /// A text of the template.
    Text(&'p str),
    /// The values of an action.
    Values(Vec<Cow<'v, Value>>),
}

/// Walks the pieces on a value.
pub fn pieces<'p, 'v>(
    pieces: &'p [Piece],
    root: &'v Value,
    visit: &mut impl FnMut(Part<'p, 'v>),
) -> Result<(), PathError> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => visit(Part::Text(text)),
            Piece::Action(steps) => visit(Part::Values(walk(steps, root)?)),
            Piece::Range(steps, body) => {
                for value in walk(steps, root)? {
                    // A literal in a range has nothing below it to go through.
                    if let Cow::Borrowed(value) = value {
                        self::pieces(body, value, visit)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn walk<'v>(steps: &[Step], root: &'v Value) -> Result<Vec<Cow<'v, Value>>, PathError> {
    let mut current = vec![Cow::Borrowed(root)];
    for step in steps {
        let mut next = Vec::new();
        if let Step::Literal(value) = step {
            current = vec![Cow::Owned(value.clone())];
            continue;
        }
        for value in current {
            // Steps below a literal find nothing.
            if let Cow::Borrowed(value) = value {
                one(step, value, &mut next)?;
            }
        }
        current = next;
    }
    Ok(current)
}

fn one<'v>(step: &Step, value: &'v Value, found: &mut Vec<Cow<'v, Value>>) -> Result<(), PathError> {
    match step {
        Step::Field(name) => found.extend(value.get(name.as_str()).map(Cow::Borrowed)),
        Step::Any => match value {
            Value::Array(items) => found.extend(items.iter().map(Cow::Borrowed)),
            Value::Object(fields) => found.extend(sorted(fields).map(Cow::Borrowed)),
            _ => {}
        },
        Step::Below => below(value, found),
        Step::Slice(slice) => elements(slice, value, found)?,
        Step::Union(several) => {
            for steps in several {
                found.extend(walk(steps, value)?);
            }
        }
        Step::Filter(filter) => {
            let Value::Array(items) = value else {
                return Err(PathError(format!(
                    "{} is not array or slice and cannot be filtered",
                    super::go(value)
                )));
            };
            for item in items {
                if holds(filter, item)? {
                    found.push(Cow::Borrowed(item));
                }
            }
        }
        Step::Literal(literal) => found.push(Cow::Owned(literal.clone())),
    }
    Ok(())
}

/// Go walks maps in no order of theirs; by key is what its printer does, and what stays the same.
fn sorted(fields: &serde_json::Map<String, Value>) -> impl Iterator<Item = &Value> {
    let mut entries: Vec<(&String, &Value)> = fields.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries.into_iter().map(|(_, value)| value)
}

fn below<'v>(value: &'v Value, found: &mut Vec<Cow<'v, Value>>) {
    found.push(Cow::Borrowed(value));
    match value {
        Value::Array(items) => items.iter().for_each(|item| below(item, found)),
        Value::Object(fields) => sorted(fields).for_each(|item| below(item, found)),
        _ => {}
    }
}

fn elements<'v>(slice: &Slice, value: &'v Value, found: &mut Vec<Cow<'v, Value>>) -> Result<(), PathError> {
    let items = match value {
        Value::Array(items) => items,
        Value::Null => return Ok(()),
        other => return Err(PathError(format!("{} is not array or slice", super::go(other)))),
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |at: i64| if at < 0 { at + length } else { at };
    let start = from_end(slice.start.unwrap_or(0));
    let end = match slice.end {
        None => length,
        // The index -1 ends where the list ends.
        Some(0) if slice.index => length,
        Some(end) => from_end(end),
    };
    if start == end {
        return Ok(());
    }
    let outside = |index: i64| PathError(format!("array index out of bounds: index {index}, length {length}"));
    if start < 0 || start >= length {
        return Err(outside(start));
    }
    if end < 0 || end > length {
        return Err(outside(end - 1));
    }
    if start > end {
        return Err(PathError(format!(
            "starting index {start} is greater than ending index {end}"
        )));
    }
    let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
    let step = usize::try_from(slice.step).unwrap_or(1);
    found.extend(items.iter().take(end).skip(start).step_by(step).map(Cow::Borrowed));
    Ok(())
}

fn holds(filter: &Filter, item: &Value) -> Result<bool, PathError> {
    let left = walk(&filter.left, item)?;
    if filter.operator == Operator::Exists {
        return Ok(!left.is_empty());
    }
    let right = walk(&filter.right, item)?;
    let (Some(left), Some(right)) = (left.first(), right.first()) else {
        return Ok(false);
    };
    let order = compare(left, right);
    Ok(match filter.operator {
        Operator::Exists => true,
        Operator::Equal => left == right || order == Some(std::cmp::Ordering::Equal),
        Operator::NotEqual => left != right && order != Some(std::cmp::Ordering::Equal),
        Operator::Less => order.is_some_and(|order| order.is_lt()),
        Operator::LessOrEqual => order.is_some_and(|order| order.is_le()),
        Operator::Greater => order.is_some_and(|order| order.is_gt()),
        Operator::GreaterOrEqual => order.is_some_and(|order| order.is_ge()),
    })
}

fn compare(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
