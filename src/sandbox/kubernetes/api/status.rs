//! Errors as the API server words them: a `Status` object with message, reason, details and code.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::body::{Reply, full};
use super::users::Act;
use crate::sandbox::kubernetes::kinds::{self, Kind};
use crate::sandbox::kubernetes::store::StoreError;

/// An answer that says no.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    /// The `details` object; `None` leaves it out.
    pub details: Option<Value>,
    /// Plain text instead of a `Status`, as for paths that the server does not know.
    pub plain: bool,
}

/// One broken rule of a 422 answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        let message = format!("Invalid value: {value}: {why}");
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message,
        }
    }
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let message = if why.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {why}")
        };
        Self {
            reason: "FieldValueRequired",
            field: field.into(),
            message,
        }
    }
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            field: field.into(),
            message: format!("Duplicate value: {value}"),
        }
    }
    pub fn not_supported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let list = allowed
            .iter()
            .map(|a| format!("\"{a}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!("Unsupported value: {value}: supported values: {list}");
        Self {
            reason: "FieldValueNotSupported",
            field: field.into(),
            message,
        }
    }
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field: field.into(),
            message: format!("Forbidden: {why}"),
        }
    }
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            plain: false,
        }
    }

    fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub fn path_not_found() -> Self {
        Self {
            plain: true,
            ..Self::new(404, "NotFound", "404 page not found\n")
        }
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified())).with(details(
            name,
            kind.group,
            kind.resource,
        ))
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(
            409,
            "AlreadyExists",
            format!("{} \"{name}\" already exists", kind.qualified()),
        )
        .with(details(name, kind.group, kind.resource))
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            kind.qualified()
        );
        Self::new(409, "Conflict", message).with(details(name, kind.group, kind.resource))
    }

    pub fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub fn apply_conflict(message: String, causes: Value) -> Self {
        Self::new(409, "Conflict", message).with(json!({"causes": causes}))
    }

    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let lines: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let what = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes: Vec<Value> = causes
            .iter()
            .map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field}))
            .collect();
        let mut about = details(name, kind.group, kind.kind);
        about["causes"] = Value::Array(causes);
        Self::new(
            422,
            "Invalid",
            format!("{} \"{name}\" is invalid: {what}", kind.qualified_kind()),
        )
        .with(about)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", message).with(json!({}))
    }

    pub fn forbidden_object(kind: &Kind, name: &str, why: &str, causes: Option<Value>) -> Self {
        let mut about = details(name, kind.group, kind.resource);
        if let Some(causes) = causes {
            about["causes"] = causes;
        }
        Self::new(
            403,
            "Forbidden",
            format!("{} \"{name}\" is forbidden: {why}", kind.qualified()),
        )
        .with(about)
    }

    /// What the user may not do.
    pub fn not_allowed(name: &str, user: &str, act: &Act<'_>) -> Self {
        let plural = act.resource.split('/').next().unwrap_or_default();
        let qualified = kinds::qualify(plural, act.group);
        let what = match name {
            "" => qualified,
            name => format!("{qualified} \"{name}\""),
        };
        let place = match act.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        let (verb, resource, group) = (act.verb, act.resource, act.group);
        let message = format!(
            "{what} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
        );
        Self::new(403, "Forbidden", message).with(details(name, group, plural))
    }

    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with(json!({}))
    }

    pub fn not_acceptable() -> Self {
        let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf, application/json;stream=watch, \
                       application/vnd.kubernetes.protobuf;stream=watch";
        Self::new(406, "NotAcceptable", message).with(json!({}))
    }

    pub fn unsupported_media_type() -> Self {
        Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").with(json!({}))
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub fn body_too_large() -> Self {
        let message = format!("Request entity too large: limit is {}", super::body::BODY_LIMIT);
        Self::new(413, "RequestEntityTooLarge", message).with(json!({}))
    }

    pub fn too_large_version(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        Self::new(504, "Timeout", message).with(json!({"causes": [cause], "retryAfterSeconds": 1}))
    }

    pub fn too_many_requests(retry_after: u32) -> Self {
        let message = "the server has received too many requests and has asked us to try again later";
        Self::new(429, "TooManyRequests", message).with(json!({"retryAfterSeconds": retry_after}))
    }

    /// A failure that the server has no reason's name for.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(
            500,
            "InternalError",
            format!("Internal error occurred: {}", message.into()),
        )
    }

    /// What a refusal of the store means for this object.
    pub fn from_store(error: StoreError, kind: &Kind, name: &str) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(kind, name),
            StoreError::AlreadyExists => Self::already_exists(kind, name),
            StoreError::Conflict => Self::modified(kind, name),
            StoreError::Gone | StoreError::TooLarge => Self::expired("The resourceVersion is not available."),
        }
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let mut status = Map::new();
        status.insert("kind".into(), json!("Status"));
        status.insert("apiVersion".into(), json!("v1"));
        status.insert("metadata".into(), json!({}));
        status.insert("status".into(), json!("Failure"));
        status.insert("message".into(), json!(self.message));
        status.insert("reason".into(), json!(self.reason));
        if let Some(details) = &self.details {
            status.insert("details".into(), details.clone());
        }
        status.insert("code".into(), json!(self.code));
        Value::Object(status)
    }

    /// The HTTP answer.
    pub fn reply(&self) -> Reply {
        let (kind, text) = if self.plain {
            ("text/plain; charset=utf-8", self.message.clone())
        } else {
            ("application/json", self.status().to_string() + "\n")
        };
        let mut reply = Response::new(full(Bytes::from(text)));
        *reply.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        reply
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
        let retry = self.details.as_ref().and_then(|d| d["retryAfterSeconds"].as_u64());
        if let Some(seconds) = retry {
            reply
                .headers_mut()
                .insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        reply
    }
}

fn details(name: &str, group: &str, kind: &str) -> Value {
    let mut map = Map::new();
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            map.insert(key.into(), json!(value));
        }
    }
    Value::Object(map)
}
