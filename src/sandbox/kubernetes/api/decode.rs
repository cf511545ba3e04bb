//! From a request's body to an object of a kind: JSON or YAML, known fields of the right types only.

use serde_json::Value;

use super::protobuf;
use super::status::ApiError;
use crate::sandbox::kubernetes::kinds::{self, Kind};
use crate::sandbox::kubernetes::schema::{self, Shape};

/// What to do about unknown fields (the `fieldValidation` parameter).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Ignore,
    Warn,
    Refuse,
}

impl Unknown {
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "Ignore" => Ok(Self::Ignore),
            "" | "Warn" => Ok(Self::Warn),
            "Strict" => Ok(Self::Refuse),
            other => Err(ApiError::bad_request(format!(
                "invalid fieldValidation value {other:?}: supported values: \"Ignore\", \"Warn\", \"Strict\""
            ))),
        }
    }
}

/// Fields whose null is part of the API's own output and is kept.
const NULLS_KEPT: &[&str] = &["lastProbeTime", "eventTime"];

/// Parses a body as JSON or YAML, by its content type.
pub(super) fn parse(bytes: &[u8], content_type: &str, what: &str) -> Result<Value, ApiError> {
    let bad = |why: String| {
        ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {what}): {why}"
        ))
    };
    match content_type {
        "" | "application/json" => serde_json::from_slice(bytes)
            .map_err(|error| bad(format!("couldn't get version/kind; json parse error: {error}"))),
        "application/yaml" => yaml(bytes).map_err(bad),
        protobuf::MEDIA_TYPE => protobuf::decode(bytes).map_err(bad),
        _ => Err(ApiError::unsupported_media_type()),
    }
}

/// Parses YAML, of which JSON is a part.
pub(super) fn yaml(bytes: &[u8]) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(text).map_err(|error| format!("error converting YAML to JSON: {}", error.without_snippet()))
}

/// Decodes a body as an object of `kind`. Returns the object without unknown fields, and warnings about them.
pub(super) fn decode(
    kind: &Kind,
    bytes: &[u8],
    content_type: &str,
    unknown: Unknown,
) -> Result<(Value, Vec<String>), ApiError> {
    let value = parse(bytes, content_type, kind.kind)?;
    let value = typed(kind, value)?;
    conform(kind, value, unknown)
}

/// Checks or fills in `apiVersion` and `kind`.
pub(super) fn typed(kind: &Kind, mut value: Value) -> Result<Value, ApiError> {
    let expected = kind.api_version();
    let Some(map) = value.as_object_mut() else {
        return Err(ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): it is no JSON object",
            kind.kind
        )));
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, name) = (text("apiVersion"), text("kind"));
    let (version_given, name_given) = (
        if version.is_empty() { expected.clone() } else { version },
        if name.is_empty() { kind.kind.to_owned() } else { name },
    );
    if version_given != expected || name_given != kind.kind {
        let why = if kinds::by_kind(&version_given, &name_given).is_none() {
            format!(
                "no kind \"{name_given}\" is registered for version \"{version_given}\" in scheme \"pkg/runtime/scheme.go:111\""
            )
        } else {
            format!(
                "it is a {name_given} of {version_given}, expected {} of {expected}",
                kind.kind
            )
        };
        let message = format!(
            "{name_given} in version \"{}\" cannot be handled as a {}: {why}",
            short(&version_given),
            kind.kind
        );
        return Err(ApiError::bad_request(message));
    }
    map.insert("kind".into(), Value::String(name_given));
    map.insert("apiVersion".into(), Value::String(version_given));
    Ok(value)
}

fn short(api_version: &str) -> &str {
    api_version.rsplit('/').next().unwrap_or(api_version)
}

/// Holds an object to its kind's shape.
pub(super) fn conform(kind: &Kind, value: Value, unknown: Unknown) -> Result<(Value, Vec<String>), ApiError> {
    conform_or(kind, value, unknown, |wrong| cannot(kind, &wrong.decoded))
}

/// The same for an applied configuration, which is typed before it is decoded: a value of the wrong type is refused in
/// other words, with the value. `place` is its namespace, if any, and its name.
pub(super) fn conform_applied(
    kind: &Kind,
    place: &str,
    value: Value,
    unknown: Unknown,
) -> Result<(Value, Vec<String>), ApiError> {
    conform_or(kind, value, unknown, |wrong| match &wrong.typed {
        Some(why) => ApiError::unknown(format!(
            "failed to create typed patch object ({place}; {}, Kind={}): {why}",
            if kind.group.is_empty() {
                format!("/{}", kind.version)
            } else {
                kind.api_version()
            },
            kind.kind
        )),
        None => cannot(kind, &wrong.decoded),
    })
}

fn cannot(kind: &Kind, why: &str) -> ApiError {
    ApiError::bad_request(format!(
        "{0} in version \"{1}\" cannot be handled as a {0}: {why}",
        kind.kind, kind.version
    ))
}

fn conform_or(
    kind: &Kind,
    mut value: Value,
    unknown: Unknown,
    refuse: impl Fn(Wrong) -> ApiError,
) -> Result<(Value, Vec<String>), ApiError> {
    let Some(shape) = schema::of(&kind.api_version(), kind.kind) else {
        return Ok((value, Vec::new()));
    };
    let mut check = Check {
        path: Vec::new(),
        unknown: Vec::new(),
    };
    check.value(&mut value, shape, "").map_err(refuse)?;
    let warnings: Vec<String> = check
        .unknown
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    match unknown {
        Unknown::Refuse if !warnings.is_empty() => {
            Err(cannot(kind, &format!("strict decoding error: {}", warnings.join(", "))))
        }
        Unknown::Warn => Ok((value, warnings)),
        _ => Ok((value, Vec::new())),
    }
}

struct Check {
    path: Vec<String>,
    unknown: Vec<String>,
}

/// A value of the wrong type, in the words of the two that look at it.
struct Wrong {
    /// Go's JSON decoder.
    decoded: String,
    /// Structured-merge-diff; none where it sees nothing wrong.
    typed: Option<String>,
}

impl Check {
    fn value(&mut self, value: &mut Value, shape: &Shape, owner: &str) -> Result<(), Wrong> {
        let right = match (shape, &mut *value) {
            (Shape::Any, _)
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Text | Shape::Time | Shape::Bytes | Shape::IntOrString | Shape::Quantity, Value::String(_))
            | (Shape::Float, Value::Number(_)) => true,
            (Shape::Int32 | Shape::IntOrString, Value::Number(number)) => {
                number.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
            }
            (Shape::Int64, Value::Number(number)) => number.as_i64().is_some(),
            (Shape::Quantity, Value::Number(number)) => {
                *value = Value::String(number.to_string());
                true
            }
            (Shape::List(item), Value::Array(list)) => {
                for (index, element) in list.iter_mut().enumerate() {
                    self.within(format!("[{index}]"), |check| check.value(element, item, owner))?;
                }
                true
            }
            (Shape::Map(item), Value::Object(map)) => {
                map.retain(|_, element| !element.is_null());
                for (key, element) in map.iter_mut() {
                    self.within(key.clone(), |check| check.value(element, item, owner))?;
                }
                true
            }
            (Shape::Struct(known), Value::Object(map)) => {
                map.retain(|key, element| {
                    let keep = known.field(key).is_some();
                    if !keep {
                        self.unknown.push(self.at(key));
                    }
                    keep && (!element.is_null() || NULLS_KEPT.contains(&key.as_str()))
                });
                for (key, element) in map.iter_mut().filter(|(_, element)| !element.is_null()) {
                    if let Some(shape) = known.field(key) {
                        self.within(key.clone(), |check| check.value(element, shape, known.name))?;
                    }
                }
                true
            }
            _ => false,
        };
        if right {
            return Ok(());
        }
        let found = match value {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Null => "null",
        };
        let wanted = match shape {
            Shape::Bool => "bool",
            Shape::Int32 => "int32",
            Shape::Int64 => "int64",
            Shape::Float => "float64",
            Shape::List(_) => "list",
            Shape::Map(_) => "map",
            Shape::Struct(known) => known.name,
            Shape::Time => "Time",
            Shape::Quantity => "Quantity",
            Shape::IntOrString => "IntOrString",
            Shape::Text | Shape::Bytes | Shape::Any => "string",
        };
        let path = self.path.join(".").replace(".[", "[");
        Err(Wrong {
            decoded: format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}"),
            typed: mistyped(value, shape).map(|why| format!(".{path}: {why}")),
        })
    }

    fn within<T>(&mut self, step: String, run: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = run(self);
        self.path.pop();
        result
    }

    fn at(&self, key: &str) -> String {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        path.join(".").replace(".[", "[")
    }
}

/// Structured-merge-diff's words for a value of the wrong type (`validateScalar`, `doList`, `doMap`); Go prints the value
/// as it has it in hand.
fn mistyped(value: &Value, shape: &Shape) -> Option<String> {
    let held = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let expected = match shape {
        Shape::Any => return None,
        Shape::Text | Shape::Time | Shape::Bytes => {
            return Some(format!("expected string, got &value.valueUnstructured{{Value:{held}}}"));
        }
        Shape::Int32 | Shape::Int64 | Shape::Float => {
            let got = match value {
                Value::Null | Value::Number(_) => return None,
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Array(_) => "[]interface {}",
                Value::Object(_) => "map[string]interface {}",
            };
            return Some(format!("expected numeric (int or float), got {got}"));
        }
        Shape::Bool => "boolean",
        Shape::Quantity | Shape::IntOrString => "any scalar",
        Shape::List(_) => "list",
        Shape::Map(_) | Shape::Struct(_) => "map",
    };
    Some(format!("expected {expected}, got &{{{held}}}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn deployment(body: Value, unknown: Unknown) -> Result<(Value, Vec<String>), ApiError> {
        decode(
            kinds::by_resource("deployments").unwrap(),
            body.to_string().as_bytes(),
            "application/json",
            unknown,
        )
    }

    #[test]
    fn unknown_fields_are_refused_warned_of_or_dropped() {
        let body = json!({"spec": {"replicas": 1, "nope": 1, "template": {"spec": {"containers": [{"name": "a", "imag": "b"}]}}}});
        let strict = deployment(body.clone(), Unknown::Refuse).unwrap_err();
        assert_eq!(
            strict.message,
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: \
             unknown field \"spec.nope\", unknown field \"spec.template.spec.containers[0].imag\""
        );
        let (object, warnings) = deployment(body.clone(), Unknown::Warn).unwrap();
        assert_eq!(warnings.len(), 2);
        assert!(object["spec"].get("nope").is_none());
        assert_eq!(object["apiVersion"], "apps/v1");
        assert!(deployment(body, Unknown::Ignore).unwrap().1.is_empty());
    }

    #[test]
    fn types_are_checked_and_nulls_dropped() {
        let wrong = deployment(json!({"spec": {"replicas": "three"}}), Unknown::Ignore).unwrap_err();
        assert!(wrong.message.ends_with(
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ));
        let (object, _) = deployment(
            json!({"metadata": {"creationTimestamp": null}, "spec": {"strategy": null}}),
            Unknown::Refuse,
        )
        .unwrap();
        assert_eq!(object["metadata"], json!({}));
        assert_eq!(object["spec"], json!({}));
        let limits = json!({"spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": 2}}}]}}}});
        let (object, _) = deployment(limits, Unknown::Refuse).unwrap();
        assert_eq!(
            object["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"],
            "2"
        );
    }

    #[test]
    fn an_applied_value_of_the_wrong_type_is_refused_with_the_value() {
        let secret = kinds::by_resource("secrets").unwrap();
        let refused = |wrong: Value| conform_applied(secret, "default/key", wrong, Unknown::Refuse).unwrap_err();
        let why = |wrong: Value| refused(wrong).message;
        let of_apply = "failed to create typed patch object (default/key; /v1, Kind=Secret): ";
        assert_eq!(
            why(json!({"stringData": {"pin": 1234}})),
            format!("{of_apply}.stringData.pin: expected string, got &value.valueUnstructured{{Value:1234}}")
        );
        assert_eq!(
            why(json!({"data": "hunter2"})),
            format!("{of_apply}.data: expected map, got &{{hunter2}}")
        );
        assert_eq!(
            why(json!({"metadata": {"generation": "x"}})),
            format!("{of_apply}.metadata.generation: expected numeric (int or float), got string")
        );
        let code = refused(json!({"immutable": "yes"}));
        assert_eq!((code.code, code.reason), (500, ""));
    }

    #[test]
    fn bodies_of_another_type_are_refused() {
        let kind = kinds::by_resource("deployments").unwrap();
        for bad in [
            "",
            "[]",
            "{",
            "3",
            "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
            "{\"kind\":\"Deployment\",\"apiVersion\":\"v9\"}",
        ] {
            assert_eq!(
                decode(kind, bad.as_bytes(), "application/json", Unknown::Ignore)
                    .unwrap_err()
                    .code,
                400,
                "{bad}"
            );
        }
        assert_eq!(
            decode(kind, b"{}", "text/plain", Unknown::Ignore).unwrap_err().code,
            415
        );
        let yaml = b"kind: Deployment\nspec:\n  replicas: 2\n";
        assert_eq!(
            decode(kind, yaml, "application/yaml", Unknown::Refuse).unwrap().0["spec"]["replicas"],
            2
        );
    }
}
