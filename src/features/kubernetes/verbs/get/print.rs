//! How `kubectl:get` shows its records: the server's table with kubectl's extra columns, JSON, YAML or names.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::{Column, Row, Table};
use crate::core::report::Report;
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::error::{UNREADABLE, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::Selection;
use crate::render::Header;
use crate::verb::{Call, Output, View};

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The server's columns.
    Table,
    /// All of the server's columns.
    Wide,
    /// The object as JSON.
    Json,
    /// The object as YAML.
    Yaml,
    /// `deployment.apps/web`.
    Name,
}

impl Format {
    /// Reads the option.
    pub fn parse(text: Option<&str>) -> Result<Self, Report> {
        Ok(match text {
            None | Some("" | "table") => Format::Table,
            Some("wide") => Format::Wide,
            Some("json") => Format::Json,
            Some("yaml") => Format::Yaml,
            Some("name") => Format::Name,
            Some(other) => {
                return Err(usage(format!(
                    "unable to match a printer suitable for the output format \"{other}\""
                ))
                .hint("allowed formats are: table, wide, json, yaml, name; pipe into jq for anything else"));
            }
        })
    }
}

/// Turns rows into items.
pub struct Printer {
    format: Format,
    /// Several types: names carry theirs.
    several_types: bool,
    all_namespaces: bool,
    show_labels: bool,
    label_columns: Vec<String>,
    /// By type: which of the server's columns are shown, and the header they make.
    headers: HashMap<String, (Vec<usize>, usize, Arc<Header>)>,
    /// Rows shown so far.
    pub emitted: usize,
}

impl Printer {
    /// For the options of a call.
    pub fn new(call: &Call, format: Format, selection: &Selection) -> Self {
        let several_types = match selection {
            Selection::Named(targets) => targets.windows(2).any(|pair| pair[0].resource != pair[1].resource),
            Selection::Listed { resources, .. } => resources.len() > 1,
        };
        Printer {
            format,
            several_types,
            all_namespaces: call.arguments.flag("all-namespaces"),
            show_labels: call.arguments.flag("show-labels"),
            label_columns: call.arguments.list("label-columns"),
            headers: HashMap::new(),
            emitted: 0,
        }
    }

    /// Learns a type's columns from the first table that names them.
    pub fn columns(&mut self, resource: &Resource, table: &Table) {
        let key = resource.group_resource();
        if table.columns.is_empty() || self.headers.contains_key(&key) {
            return;
        }
        let made = self.header(resource, &table.columns);
        self.headers.insert(key, made);
    }

    fn header(&self, resource: &Resource, columns: &[Column]) -> (Vec<usize>, usize, Arc<Header>) {
        let shown: Vec<usize> = (0..columns.len())
            .filter(|at| self.format == Format::Wide || columns.get(*at).is_some_and(|c| !c.wide))
            .collect();
        let mut names = Vec::new();
        if self.all_namespaces && resource.namespaced {
            names.push("NAMESPACE".to_owned());
        }
        let name_at = shown
            .iter()
            .position(|at| columns.get(*at).is_some_and(|c| c.name.eq_ignore_ascii_case("name")));
        names.extend(
            shown
                .iter()
                .filter_map(|at| columns.get(*at))
                .map(|column| column.name.to_uppercase()),
        );
        names.extend(
            self.label_columns
                .iter()
                .map(|key| key.rsplit('/').next().unwrap_or(key).to_uppercase()),
        );
        if self.show_labels {
            names.push("LABELS".to_owned());
        }
        (
            shown,
            name_at.unwrap_or(usize::MAX),
            Arc::new(Header {
                columns: names,
                title: None,
            }),
        )
    }

    /// Hands on a row.
    pub async fn emit(&mut self, resource: &Resource, row: Row, output: &Output) -> Result<(), Report> {
        self.emitted += 1;
        let view = self.view(resource, &row)?;
        output.emit_as(row.object, view).await
    }

    fn view(&self, resource: &Resource, row: &Row) -> Result<View, Report> {
        Ok(match self.format {
            Format::Json => View::Json(4),
            Format::Yaml => View::Text(yaml(&row.object)?),
            Format::Name => View::Text(format!("{}/{}", resource.type_name(), object::name(&row.object))),
            Format::Table | Format::Wide => match self.headers.get(&resource.group_resource()) {
                Some((shown, name_at, header)) => View::Row {
                    header: header.clone(),
                    cells: self.cells(resource, row, shown, *name_at),
                },
                None => View::Text(object::name(&row.object).to_owned()),
            },
        })
    }

    fn cells(&self, resource: &Resource, row: &Row, shown: &[usize], name_at: usize) -> Vec<String> {
        let mut cells = Vec::new();
        if self.all_namespaces && resource.namespaced {
            cells.push(object::namespace(&row.object).to_owned());
        }
        for (place, at) in shown.iter().enumerate() {
            let cell = row.cells.get(*at).cloned().unwrap_or_default();
            let prefixed = self.several_types && place == name_at;
            cells.push(if prefixed {
                format!("{}/{cell}", resource.type_name())
            } else {
                cell
            });
        }
        let labels = object::map(&row.object, "/metadata/labels");
        for key in &self.label_columns {
            let value = labels
                .and_then(|labels| labels.get(key))
                .and_then(|value| value.as_str());
            cells.push(value.unwrap_or_default().to_owned());
        }
        if self.show_labels {
            let text = labels.map(object::label_query).filter(|text| !text.is_empty());
            cells.push(text.unwrap_or_else(|| "<none>".to_owned()));
        }
        cells
    }
}

fn yaml(object: &serde_json::Value) -> Result<String, Report> {
    serde_saphyr::to_string(object)
        .map(|text| text.trim_end().to_owned())
        .map_err(|error| Report::failed(UNREADABLE, "the object cannot be written as YAML").because(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn printer(format: Format) -> Printer {
        Printer {
            format,
            several_types: true,
            all_namespaces: true,
            show_labels: true,
            label_columns: vec!["app.kubernetes.io/run".into()],
            headers: HashMap::new(),
            emitted: 0,
        }
    }

    #[test]
    fn extra_columns_stand_where_kubectl_puts_them() {
        let resource = Resource {
            kind: "Pod".into(),
            plural: "pods".into(),
            namespaced: true,
            ..Resource::default()
        };
        let object =
            json!({"metadata": {"name": "a", "namespace": "shop", "labels": {"b": "2", "app.kubernetes.io/run": "1"}}});
        let columns = vec![
            Column {
                name: "Name".into(),
                wide: false,
            },
            Column {
                name: "IP".into(),
                wide: true,
            },
        ];
        let row = Row {
            object,
            cells: vec!["a".into(), "100.96.1.5".into()],
        };
        let table = Table {
            columns,
            ..Table::default()
        };
        let mut printer = printer(Format::Table);
        printer.columns(&resource, &table);
        let View::Row { header, cells } = printer.view(&resource, &row).unwrap() else {
            unreachable!()
        };
        assert_eq!(header.columns, ["NAMESPACE", "NAME", "RUN", "LABELS"]);
        assert_eq!(cells, ["shop", "pod/a", "1", "app.kubernetes.io/run=1,b=2"]);
        let mut wide = self::printer(Format::Wide);
        wide.columns(&resource, &table);
        let View::Row { cells, .. } = wide.view(&resource, &row).unwrap() else {
            unreachable!()
        };
        assert_eq!(cells[2], "100.96.1.5");
    }

    #[test]
    fn formats() {
        assert_eq!(Format::parse(Some("wide")).unwrap(), Format::Wide);
        assert!(Format::parse(Some("xml")).unwrap_err().hint.unwrap().contains("wide"));
        assert_eq!(yaml(&json!({"a": {"b": [1, "x"]}})).unwrap(), "a:\n  b:\n  - 1\n  - x");
    }
}
