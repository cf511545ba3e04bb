//! Defaults: what a real API server fills in, field by field as its recorded answers show. Controllers that store
//! objects directly call the same functions. Not for rules (`validate`) and not for what controllers write later.

use serde_json::{Map, Value, json};

use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::random::Random;

pub mod pod;
pub mod service;
pub mod workload;

/// Fills in a new object.
pub fn create(kind: &Kind, object: &mut Value, random: &mut Random) {
    update(kind, object);
    match kind.resource {
        "pods" => {
            pod::admit(object, random);
            object["status"] = json!({"phase": "Pending", "qosClass": pod::qos(object)});
        }
        "namespaces" => {
            object["status"] = json!({"phase": "Active"});
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        "services" => object["status"] = json!({"loadBalancer": {}}),
        "replicasets" | "replicationcontrollers" => object["status"] = json!({"replicas": 0}),
        "statefulsets" => object["status"] = json!({"replicas": 0, "availableReplicas": 0}),
        "daemonsets" => {
            object["status"] = json!({"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0});
        }
        _ if kind.has_status() => object["status"] = json!({}),
        _ => {}
    }
}

/// Fills in what an update may have left out.
pub fn update(kind: &Kind, object: &mut Value) {
    match kind.resource {
        "pods" => pod::spec(&mut object["spec"]),
        "deployments" => workload::deployment(object),
        "replicasets" | "replicationcontrollers" => workload::replicaset(object),
        "statefulsets" => workload::statefulset(object),
        "daemonsets" => workload::daemonset(object),
        "jobs" => workload::job(object),
        "cronjobs" => workload::cronjob(object),
        "services" => service::spec(object),
        "secrets" => secret(object),
        "namespaces" => {
            if let Some(spec) = map(&mut object["spec"]) {
                set(spec, "finalizers", json!(["kubernetes"]));
            }
        }
        "nodes" if object["spec"].is_null() => object["spec"] = json!({}),
        _ => {}
    }
}

fn secret(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        set(fields, "type", json!("Opaque"));
        // What is given as text is kept as base64, as the API only ever shows it.
        if let Some(Value::Object(plain)) = fields.shift_remove("stringData") {
            let data = fields.entry("data").or_insert_with(|| json!({}));
            for (key, value) in plain {
                let text = value.as_str().unwrap_or_default();
                data[key] = json!(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text));
            }
        }
    }
}

/// The object at this place, made empty when there is none.
fn map(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut()
}

/// Sets a field that is missing, null or empty text.
fn set(map: &mut Map<String, Value>, field: &str, value: Value) {
    let empty = map
        .get(field)
        .is_none_or(|old| old.is_null() || old.as_str() == Some(""));
    if empty {
        map.insert(field.to_owned(), value);
    }
}
