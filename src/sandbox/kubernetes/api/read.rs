//! Reading: one object, and lists with selectors and pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Api;
use super::body::Reply;
use super::dispatch::Call;
use super::render::{self, Include, ListMeta};
use super::selector::Filter;
use super::status::ApiError;
use crate::sandbox::kubernetes::store::Object;

/// `GET` of one object.
pub(super) fn get(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let target = &call.target;
    let object = find(api, call)?;
    let include = Include::parse(call.query.text("includeObject"))?;
    render::object(200, target.kind, &object, call.form, include, api.store.clock().now())
}

/// The object a request names.
pub(super) fn find(api: &Api, call: &Call) -> Result<Object, ApiError> {
    let target = &call.target;
    let found = api.store.get(target.kind.resource, &target.namespace, &target.name);
    found.ok_or_else(|| ApiError::not_found(target.kind, &target.name))
}

/// `GET` of a collection.
pub(super) fn list(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let include = Include::parse(call.query.text("includeObject"))?;
    check_version(api, call)?;
    let filter = filter(call)?;
    let (mut objects, version) = select(api, call, &filter);
    let mut meta = ListMeta {
        version,
        ..ListMeta::default()
    };

    let token = call.query.text("continue");
    if !token.is_empty() {
        let (at, start) = read_token(token)?;
        if at > version {
            return Err(ApiError::bad_request(
                "continue key is not valid: it is from the future",
            ));
        }
        if api.store.is_compacted(at) {
            return Err(ApiError::expired(
                "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
            ));
        }
        // The page is taken from the present state; the version stays the first page's, so a watch from it
        // replays whatever changed in between.
        meta.version = at;
        objects.retain(|object| key(object).as_str() > start.as_str());
    }
    let limit = call
        .query
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    if let Some(limit) = limit
        && objects.len() > limit
    {
        if !filter.narrows() {
            meta.remaining = Some(objects.len() - limit);
        }
        objects.truncate(limit);
        meta.next = objects
            .last()
            .map(|last| write_token(meta.version, &call.target.namespace, &key(last)));
    }
    render::list(api, kind, &objects, &meta, call.form, include)
}

/// The filter of a list or watch: namespace, label and field selector, and the name of a single-object watch.
pub(super) fn filter(call: &Call) -> Result<Filter, ApiError> {
    let (target, query) = (&call.target, &call.query);
    Filter::parse(
        target.kind,
        &target.namespace,
        query.text("labelSelector"),
        query.text("fieldSelector"),
    )
}

/// The objects that pass the filter, sorted, and the version they are of.
pub(super) fn select(api: &Api, call: &Call, filter: &Filter) -> (Vec<Object>, u64) {
    let (resource, namespace) = (call.target.kind.resource, Some(call.target.namespace.as_str()));
    let (mut objects, version) = match filter.term() {
        Some(term) => api.store.find_at(resource, namespace, term),
        None => api.store.list_at(resource, namespace),
    };
    if filter.narrows() {
        objects.retain(|object| filter.matches(object));
    }
    (objects, version)
}

/// Refuses versions that do not exist, and exact versions, which the sandbox keeps no snapshots of.
pub(super) fn check_version(api: &Api, call: &Call) -> Result<(), ApiError> {
    let text = call.query.text("resourceVersion");
    if text.is_empty() {
        return Ok(());
    }
    let Ok(asked) = text.parse::<u64>() else {
        let cause = format!("resourceVersion: Invalid value: {text:?}: must be a number");
        return Err(ApiError::bad_request(cause));
    };
    let current = api.store.version();
    if asked > current {
        return Err(ApiError::too_large_version(asked, current));
    }
    if call.query.text("resourceVersionMatch") == "Exact" && asked != current && api.store.is_compacted(asked) {
        return Err(ApiError::expired(format!(
            "The resourceVersion for the provided list is too old: {asked}"
        )));
    }
    Ok(())
}

fn key(object: &Value) -> String {
    let meta = &object["metadata"];
    let name = meta["name"].as_str().unwrap_or_default();
    match meta["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

fn write_token(version: u64, namespace: &str, last: &str) -> String {
    let relative = last.strip_prefix(namespace).unwrap_or(last).trim_start_matches('/');
    let prefix = if namespace.is_empty() { "" } else { "/" };
    let token =
        json!({"v": "meta.k8s.io/v1", "rv": version, "start": format!("{prefix}{relative}\u{0}"), "ns": namespace});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Result<(u64, String), ApiError> {
    let bad = || ApiError::bad_request("continue key is not valid: it was not made by this server");
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| bad())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    let version = value["rv"].as_u64().ok_or_else(bad)?;
    let start = value["start"].as_str().ok_or_else(bad)?.trim_end_matches('\u{0}');
    let namespace = value["ns"].as_str().unwrap_or_default();
    Ok((version, format!("{namespace}{start}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn continue_tokens_round_trip() {
        assert_eq!(read_token(&write_token(7, "d", "d/x")).unwrap(), (7, "d/x".into()));
        assert_eq!(read_token(&write_token(7, "", "d/x")).unwrap(), (7, "d/x".into()));
        assert_eq!(read_token(&write_token(7, "", "node")).unwrap(), (7, "node".into()));
        assert_eq!(read_token("%%%").unwrap_err().code, 400);
        assert_eq!(read_token("bm9wZQ").unwrap_err().code, 400);
    }
}
