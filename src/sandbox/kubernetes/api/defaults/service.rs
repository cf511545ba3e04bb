//! Defaults of services, and the addresses and ports they are given.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::status::Cause;
use super::{map, set};
use crate::sandbox::kubernetes::store::Store;
use crate::sandbox::random::Random;

/// Services get addresses of 100.64.0.0/13.
const RANGE: (Ipv4Addr, u32) = (Ipv4Addr::new(100, 64, 0, 0), 13);
/// Ports on every node for services that ask for one.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
/// Addresses below this offset are kept for chosen ones (`kubernetes` is .1, DNS is .10).
const RESERVED: u64 = 256;

/// Fills in a service's spec, all but what must be allocated.
pub fn spec(object: &mut Value) {
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    set(spec, "type", json!("ClusterIP"));
    set(spec, "sessionAffinity", json!("None"));
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        set(port, "protocol", json!("TCP"));
        if let Some(number) = port.get("port").cloned()
            && port
                .get("targetPort")
                .is_none_or(|target| target.is_null() || *target == json!(0) || *target == json!(""))
        {
            port.insert("targetPort".into(), number);
        }
    }
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "ExternalName" {
        return;
    }
    if spec.get("sessionAffinity") == Some(&json!("ClientIP")) {
        set(
            spec,
            "sessionAffinityConfig",
            json!({"clientIP": {"timeoutSeconds": 10_800}}),
        );
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    } else {
        spec.shift_remove("externalTrafficPolicy");
        spec.shift_remove("allocateLoadBalancerNodePorts");
    }
    set(spec, "ipFamilies", json!(["IPv4"]));
    set(spec, "ipFamilyPolicy", json!("SingleStack"));
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    set(spec, "internalTrafficPolicy", json!("Cluster"));
}

/// Gives a service the address and node ports it needs and has not, and checks those it asks for. The caller holds
/// the allocation lock until the service is stored.
pub(in super::super) fn allocate(store: &Store, object: &mut Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let this = object["metadata"]["uid"].clone();
    let others: Vec<_> = store
        .list("services", None)
        .into_iter()
        .filter(|other| this.is_null() || other["metadata"]["uid"] != this)
        .collect();
    let Some(spec) = map(&mut object["spec"]) else {
        return;
    };
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec.shift_remove(field);
        }
        return;
    }
    if let Some(old) = old {
        keep_allocated(spec, &old["spec"], &kind);
    }
    let taken: HashSet<&str> = others
        .iter()
        .filter_map(|other| other["spec"]["clusterIP"].as_str())
        .collect();
    address(store, spec, old, &taken, causes);
    if kind == "ClusterIP" {
        for port in ports(spec) {
            port.shift_remove("nodePort");
        }
        return;
    }
    if spec.get("allocateLoadBalancerNodePorts") == Some(&json!(false)) {
        return;
    }
    let mut used: HashSet<i64> = others
        .iter()
        .flat_map(|other| {
            other["spec"]["ports"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|p| p["nodePort"].as_i64())
        })
        .collect();
    store.draw(|random| node_ports(random, spec, &mut used, causes));
}

fn ports(spec: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    spec.get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// An update that leaves out what was allocated keeps it.
fn keep_allocated(spec: &mut Map<String, Value>, old: &Value, kind: &str) {
    for field in ["clusterIP", "clusterIPs"] {
        if let Some(value) = old.get(field).cloned() {
            set(spec, field, value);
        }
    }
    if kind == "ClusterIP" {
        return;
    }
    for port in ports(spec) {
        let same = |other: &&Value| {
            Some(&other["port"]) == port.get("port") && Some(&other["protocol"]) == port.get("protocol")
        };
        let before = old["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .find(same)
            .map(|other| other["nodePort"].clone());
        if let Some(number) = before.filter(|number| !number.is_null()) {
            set(port, "nodePort", number);
        }
    }
}

fn address(
    store: &Store,
    spec: &mut Map<String, Value>,
    old: Option<&Value>,
    taken: &HashSet<&str>,
    causes: &mut Vec<Cause>,
) {
    let given = spec
        .get("clusterIP")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let before = old
        .and_then(|old| old["spec"]["clusterIP"].as_str())
        .unwrap_or_default();
    if !before.is_empty() && !given.is_empty() && before != given {
        causes.push(Cause::invalid(
            "spec.clusterIPs[0]",
            &json!([given]),
            "may not change once set",
        ));
        return;
    }
    let chosen = match given.as_str() {
        "None" => given,
        "" => store.draw(|random| free_address(random, taken)),
        _ => {
            if !in_range(&given) {
                let why = "failed to allocate IP: the provided network does not match the current range";
                causes.push(Cause::invalid("spec.clusterIPs", &json!([given]), why));
            } else if taken.contains(given.as_str()) {
                let why = format!("failed to allocate IP {given}: provided IP is already allocated");
                causes.push(Cause::invalid("spec.clusterIPs", &json!([given]), &why));
            }
            given
        }
    };
    spec.insert("clusterIP".into(), json!(chosen));
    spec.insert("clusterIPs".into(), json!([chosen]));
}

fn in_range(text: &str) -> bool {
    let shift = 32 - RANGE.1;
    text.parse::<Ipv4Addr>()
        .is_ok_and(|address| u32::from(address) >> shift == u32::from(RANGE.0) >> shift)
}

fn free_address(random: &mut Random, taken: &HashSet<&str>) -> String {
    let size = 1u64 << (32 - RANGE.1);
    loop {
        // The range holds half a million addresses and the store far fewer services: this ends soon.
        let offset = RESERVED + random.below(size - RESERVED - 1);
        let address = Ipv4Addr::from(u32::from(RANGE.0) + u32::try_from(offset).unwrap_or(0)).to_string();
        if !taken.contains(address.as_str()) {
            return address;
        }
    }
}

fn node_ports(random: &mut Random, spec: &mut Map<String, Value>, used: &mut HashSet<i64>, causes: &mut Vec<Cause>) {
    for (index, port) in ports(spec).enumerate() {
        let field = format!("spec.ports[{index}].nodePort");
        let number = match port.get("nodePort").and_then(Value::as_i64).filter(|n| *n != 0) {
            Some(given) if !NODE_PORTS.contains(&given) => {
                let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
                causes.push(Cause::invalid(field, &json!(given), why));
                given
            }
            Some(given) if used.contains(&given) => {
                causes.push(Cause::invalid(
                    field,
                    &json!(given),
                    "provided port is already allocated",
                ));
                given
            }
            Some(given) => given,
            None => {
                let start = NODE_PORTS.start() + i64::try_from(random.below(2_768)).unwrap_or(0);
                let free = (start..=*NODE_PORTS.end())
                    .chain(NODE_PORTS)
                    .find(|n| !used.contains(n));
                let Some(free) = free else {
                    causes.push(Cause::invalid(
                        field,
                        &json!(0),
                        "failed to allocate a nodePort: range is full",
                    ));
                    continue;
                };
                free
            }
        };
        used.insert(number);
        port.insert("nodePort".into(), json!(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_range_and_free() {
        let mut random = Random::new(1);
        let first = free_address(&mut Random::new(1), &HashSet::new());
        assert!(in_range(&first) && in_range("100.71.255.254") && !in_range("100.72.0.1") && !in_range("x"));
        assert_ne!(free_address(&mut random, &HashSet::from([first.as_str()])), first);
    }
}
