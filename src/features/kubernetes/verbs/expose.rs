//! `kubectl:expose`: a Service for the pods of a workload, a pod or another service.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::common::{WRITE, declare, more_names, types_or_objects};
use super::completer::Names;
use super::dry_run::dry_run;
use super::mutation::{self, Draft, Write, essence, must_not_exist};
use super::run::{named, pairs};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::{self, Target};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// Longest name of a service (RFC 1035 label).
const LONGEST_NAME: usize = 63;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("expose", "Make a service for the pods of an object")
        .description(
            "Selector, labels and ports come from the exposed object: a deployment, replica set, replication controller, \
             pod or service.",
        )
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(types_or_objects("What to expose, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options([
            OptionSpec::new("port", OptionKind::List, "Ports of the service; those of the containers when not given").value_name("ports"),
            OptionSpec::new("target-port", OptionKind::String, "Port of the containers, by number or name; the same as --port when not given")
                .value_name("port"),
            OptionSpec::new("type", OptionKind::Enum(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]), "Type of the service"),
            OptionSpec::new("name", OptionKind::String, "Name of the service; the object's when not given").value_name("name"),
            OptionSpec::new("protocol", OptionKind::Enum(&["TCP", "UDP", "SCTP"]), "Protocol of the ports"),
            OptionSpec::new("selector", OptionKind::List, "Selector instead of the object's, KEY=VALUE").value_name("pairs"),
            OptionSpec::new("labels", OptionKind::List, "Labels instead of the object's, KEY=VALUE").short('l').value_name("pairs"),
            OptionSpec::new("cluster-ip", OptionKind::String, "Cluster address, or None for a headless service").value_name("address"),
        ])
        .output("{kind, name, namespace, action, message}; the kind is Service.")
        .example("kubectl:expose deploy inspector --type=LoadBalancer", "reachable from outside of the cluster")
        .example("kubectl:get deploy inspector | kubectl:expose --port=80", "the object from the pipe");
    Verb::mutate(
        dry_run(declaration),
        Expose {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Expose {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Expose {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        if let target::Selection::Listed { .. } = selection {
            return Err(usage("resource(s) were provided, but no name was specified"));
        }
        let mut changes = Vec::new();
        for (exposed, live) in target::objects(call, &session, selection).await? {
            let wanted = call.arguments.text("name").unwrap_or_else(|| exposed.name.clone());
            let name: String = wanted.chars().take(LONGEST_NAME).collect();
            let service = named(&session, "Service", &exposed.namespace, &name).await?;
            let body = body(call, &exposed, &live, &name)?;
            must_not_exist(call, &session, &service).await?;
            changes.push(creation(call, &service, body)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, |_| Value::Null, output)
            .await
            .map(|_| ())
    }
}

fn creation(call: &Call, service: &Target, body: Value) -> Result<Change, Report> {
    let after = essence("Service", &body);
    let stage = Stage::new("kubectl:delete").arg("service").arg(&service.name);
    let collection = service.resource.collection(Some(&service.namespace));
    Draft::new(call, service, format!("create {}", service.title()), Value::Null, after)
        .undone_by(stage)
        .sending(
            Write::Create { collection, body },
            "exposed",
            format!("{} exposed", service.title()),
        )
}

fn body(call: &Call, exposed: &Target, live: &Value, name: &str) -> Result<Value, Report> {
    let arguments = &call.arguments;
    let selector = match arguments.list("selector").as_slice() {
        [] => selector_of(exposed, live)?,
        given => Value::Object(labels_of(given, "selector")?),
    };
    let labels = match arguments.list("labels").as_slice() {
        [] => object::map(live, "/metadata/labels").cloned().unwrap_or_default(),
        given => labels_of(given, "label")?,
    };
    let ports = ports(call, exposed, live)?;
    let mut body = service(
        name,
        &exposed.namespace,
        &labels,
        selector,
        ports,
        arguments.text("type"),
    );
    if let Some(address) = arguments.text("cluster-ip") {
        body["spec"]["clusterIP"] = json!(address);
    }
    Ok(body)
}

fn labels_of(given: &[String], what: &str) -> Result<Map<String, Value>, Report> {
    Ok(pairs(given, what)?
        .into_iter()
        .map(|(key, value)| (key, Value::String(value)))
        .collect())
}

/// A Service object.
pub fn service(
    name: &str,
    namespace: &str,
    labels: &Map<String, Value>,
    selector: Value,
    ports: Vec<Value>,
    kind: Option<String>,
) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace}, "spec": {"ports": ports, "selector": selector}});
    if !labels.is_empty() {
        body["metadata"]["labels"] = json!(labels);
    }
    if let Some(kind) = kind {
        body["spec"]["type"] = json!(kind);
    }
    body
}

/// The labels a service can select an object's pods by; a service knows no match expressions.
fn selector_of(exposed: &Target, live: &Value) -> Result<Value, Report> {
    let kind = exposed.resource.kind.as_str();
    let found = match kind {
        "Deployment" | "ReplicaSet" => {
            if !object::list(live, "/spec/selector/matchExpressions").is_empty() {
                return Err(usage("couldn't convert expressions to map-based selector format").hint("give --selector"));
            }
            live.pointer("/spec/selector/matchLabels")
        }
        "Service" | "ReplicationController" => live.pointer("/spec/selector"),
        "Pod" => live.pointer("/metadata/labels"),
        _ => {
            let qualified = if exposed.resource.group.is_empty() {
                kind.to_owned()
            } else {
                format!("{kind}.{}", exposed.resource.group)
            };
            return Err(usage(format!("cannot expose a {qualified}")));
        }
    };
    match found {
        Some(Value::Object(labels)) if !labels.is_empty() => Ok(Value::Object(labels.clone())),
        _ if kind == "Pod" => Err(usage("the pod has no labels and cannot be exposed")),
        _ => Err(usage(format!(
            "couldn't retrieve selectors via --selector flag or introspection: {} has none",
            exposed.title()
        ))),
    }
}

fn ports(call: &Call, exposed: &Target, live: &Value) -> Result<Vec<Value>, Report> {
    let declared = declared_ports(&exposed.resource.kind, live);
    let numbers: Vec<i64> = match call.arguments.list("port").as_slice() {
        [] => declared.iter().map(|(number, _)| *number).collect(),
        given => given.iter().map(|text| port_number(text)).collect::<Result<_, _>>()?,
    };
    if numbers.is_empty() {
        return Err(usage("couldn't find port via --port flag or introspection").hint("give --port"));
    }
    let several = numbers.len() > 1;
    let target = call.arguments.text("target-port");
    let protocol = call.arguments.text("protocol");
    Ok(numbers
        .iter()
        .enumerate()
        .map(|(at, number)| {
            let known = declared
                .iter()
                .find(|(declared, _)| declared == number)
                .map(|(_, protocol)| protocol.clone());
            let protocol = protocol.clone().or(known).unwrap_or_else(|| "TCP".to_owned());
            let target = match &target {
                Some(text) => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
                None => json!(number),
            };
            let mut port = json!({"port": number, "protocol": protocol, "targetPort": target});
            if several {
                port["name"] = json!(format!("port-{}", at + 1));
            }
            port
        })
        .collect())
}

fn port_number(text: &str) -> Result<i64, Report> {
    match text.trim().parse::<i64>() {
        Ok(port) if (1..=65535).contains(&port) => Ok(port),
        _ => Err(usage(format!(
            "invalid port \"{text}\": must be between 1 and 65535, inclusive"
        ))),
    }
}

fn declared_ports(kind: &str, live: &Value) -> Vec<(i64, String)> {
    let protocol = |port: &Value| port["protocol"].as_str().unwrap_or("TCP").to_owned();
    if kind == "Service" {
        return object::list(live, "/spec/ports")
            .iter()
            .map(|p| (object::number(p, "/port"), protocol(p)))
            .collect();
    }
    let Some(spec) = object::pod_spec_pointer(kind).and_then(|pointer| live.pointer(pointer)) else {
        return Vec::new();
    };
    object::list(spec, "/containers")
        .iter()
        .flat_map(|container| object::list(container, "/ports"))
        .map(|port| (object::number(port, "/containerPort"), protocol(port)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    fn deployment() -> Value {
        json!({"metadata": {"name": "inspector", "labels": {"run": "inspector"}},
            "spec": {"selector": {"matchLabels": {"run": "inspector"}}, "template": {"spec": {"containers": [
                {"name": "inspector", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}}})
    }

    #[test]
    fn a_deployment_s_service_takes_selector_labels_and_port_from_it() {
        let call = call(&[], json!({"type": "LoadBalancer"}));
        let body = body(&call, &target("Deployment", "inspector"), &deployment(), "inspector").unwrap();
        assert_eq!(body["metadata"]["labels"], json!({"run": "inspector"}));
        assert_eq!(
            body["spec"],
            json!({"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "selector": {"run": "inspector"}, "type": "LoadBalancer"})
        );
    }

    #[test]
    fn several_ports_have_names_and_a_target_may_be_named() {
        let call = call(&[], json!({"port": ["80", "443"], "target-port": "http"}));
        let body = body(&call, &target("Deployment", "inspector"), &deployment(), "web").unwrap();
        let ports = body["spec"]["ports"].as_array().unwrap();
        assert_eq!(
            ports[1],
            json!({"port": 443, "protocol": "TCP", "targetPort": "http", "name": "port-2"})
        );
    }

    #[test]
    fn what_cannot_be_exposed_says_why() {
        let none = call(&[], json!({}));
        let message = |kind: &str, live: &Value| body(&none, &target(kind, "x"), live, "x").unwrap_err().message;
        assert_eq!(message("Node", &json!({})), "cannot expose a Node");
        assert_eq!(
            message("Pod", &json!({})),
            "the pod has no labels and cannot be exposed"
        );
        let mut silent = deployment();
        silent["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([]);
        assert_eq!(
            message("Deployment", &silent),
            "couldn't find port via --port flag or introspection"
        );
        assert!(port_number("80x").is_err() && port_number("0").is_err());
    }
}
