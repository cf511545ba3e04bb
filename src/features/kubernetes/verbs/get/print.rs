//! How `kubectl:get` shows its records: the server's table with kubectl's extra columns, JSON, YAML or names.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::table::{Column, Row, Table};
use crate::core::report::Report;
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::error::{UNREADABLE, usage};
use crate::features::kubernetes::files;
use crate::features::kubernetes::jsonpath::{self, JsonPath};
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::Selection;
use crate::render::Header;
use crate::verb::{Call, Output, View};

/// `-o`.
#[derive(Clone, Debug, PartialEq)]
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
    /// A JSONPath template on the object, or on the list of all.
    JsonPath(JsonPath),
    /// What a template finds, as a JSON list.
    JsonPathAsJson(JsonPath),
    /// Columns of one's own: header and path.
    CustomColumns(Vec<(String, JsonPath)>),
}

impl Format {
    /// Reads the option.
    pub async fn parse(text: Option<&str>) -> Result<Self, Report> {
        let text = text.unwrap_or_default();
        let (word, argument) = text
            .split_once('=')
            .map_or((text, None), |(word, rest)| (word, Some(rest)));
        let given = argument.filter(|argument| !argument.is_empty());
        Ok(match (word, given) {
            ("" | "table", None) => Format::Table,
            ("wide", None) => Format::Wide,
            ("json", None) => Format::Json,
            ("yaml", None) => Format::Yaml,
            ("name", None) => Format::Name,
            ("jsonpath", Some(template)) => Format::JsonPath(parsed(template)?),
            ("jsonpath-as-json", Some(template)) => Format::JsonPathAsJson(parsed(template)?),
            ("custom-columns", Some(spec)) => Format::CustomColumns(columns(spec)?),
            ("jsonpath-file", Some(file)) => Format::JsonPath(parsed(read(file).await?.trim_end_matches('\n'))?),
            ("custom-columns-file", Some(file)) => Format::CustomColumns(columns_of_file(&read(file).await?)?),
            ("jsonpath" | "jsonpath-as-json" | "jsonpath-file", None) => {
                return Err(usage("template format specified but no template given"));
            }
            ("custom-columns" | "custom-columns-file", None) => {
                return Err(usage("custom-columns format specified but no custom columns given"));
            }
            ("go-template" | "template" | "go-template-file" | "templatefile", _) => {
                return Err(usage(format!(
                    "{word} is a program of Go's own language, which is not run here"
                ))
                .hint("-o jsonpath=TEMPLATE, -o custom-columns=HEADER:PATH,…, or pipe into jq"));
            }
            _ => {
                return Err(usage(format!(
                    "unable to match a printer suitable for the output format \"{text}\""
                ))
                .hint(
                    "allowed formats are: table, wide, json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, \
                     jsonpath-file=FILE, custom-columns=HEADER:PATH,…, custom-columns-file=FILE; pipe into jq for \
                     anything else",
                ));
            }
        })
    }
}

fn parsed(template: &str) -> Result<JsonPath, Report> {
    JsonPath::parse(template).map_err(|error| usage(format!("error parsing jsonpath {template}, {error}")))
}

/// `HEADER:PATH,HEADER:PATH`.
fn columns(spec: &str) -> Result<Vec<(String, JsonPath)>, Report> {
    spec.split(',')
        .map(|part| {
            let (header, path) = part.split_once(':').ok_or_else(|| {
                usage(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ))
            })?;
            let path = JsonPath::relaxed(path).map_err(|error| usage(error.to_string()))?;
            Ok((header.to_owned(), path))
        })
        .collect()
}

/// The largest file of a template or of columns (bytes).
const LARGEST: u64 = 1 << 20;

async fn read(file: &str) -> Result<String, Report> {
    let text = files::text(Path::new(file), LARGEST).await;
    text.map_err(|error| usage(format!("error reading --template {file}")).because(&error))?
        .ok_or_else(|| usage(format!("{file} is larger than {} KiB", LARGEST >> 10)))
}

/// A line of headers and a line of as many paths below it.
fn columns_of_file(text: &str) -> Result<Vec<(String, JsonPath)>, Report> {
    let mut lines = text.lines();
    let mut words = || lines.next().unwrap_or_default().split_whitespace().collect::<Vec<_>>();
    let (headers, paths) = (words(), words());
    if headers.is_empty() || headers.len() != paths.len() {
        let message = format!(
            "number of headers ({}) and field specifications ({})",
            headers.len(),
            paths.len()
        );
        return Err(usage(format!("{message} don't match")));
    }
    let one = |(header, path): (&str, &str)| {
        let path = JsonPath::relaxed(path).map_err(|error| usage(error.to_string()))?;
        Ok((header.to_owned(), path))
    };
    headers.into_iter().zip(paths).map(one).collect()
}

/// What a template renders on an object or a list.
pub fn render(path: &JsonPath, root: &Value) -> Result<String, Report> {
    path.render(root)
        .map_err(|error| Report::failed(UNREADABLE, format!("error executing jsonpath: {error}")))
}

/// Turns rows into items.
#[derive(Clone)]
pub struct Printer {
    format: Format,
    /// Several types: names carry theirs.
    several_types: bool,
    all_namespaces: bool,
    show_labels: bool,
    label_columns: Vec<String>,
    no_headers: bool,
    /// `--output-watch-events`: the word for what happened to the row that is shown.
    event: Option<&'static str>,
    /// Several objects as JSON or YAML make one list: they are shown, not piped on.
    listed: bool,
    /// The header of custom columns, the same for all types.
    own_header: Arc<Header>,
    /// By type: which of the server's columns are shown, and the header they make.
    headers: HashMap<String, (Vec<usize>, usize, Arc<Header>)>,
    /// Rows shown so far.
    pub emitted: usize,
}

impl Printer {
    /// For the options of a call.
    pub fn new(call: &Call, format: Format, selection: &Selection) -> Self {
        let several_types = match selection {
            _ if call.arguments.flag("show-kind") => true,
            Selection::Named(targets) => targets.windows(2).any(|pair| pair[0].resource != pair[1].resource),
            Selection::Listed { resources, .. } => resources.len() > 1,
        };
        let listed = call.last_stage && matches!(format, Format::Json | Format::Yaml);
        let no_headers = call.arguments.flag("no-headers");
        let own = match &format {
            Format::CustomColumns(columns) if !no_headers => columns.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        Printer {
            format,
            no_headers,
            event: call.arguments.flag("output-watch-events").then_some(""),
            listed,
            own_header: Header::new(own),
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
        if matches!(self.format, Format::CustomColumns(_)) {
            return;
        }
        let key = resource.group_resource();
        if table.columns.is_empty() || self.headers.contains_key(&key) {
            return;
        }
        let mut made = self.header(resource, &table.columns);
        if self.no_headers {
            let header = Header {
                columns: Vec::new(),
                title: None,
            };
            made.2 = Arc::new(header);
        }
        self.headers.insert(key, made);
    }

    fn header(&self, resource: &Resource, columns: &[Column]) -> (Vec<usize>, usize, Arc<Header>) {
        let shown: Vec<usize> = (0..columns.len())
            .filter(|at| self.format == Format::Wide || columns.get(*at).is_some_and(|c| !c.wide))
            .collect();
        let mut names: Vec<String> = self.event.map(|_| "EVENT".to_owned()).into_iter().collect();
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

    /// Whether all objects are wanted as one: by a template, or as a list.
    pub fn gathers(&self) -> bool {
        self.listed || matches!(self.format, Format::JsonPath(_) | Format::JsonPathAsJson(_))
    }

    /// Whether a row's cells are all it takes to show it: nothing of its object.
    pub fn needs_only_cells(&self) -> bool {
        matches!(self.format, Format::Table | Format::Wide)
            && !self.all_namespaces
            && !self.show_labels
            && self.label_columns.is_empty()
    }

    /// Hands on what becomes of all objects: of one that was named, or of a list.
    pub async fn emit_all(&mut self, root: Value, output: &Output) -> Result<(), Report> {
        let row = Row {
            object: root,
            cells: Vec::new(),
        };
        self.emit(&Resource::default(), row, output).await
    }

    /// Hands on a row to which this happened.
    pub async fn emit_event(
        &mut self,
        word: &'static str,
        resource: &Resource,
        row: Row,
        output: &Output,
    ) -> Result<(), Report> {
        self.event = self.event.map(|_| word);
        self.emit(resource, row, output).await
    }

    /// Hands on a row.
    pub async fn emit(&mut self, resource: &Resource, row: Row, output: &Output) -> Result<(), Report> {
        self.emitted += 1;
        let row = match &self.format {
            // As kubectl writes objects, so that the two can be compared line by line.
            Format::Json | Format::Yaml => {
                let object = jsonpath::sorted(&row.object);
                let object = match self.event {
                    Some(word) => json!({"object": object, "type": word}),
                    None => object,
                };
                Row { object, ..row }
            }
            _ => row,
        };
        let (record, view) = match &self.format {
            Format::JsonPath(path) => {
                let text = render(path, &row.object)?;
                (Value::String(text.clone()), View::Raw(text))
            }
            Format::JsonPathAsJson(path) => {
                let values = path.values(&row.object).map_err(|error| usage(error.to_string()))?;
                (Value::Array(values), View::Json(4))
            }
            _ => {
                let view = self.view(resource, &row)?;
                (row.object, view)
            }
        };
        output.emit_as(record, view).await
    }

    /// How a row is shown.
    pub fn view(&self, resource: &Resource, row: &Row) -> Result<View, Report> {
        Ok(match &self.format {
            Format::JsonPath(path) => View::Raw(render(path, &row.object)?),
            Format::JsonPathAsJson(_) => View::Json(4),
            Format::CustomColumns(columns) => View::row(
                &self.own_header,
                columns.iter().map(|(_, path)| own_cell(path, &row.object)).collect(),
            ),
            Format::Json => View::Json(4),
            Format::Yaml => View::Text(yaml(&row.object)?),
            Format::Name => View::Text(format!("{}/{}", resource.type_name(), object::name(&row.object))),
            Format::Table | Format::Wide => match self.headers.get(&resource.group_resource()) {
                Some((shown, name_at, header)) => View::row(header, self.cells(resource, row, shown, *name_at)),
                None => View::Text(object::name(&row.object).to_owned()),
            },
        })
    }

    fn cells(&self, resource: &Resource, row: &Row, shown: &[usize], name_at: usize) -> Vec<String> {
        let mut cells: Vec<String> = self.event.map(str::to_owned).into_iter().collect();
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

/// Several objects as one, as kubectl makes it.
pub fn list_of(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// All that a path finds, as Go prints it; `<none>` without anything.
fn own_cell(path: &JsonPath, object: &Value) -> String {
    let found: Vec<String> = path
        .values(object)
        .unwrap_or_default()
        .iter()
        .map(jsonpath::go)
        .collect();
    if found.is_empty() {
        "<none>".to_owned()
    } else {
        found.join(",")
    }
}

fn yaml(object: &Value) -> Result<String, Report> {
    serde_saphyr::to_string(object)
        .map(|text| text.trim_end().to_owned())
        .map_err(|error| Report::failed(UNREADABLE, "the object cannot be written as YAML").because(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn printer(format: Format) -> Printer {
        Printer {
            format,
            several_types: true,
            all_namespaces: true,
            show_labels: true,
            label_columns: vec!["app.kubernetes.io/run".into()],
            no_headers: false,
            event: None,
            listed: false,
            own_header: Header::new(Vec::<String>::new()),
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

    #[tokio::test]
    async fn formats() {
        assert_eq!(Format::parse(Some("wide")).await.unwrap(), Format::Wide);
        let file = tempfile::NamedTempFile::new().unwrap();
        let from = async |text: &str, word: &str| {
            std::fs::write(file.path(), text).unwrap();
            Format::parse(Some(&format!("{word}={}", file.path().display()))).await
        };
        let template = from("{.metadata.name}\n", "jsonpath-file").await.unwrap();
        assert_eq!(
            template,
            Format::parse(Some("jsonpath={.metadata.name}")).await.unwrap()
        );
        let columns = from("A   B\n.metadata.name .spec.x\n", "custom-columns-file")
            .await
            .unwrap();
        let same = Format::parse(Some("custom-columns=A:.metadata.name,B:.spec.x"))
            .await
            .unwrap();
        assert_eq!(columns, same);
        assert!(from("A B\n.x\n", "custom-columns-file").await.is_err());
        assert!(Format::parse(Some("jsonpath-file=/does/not/exist")).await.is_err());
        assert!(
            Format::parse(Some("go-template={{.x}}"))
                .await
                .unwrap_err()
                .hint
                .unwrap()
                .contains("jsonpath")
        );
        assert!(
            Format::parse(Some("xml"))
                .await
                .unwrap_err()
                .hint
                .unwrap()
                .contains("wide")
        );
        assert_eq!(yaml(&json!({"a": {"b": [1, "x"]}})).unwrap(), "a:\n  b:\n  - 1\n  - x");
    }
}
