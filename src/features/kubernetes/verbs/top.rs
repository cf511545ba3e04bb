//! `kubectl:top`: what pods and nodes use now, where the cluster measures it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::common::{
    READ, all_namespaces_option, declare, field_selector_option, header, more_names, no_headers_option,
    selector_option, until_stopped,
};
use super::completer::Names;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{self, NOT_FOUND, usage};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::object::{self, list, text};
use crate::features::kubernetes::path::encode;
use crate::features::kubernetes::quantity::{milli, nano, whole};
use crate::features::kubernetes::target::{self, namespace_of};
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb, View};

/// Where metrics-server answers.
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";
/// Bytes of a `Mi`.
const MEBI: i128 = 1024 * 1024;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("top", "Show what pods or nodes use")
        .permission(READ)
        .input(InputMode::None)
        .positional(Positional::new("TYPE", OptionKind::String, "pods or nodes"))
        .positional(more_names())
        .options([
            all_namespaces_option(),
            selector_option(),
            field_selector_option(),
            OptionSpec::new("containers", OptionKind::Bool, "One row a container"),
            OptionSpec::new("sum", OptionKind::Bool, "The sum of all pods as the last row"),
            OptionSpec::new(
                "sort-by",
                OptionKind::Enum(&["cpu", "memory"]),
                "Most first; by name when not given",
            ),
            OptionSpec::new(
                "show-capacity",
                OptionKind::Bool,
                "Shares of all that nodes have, not of what pods may use",
            ),
            no_headers_option(),
        ])
        .output("{kind, name, namespace, container, cpu_millicores, memory_bytes}, one a row.")
        .notes("Needs metrics-server (metrics.k8s.io).")
        .example("kubectl:top pods --sort-by=cpu", "who uses most")
        .example("kubectl:top nodes", "how full the nodes are");
    Verb::read(
        declaration,
        Top {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Top {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Top {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, async {
            let session = self.clients.session(&call.context).await?;
            let words = call.arguments.texts();
            let (kind, names) = words
                .split_first()
                .map_or(("", &[][..]), |(kind, names)| (kind.as_str(), names));
            let (kind, name) = match (kind.split_once('/'), names) {
                (Some((kind, name)), []) => (kind, Some(name.to_owned())),
                (None, [one]) => (kind, Some(one.clone())),
                (None, []) => (kind, None),
                _ => return Err(usage("top takes one name at most").hint("or a selector: -l run=NAME")),
            };
            if name.is_some() && call.arguments.text("selector").is_some() {
                return Err(usage("only one of NAME or selector can be provided"));
            }
            match kind {
                "pod" | "pods" | "po" => pods(call, &session, name, output).await,
                "node" | "nodes" | "no" => nodes(call, &session, name, output).await,
                other => Err(usage(format!("top shows pods or nodes, not {other}"))),
            }
        })
        .await
    }
}

/// What the metrics API says at a path: a list, or one object.
async fn measured(session: &Session, path: &str, call: &Call) -> Result<Vec<Value>, Report> {
    let query = target::selectors(call);
    let found: Result<Value, kube::Error> = session.cluster.get(&query.on(path)).await;
    match found {
        Ok(mut answer) => Ok(match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => vec![answer],
        }),
        Err(error) => {
            // The server knows no such group, rather than no such pod.
            let groups: Value = session.cluster.get("/apis").await.unwrap_or_default();
            let known = list(&groups, "/groups")
                .iter()
                .any(|group| text(group, "/name") == "metrics.k8s.io");
            if error::code(&error) == Some(404) && !known {
                return Err(Report::failed(NOT_FOUND, "Metrics API not available")
                    .hint("install metrics-server in the cluster"));
            }
            Err(session.cluster.report(&error))
        }
    }
}

/// CPU in nanocores, so that sums round once; memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Use {
    cpu: i128,
    memory: i128,
}

impl Use {
    fn of(usage: &Value) -> Self {
        Use {
            cpu: nano(text(usage, "/cpu")).unwrap_or(0),
            memory: whole(text(usage, "/memory")).unwrap_or(0),
        }
    }

    fn plus(self, other: Use) -> Self {
        Use {
            cpu: self.cpu + other.cpu,
            memory: self.memory + other.memory,
        }
    }

    fn millicores(self) -> i128 {
        (self.cpu + 999_999) / 1_000_000
    }

    fn cells(self) -> [String; 2] {
        [format!("{}m", self.millicores()), format!("{}Mi", self.memory / MEBI)]
    }

    fn numbers(self) -> (i64, i64) {
        let fit = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
        (fit(self.millicores()), fit(self.memory))
    }
}

/// Most first, or by name.
fn sort<T>(rows: &mut [T], by: Option<&str>, used: impl Fn(&T) -> Use, name: impl Fn(&T) -> String) {
    match by {
        Some("cpu") => rows.sort_by_key(|row| std::cmp::Reverse(used(row).cpu)),
        Some("memory") => rows.sort_by_key(|row| std::cmp::Reverse(used(row).memory)),
        _ => rows.sort_by_key(name),
    }
}

async fn pods(call: &Call, session: &Session, name: Option<String>, output: &Output) -> Result<(), Report> {
    let everywhere = call.arguments.flag("all-namespaces");
    let namespace = namespace_of(call, session);
    let mut path = if everywhere {
        format!("{METRICS}/pods")
    } else {
        format!("{METRICS}/namespaces/{}/pods", encode(&namespace))
    };
    if let Some(name) = &name {
        path = format!("{path}/{}", encode(name));
    }
    let mut rows: Vec<(Value, Vec<(String, Use)>)> = measured(session, &path, call)
        .await?
        .into_iter()
        .map(|pod| {
            let containers = list(&pod, "/containers")
                .iter()
                .map(|one| (text(one, "/name").to_owned(), Use::of(&one["usage"])))
                .collect();
            (pod, containers)
        })
        .collect();
    if rows.is_empty() {
        let words = if everywhere {
            "No resources found".to_owned()
        } else {
            format!("No resources found in {namespace} namespace.")
        };
        call.operator.note(SafeText::line(&words));
        return Ok(());
    }
    let total = |containers: &[(String, Use)]| containers.iter().fold(Use::default(), |sum, (_, one)| sum.plus(*one));
    let by = call.arguments.text("sort-by");
    sort(
        &mut rows,
        by.as_deref(),
        |row| total(&row.1),
        |(pod, _)| format!("{}/{}", object::namespace(pod), object::name(pod)),
    );
    let apart = call.arguments.flag("containers");
    let mut columns = Vec::new();
    if everywhere {
        columns.push("NAMESPACE");
    }
    columns.extend(if apart { vec!["POD", "NAME"] } else { vec!["NAME"] });
    columns.extend(["CPU(cores)", "MEMORY(bytes)"]);
    let width = columns.len();
    let header = header(call, columns);
    let mut sum = Use::default();
    for (pod, containers) in &rows {
        sum = sum.plus(total(containers));
        let parts: Vec<(Option<&str>, Use)> = if apart {
            containers
                .iter()
                .map(|(name, used)| (Some(name.as_str()), *used))
                .collect()
        } else {
            vec![(None, total(containers))]
        };
        for (container, used) in parts {
            let mut cells: Vec<String> = everywhere
                .then(|| object::namespace(pod).to_owned())
                .into_iter()
                .collect();
            cells.push(object::name(pod).to_owned());
            cells.extend(container.map(str::to_owned));
            cells.extend(used.cells());
            let (cpu, memory) = used.numbers();
            let record = json!({"kind": "Pod", "name": object::name(pod), "namespace": object::namespace(pod),
                "container": container, "cpu_millicores": cpu, "memory_bytes": memory});
            output.emit_as(record, View::row(&header, cells)).await?;
        }
    }
    if call.arguments.flag("sum") {
        let (cpu, memory) = sum.numbers();
        let record = json!({"kind": "Sum", "cpu_millicores": cpu, "memory_bytes": memory});
        let mut cells = vec![String::new(); width.saturating_sub(2)];
        cells.extend(sum.cells());
        output.emit_as(record, View::row(&header, cells)).await?;
    }
    Ok(())
}

async fn nodes(call: &Call, session: &Session, name: Option<String>, output: &Output) -> Result<(), Report> {
    let one = name
        .as_deref()
        .map_or(String::new(), |name| format!("/{}", encode(name)));
    let found = measured(session, &format!("{METRICS}/nodes{one}"), call).await?;
    let used: HashMap<String, Use> = found
        .iter()
        .map(|node| (object::name(node).to_owned(), Use::of(&node["usage"])))
        .collect();
    let resource = session.cluster.discovery().await?.find("nodes")?;
    let mut known = listing::list(session, &resource.collection(None), &target::selectors(call)).await?;
    known.retain(|node| name.as_deref().is_none_or(|name| name == object::name(node)));
    let of = |node: &Value| used.get(object::name(node)).copied();
    let by = call.arguments.text("sort-by");
    sort(
        &mut known,
        by.as_deref(),
        |node| of(node).unwrap_or_default(),
        |node| object::name(node).to_owned(),
    );
    // Nodes without figures come last.
    known.sort_by_key(|node| of(node).is_none());
    let header = header(call, vec!["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]);
    let whole_of = if call.arguments.flag("show-capacity") {
        "capacity"
    } else {
        "allocatable"
    };
    for node in &known {
        let available = |what: &str| text(node, &format!("/status/{whole_of}/{what}"));
        let (cells, record) = match of(node) {
            Some(used) => {
                let [cpu, memory] = used.cells();
                let cpus = milli(available("cpu")).unwrap_or(0);
                let bytes = whole(available("memory")).unwrap_or(0);
                let (millicores, memory_bytes) = used.numbers();
                (
                    vec![
                        cpu,
                        percent(used.millicores(), cpus),
                        memory,
                        percent(used.memory, bytes),
                    ],
                    json!({"cpu_millicores": millicores, "memory_bytes": memory_bytes}),
                )
            }
            None => (vec!["<unknown>".to_owned(); 4], json!({})),
        };
        let mut row = vec![object::name(node).to_owned()];
        row.extend(cells);
        let mut all = json!({"kind": "Node", "name": object::name(node), "namespace": ""});
        if let (Some(all), Value::Object(record)) = (all.as_object_mut(), record) {
            all.extend(record);
        }
        output.emit_as(all, View::row(&header, row)).await?;
    }
    Ok(())
}

fn percent(used: i128, of: i128) -> String {
    if of == 0 {
        "<unknown>".to_owned()
    } else {
        format!("{}%", used * 100 / of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_reads_and_prints_as_kubectl_does() {
        let used = Use::of(&json!({"cpu": "2345678n", "memory": "12345Ki"}));
        assert_eq!(used.cells(), ["3m", "12Mi"]);
        assert_eq!(percent(250, 2000), "12%");
        assert_eq!(percent(1, 0), "<unknown>");
    }
}
