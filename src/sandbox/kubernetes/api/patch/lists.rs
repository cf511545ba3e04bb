//! Which lists are keyed, by the type of their items, and by which fields. Everything else is replaced as a whole.

use serde_json::Value;

use crate::sandbox::kubernetes::schema::Shape;

/// The key fields of a list's items; `None` when the list is one value. A strategic merge uses the first only.
pub(in super::super) fn keys(item: &Shape) -> Option<&'static [&'static str]> {
    let Shape::Struct(item) = item else {
        return None;
    };
    match item.name {
        "Container"
        | "EphemeralContainer"
        | "EnvVar"
        | "Volume"
        | "LocalObjectReference"
        | "ObjectReference"
        | "PodSchedulingGate"
        | "PodResourceClaim"
        | "ResourceClaim"
        | "ResourceStatus" => Some(&["name"]),
        "ContainerPort" => Some(&["containerPort", "protocol"]),
        "ServicePort" => Some(&["port", "protocol"]),
        "VolumeMount" => Some(&["mountPath"]),
        "VolumeDevice" => Some(&["devicePath"]),
        "HostAlias" | "PodIP" => Some(&["ip"]),
        "TopologySpreadConstraint" => Some(&["topologyKey", "whenUnsatisfiable"]),
        "OwnerReference" => Some(&["uid"]),
        "NodeAddress" => Some(&["type"]),
        name if name.ends_with("Condition") => Some(&["type"]),
        _ => None,
    }
}

/// Whether a list of plain values under this field is a set.
pub(in super::super) fn is_set(field: &str) -> bool {
    field == "finalizers"
}

/// Whether an object at this field is one value: its owner owns all of it.
pub(in super::super) fn is_atomic(field: &str, shape: &Shape) -> bool {
    match shape {
        Shape::Struct(known) => matches!(
            known.name,
            "LabelSelector"
                | "NodeSelector"
                | "NodeSelectorTerm"
                | "SecretKeySelector"
                | "ConfigMapKeySelector"
                | "ObjectFieldSelector"
                | "ResourceFieldSelector"
                | "TypedLocalObjectReference"
        ),
        Shape::Map(_) => matches!(field, "nodeSelector" | "selector"),
        _ => false,
    }
}

/// A key field's value, with the default it has when left out.
pub(in super::super) fn key_value(item: &Value, key: &str) -> Value {
    match (&item[key], key) {
        (Value::Null, "protocol") => Value::String("TCP".to_owned()),
        (value, _) => value.clone(),
    }
}

/// Whether two items have the same key.
pub(in super::super) fn same(a: &Value, b: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| key_value(a, key) == key_value(b, key))
}
