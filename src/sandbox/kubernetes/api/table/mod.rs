//! Server-side tables: the columns and cells that `kubectl get` prints. Column definitions of the kinds that were
//! recorded come from `columns.json`; the rules of each kind's cells are in the files beside this one.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::render::{self, Include};
use crate::sandbox::kubernetes::kinds::Kind;
use crate::sandbox::kubernetes::store::Object;

mod age;
mod cluster;
mod kept;
mod network;
mod pods;
mod workloads;

use kept::Cells;
pub(super) use kept::Kept;

/// `(name, type, priority)` of a column.
type Column = (&'static str, &'static str, u8);

/// A Table (meta.k8s.io/v1) as it is written. Objects are borrowed: a list of some hundred would take longer to copy than
/// to write.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Value,
    column_definitions: Option<Cow<'static, Value>>,
    rows: Vec<Row<'a>>,
}

/// One row.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    cells: Cells,
    object: Option<Cow<'a, Value>>,
}

/// A Table. `headers` false leaves the column definitions out, as in all but a watch's first event.
pub(super) fn table<'a>(kind: &Kind, metadata: Value, rows: Vec<Row<'a>>, headers: bool) -> Table<'a> {
    Table {
        kind: "Table",
        api_version: "meta.k8s.io/v1",
        metadata,
        column_definitions: headers.then(|| columns(kind)),
        rows,
    }
}

/// One row.
pub(super) fn row<'a>(kind: &Kind, object: &'a Value, include: Include, now: Timestamp) -> Row<'a> {
    with_cells(Cells::Now(cells(kind, object, now)), object, include)
}

/// The rows of a list, whose cells are kept for the next one.
pub(super) fn rows<'a>(
    kept: &Kept,
    kind: &'static Kind,
    objects: &'a [Object],
    include: Include,
    now: Timestamp,
) -> Vec<Row<'a>> {
    let rows = kept.cells(kind, objects, now).into_iter().zip(objects);
    rows.map(|(cells, object)| with_cells(cells, object, include)).collect()
}

fn with_cells(cells: Cells, object: &Value, include: Include) -> Row<'_> {
    Row {
        cells,
        object: match include {
            Include::Metadata => Some(Cow::Owned(render::metadata_only(object))),
            Include::Object => Some(Cow::Borrowed(object)),
            Include::Nothing => None,
        },
    }
}

fn recorded() -> &'static Value {
    static COLUMNS: OnceLock<Value> = OnceLock::new();
    COLUMNS.get_or_init(|| serde_json::from_str(include_str!("columns.json")).unwrap_or_default())
}

fn columns(kind: &Kind) -> Cow<'static, Value> {
    let known = recorded();
    if let Some(columns) = known.get(kind.resource) {
        return Cow::Borrowed(columns);
    }
    // Name and Age mean the same everywhere, so their recorded definitions serve all kinds.
    let shared = |name: &str| {
        known["pods"]
            .as_array()
            .and_then(|all| all.iter().find(|c| c["name"] == name).cloned())
    };
    let list = other_columns(kind).iter().map(|(name, shape, priority)| {
        shared(name).filter(|_| matches!(*name, "Name" | "Age")).unwrap_or_else(
            || json!({"name": name, "type": shape, "format": "", "description": "", "priority": priority}),
        )
    });
    Cow::Owned(Value::Array(list.collect()))
}

fn other_columns(kind: &Kind) -> &'static [Column] {
    match kind.resource {
        "statefulsets" => workloads::STATEFULSET,
        "daemonsets" => workloads::DAEMONSET,
        "jobs" => workloads::JOB,
        "cronjobs" => workloads::CRONJOB,
        "endpointslices" => network::ENDPOINTSLICE,
        "ingresses" => network::INGRESS,
        "controllerrevisions" => workloads::CONTROLLERREVISION,
        "resourcequotas" => cluster::RESOURCEQUOTA,
        "configmaps" => cluster::CONFIGMAP,
        "secrets" => cluster::SECRET,
        "serviceaccounts" => cluster::SERVICEACCOUNT,
        _ => cluster::ANY,
    }
}

fn cells(kind: &Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    match kind.resource {
        "pods" => pods::pod(object, now),
        "deployments" => workloads::deployment(object, now),
        "replicasets" => workloads::replicaset(object, now),
        "statefulsets" => workloads::statefulset(object, now),
        "daemonsets" => workloads::daemonset(object, now),
        "jobs" => workloads::job(object, now),
        "cronjobs" => workloads::cronjob(object, now),
        "controllerrevisions" => workloads::controllerrevision(object, now),
        "services" => network::service(object, now),
        "endpoints" => network::endpoints(object, now),
        "endpointslices" => network::endpointslice(object, now),
        "ingresses" => network::ingress(object, now),
        "nodes" => cluster::node(object, now),
        "namespaces" => cluster::namespace(object, now),
        "events" => cluster::event(object, now),
        "resourcequotas" => cluster::resourcequota(object, now),
        "configmaps" => cluster::configmap(object, now),
        "secrets" => cluster::secret(object, now),
        "serviceaccounts" => cluster::serviceaccount(object, now),
        _ => cluster::any(object, now),
    }
}

fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

fn age(object: &Value, now: Timestamp) -> Value {
    json!(age::since(object["metadata"]["creationTimestamp"].as_str(), now))
}

/// A text field, or `<none>`.
fn or_none(value: &Value) -> Value {
    match value.as_str() {
        Some(text) if !text.is_empty() => json!(text),
        _ => json!("<none>"),
    }
}

fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Two comma-joined lists: names and images of a pod template's containers.
fn containers(template: &Value) -> [Value; 2] {
    let joined = |field: &str| {
        let list = template["spec"]["containers"].as_array().into_iter().flatten();
        json!(
            list.map(|c| c[field].as_str().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(",")
        )
    };
    [joined("name"), joined("image")]
}

/// Labels as `a=1,b=2`, sorted, or `<none>`.
fn labels(map: &Value) -> Value {
    let mut pairs: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    pairs.sort_unstable();
    if pairs.is_empty() {
        json!("<none>")
    } else {
        json!(pairs.join(","))
    }
}
