//! Services.

use serde_json::Value;

use super::Related;
use super::events::events;
use super::text::{Text, plain};
use crate::features::kubernetes::object::{self, list, number, text};

/// A service with its endpoints.
pub fn service(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    let empty = Value::Null;
    let spec = live.get("spec").unwrap_or(&empty);
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    let selector = object::map(spec, "/selector")
        .map(object::label_query)
        .unwrap_or_default();
    out.field_or_none(0, "Selector", &selector);
    out.field(0, "Type", text(spec, "/type"));
    out.field_unless_empty(0, "IP Family Policy", text(spec, "/ipFamilyPolicy"));
    let joined = |pointer: &str| list(spec, pointer).iter().map(plain).collect::<Vec<_>>().join(",");
    out.field_or_none(0, "IP Families", &joined("/ipFamilies"));
    out.field(0, "IP", text(spec, "/clusterIP"));
    out.field_or_none(0, "IPs", &joined("/clusterIPs"));
    out.field_unless_empty(0, "External IPs", &joined("/externalIPs"));
    out.field_unless_empty(0, "Desired LoadBalancer IP", text(spec, "/loadBalancerIP"));
    out.field_unless_empty(0, "External Name", text(spec, "/externalName"));
    let ingress: Vec<String> = list(live, "/status/loadBalancer/ingress").iter().map(ingress).collect();
    out.field_unless_empty(0, "LoadBalancer Ingress", &ingress.join(", "));
    for port in list(spec, "/ports") {
        ports(&mut out, port, related);
    }
    out.field(0, "Session Affinity", text(spec, "/sessionAffinity"));
    out.field_unless_empty(0, "External Traffic Policy", text(spec, "/externalTrafficPolicy"));
    out.field_unless_empty(0, "Internal Traffic Policy", text(spec, "/internalTrafficPolicy"));
    if number(spec, "/healthCheckNodePort") != 0 {
        out.field(
            0,
            "HealthCheck NodePort",
            number(spec, "/healthCheckNodePort").to_string(),
        );
    }
    out.field_unless_empty(0, "LoadBalancer Source Ranges", &joined("/loadBalancerSourceRanges"));
    events(&mut out, related);
    out.finish()
}

fn ingress(ingress: &Value) -> String {
    match (text(ingress, "/ip"), text(ingress, "/hostname")) {
        ("", host) => host.to_owned(),
        (ip, "") if !text(ingress, "/ipMode").is_empty() => format!("{ip} ({})", text(ingress, "/ipMode")),
        (ip, _) => ip.to_owned(),
    }
}

fn ports(out: &mut Text, port: &Value, related: &Related) {
    let name = match text(port, "/name") {
        "" => "<unset>",
        name => name,
    };
    let protocol = text(port, "/protocol");
    out.line(0, &format!("Port:\t{name}\t{}/{protocol}", number(port, "/port")));
    let target = match &port["targetPort"] {
        Value::Number(number) if number.as_i64() == Some(0) => String::new(),
        other => plain(other),
    };
    if !target.is_empty() {
        out.field(0, "TargetPort", format!("{target}/{protocol}"));
    }
    if number(port, "/nodePort") != 0 {
        out.line(
            0,
            &format!("NodePort:\t{name}\t{}/{protocol}", number(port, "/nodePort")),
        );
    }
    out.field(0, "Endpoints", endpoints(port, &related.slices));
}

/// Ready addresses for a port, the first three named (`formatEndpointSlices`).
fn endpoints(port: &Value, slices: &[Value]) -> String {
    const NAMED: usize = 3;
    let name = text(port, "/name");
    let mut addresses = Vec::new();
    for slice in slices {
        for found in list(slice, "/ports")
            .iter()
            .filter(|found| text(found, "/name") == name)
        {
            let ready = |endpoint: &&Value| endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false));
            for endpoint in list(slice, "/endpoints").iter().filter(ready) {
                let hosts = list(endpoint, "/addresses").iter().filter_map(Value::as_str);
                addresses.extend(hosts.map(|host| match host.contains(':') {
                    true => format!("[{host}]:{}", number(found, "/port")),
                    false => format!("{host}:{}", number(found, "/port")),
                }));
            }
        }
    }
    let more = addresses.len().saturating_sub(NAMED);
    addresses.truncate(NAMED);
    let text = addresses.join(",");
    if more > 0 {
        format!("{text} + {more} more...")
    } else {
        text
    }
}
