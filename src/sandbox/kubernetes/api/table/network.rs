//! Rows of services and what stands behind them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, labels, name, or_none};

pub(super) const ENDPOINTSLICE: &[Column] = &[
    ("Name", "string", 0),
    ("AddressType", "string", 0),
    ("Ports", "string", 0),
    ("Endpoints", "string", 0),
    ("Age", "string", 0),
];
pub(super) const INGRESS: &[Column] = &[
    ("Name", "string", 0),
    ("Class", "string", 0),
    ("Hosts", "string", 0),
    ("Address", "string", 0),
    ("Ports", "string", 0),
    ("Age", "string", 0),
];

/// How many endpoints a row names before it only counts them.
const SHOWN: usize = 3;

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn service(object: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &object["spec"];
    let ports: Vec<String> = items(&spec["ports"])
        .map(|port| {
            let node = port["nodePort"]
                .as_i64()
                .filter(|p| *p > 0)
                .map(|p| format!(":{p}"))
                .unwrap_or_default();
            format!(
                "{}{node}/{}",
                super::count(&port["port"]),
                port["protocol"].as_str().unwrap_or("TCP")
            )
        })
        .collect();
    let ports = if ports.is_empty() {
        "<none>".to_owned()
    } else {
        ports.join(",")
    };
    let address = spec["clusterIPs"][0]
        .as_str()
        .or(spec["clusterIP"].as_str())
        .unwrap_or_default();
    vec![
        name(object),
        spec["type"].clone(),
        or_none(&json!(address)),
        json!(external(object)),
        json!(ports),
        age(object, now),
        labels(&spec["selector"]),
    ]
}

fn external(object: &Value) -> String {
    let spec = &object["spec"];
    let fixed: Vec<&str> = items(&spec["externalIPs"]).filter_map(Value::as_str).collect();
    match spec["type"].as_str() {
        Some("ClusterIP" | "NodePort") if fixed.is_empty() => "<none>".to_owned(),
        Some("ClusterIP" | "NodePort") => fixed.join(","),
        Some("ExternalName") => spec["externalName"].as_str().unwrap_or_default().to_owned(),
        Some("LoadBalancer") => {
            let mut found: Vec<&str> = addresses(object).into_iter().collect();
            found.extend(&fixed);
            if found.is_empty() {
                "<pending>".to_owned()
            } else {
                found.join(",")
            }
        }
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses of `status.loadBalancer`: an IP, or else a host name, each; sorted.
fn addresses(object: &Value) -> BTreeSet<&str> {
    items(&object["status"]["loadBalancer"]["ingress"])
        .filter_map(|entry| {
            entry["ip"]
                .as_str()
                .filter(|ip| !ip.is_empty())
                .or(entry["hostname"].as_str())
        })
        .collect()
}

/// The first endpoints, and how many more there are.
fn shorten(all: &[String]) -> String {
    match all {
        [] => "<none>".to_owned(),
        few if few.len() <= SHOWN => few.join(","),
        many => format!("{} + {} more...", many[..SHOWN].join(","), many.len() - SHOWN),
    }
}

pub(super) fn endpoints(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut all = Vec::new();
    for subset in items(&object["subsets"]) {
        let hosts = || items(&subset["addresses"]).filter_map(|a| a["ip"].as_str());
        if items(&subset["ports"]).next().is_none() {
            all.extend(hosts().map(str::to_owned));
        }
        for port in items(&subset["ports"]) {
            all.extend(hosts().map(|host| match host.contains(':') {
                true => format!("[{host}]:{}", super::count(&port["port"])),
                false => format!("{host}:{}", super::count(&port["port"])),
            }));
        }
    }
    vec![name(object), json!(shorten(&all)), age(object, now)]
}

pub(super) fn endpointslice(object: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = items(&object["ports"])
        .map(|port| port["port"].as_i64().map_or("*".to_owned(), |p| p.to_string()))
        .collect();
    let ports = if ports.is_empty() {
        "<unset>".to_owned()
    } else {
        shorten(&ports)
    };
    let hosts: Vec<String> = items(&object["endpoints"])
        .flat_map(|endpoint| items(&endpoint["addresses"]))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let hosts = if hosts.is_empty() {
        "<unset>".to_owned()
    } else {
        shorten(&hosts)
    };
    vec![
        name(object),
        object["addressType"].clone(),
        json!(ports),
        json!(hosts),
        age(object, now),
    ]
}

pub(super) fn ingress(object: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &object["spec"];
    let hosts: Vec<&str> = items(&spec["rules"])
        .filter_map(|rule| rule["host"].as_str())
        .filter(|h| !h.is_empty())
        .collect();
    let hosts = if hosts.is_empty() {
        "*".to_owned()
    } else {
        hosts.join(",")
    };
    let secure = items(&spec["tls"]).next().is_some();
    let address = addresses(object).into_iter().collect::<Vec<_>>().join(",");
    vec![
        name(object),
        or_none(&spec["ingressClassName"]),
        json!(hosts),
        json!(address),
        json!(if secure { "80, 443" } else { "80" }),
        age(object, now),
    ]
}
