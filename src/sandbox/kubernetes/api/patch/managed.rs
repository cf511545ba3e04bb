//! `metadata.managedFields`: who owns which field. Only writes through the API are recorded; the sandbox's own
//! controllers write to the store and own nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::fields::{self, Path};
use crate::sandbox::kubernetes::kinds::Kind;

/// How a field was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Operation {
    /// By create, update or patch.
    Update,
    /// By server-side apply.
    Apply,
}

/// Who writes, when, through which part of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Writer {
    pub manager: String,
    pub subresource: String,
    pub time: String,
}

impl Writer {
    /// The writer of a request.
    pub fn of(call: &Call, time: &str) -> Self {
        let subresource = call.target.subresource.map(|sub| sub.name).unwrap_or_default();
        Self {
            manager: call.manager().to_owned(),
            subresource: subresource.to_owned(),
            time: time.to_owned(),
        }
    }
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub manager: String,
    pub operation: Operation,
    pub api_version: String,
    pub time: String,
    pub subresource: String,
    pub fields: BTreeSet<Path>,
}

impl Entry {
    pub fn is(&self, writer: &Writer, operation: Operation) -> bool {
        self.manager == writer.manager && self.subresource == writer.subresource && self.operation == operation
    }

    fn value(&self) -> Value {
        let operation = if self.operation == Operation::Apply {
            "Apply"
        } else {
            "Update"
        };
        let mut entry = json!({
            "manager": self.manager,
            "operation": operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields::to_v1(&self.fields),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = json!(self.subresource);
        }
        entry
    }
}

/// The entries of an object.
pub(super) fn entries(object: &Value) -> Vec<Entry> {
    let list = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    list.map(|entry| {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        Entry {
            manager: text("manager"),
            operation: if entry["operation"] == "Apply" {
                Operation::Apply
            } else {
                Operation::Update
            },
            api_version: text("apiVersion"),
            time: text("time"),
            subresource: text("subresource"),
            fields: fields::from_v1(&entry["fieldsV1"]),
        }
    })
    .collect()
}

/// Writes the entries back; those that own nothing go.
pub(super) fn store(object: &mut Value, entries: &[Entry]) {
    let list: Vec<Value> = entries
        .iter()
        .filter(|entry| !entry.fields.is_empty())
        .map(Entry::value)
        .collect();
    if let Some(meta) = object["metadata"].as_object_mut() {
        if list.is_empty() {
            meta.shift_remove("managedFields");
        } else {
            meta.insert("managedFields".to_owned(), Value::Array(list));
        }
    }
}

/// Records a create, update or patch: the writer owns what it changed, nobody owns what it removed.
pub(in super::super) fn updated(kind: &Kind, old: Option<&Value>, new: &mut Value, writer: &Writer) {
    let before = old.map(|old| fields::leaves(kind, old)).unwrap_or_default();
    let after = fields::leaves(kind, new);
    let changed: BTreeSet<Path> = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(path, _)| path.clone())
        .collect();
    let removed: BTreeSet<Path> = before.into_keys().filter(|path| !after.contains_key(path)).collect();
    if changed.is_empty() && removed.is_empty() {
        return;
    }
    let mut entries = entries(old.unwrap_or(&Value::Null));
    for entry in &mut entries {
        entry
            .fields
            .retain(|path| !changed.contains(path) && !removed.contains(path));
    }
    match entries.iter_mut().find(|entry| entry.is(writer, Operation::Update)) {
        Some(entry) => {
            entry.fields.extend(changed);
            entry.time.clone_from(&writer.time);
        }
        None => entries.push(Entry {
            manager: writer.manager.clone(),
            operation: Operation::Update,
            api_version: kind.api_version(),
            time: writer.time.clone(),
            subresource: writer.subresource.clone(),
            fields: changed,
        }),
    }
    store(new, &entries);
}
