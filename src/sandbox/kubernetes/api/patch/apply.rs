//! Server-side apply: the writer sends the fields it wants; what it applied before and no longer sends goes; fields
//! that others own and that differ are conflicts, unless forced.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::Api;
use super::super::body::Reply;
use super::super::decode::{self, Unknown};
use super::super::dispatch::Call;
use super::super::status::ApiError;
use super::super::write;
use super::fields::{self, Leaves, Path};
use super::lists;
use super::managed::{self, Entry, Operation, Writer};
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::schema::{self, Shape};

/// `PATCH` with an apply patch.
pub(in super::super) fn apply(api: &Api, call: &Call, config: &Value, unknown: Unknown) -> Result<Reply, ApiError> {
    let (kind, name) = (call.target.kind, &call.target.name);
    if call.query.text("fieldManager").is_empty() {
        let mut error = ApiError::bad_request(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        );
        (error.code, error.reason) = (422, "Invalid");
        return Err(error);
    }
    let config = decode::typed(kind, config.clone())?;
    let place = match call.target.namespace.as_str() {
        "" => name.clone(),
        namespace => format!("{namespace}/{name}"),
    };
    let (mut config, warnings) = decode::conform_applied(kind, &place, config, unknown)?;
    if !config["metadata"]["managedFields"].is_null() {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    let given = config["metadata"]["name"].as_str().unwrap_or(name);
    if given != name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        )));
    }
    let writer = Writer::of(call, &api.store.clock().rfc3339());
    let wanted = fields::leaves(kind, &config);
    let exists = api.store.get(kind.resource, &call.target.namespace, name).is_some();
    if !exists && call.target.subresource.is_none() {
        write::namespace_accepts(api, call)?;
        config["metadata"]["name"] = json!(name);
        managed::store(&mut config, &[entry(kind, &writer, &wanted)]);
        let stored = write::create_object(api, call, config, Operation::Apply)?;
        return write::respond(api, call, 201, &stored, &warnings);
    }
    let force = call.query.flag("force");
    let stored = write::replace(api, call, |live| merged(kind, live, &config, &wanted, &writer, force))?;
    write::respond(api, call, 200, &stored, &warnings)
}

fn entry(kind: &Kind, writer: &Writer, wanted: &Leaves) -> Entry {
    Entry {
        manager: writer.manager.clone(),
        operation: Operation::Apply,
        api_version: kind.api_version(),
        time: writer.time.clone(),
        subresource: writer.subresource.clone(),
        fields: wanted.keys().cloned().collect(),
    }
}

/// The live object after the apply.
fn merged(
    kind: &Kind,
    live: &Value,
    config: &Value,
    wanted: &Leaves,
    writer: &Writer,
    force: bool,
) -> Result<Value, ApiError> {
    let present = fields::leaves(kind, live);
    let mut entries = managed::entries(live);
    let mine = entries.iter().position(|entry| entry.is(writer, Operation::Apply));
    let differs = |path: &Path| {
        wanted
            .get(path)
            .is_some_and(|value| present.get(path).is_some_and(|is| is != value))
    };

    let mut conflicts: BTreeMap<Path, String> = BTreeMap::new();
    for (_, entry) in entries.iter_mut().enumerate().filter(|(index, _)| Some(*index) != mine) {
        let taken: BTreeSet<Path> = entry.fields.iter().filter(|path| differs(path)).cloned().collect();
        if force {
            entry.fields.retain(|path| !taken.contains(path));
        }
        let owner = describe(entry);
        conflicts.extend(taken.into_iter().map(|path| (path, owner.clone())));
    }
    if !conflicts.is_empty() && !force {
        return Err(refuse(&conflicts));
    }

    let mut new = live.clone();
    let shape = schema::of(&kind.api_version(), kind.kind).unwrap_or(&Shape::Any);
    overlay(&mut new, config, shape, "");
    let before = mine.map(|index| entries.remove(index));
    let dropped = before
        .iter()
        .flat_map(|entry| entry.fields.iter())
        .filter(|path| !wanted.contains_key(*path));
    let owned_by_others = |path: &Path| entries.iter().any(|entry| entry.fields.contains(path));
    let gone: Vec<&Path> = dropped.filter(|path| !owned_by_others(path)).collect();
    for path in gone.iter().rev() {
        fields::remove(&mut new, path);
    }
    let mut applied = entry(kind, writer, wanted);
    if let Some(before) = before
        && before.fields == applied.fields
        && new == *live
    {
        // Nothing changes, so the time does not either.
        applied.time = before.time;
    }
    entries.insert(mine.unwrap_or(entries.len()).min(entries.len()), applied);
    managed::store(&mut new, &entries);
    Ok(new)
}

fn describe(entry: &Entry) -> String {
    let part = if entry.subresource.is_empty() {
        String::new()
    } else {
        format!(" with subresource \"{}\"", entry.subresource)
    };
    format!("\"{}\"{part} using {}", entry.manager, entry.api_version)
}

fn refuse(conflicts: &BTreeMap<Path, String>) -> ApiError {
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(path, owner)| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {owner}"), "field": fields::show(path)})
        })
        .collect();
    let message = match conflicts.iter().collect::<Vec<_>>().as_slice() {
        [(path, owner)] => format!(
            "Apply failed with 1 conflict: conflict with {owner}: {}",
            fields::show(path)
        ),
        many => {
            let mut lines = Vec::new();
            let mut owners: Vec<&String> = Vec::new();
            for (_, owner) in many {
                if !owners.contains(owner) {
                    owners.push(owner);
                }
            }
            for owner in owners {
                lines.push(format!("conflicts with {owner}:"));
                lines.extend(
                    many.iter()
                        .filter(|(_, of)| *of == owner)
                        .map(|(path, _)| format!("- {}", fields::show(path))),
                );
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    ApiError::apply_conflict(message, Value::Array(causes))
}

/// Lays the configuration over the live object: keyed lists and sets merge, everything else replaces.
fn overlay(live: &mut Value, config: &Value, shape: &Shape, field: &str) {
    match (config, shape) {
        (Value::Object(config), _) if !lists::is_atomic(field, shape) && !matches!(shape, Shape::Any) => {
            if !live.is_object() {
                *live = Value::Object(Map::new());
            }
            let Some(map) = live.as_object_mut() else {
                return;
            };
            for (key, value) in config {
                overlay(
                    map.entry(key.clone()).or_insert(Value::Null),
                    value,
                    fields::inner(shape, key),
                    key,
                );
            }
        }
        (Value::Array(items), Shape::List(item)) if lists::keys(item).is_some() || lists::is_set(field) => {
            if !live.is_array() {
                *live = Value::Array(Vec::new());
            }
            let Some(list) = live.as_array_mut() else {
                return;
            };
            for element in items {
                let keys = lists::keys(item);
                let at = list.iter().position(|have| match keys {
                    Some(keys) => lists::same(have, element, keys),
                    None => have == element,
                });
                match at {
                    Some(at) => overlay(&mut list[at], element, item, ""),
                    None => list.push(element.clone()),
                }
            }
        }
        _ => *live = config.clone(),
    }
}
