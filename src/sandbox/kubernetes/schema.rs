//! The shape of each kind's objects: field names and types, learnt once from the `k8s-openapi` types by letting them
//! deserialise from a probe that writes down what they ask for. It serves strict decoding, OpenAPI documents and
//! field ownership. Not for rules beyond types: those are `api::validate`'s.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

mod probe;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A 32 bit integer.
    Int32,
    /// A 64 bit integer.
    Int64,
    /// A floating point number.
    Float,
    /// Text.
    Text,
    /// RFC 3339 text.
    Time,
    /// Base64 text.
    Bytes,
    /// An integer or text.
    IntOrString,
    /// A resource amount: text, or a number that is stored as text.
    Quantity,
    /// Any JSON.
    Any,
    /// A list.
    List(Arc<Shape>),
    /// An object with free keys.
    Map(Arc<Shape>),
    /// An object with known keys.
    Struct(Arc<Struct>),
}

/// A [`Shape::Struct`]: its type's name and its fields in declaration order.
#[derive(Debug, PartialEq, Eq)]
pub struct Struct {
    /// Name of the type: `PodSpec`.
    pub name: &'static str,
    /// Field names and their types.
    pub fields: Vec<(&'static str, Shape)>,
}

impl Struct {
    /// The type of a field.
    pub fn field(&self, name: &str) -> Option<&Shape> {
        self.fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, shape)| shape)
    }
}

/// Keyed by `apiVersion kind`.
type Table = BTreeMap<String, Shape>;

/// The shape of a kind's objects; `None` for the few kinds that are stored without being looked into.
pub fn of(api_version: &str, kind: &str) -> Option<&'static Shape> {
    static SHAPES: OnceLock<Table> = OnceLock::new();
    SHAPES.get_or_init(probe::all).get(&format!("{api_version} {kind}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn at(shape: &Shape, path: &str) -> Shape {
        path.split('.').fold(shape.clone(), |shape, step| match shape {
            Shape::Struct(s) => s.field(step).unwrap_or_else(|| panic!("{step}")).clone(),
            Shape::List(inner) | Shape::Map(inner) => (*inner).clone(),
            other => panic!("{step} in {other:?}"),
        })
    }

    #[test]
    fn deployments_have_the_expected_fields() {
        let shape = of("apps/v1", "Deployment").unwrap();
        assert_eq!(at(shape, "spec.replicas"), Shape::Int32);
        assert_eq!(at(shape, "spec.paused"), Shape::Bool);
        assert_eq!(at(shape, "spec.strategy.rollingUpdate.maxSurge"), Shape::IntOrString);
        assert_eq!(at(shape, "metadata.creationTimestamp"), Shape::Time);
        assert_eq!(at(shape, "metadata.labels.*"), Shape::Text);
        assert_eq!(at(shape, "metadata.managedFields.0.fieldsV1"), Shape::Any);
        let container = "spec.template.spec.containers.0";
        assert_eq!(at(shape, &format!("{container}.resources.limits.*")), Shape::Quantity);
        assert_eq!(at(shape, &format!("{container}.ports.0.containerPort")), Shape::Int32);
        assert_eq!(
            at(shape, &format!("{container}.livenessProbe.httpGet.port")),
            Shape::IntOrString
        );
        assert_eq!(at(of("v1", "Secret").unwrap(), "data.*"), Shape::Bytes);
        assert!(of("apps/v1", "StatefulSet").is_some() && of("autoscaling/v2", "HorizontalPodAutoscaler").is_some());
        assert!(of("v9", "Nope").is_none());
    }
}
