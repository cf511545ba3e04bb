//! The four kinds of patch: JSON patch, merge patch, strategic merge patch and server-side apply.

use serde_json::Value;

use super::decode;
use super::status::ApiError;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::schema;

pub(super) mod apply;
mod fields;
mod json_patch;
pub(super) mod lists;
pub(super) mod managed;
mod merge;
mod strategic;

/// A parsed patch.
#[derive(Debug, Clone)]
pub(super) enum Patch {
    /// RFC 6902.
    Json(Vec<json_patch::Step>),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' own: lists merge by key.
    Strategic(Value),
    /// Server-side apply: the fields the writer wants to own.
    Apply(Value),
}

impl Patch {
    /// Parses a body by its content type.
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Self, ApiError> {
        let json = || -> Result<Value, ApiError> {
            serde_json::from_slice(body)
                .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))
        };
        let object = |value: Value| match value {
            Value::Object(_) => Ok(value),
            _ => Err(ApiError::bad_request(
                "error decoding patch: a patch must be a JSON object",
            )),
        };
        match content_type {
            "application/json-patch+json" => Ok(Patch::Json(json_patch::parse(&json()?)?)),
            "application/merge-patch+json" => Ok(Patch::Merge(object(json()?)?)),
            "application/strategic-merge-patch+json" => Ok(Patch::Strategic(object(json()?)?)),
            "application/apply-patch+yaml" => {
                let value =
                    decode::yaml(body).map_err(|why| ApiError::bad_request(format!("error decoding YAML: {why}")))?;
                Ok(Patch::Apply(object(value)?))
            }
            _ => Err(ApiError::unsupported_media_type()),
        }
    }

    /// The object after the patch. Apply patches have their own way ([`apply::apply`]).
    pub fn to(&self, kind: &Kind, old: &Value) -> Result<Value, ApiError> {
        match self {
            Patch::Strategic(patch) => {
                let mut new = old.clone();
                strategic::merge(&mut new, patch, schema::of(&kind.api_version(), kind.kind))?;
                Ok(new)
            }
            _ => self.to_plain(old),
        }
    }

    /// The document after the patch, for documents without merge keys.
    pub fn to_plain(&self, old: &Value) -> Result<Value, ApiError> {
        let mut new = old.clone();
        match self {
            Patch::Json(steps) => json_patch::apply(&mut new, steps)?,
            Patch::Merge(patch) => merge::merge(&mut new, patch),
            Patch::Strategic(patch) | Patch::Apply(patch) => strategic::merge(&mut new, patch, None)?,
        }
        Ok(new)
    }
}
