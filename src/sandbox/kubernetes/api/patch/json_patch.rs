//! JSON patch, RFC 6902.

use serde_json::Value;

use super::super::status::ApiError;

/// Most operations one patch may hold, as on a real server.
const LIMIT: usize = 10_000;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Step {
    Add(Vec<String>, Value),
    Remove(Vec<String>),
    Replace(Vec<String>, Value),
    Move(Vec<String>, Vec<String>),
    Copy(Vec<String>, Vec<String>),
    Test(Vec<String>, Value),
}

/// Parses a patch document.
pub(super) fn parse(document: &Value) -> Result<Vec<Step>, ApiError> {
    let bad = |why: String| ApiError::bad_request(format!("error decoding patch: {why}"));
    let list = document
        .as_array()
        .ok_or_else(|| bad("a JSON patch is a list of operations".to_owned()))?;
    if list.len() > LIMIT {
        return Err(bad(format!(
            "the patch holds {} operations, at most {LIMIT} are allowed",
            list.len()
        )));
    }
    list.iter()
        .map(|step| {
            let path = |field: &str| -> Result<Vec<String>, ApiError> {
                let text = step[field]
                    .as_str()
                    .ok_or_else(|| bad(format!("an operation lacks {field:?}")))?;
                pointer(text).ok_or_else(|| bad(format!("{text:?} is not a JSON pointer")))
            };
            let value = || {
                step.get("value")
                    .cloned()
                    .ok_or_else(|| bad("an operation lacks \"value\"".to_owned()))
            };
            match step["op"].as_str() {
                Some("add") => Ok(Step::Add(path("path")?, value()?)),
                Some("remove") => Ok(Step::Remove(path("path")?)),
                Some("replace") => Ok(Step::Replace(path("path")?, value()?)),
                Some("move") => Ok(Step::Move(path("from")?, path("path")?)),
                Some("copy") => Ok(Step::Copy(path("from")?, path("path")?)),
                Some("test") => Ok(Step::Test(path("path")?, value()?)),
                other => Err(bad(format!("unexpected operation {other:?}"))),
            }
        })
        .collect()
}

fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let rest = text.strip_prefix('/')?;
    Some(
        rest.split('/')
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

/// Applies the operations in order; the first that fails fails all.
pub(super) fn apply(target: &mut Value, steps: &[Step]) -> Result<(), ApiError> {
    for step in steps {
        run(target, step).map_err(|why| {
            let mut error = ApiError::bad_request(format!(
                "the server rejected our request due to an error in our request: {why}"
            ));
            error.code = 422;
            error.reason = "Invalid";
            error.details = Some(serde_json::json!({}));
            error
        })?;
    }
    Ok(())
}

fn run(target: &mut Value, step: &Step) -> Result<(), String> {
    match step {
        Step::Add(path, value) => add(target, path, value.clone()),
        Step::Remove(path) => remove(target, path).map(|_| ()),
        Step::Replace(path, value) => {
            *find(target, path)? = value.clone();
            Ok(())
        }
        Step::Move(from, to) => {
            if to.len() > from.len() && to.starts_with(from) {
                return Err("a value cannot move into itself".to_owned());
            }
            let value = remove(target, from)?;
            add(target, to, value)
        }
        Step::Copy(from, to) => {
            let value = find(target, from)?.clone();
            add(target, to, value)
        }
        Step::Test(path, value) => {
            if find(target, path)? == value {
                Ok(())
            } else {
                Err(format!("testing value {} failed", show(path)))
            }
        }
    }
}

fn show(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

fn find<'v>(target: &'v mut Value, path: &[String]) -> Result<&'v mut Value, String> {
    let mut at = target;
    for part in path {
        let next = match at {
            Value::Object(map) => map.get_mut(part),
            Value::Array(list) => index(part, list.len()).and_then(|i| list.get_mut(i)),
            _ => None,
        };
        at = next.ok_or_else(|| format!("path {} does not exist", show(path)))?;
    }
    Ok(at)
}

fn index(part: &str, length: usize) -> Option<usize> {
    // Leading zeros and signs are not indexes.
    let plain = part == "0"
        || (part.starts_with(|c: char| ('1'..='9').contains(&c)) && part.bytes().all(|b| b.is_ascii_digit()));
    part.parse().ok().filter(|i| plain && *i <= length)
}

fn add(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((last, parent)) = path.split_last() else {
        *target = value;
        return Ok(());
    };
    let missing = || format!("path {} does not exist", show(path));
    match find(target, parent)? {
        Value::Object(map) => {
            map.insert(last.clone(), value);
        }
        Value::Array(list) if last == "-" => list.push(value),
        Value::Array(list) => {
            let at = index(last, list.len()).ok_or_else(missing)?;
            list.insert(at, value);
        }
        _ => return Err(missing()),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &[String]) -> Result<Value, String> {
    let missing = || format!("path {} does not exist", show(path));
    let (last, parent) = path.split_last().ok_or_else(missing)?;
    match find(target, parent)? {
        Value::Object(map) => map.shift_remove(last).ok_or_else(missing),
        Value::Array(list) => {
            let at = index(last, list.len())
                .filter(|at| *at < list.len())
                .ok_or_else(missing)?;
            Ok(list.remove(at))
        }
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn patched(mut target: Value, patch: Value) -> Option<Value> {
        apply(&mut target, &parse(&patch).ok()?).ok()?;
        Some(target)
    }

    #[test]
    fn operations() {
        let doc = json!({"a": [1, 2], "b": {"c/d": 3}});
        let table = [
            (
                json!([{"op": "add", "path": "/a/1", "value": 9}]),
                Some(json!({"a": [1, 9, 2], "b": {"c/d": 3}})),
            ),
            (
                json!([{"op": "add", "path": "/a/-", "value": 9}]),
                Some(json!({"a": [1, 2, 9], "b": {"c/d": 3}})),
            ),
            (
                json!([{"op": "remove", "path": "/b/c~1d"}]),
                Some(json!({"a": [1, 2], "b": {}})),
            ),
            (
                json!([{"op": "move", "from": "/a", "path": "/b/x"}]),
                Some(json!({"b": {"c/d": 3, "x": [1, 2]}})),
            ),
            (
                json!([{"op": "copy", "from": "/a/0", "path": "/z"}]),
                Some(json!({"a": [1, 2], "b": {"c/d": 3}, "z": 1})),
            ),
            (
                json!([{"op": "test", "path": "/a/0", "value": 1}, {"op": "replace", "path": "/a", "value": 0}]),
                Some(json!({"a": 0, "b": {"c/d": 3}})),
            ),
            (json!([{"op": "test", "path": "/a/0", "value": 2}]), None),
            (json!([{"op": "remove", "path": "/nope"}]), None),
            (json!([{"op": "replace", "path": "/a/7", "value": 1}]), None),
            (json!([{"op": "add", "path": "/a/01", "value": 1}]), None),
            (json!([{"op": "move", "from": "/b", "path": "/b/x"}]), None),
            (json!([{"op": "what", "path": "/a"}]), None),
            (json!({"op": "add"}), None),
        ];
        for (patch, expected) in table {
            assert_eq!(patched(doc.clone(), patch.clone()), expected, "{patch}");
        }
    }
}
