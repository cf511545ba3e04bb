//! Text and JSON values to the declared types of options and positionals. Pure; knows no places.

use serde_json::{Number, Value, json};

use crate::core::record::to_text;
use crate::verb::OptionKind;
use crate::verb::catalogue::{did_you_mean, nearest};

/// Why a value is not of its type, and what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// `"x" is not a whole number`.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

fn mismatch(value: &str, wanted: &str) -> Mismatch {
    Mismatch {
        message: format!("{value:?} is not {wanted}"),
        hint: None,
    }
}

/// Text as typed. Number-looking text is fine for a `string`; a list is split at its commas (`\,` keeps one).
pub fn from_text(kind: &OptionKind, text: &str) -> Result<Value, Mismatch> {
    match kind {
        OptionKind::String | OptionKind::Json => Ok(json!(text)),
        OptionKind::Int | OptionKind::Incr => int(text).ok_or_else(|| Mismatch {
            hint: Some("digits only, such as 3".to_owned()),
            ..mismatch(text, "a whole number")
        }),
        OptionKind::Float => float(text).ok_or_else(|| Mismatch {
            hint: Some("such as 3 or 0.5".to_owned()),
            ..mismatch(text, "a number")
        }),
        OptionKind::Bool => boolean(text).map(Value::Bool).ok_or_else(|| Mismatch {
            hint: Some("yes, no, true, false, on or off".to_owned()),
            ..mismatch(text, "yes or no")
        }),
        OptionKind::Pair => Ok(json!([text])),
        OptionKind::List => Ok(Value::Array(split_list(text).into_iter().map(Value::String).collect())),
        OptionKind::Duration => millis(text).map(|ms| json!(ms)).ok_or_else(|| Mismatch {
            hint: Some("such as 500ms, 10s, 5m, 1h or 1h30m; a bare number is seconds".to_owned()),
            ..mismatch(text, "a duration")
        }),
        OptionKind::Enum(words) => one_of(words, text),
    }
}

/// A value from a variable: a fitting JSON type stays as it is, text is read as if it had been typed.
pub fn from_value(kind: &OptionKind, value: Value) -> Result<Value, Mismatch> {
    match (kind, value) {
        (OptionKind::Json, value) => Ok(value),
        (OptionKind::Pair, value) => Ok(json!([value])),
        (_, Value::Null) => Err(Mismatch {
            message: "the value is null".to_owned(),
            hint: Some("${name:-default} stands in for a missing value only; jq's // replaces a null".to_owned()),
        }),
        (OptionKind::List, Value::Array(items)) => Ok(Value::Array(items)),
        (OptionKind::List, Value::String(text)) => from_text(kind, &text),
        (OptionKind::List, other) => Ok(Value::Array(vec![other])),
        (OptionKind::Int | OptionKind::Incr, Value::Number(n)) if n.is_i64() || n.is_u64() => Ok(Value::Number(n)),
        (OptionKind::Float, Value::Number(n)) => Ok(Value::Number(n)),
        (OptionKind::Bool, Value::Bool(flag)) => Ok(Value::Bool(flag)),
        (kind, other) => from_text(kind, &to_text(&other)),
    }
}

fn int(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(|n| json!(n))
}

fn float(text: &str) -> Option<Value> {
    let number = text.parse::<f64>().ok()?;
    Number::from_f64(number).map(Value::Number)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "on" | "1" => Some(true),
        "no" | "n" | "false" | "f" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn one_of(words: &[&'static str], text: &str) -> Result<Value, Mismatch> {
    if words.contains(&text) {
        return Ok(json!(text));
    }
    let near = nearest(text, words.iter().map(|word| (*word).to_owned()));
    Err(Mismatch {
        hint: did_you_mean(&near),
        ..mismatch(text, &format!("one of {}", words.join(", ")))
    })
}

/// `a,b\,c` → `a`, `b,c`. The empty text is the empty list.
fn split_list(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut items = vec![String::new()];
    let mut symbols = text.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' if symbols.peek() == Some(&',') => push(&mut items, symbols.next()),
            ',' => items.push(String::new()),
            other => push(&mut items, Some(other)),
        }
    }
    items
}

fn push(items: &mut [String], symbol: Option<char>) {
    if let (Some(item), Some(symbol)) = (items.last_mut(), symbol) {
        item.push(symbol);
    }
}

/// Milliseconds of `500ms`, `10s`, `.5`, `1h30m`; a bare number is seconds.
pub fn millis(text: &str) -> Option<u64> {
    const MOST: f64 = 1e15;
    let mut rest = text;
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1000.0,
            "" if rest.len() == text.len() => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    // Finite, not negative (no sign was let in) and far below 2^64: the cast is exact enough for milliseconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = total.round() as u64;
    (!text.is_empty() && total.is_finite() && total < MOST).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l11_texts_are_coerced_by_declared_type() {
        use OptionKind::*;
        let cases = [
            (String, "123", Ok(json!("123"))),
            (Int, "-5", Ok(json!(-5))),
            (Int, "1.5", Err(())),
            (Int, "99999999999999999999", Err(())),
            (Float, "1.5", Ok(json!(1.5))),
            (Float, "1.5x", Err(())),
            (Float, "inf", Err(())),
            (Bool, "off", Ok(json!(false))),
            (Bool, "maybe", Err(())),
            (List, r"a,b\,c,", Ok(json!(["a", "b,c", ""]))),
            (List, "", Ok(json!([]))),
            (Duration, "500ms", Ok(json!(500))),
            (Duration, ".5", Ok(json!(500))),
            (Duration, "1h30m", Ok(json!(5_400_000))),
            (Duration, "10 s", Err(())),
            (Duration, "-1s", Err(())),
            (Duration, "1s5", Err(())),
            (Duration, "", Err(())),
            (Duration, "99999999999999999999h", Err(())),
            (Enum(&["text", "json"]), "json", Ok(json!("json"))),
            (Enum(&["text", "json"]), "jsno", Err(())),
            (Json, "{}", Ok(json!("{}"))),
        ];
        for (kind, text, wanted) in cases {
            assert_eq!(from_text(&kind, text).map_err(|_| ()), wanted, "{kind:?} {text}");
        }
    }

    #[test]
    fn l11_values_of_variables_keep_a_fitting_type() {
        use OptionKind::*;
        let cases = [
            (String, json!(5), Ok(json!("5"))),
            (String, json!({"a": 1}), Ok(json!("{\"a\":1}"))),
            (String, json!(null), Err(())),
            (Json, json!(null), Ok(json!(null))),
            (Int, json!(5), Ok(json!(5))),
            (Int, json!("7"), Ok(json!(7))),
            (Int, json!(1.5), Err(())),
            (Bool, json!("yes"), Ok(json!(true))),
            (List, json!([1, "a"]), Ok(json!([1, "a"]))),
            (List, json!(3), Ok(json!([3]))),
        ];
        for (kind, value, wanted) in cases {
            assert_eq!(
                from_value(&kind, value.clone()).map_err(|_| ()),
                wanted,
                "{kind:?} {value}"
            );
        }
    }

    #[test]
    fn e2_a_misspelt_word_of_an_enum_is_suggested() {
        let error = from_text(&OptionKind::Enum(&["text", "json"]), "jsno").unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean json?"));
    }
}
