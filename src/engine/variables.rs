//! Words with variables to values. A name means a field of the current record first, then what `let` named; `$_` and
//! `$41` mean earlier answers. JSON null is a value; only what does not exist is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::problem::Problem;
use crate::core::record::{Record, to_text};
use crate::core::report::Report;
use crate::lang::{self, Part, Path, Root, Span, Step, Word, print};

/// The records of an earlier pipeline, or why they are not there.
#[derive(Clone, Debug)]
pub enum Kept {
    /// All of them.
    Records(Arc<Vec<Record>>),
    /// Not kept: the reason.
    Gone(&'static str),
}

/// Values of the session as a pipeline sees them: a snapshot taken at its start.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// `$_`.
    pub last: Option<Kept>,
    /// `$41`.
    pub blocks: BTreeMap<u64, Kept>,
    /// `let` names.
    pub names: BTreeMap<String, Kept>,
}

/// What a word's variables refer to.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The current record of an `each` stage.
    pub record: Option<&'a Record>,
    /// The session's values.
    pub values: &'a Values,
}

/// The value of a word: a variable alone keeps its JSON type, anything else is text.
pub fn evaluate(word: &Word, scope: Scope<'_>) -> Result<Value, Problem> {
    if let Some((path, default)) = word.as_variable() {
        return variable(path, default, word.span, scope);
    }
    let mut text = String::new();
    for part in &word.parts {
        match part {
            Part::Text { text: piece, .. } => text.push_str(piece),
            Part::Variable {
                path, default, span, ..
            } => text.push_str(&to_text(&variable(path, default.as_deref(), *span, scope)?)),
        }
    }
    Ok(Value::String(text))
}

/// Whether a word needs a scope to have a value.
pub fn is_dynamic(word: &Word) -> bool {
    word.parts.iter().any(|part| matches!(part, Part::Variable { .. }))
}

/// Every variable in a word, those with a default and those in one included, and its place.
pub fn mentioned(word: &Word) -> Vec<(&Root, Span)> {
    let mut found = Vec::new();
    for part in &word.parts {
        if let Part::Variable {
            path, default, span, ..
        } = part
        {
            found.push((&path.root, *span));
            found.extend(default.iter().flat_map(|default| mentioned(default)));
        }
    }
    found
}

/// Every variable in a word that has no default, its place, defaults' own variables included.
pub fn roots(word: &Word) -> Vec<(&Root, Span)> {
    let mut found = Vec::new();
    for part in &word.parts {
        if let Part::Variable {
            path, default, span, ..
        } = part
        {
            match default {
                None => found.push((&path.root, *span)),
                Some(default) => found.extend(roots(default)),
            }
        }
    }
    found
}

/// The first earlier answer in a line that is not there, where nothing stands in for it; `missing`: why a block has none.
pub fn unknown_block(line: &str, missing: impl Fn(u64) -> Option<String>) -> Option<Report> {
    let parsed = lang::parse(line).ok()?;
    let stages = parsed.items.iter().flat_map(|item| &item.pipeline.stages);
    let mut found = stages.flat_map(|stage| &stage.words).flat_map(roots);
    let (reason, span) = found.find_map(|(root, span)| match root {
        Root::Block(number) => missing(*number).map(|reason| (reason, span)),
        _ => None,
    })?;
    Some(Problem::new(MISSING, span, reason).refused(line))
}

fn variable(path: &Path, default: Option<&Word>, span: Span, scope: Scope<'_>) -> Result<Value, Problem> {
    match lookup(path, span, scope) {
        Ok(value) => Ok(value),
        Err(missing) => match default {
            Some(default) => evaluate(default, scope),
            None => Err(missing),
        },
    }
}

fn lookup(path: &Path, span: Span, scope: Scope<'_>) -> Result<Value, Problem> {
    match &path.root {
        Root::Name(name) => {
            if let Some(field) = scope.record.and_then(|record| record.get(name)) {
                return descend(field, &path.steps, path, span);
            }
            match scope.values.names.get(name) {
                Some(kept) => answer(kept, path, span),
                None => Err(missing_name(name, span, scope)),
            }
        }
        Root::Last => match &scope.values.last {
            Some(kept) => answer(kept, path, span),
            None => Err(Problem::new(MISSING, span, "$_ has no value: nothing has run yet")),
        },
        Root::Block(number) => match scope.values.blocks.get(number) {
            Some(kept) => answer(kept, path, span),
            None => Err(Problem::new(
                MISSING,
                span,
                format!("${number} has no value: there is no finished block {number}, or it is too old to be kept"),
            )),
        },
    }
}

const MISSING: &str = "E-VALUE-001";
const GONE: &str = "E-VALUE-002";
const STEP: &str = "E-VALUE-003";

/// A pipeline's records as one value: its only record, or the list of several. A path's first step means the record
/// itself when it is a key (the only or first one), and counts the records when it is an index and there are several.
fn answer(kept: &Kept, path: &Path, span: Span) -> Result<Value, Problem> {
    let records = match kept {
        Kept::Records(records) => records,
        Kept::Gone(reason) => {
            return Err(Problem::new(
                GONE,
                span,
                format!("{} is not kept: {reason}", print(path)),
            ));
        }
    };
    let Some(first) = records.first() else {
        return Err(Problem::new(
            MISSING,
            span,
            format!("{} has no value: that pipeline gave no records", print(path)),
        ));
    };
    match path.steps.split_first() {
        Some((Step::Index(index), rest)) if records.len() > 1 => match place(records, *index) {
            Some(record) => descend(record, rest, path, span),
            None => Err(outside(*index, records.len(), path, span)),
        },
        None if records.len() > 1 => Ok(Value::Array(records.as_ref().clone())),
        _ => descend(first, &path.steps, path, span),
    }
}

fn descend(start: &Value, steps: &[Step], path: &Path, span: Span) -> Result<Value, Problem> {
    let mut value = start;
    for step in steps {
        value = part(value, step).ok_or_else(|| no_part(value, step, path, span))?;
    }
    Ok(value.clone())
}

/// What a step of a path leads to: a key of an object, a place in a list (a negative one counts from its end).
pub fn part<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Index(index) => place(value.as_array()?, *index),
    }
}

fn no_part(value: &Value, step: &Step, path: &Path, span: Span) -> Problem {
    let problem = |what: String| Problem::new(STEP, span, format!("{}: {what}", print(path)));
    match (step, value) {
        (Step::Key(key), Value::Object(map)) => {
            let near = crate::verb::catalogue::nearest(key, map.keys().cloned());
            problem(format!("there is no key {key:?}")).hint(crate::verb::catalogue::did_you_mean(&near))
        }
        (Step::Index(index), Value::Array(items)) => outside(*index, items.len(), path, span),
        (Step::Key(key), other) => problem(format!("{} has no key {key:?}", kind_of(other))),
        (Step::Index(index), other) => problem(format!("{} has no place [{index}]", kind_of(other))),
    }
}

fn place(items: &[Value], index: i64) -> Option<&Value> {
    let at = match usize::try_from(index) {
        Ok(at) => Some(at),
        Err(_) => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    };
    items.get(at?)
}

fn outside(index: i64, length: usize, path: &Path, span: Span) -> Problem {
    Problem::new(
        STEP,
        span,
        format!("{}: [{index}] lies outside a list of {length}", print(path)),
    )
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn missing_name(name: &str, span: Span, scope: Scope<'_>) -> Problem {
    let mut known: Vec<String> = scope.values.names.keys().cloned().collect();
    let record = match scope.record {
        Some(Value::Object(map)) => {
            known.extend(map.keys().cloned());
            "the record has no such field".to_owned()
        }
        Some(other) => format!("the record is {} and has no fields", kind_of(other)),
        None => "there is no record here".to_owned(),
    };
    let near = crate::verb::catalogue::nearest(name, known);
    Problem::new(
        MISSING,
        span,
        format!("${name} has no value: {record}, and no `let {name} = …` gave it one"),
    )
    .hint(crate::verb::catalogue::did_you_mean(&near))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::parse;
    use serde_json::json;

    fn value(word: &str, record: Option<Value>, values: &Values) -> Result<Value, Problem> {
        let line = parse(&format!("echo {word}")).unwrap();
        let word = line.items[0].pipeline.stages[0].words[1].clone();
        let scope = Scope {
            record: record.as_ref(),
            values,
        };
        evaluate(&word, scope)
    }

    fn kept(records: Vec<Value>) -> Kept {
        Kept::Records(Arc::new(records))
    }

    #[test]
    fn l06_paths_walk_and_l08_null_is_a_value() {
        let record = json!({"x": {"y": [1, {"a b": null}]}, "n": null, "count": 3});
        let cases = [
            ("$x.y[0]", Ok(json!(1))),
            ("$x.y[-1]", Ok(json!({"a b": null}))),
            ("$x.y[1]['a b']", Ok(json!(null))),
            ("$n", Ok(json!(null))),
            ("${n:-d}", Ok(json!(null))),
            ("${z:-d}", Ok(json!("d"))),
            ("${x.q:-d}", Ok(json!("d"))),
            ("\"n=${count}, ${x}\"", Ok(json!("n=3, {\"y\":[1,{\"a b\":null}]}"))),
            ("$count", Ok(json!(3))),
            ("$x.y[9]", Err("E-VALUE-003")),
            ("$x.z", Err("E-VALUE-003")),
            ("$n.a", Err("E-VALUE-003")),
            ("$nope", Err("E-VALUE-001")),
        ];
        for (word, wanted) in cases {
            let found = value(word, Some(record.clone()), &Values::default());
            assert_eq!(found.map_err(|problem| problem.code), wanted, "{word}");
        }
    }

    #[test]
    fn the_records_field_wins_over_a_let_name() {
        let values = Values {
            names: BTreeMap::from([("x".to_owned(), kept(vec![json!("let")]))]),
            ..Values::default()
        };
        assert_eq!(value("$x", Some(json!({"x": "field"})), &values), Ok(json!("field")));
        assert_eq!(value("$x", Some(json!({"y": 1})), &values), Ok(json!("let")));
        let missing = value("$xx", Some(json!({"y": 1})), &values).unwrap_err();
        assert!(
            missing.message.contains("no such field") && missing.message.contains("let xx"),
            "{missing:?}"
        );
        assert_eq!(missing.hint.as_deref(), Some("did you mean x?"));
    }

    #[test]
    fn earlier_answers_are_one_record_or_a_list() {
        let values = Values {
            last: Some(kept(vec![json!({"a": [7, 8]}), json!({"a": []})])),
            blocks: BTreeMap::from([
                (41, kept(vec![json!([1, 2])])),
                (42, Kept::Gone("it has too many records")),
                (43, kept(vec![])),
            ]),
            names: BTreeMap::new(),
        };
        let cases = [
            ("$_.a[1]", Ok(json!(8))),
            ("$_[1].a", Ok(json!([]))),
            ("$_", Ok(json!([{"a": [7, 8]}, {"a": []}]))),
            ("$41", Ok(json!([1, 2]))),
            ("$41[1]", Ok(json!(2))),
            ("$42", Err("E-VALUE-002")),
            ("$43", Err("E-VALUE-001")),
            ("$44", Err("E-VALUE-001")),
        ];
        for (word, wanted) in cases {
            assert_eq!(
                value(word, None, &values).map_err(|problem| problem.code),
                wanted,
                "{word}"
            );
        }
    }
}
