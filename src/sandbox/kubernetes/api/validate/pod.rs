//! Rules of pod specs.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::status::Cause;
use super::names;

/// A pod spec at some place (`spec`, `spec.template.spec`).
pub(super) fn spec(spec: &Value, at: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let containers = spec["containers"].as_array().map_or(&[][..], Vec::as_slice);
    if containers.is_empty() {
        causes.push(Cause::required(format!("{at}.containers"), ""));
    }
    let volumes: HashSet<&str> = spec["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v["name"].as_str())
        .collect();
    let mut seen = HashSet::new();
    for list in ["containers", "initContainers"] {
        for (index, one) in spec[list].as_array().into_iter().flatten().enumerate() {
            container(one, &format!("{at}.{list}[{index}]"), &mut seen, &volumes, &mut causes);
        }
    }
    let policy = &spec["restartPolicy"];
    if !matches!(policy.as_str(), None | Some("Always" | "OnFailure" | "Never")) {
        causes.push(Cause::not_supported(
            format!("{at}.restartPolicy"),
            policy,
            &["Always", "OnFailure", "Never"],
        ));
    }
    if spec["terminationGracePeriodSeconds"]
        .as_i64()
        .is_some_and(|grace| grace < 0)
    {
        let field = format!("{at}.terminationGracePeriodSeconds");
        causes.push(Cause::invalid(
            field,
            &spec["terminationGracePeriodSeconds"],
            "must be greater than or equal to 0",
        ));
    }
    causes
}

fn container<'a>(
    one: &'a Value,
    at: &str,
    seen: &mut HashSet<&'a str>,
    volumes: &HashSet<&str>,
    causes: &mut Vec<Cause>,
) {
    let name = one["name"].as_str().unwrap_or_default();
    let field = format!("{at}.name");
    if name.is_empty() {
        causes.push(Cause::required(field, ""));
    } else {
        causes.extend(
            names::label(name)
                .iter()
                .map(|why| Cause::invalid(&field, &json!(name), why)),
        );
        if !seen.insert(name) {
            causes.push(Cause::duplicate(&field, &json!(name)));
        }
    }
    let image = one["image"].as_str().unwrap_or_default();
    if image.is_empty() {
        causes.push(Cause::required(format!("{at}.image"), ""));
    } else if image.trim() != image {
        causes.push(Cause::invalid(
            format!("{at}.image"),
            &json!(image),
            "must not have leading or trailing whitespace",
        ));
    }
    let pull = &one["imagePullPolicy"];
    if !matches!(pull.as_str(), None | Some("Always" | "IfNotPresent" | "Never")) {
        causes.push(Cause::not_supported(
            format!("{at}.imagePullPolicy"),
            pull,
            &["Always", "IfNotPresent", "Never"],
        ));
    }
    for (index, port) in one["ports"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}.ports[{index}]");
        match port["containerPort"].as_i64() {
            None | Some(0) => causes.push(Cause::required(format!("{at}.containerPort"), "")),
            Some(number) => port_number(number, &format!("{at}.containerPort"), causes),
        }
        protocol(&port["protocol"], &format!("{at}.protocol"), causes);
    }
    for (index, env) in one["env"].as_array().into_iter().flatten().enumerate() {
        if env["name"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("{at}.env[{index}].name"), ""));
        }
    }
    for (index, mount) in one["volumeMounts"].as_array().into_iter().flatten().enumerate() {
        let name = mount["name"].as_str().unwrap_or_default();
        if !volumes.contains(name) {
            let message = format!("Not found: \"{name}\"");
            causes.push(Cause {
                reason: "FieldValueNotFound",
                field: format!("{at}.volumeMounts[{index}].name"),
                message,
            });
        }
    }
}

pub(super) fn port_number(number: i64, field: &str, causes: &mut Vec<Cause>) {
    if !(1..=65_535).contains(&number) {
        causes.push(Cause::invalid(
            field,
            &json!(number),
            "must be between 1 and 65535, inclusive",
        ));
    }
}

pub(super) fn protocol(value: &Value, field: &str, causes: &mut Vec<Cause>) {
    if !matches!(value.as_str(), Some("TCP" | "UDP" | "SCTP")) {
        causes.push(Cause::not_supported(field, value, &["SCTP", "TCP", "UDP"]));
    }
}

/// A running pod keeps its spec, but for images, deadlines and added tolerations.
pub(super) fn spec_is_kept(old: &Value, new: &Value) -> Vec<Cause> {
    let fixed = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for list in ["containers", "initContainers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                container["image"] = Value::Null;
                container["resources"] = Value::Null;
            }
        }
        for field in [
            "activeDeadlineSeconds",
            "terminationGracePeriodSeconds",
            "tolerations",
            "schedulingGates",
            "nodeName",
        ] {
            spec[field] = Value::Null;
        }
        spec
    };
    if fixed(old) == fixed(new) {
        return Vec::new();
    }
    let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    vec![Cause::forbidden("spec", why)]
}
