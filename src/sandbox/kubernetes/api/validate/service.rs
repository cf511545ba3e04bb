//! Rules of services.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::status::Cause;
use super::{meta, names, pod};

/// `v1` Service.
pub(super) fn service(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    let kind = spec["type"].as_str().unwrap_or_default();
    if !matches!(kind, "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName") {
        let allowed = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        causes.push(Cause::not_supported("spec.type", &spec["type"], &allowed));
    }
    let ports = spec["ports"].as_array().map_or(&[][..], Vec::as_slice);
    if ports.is_empty() && spec["clusterIP"] != "None" && kind != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    if kind == "ExternalName" {
        let name = spec["externalName"].as_str().unwrap_or_default();
        if name.is_empty() {
            causes.push(Cause::required("spec.externalName", ""));
        } else {
            let wrong = names::subdomain(name.trim_end_matches('.'));
            causes.extend(
                wrong
                    .iter()
                    .map(|why| Cause::invalid("spec.externalName", &json!(name), why)),
            );
        }
    }
    let (mut named, mut seen) = (HashSet::new(), HashSet::new());
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        let name = port["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            if ports.len() > 1 {
                causes.push(Cause::required(format!("{at}.name"), ""));
            }
        } else {
            causes.extend(
                names::label(name)
                    .iter()
                    .map(|why| Cause::invalid(format!("{at}.name"), &json!(name), why)),
            );
            if !named.insert(name) {
                causes.push(Cause::duplicate(format!("{at}.name"), &json!(name)));
            }
        }
        pod::port_number(port["port"].as_i64().unwrap_or(0), &format!("{at}.port"), &mut causes);
        pod::protocol(&port["protocol"], &format!("{at}.protocol"), &mut causes);
        if let Some(target) = port["targetPort"].as_i64() {
            pod::port_number(target, &format!("{at}.targetPort"), &mut causes);
        }
        if !seen.insert((port["port"].as_i64(), port["protocol"].as_str())) {
            let value = json!({"port": port["port"], "protocol": port["protocol"]});
            causes.push(Cause::duplicate(at, &value));
        }
    }
    causes.extend(meta::labels(&spec["selector"], "spec.selector"));
    if !matches!(spec["sessionAffinity"].as_str(), None | Some("None" | "ClientIP")) {
        causes.push(Cause::not_supported(
            "spec.sessionAffinity",
            &spec["sessionAffinity"],
            &["ClientIP", "None"],
        ));
    }
    causes
}
