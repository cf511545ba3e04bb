//! The order of JSON values, as jq defines it: null, false, true, numbers, texts, lists, objects.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// Compares two values.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => objects(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// By what a float can tell, then by what it rounded away: one order for whole numbers and floats beside each other,
/// which a sort insists on.
fn numbers(a: &Number, b: &Number) -> Ordering {
    let parts = |number: &Number| {
        let float = number.as_f64().unwrap_or(0.0);
        let whole = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
        (float, whole.map_or(0, |whole| whole - float as i128))
    };
    let ((a, a_rest), (b, b_rest)) = (parts(a), parts(b));
    a.total_cmp(&b).then(a_rest.cmp(&b_rest))
}

/// Values that are missing come last.
pub fn compare_found(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
    }
}

/// By their sorted keys first, then by their values in that order.
fn objects(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let sorted = |map: &Map<String, Value>| {
        let mut keys: Vec<String> = map.keys().cloned().collect();
        keys.sort();
        keys
    };
    let keys = sorted(a);
    keys.cmp(&sorted(b)).then_with(|| {
        let values = keys.iter().map(|key| compare_found(a.get(key), b.get(key)));
        values
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_sort_as_in_jq() {
        let sorted = [
            json!(null),
            json!(false),
            json!(true),
            json!(-1.5),
            json!(2),
            json!(10),
            json!("a"),
            json!("b"),
            json!([1]),
            json!([1, 0]),
            json!({"a": 2}),
            json!({"a": 3}),
            json!({"a": 1, "b": 0}),
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(&pair[0], &pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(&pair[1], &pair[0]), Ordering::Greater, "{pair:?}");
            assert_eq!(compare(&pair[0], &pair[0].clone()), Ordering::Equal);
        }
        let large = [
            json!(9_007_199_254_740_991_i64),
            json!(9_007_199_254_740_992.0),
            json!(9_007_199_254_740_993_i64),
            json!(i64::MAX - 1),
            json!(i64::MAX),
            json!(u64::MAX - 1),
            json!(u64::MAX),
        ];
        for (index, value) in large.iter().enumerate() {
            for (other, second) in large.iter().enumerate() {
                assert_eq!(compare(value, second), index.cmp(&other), "{value} {second}");
            }
        }
        assert_eq!(compare_found(None, Some(&json!(1))), Ordering::Greater);
    }
}
