//! Endpoints and endpoint slices of a service: the addresses of its pods, ready ones and others told apart. Pure:
//! services and pods in, objects out. Services without a selector have endpoints of their own and are left alone.

use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::sandbox::kubernetes::objects::{self, int, name, namespace, pod, text, uid};

/// The pods that belong in the endpoints: they have an address and have not finished.
fn eligible(pods: &[Arc<Value>]) -> impl Iterator<Item = &Arc<Value>> {
    pods.iter()
        .filter(|p| !pod::is_finished(p) && !text(p, "/status/podIP").is_empty())
}

/// The port of a pod that a service port leads to: a number, or the name of a container port.
pub fn target_port(service_port: &Value, pod: &Value) -> Option<u16> {
    let port = |value: i64| u16::try_from(value).ok();
    match service_port.get("targetPort") {
        Some(Value::Number(number)) => number.as_i64().and_then(port),
        Some(Value::String(wanted)) => {
            let containers = pod.pointer("/spec/containers").and_then(Value::as_array)?;
            let ports = containers
                .iter()
                .filter_map(|c| c.get("ports").and_then(Value::as_array))
                .flatten();
            let found = ports.into_iter().find(|p| text(p, "/name") == wanted)?;
            port(int(found, "/containerPort", 0))
        }
        _ => port(int(service_port, "/port", 0)),
    }
}

fn service_ports(service: &Value) -> Vec<&Value> {
    service
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .map(|ports| ports.iter().collect())
        .unwrap_or_default()
}

/// The ports of the slice, by the first pod that resolves them; a service whose pods resolve named ports differently would need several slices.
fn ports(service: &Value, pods: &[Arc<Value>], named: bool) -> Vec<Value> {
    service_ports(service)
        .into_iter()
        .filter_map(|port| {
            let number = match pods.iter().find_map(|p| target_port(port, p)) {
                Some(number) => number,
                None => target_port(port, &Value::Null)?,
            };
            let mut entry = json!({"name": text(port, "/name"), "protocol": port.get("protocol").cloned().unwrap_or(json!("TCP")), "port": number});
            if !named && text(port, "/name").is_empty() {
                entry = json!({"port": number, "protocol": entry["protocol"]});
            }
            Some(entry)
        })
        .collect()
}

fn target_reference(pod: &Value) -> Value {
    json!({"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)})
}

/// The `endpoints` list of the slice, in the order of `known` addresses first (an endpoint keeps its place), new ones behind.
pub fn slice_endpoints(pods: &[Arc<Value>], known: &[String], zone: impl Fn(&str) -> Option<String>) -> Vec<Value> {
    let mut list: Vec<(usize, Value)> = eligible(pods)
        .map(|p| {
            let address = text(p, "/status/podIP");
            let (serving, terminating) = (pod::is_ready(p), objects::is_deleting(p));
            let mut endpoint = json!({
                "addresses": [address],
                "conditions": {"ready": serving && !terminating, "serving": serving, "terminating": terminating},
                "targetRef": target_reference(p),
            });
            let node = text(p, "/spec/nodeName");
            if !node.is_empty() {
                endpoint["nodeName"] = node.into();
                if let Some(zone) = zone(node) {
                    endpoint["zone"] = zone.into();
                }
            }
            (known.iter().position(|k| k == address).unwrap_or(usize::MAX), endpoint)
        })
        .collect();
    list.sort_by_key(|(place, _)| *place);
    list.into_iter().map(|(_, endpoint)| endpoint).collect()
}

/// The slice's ports.
pub fn slice_ports(service: &Value, pods: &[Arc<Value>]) -> Vec<Value> {
    ports(service, pods, true)
}

/// A new, empty slice for a service; the store completes its name.
pub fn new_slice(service: &Value) -> Value {
    let mut labels = objects::labels(service).cloned().unwrap_or_default();
    labels.insert(
        "endpointslice.kubernetes.io/managed-by".into(),
        "endpointslice-controller.k8s.io".into(),
    );
    labels.insert("kubernetes.io/service-name".into(), name(service).into());
    if text(service, "/spec/clusterIP") == "None" {
        labels.insert("service.kubernetes.io/headless".into(), "".into());
    }
    labels.sort_keys();
    json!({
        "metadata": {
            "generateName": format!("{}-", name(service)), "namespace": namespace(service), "labels": labels,
            "ownerReferences": [objects::owner_reference(service, "v1", "Service")],
        },
        "addressType": "IPv4", "endpoints": [], "ports": [],
    })
}

/// The subsets of the older `Endpoints` object: ready addresses and others, sorted by address.
pub fn subsets(service: &Value, pods: &[Arc<Value>]) -> Value {
    let (mut ready, mut other) = (Vec::new(), Vec::new());
    for p in eligible(pods) {
        let is_ready = pod::is_ready(p) && !objects::is_deleting(p);
        let publishes_all = service
            .pointer("/spec/publishNotReadyAddresses")
            .and_then(Value::as_bool)
            == Some(true);
        if objects::is_deleting(p) && !publishes_all {
            continue;
        }
        let entry = json!({"ip": text(p, "/status/podIP"), "nodeName": text(p, "/spec/nodeName"), "targetRef": target_reference(p)});
        if is_ready || publishes_all {
            ready.push(entry)
        } else {
            other.push(entry)
        }
    }
    if ready.is_empty() && other.is_empty() {
        return Value::Null;
    }
    let by_address = |e: &Value| text(e, "/ip").parse::<Ipv4Addr>().ok();
    ready.sort_by_key(by_address);
    other.sort_by_key(by_address);
    let mut subset = json!({});
    if !ready.is_empty() {
        subset["addresses"] = ready.into();
    }
    if !other.is_empty() {
        subset["notReadyAddresses"] = other.into();
    }
    subset["ports"] = ports(service, pods, false).into();
    json!([subset])
}

/// The labels of the `Endpoints` object.
pub fn endpoints_labels(service: &Value) -> Value {
    let mut labels = objects::labels(service).cloned().unwrap_or_default();
    labels.insert(
        "endpoints.kubernetes.io/managed-by".into(),
        "endpoint-controller".into(),
    );
    labels.sort_keys();
    Value::Object(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(ip: &str, ready: bool, deleting: bool) -> Arc<Value> {
        let mut p = json!({
            "metadata": {"name": format!("p-{ip}"), "namespace": "default", "uid": "u"},
            "spec": {"nodeName": "n1", "containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        });
        if deleting {
            p["metadata"]["deletionTimestamp"] = json!("2026-11-21T18:00:00Z");
        }
        Arc::new(p)
    }

    #[test]
    fn only_ready_and_staying_pods_are_ready_endpoints() {
        let pods = [
            pod("100.96.1.2", true, false),
            pod("100.96.1.3", false, false),
            pod("100.96.1.4", true, true),
            pod("", false, false),
        ];
        let list = slice_endpoints(&pods, &["100.96.1.4".into()], |_| Some("zone-a".into()));
        let seen: Vec<_> = list
            .iter()
            .map(|e| {
                (
                    text(e, "/addresses/0"),
                    e["conditions"]["ready"] == true,
                    e["conditions"]["serving"] == true,
                    e["conditions"]["terminating"] == true,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("100.96.1.4", false, true, true),
                ("100.96.1.2", true, true, false),
                ("100.96.1.3", false, false, false)
            ]
        );
        let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}});
        let subsets = subsets(&service, &pods);
        assert_eq!(subsets[0]["addresses"].as_array().map(Vec::len), Some(1));
        assert_eq!(subsets[0]["notReadyAddresses"][0]["ip"], "100.96.1.3");
        assert_eq!(subsets[0]["ports"], json!([{"port": 8080, "protocol": "TCP"}]));
    }

    #[test]
    fn ports_resolve_numbers_names_and_defaults() {
        let p = pod("100.96.1.2", true, false);
        assert_eq!(target_port(&json!({"port": 80, "targetPort": 81}), &p), Some(81));
        assert_eq!(target_port(&json!({"port": 80, "targetPort": "http"}), &p), Some(8080));
        assert_eq!(target_port(&json!({"port": 80}), &p), Some(80));
        assert_eq!(target_port(&json!({"port": 80, "targetPort": "nope"}), &p), None);
        assert_eq!(target_port(&json!({"port": 80, "targetPort": 70000}), &p), None);
    }
}
