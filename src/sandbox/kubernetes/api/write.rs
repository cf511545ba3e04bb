//! Writing: create, replace and patch. Every write takes the same steps: decode, keep what the writer may not change,
//! default, validate, record the field's owners, store.

use http::header::{HeaderValue, WARNING};
use serde_json::{Value, json};

use super::Api;
use super::body::{self, Reply};
use super::decode::{self, Unknown};
use super::defaults;
use super::dispatch::Call;
use super::patch::{self, managed};
use super::render::{self, Include};
use super::status::ApiError;
use super::validate;
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::quota;
use crate::sandbox::kubernetes::store::{Object, Store, StoreError, version_of};

/// How often a patch is computed again because another writer came first.
const ATTEMPTS: usize = 8;

/// `POST` to a collection.
pub(super) fn create(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    namespace_accepts(api, call)?;
    let unknown = Unknown::parse(call.query.text("fieldValidation"))?;
    let (object, warnings) = decode::decode(kind, &call.body, &call.content_type, unknown)?;
    let stored = create_object(api, call, object, managed::Operation::Update)?;
    respond(api, call, 201, &stored, &warnings)
}

/// Stores a decoded new object in the request's namespace, or pretends to on a dry run.
pub(super) fn create_object(
    api: &Api,
    call: &Call,
    mut object: Value,
    operation: managed::Operation,
) -> Result<Object, ApiError> {
    let (kind, target) = (call.target.kind, &call.target);
    let dry_run = call.dry_run()?;
    let given = object["metadata"]["namespace"].as_str().unwrap_or_default();
    if kind.namespaced && !given.is_empty() && given != target.namespace {
        return Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if version_of(&object).is_some_and(|version| !version.is_empty()) {
        return Err(ApiError::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if kind.namespaced {
        object["metadata"]["namespace"] = json!(target.namespace);
    }
    if let Some(meta) = object["metadata"].as_object_mut() {
        for field in [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
        ] {
            meta.shift_remove(field);
        }
        if operation == managed::Operation::Update {
            meta.shift_remove("managedFields");
        }
    }
    if kind.has_status()
        && let Some(map) = object.as_object_mut()
    {
        map.shift_remove("status");
    }
    name_it(api, &mut object);
    api.store.draw(|random| defaults::create(kind, &mut object, random));
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if operation == managed::Operation::Update {
        managed::updated(
            kind,
            None,
            &mut object,
            &managed::Writer::of(call, &api.store.clock().rfc3339()),
        );
    }

    // Held until the object is stored, so that no two services get the same address or port.
    let _allocation = lock(api, kind);
    let mut causes = Vec::new();
    if kind.resource == "services" {
        defaults::service::allocate(&api.store, &mut object, None, &mut causes);
    }
    causes.extend(validate::create(kind, &object));
    if !causes.is_empty() {
        return Err(ApiError::invalid(kind, &name, &causes));
    }
    let refused = |error| ApiError::from_store(error, kind, &name);
    if dry_run {
        return Ok(Object::new(api.store.draft(kind.resource, object).map_err(refused)?));
    }
    quota::admit(&api.store, kind.resource, &object)
        .map_err(|why| ApiError::forbidden_object(kind, &name, &why, None))?;
    api.store.create(kind.resource, object).map_err(refused)
}

fn lock<'a>(api: &'a Api, kind: &Kind) -> Option<std::sync::MutexGuard<'a, ()>> {
    (kind.resource == "services").then(|| api.allocation.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Gives an object with `generateName` its name.
fn name_it(api: &Api, object: &mut Value) {
    let meta = &object["metadata"];
    let prefix = meta["generateName"].as_str().unwrap_or_default();
    if !meta["name"].as_str().unwrap_or_default().is_empty() || prefix.is_empty() {
        return;
    }
    let prefix: String = prefix.chars().take(58).collect();
    object["metadata"]["name"] = json!(format!("{prefix}{}", api.store.draw(|random| random.name_suffix(5))));
}

/// Refuses new objects in namespaces that do not exist or are going away.
pub(super) fn namespace_accepts(api: &Api, call: &Call) -> Result<(), ApiError> {
    let (kind, namespace) = (call.target.kind, &call.target.namespace);
    if !kind.namespaced {
        return Ok(());
    }
    let namespaces = crate::sandbox::kubernetes::kinds::by_resource("namespaces");
    let Some(found) = api.store.get("namespaces", "", namespace) else {
        return Err(namespaces.map_or_else(ApiError::path_not_found, |row| ApiError::not_found(row, namespace)));
    };
    if found["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace"
    }]);
    Err(ApiError::forbidden_object(kind, "", &why, Some(cause)))
}

/// `PUT` of an object or of a subresource that exchanges the object.
pub(super) fn update(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let unknown = Unknown::parse(call.query.text("fieldValidation"))?;
    let (object, warnings) = decode::decode(kind, &call.body, &call.content_type, unknown)?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if name != call.target.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.target.name
        )));
    }
    let stored = replace(api, call, |_| Ok(object.clone()))?;
    respond(api, call, 200, &stored, &warnings)
}

/// `PATCH` of an object or of a subresource that exchanges the object.
pub(super) fn patch(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let unknown = Unknown::parse(call.query.text("fieldValidation"))?;
    let patch = patch::Patch::parse(&call.content_type, &call.body)?;
    if let patch::Patch::Apply(config) = &patch {
        return patch::apply::apply(api, call, config, unknown);
    }
    let mut warnings = Vec::new();
    let stored = replace(api, call, |old| {
        let patched = patch.to(kind, old)?;
        let patched = decode::typed(kind, patched)?;
        let (object, found) = decode::conform(kind, patched, unknown)?;
        warnings = found;
        Ok(object)
    })?;
    respond(api, call, 200, &stored, &warnings)
}

/// Replaces the request's object by what `change` makes of it, again when another writer came between.
pub(super) fn replace(
    api: &Api,
    call: &Call,
    mut change: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Object, ApiError> {
    let (kind, target) = (call.target.kind, &call.target);
    let dry_run = call.dry_run()?;
    for _ in 0..ATTEMPTS {
        let found = api.store.get(kind.resource, &target.namespace, &target.name);
        let old = found.ok_or_else(|| ApiError::not_found(kind, &target.name))?;
        let new = change(&old)?;
        check_identity(kind, &old, &new)?;
        let applied = new["metadata"]["managedFields"].clone();
        let mut new = keep(call, &old, new);
        defaults::update(kind, &mut new);
        if kind.resource == "deployments"
            && target.subresource.is_none()
            && old["metadata"]["annotations"] != new["metadata"]["annotations"]
            && old["spec"] == new["spec"]
        {
            // A Deployment's annotations are part of what its generation counts.
            new["metadata"]["generation"] = json!(old["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
        }
        let writer = managed::Writer::of(call, &api.store.clock().rfc3339());
        if call.content_type == "application/apply-patch+yaml" {
            new["metadata"]["managedFields"] = applied;
        } else {
            copy(&old["metadata"], &mut new["metadata"], "managedFields");
            managed::updated(kind, Some(&old), &mut new, &writer);
        }
        let _allocation = lock(api, kind);
        let mut causes = Vec::new();
        if kind.resource == "services" {
            defaults::service::allocate(&api.store, &mut new, Some(&old), &mut causes);
        }
        causes.extend(validate::update(kind, &old, &new));
        if !causes.is_empty() {
            return Err(ApiError::invalid(kind, &target.name, &causes));
        }
        if dry_run {
            return Ok(Object::new(Store::draft_update(kind.resource, &old, new)));
        }
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
        match api.store.update(kind.resource, new) {
            Err(StoreError::Conflict) => continue,
            Err(error) => return Err(ApiError::from_store(error, kind, &target.name)),
            Ok(stored) => return Ok(stored),
        }
    }
    Err(ApiError::modified(kind, &target.name))
}

/// A version or UID in the new object is a condition on the old one.
fn check_identity(kind: &Kind, old: &Value, new: &Value) -> Result<(), ApiError> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    let expected = version_of(new).filter(|version| !version.is_empty());
    if expected.is_some() && expected != version_of(old) {
        return Err(ApiError::modified(kind, name));
    }
    let (old_uid, new_uid) = (&old["metadata"]["uid"], &new["metadata"]["uid"]);
    if let (Some(is), Some(wanted)) = (old_uid.as_str(), new_uid.as_str().filter(|uid| !uid.is_empty()))
        && is != wanted
    {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {is}");
        return Err(ApiError::conflict(kind, name, &why));
    }
    let renamed = new["metadata"]["name"].as_str().is_some_and(|new| new != name);
    if renamed {
        let new = &new["metadata"]["name"];
        return Err(ApiError::bad_request(format!(
            "the name of the object ({new}) does not match the name on the URL ({name})"
        )));
    }
    Ok(())
}

/// Puts back what this request may not change: the status on the main resource, everything else on `status`.
fn keep(call: &Call, old: &Value, new: Value) -> Value {
    let kind = call.target.kind;
    let part = call.target.subresource.map(|sub| sub.name);
    let mut result = match part {
        Some("status") => {
            let mut result = old.clone();
            result["status"] = new["status"].clone();
            if result["status"].is_null() {
                result["status"] = json!({});
            }
            for field in ["annotations", "finalizers"] {
                copy(&new["metadata"], &mut result["metadata"], field);
            }
            result
        }
        _ => {
            let mut result = new;
            if kind.has_status() {
                copy(old, &mut result, "status");
            }
            result
        }
    };
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "uid",
        "creationTimestamp",
        "generateName",
    ] {
        copy(&old["metadata"], &mut result["metadata"], field);
    }
    result
}

/// Makes `to[field]` what `from[field]` is, missing included.
fn copy(from: &Value, to: &mut Value, field: &str) {
    let Some(to) = to.as_object_mut() else { return };
    match from.get(field) {
        Some(value) => {
            to.insert(field.to_owned(), value.clone());
        }
        None => {
            to.shift_remove(field);
        }
    }
}

/// The answer to a write.
pub(super) fn respond(
    api: &Api,
    call: &Call,
    code: u16,
    object: &Value,
    warnings: &[String],
) -> Result<Reply, ApiError> {
    let include = Include::parse(call.query.text("includeObject"))?;
    let mut reply = render::object(
        code,
        call.target.kind,
        object,
        call.form,
        include,
        api.store.clock().now(),
    )?;
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            reply.headers_mut().append(WARNING, value);
        }
    }
    Ok(reply)
}

/// `POST` to `pods/NAME/binding`: what a scheduler does.
pub(super) fn bind(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let binding = decode::parse(&call.body, &call.content_type, "Binding")?;
    let node = binding["target"]["name"].as_str().unwrap_or_default().to_owned();
    let (kind, target) = (call.target.kind, &call.target);
    let pod = api.store.get(kind.resource, &target.namespace, &target.name);
    let pod = pod.ok_or_else(|| ApiError::not_found(kind, &target.name))?;
    if node.is_empty() {
        return Err(ApiError::bad_request(
            "target.name: Required value: a binding names a node",
        ));
    }
    if let Some(taken) = pod["spec"]["nodeName"].as_str().filter(|n| !n.is_empty()) {
        return Err(ApiError::conflict(
            kind,
            &target.name,
            &format!("pod {} is already assigned to node \"{taken}\"", target.name),
        ));
    }
    if !call.dry_run()? {
        let bound = api.store.modify(kind.resource, &target.namespace, &target.name, |pod| {
            pod["spec"]["nodeName"] = json!(node)
        });
        bound.map_err(|error| ApiError::from_store(error, kind, &target.name))?;
    }
    Ok(body::json(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}
