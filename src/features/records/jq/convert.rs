//! Records to jq's values, and jq's values to JSON.

use jaq_json::{Map, Num, Val};
use serde_json::{Number, Value};

/// Deeper values than this are refused: dropping, printing and comparing them takes a stack frame a level, and nobody
/// reads deeper JSON (serde_json's own limit is 128).
pub const MAX_DEPTH: usize = 127;

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

/// Writes a value of jq as JSON. What JSON does not know becomes the nearest that it does, as jq prints it: NaN is null,
/// infinities are the largest numbers, keys that are no text are their JSON.
pub fn write_json(value: &Val, out: &mut Vec<u8>) -> Result<(), TooDeep> {
    write(value, out, MAX_DEPTH)
}

fn write(value: &Val, out: &mut Vec<u8>, depth: usize) -> Result<(), TooDeep> {
    let below = depth.checked_sub(1).ok_or(TooDeep);
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Num(number) => write_number(number, out),
        Val::TStr(bytes) | Val::BStr(bytes) => write_text(&String::from_utf8_lossy(bytes), out),
        Val::Arr(items) => {
            let below = below?;
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out, below)?;
            }
            out.push(b']');
        }
        Val::Obj(map) => {
            let below = below?;
            out.push(b'{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_key(key, out, below)?;
                out.push(b':');
                write(value, out, below)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_key(key: &Val, out: &mut Vec<u8>, depth: usize) -> Result<(), TooDeep> {
    match key {
        Val::TStr(_) | Val::BStr(_) => write(key, out, depth),
        other => {
            let mut text = Vec::new();
            write(other, &mut text, depth)?;
            write_text(&String::from_utf8_lossy(&text), out);
            Ok(())
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

fn write_number(number: &Num, out: &mut Vec<u8>) {
    let value = match (number, number.as_isize()) {
        (_, Some(n)) => Value::from(n),
        (Num::Float(float), None) => from_float(*float),
        (other, None) => {
            let text = other.to_string();
            let whole = text.parse::<u64>().map(Value::from);
            whole.unwrap_or_else(|_| text.parse().map_or(Value::Null, from_float))
        }
    };
    let _ = serde_json::to_writer(out, &value);
}

fn from_float(float: f64) -> Value {
    if float.is_nan() {
        return Value::Null;
    }
    Value::from(float.clamp(f64::MIN, f64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn from_jq(value: &Val) -> Value {
        let mut text = Vec::new();
        write_json(value, &mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

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
            assert_eq!(from_jq(&to_jq(&case).unwrap()), case);
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let mut value = json!(1);
        (0..MAX_DEPTH).for_each(|_| value = Value::Array(vec![value.take()]));
        assert_eq!(from_jq(&to_jq(&value).unwrap()), value, "what is written can be read");
        let deeper = Value::Array(vec![value]);
        assert_eq!(to_jq(&deeper).unwrap_err(), TooDeep);
        let deeper = Val::Arr(vec![to_jq(&deeper[0]).unwrap()].into());
        assert_eq!(write_json(&deeper, &mut Vec::new()), Err(TooDeep));
    }

    #[test]
    fn numbers_that_json_lacks_are_the_nearest() {
        assert_eq!(from_jq(&Val::Num(Num::Float(f64::NAN))), json!(null));
        assert_eq!(from_jq(&Val::Num(Num::Float(f64::INFINITY))), json!(f64::MAX));
    }
}
