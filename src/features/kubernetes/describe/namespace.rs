//! Namespaces.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Related;
use super::text::{Text, plain, time};
use crate::features::kubernetes::object::{self, list, text};

/// A namespace with its quotas and limits.
pub fn namespace(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    out.field(0, "Status", text(live, "/status/phase"));
    if !list(live, "/status/conditions").is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        out.line(1, "----\t------\t------------------\t------\t-------");
        for condition in list(live, "/status/conditions") {
            let line = format!(
                "{}\t{}\t{}\t{}\t{}",
                text(condition, "/type"),
                text(condition, "/status"),
                time(&condition["lastTransitionTime"]),
                text(condition, "/reason"),
                text(condition, "/message").replace(['\n', '\t'], " ")
            );
            out.line(1, &line);
        }
    }
    out.line(0, "");
    quotas(&mut out, &related.quotas);
    out.line(0, "");
    limit_ranges(&mut out, &related.limit_ranges);
    out.finish()
}

/// The quotas by name.
fn quotas(out: &mut Text, quotas: &[Value]) {
    if quotas.is_empty() {
        return out.line(0, "No resource quota.");
    }
    let mut sorted: Vec<&Value> = quotas.iter().collect();
    sorted.sort_by_key(|quota| object::name(quota));
    out.line(0, "Resource Quotas");
    for quota in sorted {
        out.field(1, "Name", object::name(quota));
        let mut scopes: Vec<&str> = list(quota, "/spec/scopes").iter().filter_map(Value::as_str).collect();
        scopes.sort_unstable();
        if !scopes.is_empty() {
            out.field(1, "Scopes", scopes.join(", "));
        }
        for help in scopes.into_iter().filter_map(scope) {
            out.line(1, &format!("* {help}"));
        }
        out.line(1, "Resource\tUsed\tHard");
        out.line(1, "--------\t---\t---");
        let mut amounts: Vec<(&String, &Value)> = object::map(quota, "/status/hard").into_iter().flatten().collect();
        amounts.sort_by_key(|(name, _)| *name);
        for (name, hard) in amounts {
            let used = plain(&quota["status"]["used"][name.as_str()]);
            let used = if used.is_empty() { "0" } else { &used };
            out.line(1, &format!("{name}\t{used}\t{}", plain(hard)));
        }
    }
}

/// What kubectl says a scope of a quota matches.
fn scope(name: &str) -> Option<&'static str> {
    Some(match name {
        "Terminating" => {
            "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively \
             terminated by the system."
        }
        "NotTerminating" => {
            "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container \
             command is not expected to terminate."
        }
        "BestEffort" => {
            "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
        }
        "NotBestEffort" => {
            "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality \
             of service."
        }
        _ => return None,
    })
}

fn limit_ranges(out: &mut Text, ranges: &[Value]) {
    if ranges.is_empty() {
        return out.line(0, "No LimitRange resource.");
    }
    out.line(0, "Resource Limits");
    out.line(
        0,
        " Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    );
    out.line(
        0,
        " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
    );
    let fields = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for item in ranges.iter().flat_map(|range| list(range, "/spec/limits")) {
        let amounts = fields.iter().filter_map(|field| item[*field].as_object());
        let resources: BTreeSet<&String> = amounts.flatten().map(|(name, _)| name).collect();
        for resource in resources {
            let mut line = format!(" {}\t{resource}", text(item, "/type"));
            for field in fields {
                let amount = plain(&item[field][resource.as_str()]);
                line.push('\t');
                line.push_str(if amount.is_empty() { "-" } else { &amount });
            }
            out.line(0, &line);
        }
    }
}
