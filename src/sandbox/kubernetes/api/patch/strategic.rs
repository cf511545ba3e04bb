//! Strategic merge patch: a merge patch in which keyed lists merge item by item, with the directives `$patch`
//! (`replace`, `delete`, `merge`), `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys`.

use serde_json::{Map, Value};

use super::super::status::ApiError;
use super::lists;
use crate::sandbox::kubernetes::schema::Shape;

/// Merges `patch` into `target`. Without a shape, no list is keyed.
pub(super) fn merge(target: &mut Value, patch: &Value, shape: Option<&Shape>) -> Result<(), ApiError> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(plain(patch));
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "unknown patch directive $patch: {other:?}"
            )));
        }
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else {
        return Ok(());
    };
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| kept.iter().any(|kept| kept == key.as_str()));
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(list), Some(gone)) = (map.get_mut(field).and_then(Value::as_array_mut), value.as_array()) {
                list.retain(|entry| !gone.contains(entry));
            }
        } else if key.starts_with('$') {
            // The order of elements and the other directives are handled with the list they are about.
        } else if value.is_null() {
            map.shift_remove(key);
        } else {
            let inner = field_shape(shape, key);
            let slot = map.entry(key.clone()).or_insert(Value::Null);
            match (value, inner) {
                (Value::Array(items), Some(Shape::List(item))) => {
                    list(slot, items, key, item, patch.get(&format!("$setElementOrder/{key}")))?;
                }
                (Value::Array(items), _) => *slot = Value::Array(without_directives(items)),
                _ => merge(slot, value, inner)?,
            }
        }
    }
    // An order given for a list that the patch does not change otherwise.
    for (key, order) in patch {
        if let Some(field) = key.strip_prefix("$setElementOrder/")
            && !patch.contains_key(field)
            && let (Some(Value::Array(list)), Some(Shape::List(item))) = (map.get_mut(field), field_shape(shape, field))
        {
            arrange(list, order, lists::keys(item).and_then(|keys| keys.first().copied()));
        }
    }
    Ok(())
}

fn field_shape<'s>(shape: Option<&'s Shape>, field: &str) -> Option<&'s Shape> {
    match shape? {
        Shape::Struct(known) => known.field(field),
        Shape::Map(item) => Some(item),
        _ => None,
    }
}

/// The patch without its directives.
fn plain(patch: &Map<String, Value>) -> Map<String, Value> {
    patch
        .iter()
        .filter(|(key, _)| !key.starts_with('$'))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn without_directives(items: &[Value]) -> Vec<Value> {
    let directive = |item: &&Value| item.get("$patch").is_none();
    items.iter().filter(directive).cloned().collect()
}

fn list(slot: &mut Value, items: &[Value], field: &str, item: &Shape, order: Option<&Value>) -> Result<(), ApiError> {
    if items.iter().any(|item| item["$patch"] == "replace") {
        *slot = Value::Array(without_directives(items));
        return Ok(());
    }
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    let Some(list) = slot.as_array_mut() else {
        return Ok(());
    };
    let Some(key) = lists::keys(item).and_then(|keys| keys.first().copied()) else {
        if lists::is_set(field) {
            let new: Vec<Value> = items.iter().filter(|entry| !list.contains(entry)).cloned().collect();
            list.extend(new);
            return Ok(());
        }
        *list = without_directives(items);
        return Ok(());
    };
    for patch in items {
        if patch[key].is_null() {
            return Err(ApiError::bad_request(format!(
                "map: {patch} does not contain declared merge key: {key}"
            )));
        }
        let at = list.iter().position(|entry| entry[key] == patch[key]);
        match (patch["$patch"].as_str(), at) {
            (Some("delete"), _) => list.retain(|entry| entry[key] != patch[key]),
            (_, Some(at)) => merge(&mut list[at], patch, Some(item))?,
            (_, None) => {
                let mut new = Value::Object(Map::new());
                merge(&mut new, patch, Some(item))?;
                list.push(new);
            }
        }
    }
    if let Some(order) = order {
        arrange(list, order, Some(key));
    }
    Ok(())
}

/// Sorts a list by an order given as keyed items or plain values; what is not named keeps its place at the end.
fn arrange(list: &mut [Value], order: &Value, key: Option<&str>) {
    let Some(order) = order.as_array() else {
        return;
    };
    let rank = |entry: &Value| {
        let same = |wanted: &Value| match key {
            Some(key) => wanted[key] == entry[key],
            None => wanted == entry,
        };
        order.iter().position(same).unwrap_or(usize::MAX)
    };
    list.sort_by_key(rank);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubernetes::schema;

    fn patched(patch: Value) -> Value {
        let mut target = json!({
            "metadata": {"labels": {"a": "1"}, "finalizers": ["x"]},
            "spec": {"template": {"spec": {
                "containers": [
                    {"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}], "env": [{"name": "X", "value": "1"}]},
                    {"name": "b", "image": "b:1"}
                ],
                "tolerations": [{"key": "k"}]
            }}}
        });
        merge(&mut target, &patch, schema::of("apps/v1", "Deployment")).unwrap();
        target
    }

    fn containers(patch: Value) -> Value {
        patched(json!({"spec": {"template": {"spec": patch}}}))["spec"]["template"]["spec"].clone()
    }

    #[test]
    fn containers_merge_by_name() {
        let spec = containers(json!({"containers": [{"name": "b", "image": "b:2"}]}));
        assert_eq!(spec["containers"][0]["image"], "a:1");
        assert_eq!(spec["containers"][1]["image"], "b:2");
        let spec = containers(
            json!({"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}], "ports": [{"containerPort": 80, "name": "http"}]}]}),
        );
        assert_eq!(spec["containers"][0]["env"].as_array().unwrap().len(), 2);
        assert_eq!(
            spec["containers"][0]["ports"],
            json!([{"containerPort": 80, "protocol": "TCP", "name": "http"}])
        );
        let spec = containers(
            json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}], "containers": [{"name": "c", "image": "c"}, {"$patch": "delete", "name": "a"}]}),
        );
        assert_eq!(
            spec["containers"],
            json!([{"name": "c", "image": "c"}, {"name": "b", "image": "b:1"}])
        );
    }

    #[test]
    fn directives_and_plain_lists() {
        assert_eq!(
            containers(json!({"tolerations": [{"key": "z"}]}))["tolerations"],
            json!([{"key": "z"}])
        );
        let spec = containers(json!({"containers": [{"$patch": "replace"}, {"name": "z", "image": "z"}]}));
        assert_eq!(spec["containers"], json!([{"name": "z", "image": "z"}]));
        let meta = patched(json!({"metadata": {"labels": {"$patch": "replace", "b": "2"}, "finalizers": ["y"]}}));
        assert_eq!(
            meta["metadata"],
            json!({"labels": {"b": "2"}, "finalizers": ["x", "y"]})
        );
        let gone = patched(json!({"metadata": {"labels": {"a": null}, "$deleteFromPrimitiveList/finalizers": ["x"]}}));
        assert_eq!(gone["metadata"], json!({"labels": {}, "finalizers": []}));
        let mut target = json!({});
        let keyless = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
        assert_eq!(
            merge(&mut target, &keyless, schema::of("apps/v1", "Deployment"))
                .unwrap_err()
                .code,
            400
        );
    }
}
