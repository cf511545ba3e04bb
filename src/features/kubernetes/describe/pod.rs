//! Pods.

use serde_json::Value;

use super::Related;
use super::events::events;
use super::template::{containers, scheduling, volumes};
use super::text::{Text, time};
use crate::features::kubernetes::object::{self, list, number, text};

/// A pod.
pub fn pod(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    let empty = Value::Null;
    let spec = live.get("spec").unwrap_or(&empty);
    let status = live.get("status").unwrap_or(&empty);
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    if let Some(priority) = spec["priority"].as_i64() {
        out.field(0, "Priority", priority.to_string());
        out.field_unless_empty(0, "Priority Class Name", text(spec, "/priorityClassName"));
    }
    out.field_unless_empty(0, "Runtime Class Name", text(spec, "/runtimeClassName"));
    out.field_unless_empty(0, "Service Account", text(spec, "/serviceAccountName"));
    match text(spec, "/nodeName") {
        "" => out.field(0, "Node", "<none>"),
        node => out.field(0, "Node", format!("{node}/{}", text(status, "/hostIP"))),
    }
    if status.get("startTime").is_some() {
        out.field(0, "Start Time", time(&status["startTime"]));
    }
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    state(&mut out, live, status);
    out.field(0, "IP", text(status, "/podIP"));
    addresses(&mut out, status);
    if let Some(owner) = object::controller(live) {
        out.field(
            0,
            "Controlled By",
            format!("{}/{}", text(owner, "/kind"), text(owner, "/name")),
        );
    }
    out.field_unless_empty(0, "NominatedNodeName", text(status, "/nominatedNodeName"));
    if !list(spec, "/initContainers").is_empty() {
        containers(
            &mut out,
            "Init Containers",
            list(spec, "/initContainers"),
            list(status, "/initContainerStatuses"),
            0,
        );
    }
    containers(
        &mut out,
        "Containers",
        list(spec, "/containers"),
        list(status, "/containerStatuses"),
        0,
    );
    if !list(status, "/conditions").is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus");
        for condition in list(status, "/conditions") {
            out.line(
                1,
                &format!("{} \t{} ", text(condition, "/type"), text(condition, "/status")),
            );
        }
    }
    volumes(&mut out, spec, 0);
    out.field_or_none(0, "QoS Class", text(status, "/qosClass"));
    scheduling(&mut out, spec, 0);
    events(&mut out, related);
    out.finish()
}

fn state(out: &mut Text, live: &Value, status: &Value) {
    match live.pointer("/metadata/deletionTimestamp").and_then(Value::as_str) {
        Some(deleted) => {
            let since = deleted
                .parse()
                .map(|at| crate::feed::health::age(jiff::Timestamp::now(), at))
                .unwrap_or_default();
            out.field(0, "Status", format!("Terminating (lasts {since})"));
            out.field(
                0,
                "Termination Grace Period",
                format!("{}s", number(live, "/metadata/deletionGracePeriodSeconds")),
            );
        }
        None => out.field(0, "Status", text(status, "/phase")),
    }
    out.field_unless_empty(0, "Reason", text(status, "/reason"));
    out.field_unless_empty(0, "Message", text(status, "/message"));
}

fn addresses(out: &mut Text, status: &Value) {
    let addresses = list(status, "/podIPs");
    if addresses.is_empty() {
        out.line(0, "IPs:\t<none>");
        return;
    }
    out.line(0, "IPs:");
    for address in addresses {
        out.field(1, "IP", text(address, "/ip"));
    }
}
