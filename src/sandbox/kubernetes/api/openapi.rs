//! OpenAPI v3: the index and one document a group and version, made from the kinds' shapes. kubectl needs them to
//! validate, to apply and to explain. There are no descriptions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::body::{self, Reply};
use super::discovery::{groups, kinds_of, versions};
use super::patch::lists;
use super::status::ApiError;
use crate::sandbox::kubernetes::RELEASE;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::schema::{self, Shape, Struct};

/// Query parameters of writes, which kubectl looks for before it uses them.
const WRITE_PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "pretty"];

/// `/openapi/v3` and what is below it.
pub(super) fn answer(rest: &[&str]) -> Result<Reply, ApiError> {
    if rest.is_empty() {
        // A real server gives this JSON without its type.
        return Ok(body::text(200, index().to_string()));
    }
    let path = rest.join("/");
    if !paths().contains(&path) {
        return Err(ApiError::path_not_found());
    }
    Ok(body::json(200, &document(rest)))
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [".well-known/openid-configuration", "api", "api/v1", "apis"]
        .map(str::to_owned)
        .to_vec();
    for group in groups() {
        paths.push(format!("apis/{group}"));
        paths.extend(
            versions(group)
                .into_iter()
                .map(|version| format!("apis/{group}/{version}")),
        );
    }
    paths.extend(["openid/v1/jwks", "version"].map(str::to_owned));
    paths
}

fn index() -> Value {
    let mut map = Map::new();
    for path in paths() {
        // The documents follow from the version alone, so a hash of path and version changes when they do.
        let digest = Sha256::digest(format!("{path} {}", super::version::version()));
        let hash: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        map.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": map})
}

fn document(rest: &[&str]) -> Value {
    let (group, version) = match rest {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => ("", ""),
    };
    let mut schemas = BTreeMap::new();
    let mut paths = Map::new();
    for kind in kinds_of(group, version) {
        let shape = schema::of(&kind.api_version(), kind.kind);
        let name = schema_name(kind, kind.kind);
        match shape {
            Some(Shape::Struct(known)) => collect(kind, known, &mut schemas),
            _ => {
                schemas.insert(name.clone(), json!({"type": "object"}));
            }
        }
        if let Some(schema) = schemas.get_mut(&name) {
            schema["x-kubernetes-group-version-kind"] = json!([gvk(kind)]);
        }
        for (path, item) in operations(kind, &name) {
            paths.insert(path, item);
        }
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": RELEASE},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

/// Types are named apart by group and version, so that equal names of two groups do not meet.
fn schema_name(kind: &Kind, name: &str) -> String {
    let group = kind
        .group
        .split('.')
        .next()
        .filter(|group| !group.is_empty())
        .unwrap_or("core");
    format!("io.k8s.api.{group}.{}.{name}", kind.version)
}

fn operations(kind: &Kind, schema: &str) -> Vec<(String, Value)> {
    let root = if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}", kind.api_version())
    };
    let base = if kind.namespaced {
        format!("{root}/namespaces/{{namespace}}")
    } else {
        root
    };
    let content = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    let operation = |action: &str| {
        let mut operation = json!({
            "operationId": format!("{action}{}{}{}", kind.group.replace('.', ""), kind.version, kind.kind),
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk(kind),
        });
        if !matches!(action, "get" | "list") {
            let parameters = WRITE_PARAMETERS
                .iter()
                .chain((action == "patch").then_some(&"force"))
                .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}));
            operation["parameters"] = Value::Array(parameters.collect());
        }
        operation
    };
    let item = |verbs: &[(&str, &str, &str)]| {
        let mut item = Map::new();
        for (verb, method, action) in verbs {
            if kind.verbs.contains(verb) {
                item.insert((*method).to_owned(), operation(action));
            }
        }
        Value::Object(item)
    };
    let collection = item(&[
        ("list", "get", "list"),
        ("create", "post", "post"),
        ("deletecollection", "delete", "deletecollection"),
    ]);
    let one = item(&[
        ("get", "get", "get"),
        ("update", "put", "put"),
        ("patch", "patch", "patch"),
        ("delete", "delete", "delete"),
    ]);
    vec![
        (format!("{base}/{}", kind.resource), collection),
        (format!("{base}/{}/{{name}}", kind.resource), one),
    ]
}

/// Adds a type and all types below it.
fn collect(kind: &Kind, known: &Struct, out: &mut BTreeMap<String, Value>) {
    let name = schema_name(kind, known.name);
    if out.contains_key(&name) {
        return;
    }
    out.insert(name.clone(), Value::Null);
    let mut properties = Map::new();
    for (field, shape) in &known.fields {
        let mut property = property(kind, shape, out);
        annotate(field, shape, &mut property);
        properties.insert((*field).to_owned(), property);
    }
    out.insert(name, json!({"type": "object", "properties": properties}));
}

fn property(kind: &Kind, shape: &Shape, out: &mut BTreeMap<String, Value>) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int32 => json!({"type": "integer", "format": "int32"}),
        Shape::Int64 => json!({"type": "integer", "format": "int64"}),
        Shape::Float => json!({"type": "number", "format": "double"}),
        Shape::Text => json!({"type": "string"}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
        Shape::Bytes => json!({"type": "string", "format": "byte"}),
        Shape::IntOrString => json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
        Shape::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        Shape::Any => json!({"type": "object"}),
        Shape::List(item) => json!({"type": "array", "items": property(kind, item, out)}),
        Shape::Map(item) => json!({"type": "object", "additionalProperties": property(kind, item, out)}),
        Shape::Struct(known) => {
            collect(kind, known, out);
            json!({"allOf": [{"$ref": format!("#/components/schemas/{}", schema_name(kind, known.name))}]})
        }
    }
}

/// How lists and structs merge: what clients compute their patches by.
fn annotate(field: &str, shape: &Shape, property: &mut Value) {
    match shape {
        Shape::List(item) => match lists::keys(item) {
            Some(keys) => {
                let strategy = if field == "volumes" {
                    "merge,retainKeys"
                } else {
                    "merge"
                };
                property["x-kubernetes-list-type"] = json!("map");
                property["x-kubernetes-list-map-keys"] = json!(keys);
                property["x-kubernetes-patch-merge-key"] = json!(keys.first());
                property["x-kubernetes-patch-strategy"] = json!(strategy);
            }
            None if lists::is_set(field) => {
                property["x-kubernetes-list-type"] = json!("set");
                property["x-kubernetes-patch-strategy"] = json!("merge");
            }
            None => property["x-kubernetes-list-type"] = json!("atomic"),
        },
        Shape::Struct(known) if known.name == "DeploymentStrategy" => {
            property["x-kubernetes-patch-strategy"] = json!("retainKeys");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_every_type_they_refer_to() {
        for path in paths() {
            let rest: Vec<&str> = path.split('/').collect();
            let document = document(&rest);
            let text = document.to_string();
            for reference in text
                .split("#/components/schemas/")
                .skip(1)
                .filter_map(|tail| tail.split('"').next())
            {
                assert!(
                    document["components"]["schemas"][reference].is_object(),
                    "{path}: {reference}"
                );
            }
        }
    }

    #[test]
    fn kubectl_finds_what_it_looks_for() {
        let document = document(&["apis", "apps", "v1"]);
        let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Deployment");
        assert!(
            patch["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|p| p["name"] == "fieldValidation"))
        );
        let containers = &document["components"]["schemas"]["io.k8s.api.apps.v1.PodSpec"]["properties"]["containers"];
        assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    }
}
