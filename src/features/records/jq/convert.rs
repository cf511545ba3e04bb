//! Records to jq's values and back.

use jaq_json::{Map, Num, Val};
use serde_json::{Number, Value};

/// Deeper values than this are refused: dropping, printing and comparing them takes a stack frame a level.
pub const MAX_DEPTH: usize = 256;

/// A value nested deeper than [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDeep;

/// A record as jq sees it.
pub fn to_jq(value: &Value) -> Result<Val, TooDeep> {
    into(value, MAX_DEPTH)
}

fn into(value: &Value, depth: usize) -> Result<Val, TooDeep> {
    let below = depth.checked_sub(1).ok_or(TooDeep);
    Ok(match value {
        Value::Null => Val::Null,
        Value::Bool(flag) => Val::Bool(*flag),
        Value::Number(number) => Val::Num(number_to_jq(number)),
        Value::String(text) => Val::from(text.clone()),
        Value::Array(items) => {
            let below = below?;
            items.iter().map(|item| into(item, below)).collect::<Result<Val, _>>()?
        }
        Value::Object(map) => {
            let below = below?;
            let entries = map
                .iter()
                .map(|(key, value)| Ok((Val::from(key.clone()), into(value, below)?)));
            Val::obj(entries.collect::<Result<Map, _>>()?)
        }
    })
}

fn number_to_jq(number: &Number) -> Num {
    match (number.as_i64(), number.as_u64()) {
        (Some(n), _) => Num::from_integral(n),
        (None, Some(n)) => Num::from_integral(n),
        (None, None) => Num::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// A value of jq as a record. What JSON does not know becomes the nearest that it does, as jq prints it: NaN is null,
/// infinities are the largest numbers, keys that are no text are their JSON.
pub fn from_jq(value: &Val) -> Result<Value, TooDeep> {
    outof(value, MAX_DEPTH)
}

fn outof(value: &Val, depth: usize) -> Result<Value, TooDeep> {
    let below = depth.checked_sub(1).ok_or(TooDeep);
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(flag) => Value::Bool(*flag),
        Val::Num(number) => number_from_jq(number),
        Val::TStr(bytes) | Val::BStr(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        Val::Arr(items) => {
            let below = below?;
            Value::Array(items.iter().map(|item| outof(item, below)).collect::<Result<_, _>>()?)
        }
        Val::Obj(map) => {
            let below = below?;
            let entries = map
                .iter()
                .map(|(key, value)| Ok((key_from_jq(key, below)?, outof(value, below)?)));
            Value::Object(entries.collect::<Result<_, _>>()?)
        }
    })
}

fn key_from_jq(key: &Val, depth: usize) -> Result<String, TooDeep> {
    Ok(match outof(key, depth)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

fn number_from_jq(number: &Num) -> Value {
    if let Some(n) = number.as_isize() {
        return Value::from(n);
    }
    let float = match number {
        Num::Float(float) if float.is_nan() => return Value::Null,
        Num::Float(float) => Some(float.clamp(f64::MIN, f64::MAX)),
        other => {
            let text = other.to_string();
            match text.parse::<u64>() {
                Ok(n) => return Value::from(n),
                Err(_) => text.parse::<f64>().ok().map(|float| float.clamp(f64::MIN, f64::MAX)),
            }
        }
    };
    float.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_come_back_as_they_were() {
        let cases = [
            json!(null),
            json!({"b": 1, "a": [true, "x\u{0}é", 1.5, -3]}),
            json!(u64::MAX),
            json!(i64::MIN),
            json!({"": {}}),
        ];
        for case in cases {
            assert_eq!(from_jq(&to_jq(&case).unwrap()).unwrap(), case);
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let mut value = json!(1);
        (0..MAX_DEPTH).for_each(|_| value = Value::Array(vec![value.take()]));
        assert!(to_jq(&value).is_ok());
        let deeper = Value::Array(vec![value]);
        assert_eq!(to_jq(&deeper).unwrap_err(), TooDeep);
    }

    #[test]
    fn numbers_that_json_lacks_are_the_nearest() {
        assert_eq!(from_jq(&Val::Num(Num::Float(f64::NAN))).unwrap(), json!(null));
        assert_eq!(from_jq(&Val::Num(Num::Float(f64::INFINITY))).unwrap(), json!(f64::MAX));
    }
}
