//! Objects and lists as bytes, in the representation the client asked for.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Api;
use super::accept::Form;
use super::body::{self, Reply};
use super::status::ApiError;
use super::table;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::store::Object;

/// How to show Tables: what each row carries besides its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    /// `PartialObjectMetadata`.
    Metadata,
    /// Nothing.
    Nothing,
    /// The whole object.
    Object,
}

impl Include {
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::Nothing),
            "Object" => Ok(Self::Object),
            other => Err(ApiError::bad_request(format!(
                "unrecognized includeObject value {other:?}: must be \"Object\", \"Metadata\" or \"None\""
            ))),
        }
    }
}

/// `metadata` of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct ListMeta {
    pub version: u64,
    pub next: Option<String>,
    pub remaining: Option<usize>,
}

impl ListMeta {
    fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("resourceVersion".into(), json!(self.version.to_string()));
        if let Some(next) = &self.next {
            map.insert("continue".into(), json!(next));
        }
        if let Some(remaining) = self.remaining {
            map.insert("remainingItemCount".into(), json!(remaining));
        }
        Value::Object(map)
    }
}

/// One object as an answer.
pub(super) fn object(
    code: u16,
    kind: &Kind,
    object: &Value,
    form: Form,
    include: Include,
    now: Timestamp,
) -> Result<Reply, ApiError> {
    match form {
        Form::Table => {
            let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            let meta = if version.is_empty() {
                json!({})
            } else {
                json!({"resourceVersion": version})
            };
            let rows = vec![table::row(kind, object, include, now)];
            Ok(body::json(code, &table::table(kind, meta, rows, true)))
        }
        Form::Metadata => Ok(body::json(code, &metadata_only(object))),
        Form::Yaml => yaml(code, object),
        Form::Object => Ok(body::json(code, object)),
        Form::Discovery => Err(ApiError::not_acceptable()),
    }
}

/// A list of objects as an answer.
pub(super) fn list(
    api: &Api,
    kind: &'static Kind,
    objects: &[Object],
    meta: &ListMeta,
    form: Form,
    include: Include,
) -> Result<Reply, ApiError> {
    match form {
        Form::Table => {
            let rows = table::rows(&api.kept, kind, objects, include, api.store.clock().now());
            Ok(body::json(200, &table::table(kind, meta.value(), rows, true)))
        }
        Form::Metadata => {
            let items: Vec<Value> = objects.iter().map(|object| metadata_only(object)).collect();
            let list = json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta.value(),
                "items": items,
            });
            Ok(body::json(200, &list))
        }
        Form::Yaml => {
            let items: Vec<Value> = objects.iter().map(|object| without_type(object)).collect();
            let list = json!({
                "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": meta.value(), "items": items,
            });
            yaml(200, &list)
        }
        Form::Object => Ok(body::reply(200, "application/json", list_bytes(kind, objects, meta))),
        Form::Discovery => Err(ApiError::not_acceptable()),
    }
}

/// The list's JSON, written without copying the objects. Items carry neither kind nor apiVersion, as on a real server.
fn list_bytes(kind: &Kind, objects: &[Object], meta: &ListMeta) -> Vec<u8> {
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[",
        kind.kind,
        kind.api_version(),
        meta.value()
    );
    let mut out = Vec::with_capacity(head.len() + objects.len() * 2_048 + 3);
    out.extend_from_slice(head.as_bytes());
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'{');
        let fields = object.as_object().into_iter().flatten();
        for (at, (key, value)) in fields
            .filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion"))
            .enumerate()
        {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
            out.push(b':');
            // Writing to memory cannot fail.
            let _ = serde_json::to_writer(&mut out, value);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
    out
}

/// `PartialObjectMetadata` of an object.
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn without_type(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    let kept = fields.filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion"));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn yaml(code: u16, value: &Value) -> Result<Reply, ApiError> {
    let text =
        serde_saphyr::to_string(value).map_err(|error| ApiError::internal(format!("cannot write YAML: {error}")))?;
    Ok(body::reply(code, "application/yaml", text))
}
