//! The `scale` subresource: `autoscaling/v1` Scale in front of `spec.replicas`.

use serde_json::{Value, json};

use super::Api;
use super::accept::Form;
use super::body::{self, Reply};
use super::decode;
use super::dispatch::Call;
use super::patch::Patch;
use super::read;
use super::selector::selector_text;
use super::status::{ApiError, Cause};
use super::write;

/// `GET`.
pub(super) fn get(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let object = read::find(api, call)?;
    answer(call, &of(&object))
}

/// `PUT` and `PATCH`.
pub(super) fn change(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let (kind, name) = (call.target.kind, &call.target.name);
    let patch = match call.content_type.as_str() {
        "" | "application/json" | "application/yaml" => None,
        other => Some(Patch::parse(other, &call.body)?),
    };
    let given = match &patch {
        None => Some(decode::parse(&call.body, &call.content_type, "Scale")?),
        Some(_) => None,
    };
    let stored = write::replace(api, call, |old| {
        let scale = match (&patch, &given) {
            (Some(patch), _) => patch.to_plain(&of(old))?,
            (None, given) => given.clone().unwrap_or_default(),
        };
        let replicas = match &scale["spec"]["replicas"] {
            Value::Null => 0,
            number => number.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal {number} into Go struct field ScaleSpec.spec.replicas of type int32"
                ))
            })?,
        };
        if replicas < 0 {
            let cause = Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0");
            return Err(ApiError::invalid(kind, name, &[cause]));
        }
        let mut new = old.clone();
        for field in ["resourceVersion", "uid"] {
            if let Some(condition) = scale["metadata"].get(field).filter(|value| !value.is_null()) {
                new["metadata"][field] = condition.clone();
            }
        }
        new["spec"]["replicas"] = json!(replicas);
        Ok(new)
    })?;
    answer(call, &of(&stored))
}

fn answer(call: &Call, scale: &Value) -> Result<Reply, ApiError> {
    match call.form {
        // There is no table of scales; kubectl takes the object as well.
        Form::Object | Form::Table => Ok(body::json(200, scale)),
        _ => Err(ApiError::not_acceptable()),
    }
}

fn of(object: &Value) -> Value {
    let mut meta = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            meta[field] = value.clone();
        }
    }
    // Zero replicas are left out, as the type's own JSON does.
    let mut spec = json!({});
    if let Some(replicas) = object["spec"]["replicas"].as_i64().filter(|n| *n != 0) {
        spec["replicas"] = json!(replicas);
    }
    let selector = &object["spec"]["selector"];
    let text = match selector {
        Value::Object(map) if !map.contains_key("matchLabels") && !map.contains_key("matchExpressions") => {
            // A ReplicationController's selector is a plain map.
            map.iter()
                .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(",")
        }
        _ => selector_text(selector),
    };
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": spec,
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0), "selector": text},
    })
}
