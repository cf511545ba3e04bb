//! Whether a condition holds for the arguments of a call. Three-valued: an argument whose value only the run will know
//! makes what depends on it unknown.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::rule::{Comparison, Condition, Literal, Quantifier, Subject};
use crate::verb::Known;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does not hold.
    No,
    /// It holds.
    Yes,
    /// The run will tell.
    Unknown,
}

impl Truth {
    fn of(holds: bool) -> Truth {
        if holds { Truth::Yes } else { Truth::No }
    }

    fn not(self) -> Truth {
        match self {
            Truth::No => Truth::Yes,
            Truth::Yes => Truth::No,
            Truth::Unknown => Truth::Unknown,
        }
    }

    fn any(all: impl IntoIterator<Item = Truth>) -> Truth {
        all.into_iter().fold(Truth::No, |sum, next| match (sum, next) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            _ => Truth::No,
        })
    }

    fn all(all: impl IntoIterator<Item = Truth>) -> Truth {
        Truth::any(all.into_iter().map(Truth::not)).not()
    }
}

/// An argument or option that took part in a match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// By its place.
    Argument(usize),
    /// By its name.
    Option(String),
}

/// A condition's answer and what took part in it.
pub type Answer = (Truth, BTreeSet<Part>);

/// Asks a condition.
pub fn holds(condition: &Condition, known: &Known) -> Answer {
    match condition {
        Condition::Compare(subject, comparison, literal) => {
            test(subject, known, |value| compare(value, *comparison, literal), true)
        }
        Condition::In(subject, literals) => {
            let one_of = |value: Option<&Value>| literals.iter().any(|one| compare(value, Comparison::Equal, one));
            test(subject, known, one_of, false)
        }
        Condition::Not(inner) => {
            let (truth, parts) = holds(inner, known);
            let parts = if parts.is_empty() {
                mentioned(inner, known)
            } else {
                parts
            };
            (truth.not(), parts)
        }
        Condition::And(all) => {
            let answers: Vec<Answer> = all.iter().map(|one| holds(one, known)).collect();
            let truth = Truth::all(answers.iter().map(|(truth, _)| *truth));
            (truth, answers.into_iter().flat_map(|(_, parts)| parts).collect())
        }
        Condition::Or(all) => {
            let answers: Vec<Answer> = all.iter().map(|one| holds(one, known)).collect();
            let truth = Truth::any(answers.iter().map(|(truth, _)| *truth));
            let matched = answers.into_iter().filter(|(truth, _)| *truth != Truth::No);
            (truth, matched.flat_map(|(_, parts)| parts).collect())
        }
    }
}

/// What a condition looks at and is there: what makes `not (…)` weigh.
fn mentioned(condition: &Condition, known: &Known) -> BTreeSet<Part> {
    match condition {
        Condition::Compare(subject, ..) | Condition::In(subject, _) => {
            seen(subject, known).into_iter().filter_map(|(part, _)| part).collect()
        }
        Condition::Not(inner) => mentioned(inner, known),
        Condition::And(all) | Condition::Or(all) => all.iter().flat_map(|one| mentioned(one, known)).collect(),
    }
}

/// A value that a subject stands for: its part if it was given, and the value if it is known.
type Seen<'a> = (Option<Part>, Given<'a>);

enum Given<'a> {
    Missing,
    Value(&'a Value),
    Later,
}

fn seen<'a>(subject: &Subject, known: &'a Known) -> Vec<Seen<'a>> {
    let given = |part: Part, value: Option<&'a Option<Value>>| match value {
        None => (None, Given::Missing),
        Some(None) => (Some(part), Given::Later),
        Some(Some(value)) => (Some(part), Given::Value(value)),
    };
    match subject {
        Subject::Argument(index) => vec![given(Part::Argument(*index), known.positionals.get(*index))],
        Subject::Option(name) => vec![given(Part::Option(name.clone()), known.options.get(name))],
        Subject::Arguments(_) => {
            let all = known.positionals.iter().enumerate();
            all.map(|(index, value)| given(Part::Argument(index), Some(value)))
                .collect()
        }
        Subject::Options(_) => {
            let all = known.options.iter();
            all.map(|(name, value)| given(Part::Option(name.clone()), Some(value)))
                .collect()
        }
        Subject::Items(_, name) => match known.options.get(name) {
            Some(Some(Value::Array(items))) => {
                let part = || Some(Part::Option(name.clone()));
                items.iter().map(|item| (part(), Given::Value(item))).collect()
            }
            Some(value) => vec![given(Part::Option(name.clone()), Some(value))],
            None => Vec::new(),
        },
    }
}

/// `empty`: whether `all` of nothing passes.
fn test(subject: &Subject, known: &Known, fits: impl Fn(Option<&Value>) -> bool, empty: bool) -> Answer {
    let answers: Vec<(Option<Part>, Truth)> = seen(subject, known)
        .into_iter()
        .map(|(part, given)| match given {
            Given::Missing => (part, Truth::of(fits(None))),
            Given::Value(value) => (part, Truth::of(fits(Some(value)))),
            Given::Later => (part, Truth::Unknown),
        })
        .collect();
    let truths = answers.iter().map(|(_, truth)| *truth);
    let truth = match quantifier(subject) {
        Quantifier::Any => Truth::any(truths),
        Quantifier::All if answers.is_empty() => Truth::of(empty),
        Quantifier::All => Truth::all(truths),
    };
    let took_part = answers.into_iter().filter(|(_, truth)| *truth != Truth::No);
    (truth, took_part.filter_map(|(part, _)| part).collect())
}

fn quantifier(subject: &Subject) -> Quantifier {
    match subject {
        Subject::Argument(_) | Subject::Option(_) => Quantifier::Any,
        Subject::Arguments(quantifier) | Subject::Options(quantifier) | Subject::Items(quantifier, _) => *quantifier,
    }
}

/// One comparison. What was not given equals nothing and has no order, so only `!=` holds for it.
fn compare(value: Option<&Value>, comparison: Comparison, literal: &Literal) -> bool {
    let equal = || match (value, literal) {
        (None, _) => false,
        (Some(value), Literal::Value(wanted)) => order(value, wanted) == Some(Ordering::Equal),
        (Some(Value::String(text)), Literal::Pattern(pattern)) => pattern.is_match(text),
        (Some(value @ (Value::Number(_) | Value::Bool(_))), Literal::Pattern(pattern)) => {
            pattern.is_match(&value.to_string())
        }
        (Some(_), Literal::Pattern(_)) => false,
    };
    let ordered = |wanted: &[Ordering]| match (value, literal) {
        (Some(value), Literal::Value(literal)) => order(value, literal).is_some_and(|found| wanted.contains(&found)),
        _ => false,
    };
    match comparison {
        Comparison::Equal => equal(),
        Comparison::NotEqual => !equal(),
        Comparison::Less => ordered(&[Ordering::Less]),
        Comparison::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
        Comparison::Greater => ordered(&[Ordering::Greater]),
        Comparison::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
    }
}

/// The order of two values of one type; none: they can't be compared. A text that spells a number is a number beside
/// one, because a command may declare what holds a number as a text.
fn order(value: &Value, literal: &Value) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(value), Value::Number(literal)) => numbers(value, literal),
        (Value::String(text), Value::Number(literal)) => numbers(&number(text)?, literal),
        (Value::Number(value), Value::String(text)) => numbers(value, &number(text)?),
        (Value::String(value), Value::String(literal)) => Some(value.cmp(literal)),
        (Value::Bool(value), Value::Bool(literal)) => Some(value.cmp(literal)),
        (Value::String(text), Value::Bool(literal)) => (*text == literal.to_string()).then_some(Ordering::Equal),
        _ => None,
    }
}

fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// The number that a text spells, wholly.
pub fn number(text: &str) -> Option<Number> {
    let spelled = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    if !spelled {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => Number::from_f64(text.parse().ok()?),
    }
}
