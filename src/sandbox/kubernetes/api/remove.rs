//! Deleting: at once, gracefully (pods), in stages (namespaces), or after finalizers (foreground, orphan). What
//! depends on a deleted object is the garbage collector's, not ours.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Api;
use super::body::{self, Reply};
use super::decode;
use super::dispatch::Call;
use super::read;
use super::render::{self, Include, ListMeta};
use super::status::ApiError;
use super::write;
use crate::sandbox::kubernetes::kinds::{self, Kind};
use crate::sandbox::kubernetes::store::{Object, Store, version_of};

/// Kinds whose deletion answers with the object instead of a `Status`.
const RETURNED: &[&str] = &[
    "pods",
    "services",
    "serviceaccounts",
    "podtemplates",
    "resourcequotas",
    "persistentvolumes",
    "persistentvolumeclaims",
];
/// Namespaces that stay.
const KEPT: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];
/// How long a namespace waits for its pods to end before they are removed.
const NAMESPACE_PATIENCE: Duration = Duration::from_secs(60);

/// `DeleteOptions` as they are followed.
#[derive(Debug, Default)]
struct Options {
    grace: Option<i64>,
    policy: String,
    uid: Option<String>,
    version: Option<String>,
    dry_run: bool,
}

impl Options {
    /// Of a deletion: its body's or, only where it has none, its query's.
    fn of(call: &Call) -> Result<Self, ApiError> {
        if !call.body.iter().all(u8::is_ascii_whitespace) {
            let body = decode::parse(&call.body, &call.content_type, "DeleteOptions")?;
            return Self::read(&body);
        }
        let query = &call.query;
        let mut given = json!({
            "propagationPolicy": query.text("propagationPolicy"),
            "orphanDependents": query.flag("orphanDependents"),
            "gracePeriodSeconds": query.number("gracePeriodSeconds"),
        });
        if call.dry_run()? {
            given["dryRun"] = json!(["All"]);
        }
        Self::read(&given)
    }

    /// Of an eviction: those inside; that it is only tried may stand in the query too.
    fn of_eviction(call: &Call) -> Result<Self, ApiError> {
        let body = decode::parse(&call.body, &call.content_type, "Eviction")?;
        let mut options = Self::read(&body["deleteOptions"])?;
        options.dry_run |= call.dry_run()?;
        Ok(options)
    }

    fn read(given: &Value) -> Result<Self, ApiError> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let mut policy = text(&given["propagationPolicy"]).unwrap_or_default();
        if policy.is_empty() && given["orphanDependents"] == true {
            policy = "Orphan".to_owned();
        }
        if !matches!(policy.as_str(), "" | "Background" | "Foreground" | "Orphan") {
            return Err(ApiError::bad_request(format!(
                "invalid propagationPolicy {policy:?}: supported values: \"Foreground\", \"Background\", \"Orphan\""
            )));
        }
        let grace = given["gracePeriodSeconds"].as_i64();
        if grace.is_some_and(|seconds| seconds < 0) {
            return Err(ApiError::bad_request(
                "gracePeriodSeconds: Invalid value: must be greater than or equal to 0",
            ));
        }
        let dry_run = given["dryRun"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(other) = dry_run.iter().find(|stage| *stage != "All") {
            return Err(ApiError::bad_request(format!(
                "dryRun: Unsupported value: {other}: supported values: \"All\""
            )));
        }
        Ok(Self {
            grace,
            policy,
            uid: text(&given["preconditions"]["uid"]),
            version: text(&given["preconditions"]["resourceVersion"]),
            dry_run: !dry_run.is_empty(),
        })
    }

    fn check(&self, kind: &Kind, name: &str, object: &Value) -> Result<(), ApiError> {
        let is = object["metadata"]["uid"].as_str().unwrap_or_default();
        if let Some(wanted) = self.uid.as_deref().filter(|wanted| *wanted != is) {
            let why = format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({is}). The object might have been deleted and then recreated"
            );
            return Err(ApiError::conflict(kind, name, &why));
        }
        let is = version_of(object).unwrap_or_default();
        if let Some(wanted) = self.version.as_deref().filter(|wanted| *wanted != is) {
            let why = format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({is}). The object might have been modified"
            );
            return Err(ApiError::conflict(kind, name, &why));
        }
        Ok(())
    }
}

/// What a deletion came to.
enum Outcome {
    /// The object is gone; its last state.
    Gone(Object),
    /// It is on its way out.
    Leaving(Object),
}

/// `DELETE` of an object.
pub(super) fn delete(api: &Arc<Api>, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let options = Options::of(call)?;
    let object = read::find(api, call)?;
    match remove(api, kind, &object, &options)? {
        Outcome::Leaving(object) => write::respond(api, call, 200, &object, &[]),
        Outcome::Gone(object) if RETURNED.contains(&kind.resource) => write::respond(api, call, 200, &object, &[]),
        Outcome::Gone(object) => {
            let mut details = json!({"name": call.target.name});
            if !kind.group.is_empty() {
                details["group"] = json!(kind.group);
            }
            details["kind"] = json!(kind.resource);
            details["uid"] = object["metadata"]["uid"].clone();
            Ok(body::json(
                200,
                &json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details
                }),
            ))
        }
    }
}

/// `DELETE` of a collection: everything the selectors select.
pub(super) fn collection(api: &Arc<Api>, call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let options = Options::of(call)?;
    let (objects, version) = read::select(api, call, &read::filter(call)?);
    let mut done = Vec::with_capacity(objects.len());
    for object in objects {
        match remove(api, kind, &object, &options) {
            Ok(Outcome::Gone(object) | Outcome::Leaving(object)) => done.push(object),
            // Somebody else removed it meanwhile, which is what was wanted.
            Err(error) if error.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    let meta = ListMeta {
        version,
        ..ListMeta::default()
    };
    render::list(api, kind, &done, &meta, call.form, Include::Metadata)
}

/// `POST` to `pods/NAME/eviction`.
pub(super) fn evict(api: &Arc<Api>, call: &Call) -> Result<Reply, ApiError> {
    let options = Options::of_eviction(call)?;
    let pod = read::find(api, call)?;
    let labels = &pod["metadata"]["labels"];
    for budget in api.store.list("poddisruptionbudgets", Some(&call.target.namespace)) {
        let selects = super::selector::selector_matches(&budget["spec"]["selector"], labels);
        if selects && budget["status"]["disruptionsAllowed"].as_i64() == Some(0) {
            let mut error = ApiError::too_many_requests(10);
            error.message = "Cannot evict pod as it would violate the pod's disruption budget.".to_owned();
            return Err(error);
        }
    }
    remove(api, call.target.kind, &pod, &options)?;
    Ok(body::json(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

fn remove(api: &Arc<Api>, kind: &'static Kind, object: &Object, options: &Options) -> Result<Outcome, ApiError> {
    let (namespace, name) = place(object);
    options.check(kind, name, object)?;
    if kind.resource == "namespaces" {
        return remove_namespace(api, kind, object, options);
    }
    let grace = if kind.resource == "pods" {
        pod_grace(object, options)
    } else {
        0
    };
    let finalizer = match options.policy.as_str() {
        "Foreground" => Some("foregroundDeletion"),
        "Orphan" => Some("orphan"),
        _ => None,
    };
    let held = object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    if options.dry_run {
        return Ok(Outcome::Gone(object.clone()));
    }
    let refused = |error| ApiError::from_store(error, kind, name);
    if grace == 0 && finalizer.is_none() && !held {
        return api
            .store
            .delete(kind.resource, namespace, name)
            .map(Outcome::Gone)
            .map_err(refused);
    }
    let at = deadline(&api.store, grace);
    let marked = api.store.modify(kind.resource, namespace, name, |object| {
        mark(object, &at, grace, finalizer)
    });
    marked.map(Outcome::Leaving).map_err(refused)
}

fn place(object: &Value) -> (&str, &str) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    (text("namespace"), text("name"))
}

fn deadline(store: &Store, grace: i64) -> String {
    let now = store.clock().now();
    let at = now.checked_add(SignedDuration::from_secs(grace)).unwrap_or(now);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Marks an object as being deleted. A second deletion may only shorten the grace period.
fn mark(object: &mut Value, at: &str, grace: i64, finalizer: Option<&str>) {
    let meta = &mut object["metadata"];
    if let Some(finalizer) = finalizer {
        match meta["finalizers"].as_array_mut() {
            Some(list) if list.iter().any(|entry| entry == finalizer) => {}
            Some(list) => list.push(json!(finalizer)),
            None => meta["finalizers"] = json!([finalizer]),
        }
    }
    let before = meta["deletionGracePeriodSeconds"].as_i64();
    let leaving = !meta["deletionTimestamp"].is_null();
    if leaving && before.unwrap_or(0) <= grace {
        return;
    }
    meta["deletionTimestamp"] = json!(at);
    meta["deletionGracePeriodSeconds"] = json!(grace);
    if !leaving && let Some(generation) = meta["generation"].as_i64() {
        meta["generation"] = json!(generation + 1);
    }
}

/// Seconds a pod gets to end: what the request says, else what the pod says; none when nothing runs.
fn pod_grace(pod: &Value, options: &Options) -> i64 {
    let assigned = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
    let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !assigned || ended {
        return 0;
    }
    options
        .grace
        .or(pod["spec"]["terminationGracePeriodSeconds"].as_i64())
        .unwrap_or(30)
}

fn remove_namespace(
    api: &Arc<Api>,
    kind: &'static Kind,
    object: &Object,
    options: &Options,
) -> Result<Outcome, ApiError> {
    let (_, name) = place(object);
    if KEPT.contains(&name) {
        return Err(ApiError::forbidden_object(
            kind,
            name,
            "this namespace may not be deleted",
            None,
        ));
    }
    if options.dry_run || !object["metadata"]["deletionTimestamp"].is_null() {
        return Ok(Outcome::Leaving(object.clone()));
    }
    let at = deadline(&api.store, 0);
    let marked = api.store.modify(kind.resource, "", name, |object| {
        object["metadata"]["deletionTimestamp"] = json!(at);
        object["status"]["phase"] = json!("Terminating");
    });
    let marked = marked.map_err(|error| ApiError::from_store(error, kind, name))?;
    let (api, name) = (api.clone(), name.to_owned());
    tokio::spawn(async move { empty_namespace(&api, &name).await });
    Ok(Outcome::Leaving(marked))
}

/// Removes what is in a namespace, pods gracefully, and then the namespace itself.
async fn empty_namespace(api: &Arc<Api>, namespace: &str) {
    let store = &api.store;
    let step = Duration::from_millis(250);
    let mut waited = Duration::ZERO;
    loop {
        let mut left = 0;
        for kind in kinds::KINDS
            .iter()
            .filter(|kind| kind.namespaced && (kind.resource != "events" || kind.group.is_empty()))
        {
            for object in store.list(kind.resource, Some(namespace)) {
                let force = waited >= NAMESPACE_PATIENCE;
                let options = Options {
                    grace: force.then_some(0),
                    ..Options::default()
                };
                match remove(api, kind, &object, &options) {
                    Ok(Outcome::Leaving(_)) => left += 1,
                    Ok(Outcome::Gone(_)) | Err(_) => {}
                }
            }
        }
        if left == 0 {
            break;
        }
        store.clock().sleep(step).await;
        waited += step;
    }
    // Gone already when somebody removed it through the store.
    let _ = store.delete("namespaces", "", namespace);
}
