//! Discovery: which groups, versions and resources there are, one by one and aggregated.

use http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::Api;
use super::accept::{self, Form};
use super::body::{self, Reply};
use super::metrics;
use super::openapi;
use super::openapi_v2;
use super::status::ApiError;
use crate::sandbox::kubernetes::kinds::{KINDS, Kind};

/// Answers a path outside the resources.
pub(super) fn answer(api: &Api, path: &str, headers: &HeaderMap) -> Result<Reply, ApiError> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["api"] if wants_aggregated(headers) => Ok(aggregated(&[""], None)),
        ["apis"] if wants_aggregated(headers) => {
            Ok(aggregated(&groups(), api.config.metrics.then(metrics::aggregated)))
        }
        ["api"] => Ok(body::json(
            200,
            &json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": api.address.to_string()}],
            }),
        )),
        ["apis"] => {
            let installed = api.config.metrics.then(metrics::group);
            let groups: Vec<Value> = groups().into_iter().map(group).chain(installed).collect();
            Ok(body::json(
                200,
                &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
            ))
        }
        ["apis", name] if groups().contains(name) => {
            let mut document = json!({"kind": "APIGroup", "apiVersion": "v1"});
            if let (Some(document), Value::Object(group)) = (document.as_object_mut(), group(name)) {
                document.extend(group);
            }
            Ok(body::json(200, &document))
        }
        ["apis", metrics::GROUP] if api.config.metrics => Ok(body::json(200, &metrics::group())),
        ["apis", metrics::GROUP, metrics::VERSION] if api.config.metrics => Ok(body::json(200, &metrics::resources())),
        ["openapi", "v2"] => Ok(openapi_v2::answer(headers)),
        ["openapi", "v3", rest @ ..] => openapi::answer(rest),
        ["api", version] => resources("", version),
        ["apis", group, version] => resources(group, version),
        [] | [""] => Ok(body::json(200, &json!({"paths": paths()}))),
        _ => Err(ApiError::path_not_found()),
    }
}

fn wants_aggregated(headers: &HeaderMap) -> bool {
    matches!(accept::negotiate(headers), Ok(Form::Discovery))
}

/// Named groups in order.
pub(super) fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = KINDS
        .iter()
        .map(|kind| kind.group)
        .filter(|group| !group.is_empty())
        .collect();
    groups.dedup();
    groups
}

/// Versions of a group, the preferred one first.
pub(super) fn versions(group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = KINDS
        .iter()
        .filter(|kind| kind.group == group)
        .map(|kind| kind.version)
        .collect();
    versions.dedup();
    versions
}

/// The kinds of one group and version.
pub(super) fn kinds_of<'a>(group: &'a str, version: &'a str) -> impl Iterator<Item = &'static Kind> + 'a {
    KINDS
        .iter()
        .filter(move |kind| kind.group == group && kind.version == version)
}

fn group(name: &str) -> Value {
    let versions: Vec<Value> = versions(name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

fn resources(group: &str, version: &str) -> Result<Reply, ApiError> {
    let mut list: Vec<Value> = Vec::new();
    for kind in kinds_of(group, version) {
        let mut row = Map::new();
        row.insert("name".into(), json!(kind.resource));
        row.insert("singularName".into(), json!(kind.singular));
        row.insert("namespaced".into(), json!(kind.namespaced));
        row.insert("kind".into(), json!(kind.kind));
        row.insert("verbs".into(), json!(kind.verbs));
        for (field, value) in [("shortNames", kind.short_names), ("categories", kind.categories)] {
            if !value.is_empty() {
                row.insert(field.into(), json!(value));
            }
        }
        if !kind.storage_hash.is_empty() {
            row.insert("storageVersionHash".into(), json!(kind.storage_hash));
        }
        list.push(Value::Object(row));
        for sub in kind.subresources {
            let mut row = Map::new();
            row.insert("name".into(), json!(format!("{}/{}", kind.resource, sub.name)));
            row.insert("singularName".into(), json!(""));
            row.insert("namespaced".into(), json!(kind.namespaced));
            for (field, value) in [("group", sub.group), ("version", sub.version)] {
                if !value.is_empty() {
                    row.insert(field.into(), json!(value));
                }
            }
            row.insert("kind".into(), json!(sub.kind));
            row.insert("verbs".into(), json!(sub.verbs));
            list.push(Value::Object(row));
        }
    }
    if list.is_empty() {
        return Err(ApiError::path_not_found());
    }
    let version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut document = json!({"kind": "APIResourceList"});
    if !group.is_empty() {
        document["apiVersion"] = json!("v1");
    }
    document["groupVersion"] = json!(version);
    document["resources"] = Value::Array(list);
    Ok(body::json(200, &document))
}

fn aggregated(groups: &[&str], installed: Option<Value>) -> Reply {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = versions(group)
                .into_iter()
                .map(|version| {
                    let resources: Vec<Value> = kinds_of(group, version).map(aggregated_resource).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let meta = if group.is_empty() {
                json!({})
            } else {
                json!({"name": group})
            };
            json!({"metadata": meta, "versions": versions})
        })
        .chain(installed)
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items
    });
    let mut reply = body::json(200, &list);
    let kind = header::HeaderValue::from_static("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}

fn aggregated_resource(kind: &'static Kind) -> Value {
    let response = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut row = Map::new();
    row.insert("resource".into(), json!(kind.resource));
    row.insert("responseKind".into(), response("", "", kind.kind));
    row.insert(
        "scope".into(),
        json!(if kind.namespaced { "Namespaced" } else { "Cluster" }),
    );
    row.insert("singularResource".into(), json!(kind.singular));
    row.insert("verbs".into(), json!(kind.verbs));
    for (field, value) in [("shortNames", kind.short_names), ("categories", kind.categories)] {
        if !value.is_empty() {
            row.insert(field.into(), json!(value));
        }
    }
    if !kind.subresources.is_empty() {
        let subs: Vec<Value> = kind
            .subresources
            .iter()
            .map(|sub| {
                json!({"subresource": sub.name, "responseKind": response(sub.group, sub.version, sub.kind), "verbs": sub.verbs})
            })
            .collect();
        row.insert("subresources".into(), Value::Array(subs));
    }
    Value::Object(row)
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis"].map(str::to_owned).to_vec();
    for group in groups() {
        paths.push(format!("/apis/{group}"));
        paths.extend(
            versions(group)
                .into_iter()
                .map(|version| format!("/apis/{group}/{version}")),
        );
    }
    paths.extend(
        [
            "/healthz",
            "/livez",
            "/openapi/v2",
            "/openapi/v3",
            "/readyz",
            "/version",
        ]
        .map(str::to_owned),
    );
    paths
}
