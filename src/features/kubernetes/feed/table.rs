//! Any type the server knows, through the tables it prints for it (meta.k8s.io/v1): listed and watched like the slim
//! rows, with the server's own columns. Where a server has no table for a type, rows have a name and an age.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::kind::{Kind, Listed};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Session, TABLE};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::error;
use crate::features::kubernetes::model::{TableColumn, TableHead, TableRow};

/// Columns kept of a table; the widest of Kubernetes' own has 13.
const COLUMNS: usize = 64;

/// The type a word means, whichever it is.
pub(super) struct Tables {
    word: String,
    head: Arc<TableHead>,
}

impl Tables {
    /// `word` as `kubectl get` takes it: `no`, `nodes`, `cronjobs.batch`.
    pub(super) fn new(word: &str) -> Self {
        Tables {
            word: word.to_owned(),
            head: Arc::default(),
        }
    }

    /// Takes over the columns, which all but the first event of a watch leave out.
    fn columns(&mut self, definitions: Option<Vec<Definition>>) {
        let columns: Vec<TableColumn> = definitions
            .unwrap_or_default()
            .into_iter()
            .take(COLUMNS)
            .map(|column| TableColumn::new(&column.name, column.priority, &column.shape))
            .collect();
        if !columns.is_empty() && columns != self.head.columns {
            self.head = Arc::new(TableHead {
                columns,
                ..TableHead::clone(&self.head)
            });
        }
    }

    fn read(&mut self, answer: Answer) -> Listed<TableRow> {
        let (version, next) = (answer.metadata.resource_version.clone(), answer.metadata.next.clone());
        if answer.kind == "Table" {
            self.columns(answer.column_definitions);
        } else {
            self.columns(Some(vec![Definition::of("Name"), Definition::of("Age")]));
        }
        let plain = |meta: Partial| RawRow {
            cells: vec![Value::String(meta.name.clone())],
            object: Holder { metadata: meta },
        };
        let rows = match (answer.kind.as_str(), answer.items) {
            ("Table", _) => answer.rows.unwrap_or_default(),
            (_, Some(items)) => items.into_iter().map(|item| plain(item.metadata)).collect(),
            (_, None) => vec![plain(answer.metadata)],
        };
        // Of an event, the object's own version counts; a list has one of its own.
        let version = match rows.as_slice() {
            [only] if version.is_empty() => only.object.metadata.resource_version.clone(),
            _ => version,
        };
        let rows = rows.into_iter().map(|row| {
            let meta = row.object.metadata;
            let row = TableRow::new(
                &self.head,
                &meta.namespace,
                &meta.name,
                meta.creation_timestamp,
                &row.cells,
            );
            (format!("{}/{}", meta.namespace, meta.name), row)
        });
        Listed {
            version,
            next,
            rows: rows.collect(),
        }
    }
}

impl Kind for Tables {
    type Row = TableRow;
    type Page = Answer;
    type Object = Answer;
    const ACCEPT: &'static str = TABLE;

    async fn resource(&mut self, session: &Session) -> Result<Arc<Resource>, Report> {
        let found = match session.cluster.discovery().await?.find(&self.word) {
            // It may have been installed since the server was asked.
            Err(report) if report.code == error::UNKNOWN_TYPE => session.cluster.rediscover().await?.find(&self.word),
            found => found,
        }?;
        if !found.verbs.iter().any(|verb| verb == "list") {
            return Err(Report::failed(
                error::UNKNOWN_TYPE,
                format!("the server cannot list {}", found.group_resource()),
            ));
        }
        self.head = Arc::new(TableHead {
            resource: found.group_resource(),
            kind: found.kind.clone(),
            namespaced: found.namespaced,
            columns: self.head.columns.clone(),
        });
        Ok(found)
    }

    fn page(&mut self, page: Answer) -> Listed<TableRow> {
        self.read(page)
    }

    fn object(&mut self, object: Answer) -> Listed<TableRow> {
        self.read(object)
    }

    fn withers(&self) -> bool {
        self.head.columns.iter().any(TableColumn::withers)
    }
}

/// A table, a list or one object: whatever the server answered with.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer {
    kind: String,
    metadata: Partial,
    column_definitions: Option<Vec<Definition>>,
    rows: Option<Vec<RawRow>>,
    items: Option<Vec<Holder>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Definition {
    name: String,
    #[serde(rename = "type")]
    shape: String,
    priority: i64,
}

impl Definition {
    fn of(name: &str) -> Self {
        Definition {
            name: name.to_owned(),
            ..Definition::default()
        }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct RawRow {
    cells: Vec<Value>,
    object: Holder,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Holder {
    metadata: Partial,
}

/// The metadata of a list or an object, as far as rows need it.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    name: String,
    namespace: String,
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
    creation_timestamp: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn read(tables: &mut Tables, answer: Value) -> Listed<TableRow> {
        tables.read(serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn later_events_go_without_columns_and_new_ones_win() {
        let mut tables = Tables::new("things");
        let row = |name: &str, cells: Value| json!({"cells": cells, "object": {"metadata": {"name": name, "namespace": "n", "resourceVersion": "7"}}});
        let first = json!({"kind": "Table", "metadata": {"resourceVersion": "9", "continue": "c"},
            "columnDefinitions": [{"name": "Name", "type": "string"}, {"name": "Replicas", "type": "integer", "priority": 1}],
            "rows": [row("a", json!(["a", 3]))]});
        let listed = read(&mut tables, first);
        assert_eq!((listed.version.as_str(), listed.next.as_str()), ("9", "c"));
        assert!(listed.rows[0].1.head.columns[1].wide && listed.rows[0].1.head.columns[1].right);
        let event =
            json!({"kind": "Table", "metadata": {}, "columnDefinitions": null, "rows": [row("b", json!(["b", null]))]});
        let later = read(&mut tables, event);
        assert_eq!(later.version, "7");
        assert_eq!(later.rows[0].0, "n/b");
        assert!(
            Arc::ptr_eq(&later.rows[0].1.head, &listed.rows[0].1.head),
            "columns are shared"
        );
        let changed =
            json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [row("b", json!(["b"]))]});
        assert_eq!(read(&mut tables, changed).rows[0].1.head.columns.len(), 1);
    }

    #[test]
    fn a_server_without_tables_gives_names_and_ages() {
        let mut tables = Tables::new("things");
        let list = json!({"kind": "ThingList", "metadata": {"resourceVersion": "4"},
            "items": [{"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}}]});
        let listed = read(&mut tables, list);
        let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        assert_eq!(
            (&*listed.rows[0].1.cell(0, now), &*listed.rows[0].1.cell(1, now)),
            ("a", "60s")
        );
        let event = json!({"kind": "Thing", "metadata": {"name": "b", "resourceVersion": "5"}, "spec": {"rows": 1}});
        let event = read(&mut tables, event);
        assert_eq!((event.version.as_str(), event.rows[0].0.as_str()), ("5", "/b"));
    }

    #[test]
    fn hostile_tables_stay_small() {
        let mut tables = Tables::new("things");
        let columns: Vec<Value> = (0..1000)
            .map(|at| json!({"name": "x".repeat(5000) + &at.to_string()}))
            .collect();
        let cells: Vec<Value> = (0..1000).map(|_| json!("y".repeat(100_000))).collect();
        let answer = json!({"kind": "Table", "columnDefinitions": columns,
            "rows": [{"cells": cells, "object": null}, {"cells": [], "object": {"metadata": {"name": "a"}}}]});
        // An object of null is none of ours: the whole answer is refused rather than shown without a name.
        assert!(serde_json::from_value::<Answer>(answer.clone()).is_err());
        let mut answer = answer;
        answer["rows"][0]["object"] = json!({"metadata": {"name": "b"}});
        let listed = read(&mut tables, answer);
        let row = &listed.rows[0].1;
        assert_eq!(row.head.columns.len(), COLUMNS);
        let bytes: usize = (0..COLUMNS).map(|at| row.cell(at, Timestamp::UNIX_EPOCH).len()).sum();
        assert!(bytes < 100_000, "{bytes}");
        assert_eq!(&*listed.rows[1].1.cell(3, Timestamp::UNIX_EPOCH), "");
    }
}
