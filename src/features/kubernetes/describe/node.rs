//! Nodes.

use serde_json::Value;

use super::Related;
use super::events::events;
use super::requests::requests;
use super::text::{Text, plain, time, yes};
use crate::features::kubernetes::object::{self, list, text};

/// A node.
pub fn node(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.field_or_none(0, "Roles", &roles(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    out.field(0, "CreationTimestamp", time(&live["metadata"]["creationTimestamp"]));
    out.lines(0, "Taints", list(live, "/spec/taints").iter().map(taint));
    out.field(0, "Unschedulable", yes(&live["spec"]["unschedulable"]).to_lowercase());
    if let Some(Err(why)) = &related.lease {
        out.field(0, "Lease", format!("Failed to get lease: {why}"));
    }
    if let Some(Ok(lease)) = &related.lease {
        let set = |found: &str| if found.is_empty() { "<unset>" } else { found }.to_owned();
        let at = |field: &str| match &lease["spec"][field] {
            Value::Null => "<unset>".to_owned(),
            found => time(found),
        };
        out.line(0, "Lease:");
        out.field(1, "HolderIdentity", set(text(lease, "/spec/holderIdentity")));
        out.field(1, "AcquireTime", at("acquireTime"));
        out.field(1, "RenewTime", at("renewTime"));
    }
    if !list(live, "/status/conditions").is_empty() {
        out.line(0, "Conditions:");
        out.line(
            1,
            "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage",
        );
        out.line(
            1,
            "----\t------\t-----------------\t------------------\t------\t-------",
        );
        for condition in list(live, "/status/conditions") {
            out.line(
                1,
                &format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    text(condition, "/type"),
                    text(condition, "/status"),
                    time(&condition["lastHeartbeatTime"]),
                    time(&condition["lastTransitionTime"]),
                    text(condition, "/reason"),
                    text(condition, "/message").replace(['\n', '\t'], " ")
                ),
            );
        }
    }
    out.line(0, "Addresses:");
    for address in list(live, "/status/addresses") {
        out.field(1, text(address, "/type"), text(address, "/address"));
    }
    for (title, pointer) in [("Capacity", "/status/capacity"), ("Allocatable", "/status/allocatable")] {
        let mut amounts: Vec<(&String, &Value)> = object::map(live, pointer).into_iter().flatten().collect();
        amounts.sort_by_key(|(name, _)| *name);
        if !amounts.is_empty() {
            out.line(0, &format!("{title}:"));
        }
        for (name, amount) in amounts {
            out.field(1, name, plain(amount));
        }
    }
    out.line(0, "System Info:");
    let known = [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ];
    for (title, key) in known {
        out.field(1, title, text(live, &format!("/status/nodeInfo/{key}")));
    }
    out.field_unless_empty(0, "PodCIDR", text(live, "/spec/podCIDR"));
    let cidrs: Vec<String> = list(live, "/spec/podCIDRs").iter().map(plain).collect();
    out.field_unless_empty(0, "PodCIDRs", &cidrs.join(","));
    out.field_unless_empty(0, "ProviderID", text(live, "/spec/providerID"));
    requests(&mut out, live, related);
    events(&mut out, related);
    out.finish()
}

fn roles(live: &Value) -> String {
    let mut roles: Vec<&str> = object::map(live, "/metadata/labels")
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles.join(",")
}

fn taint(taint: &Value) -> String {
    match text(taint, "/value") {
        "" => format!("{}:{}", text(taint, "/key"), text(taint, "/effect")),
        value => format!("{}={value}:{}", text(taint, "/key"), text(taint, "/effect")),
    }
}
