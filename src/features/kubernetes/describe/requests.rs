//! What the pods on a node ask for, one by one and together, beside what the node has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Related;
use super::text::{Text, plain};
use crate::features::kubernetes::object::{self, list, map, text};
use crate::features::kubernetes::quantity::Sum;
use crate::feed::health::age;

/// Amounts by resource.
type Amounts = BTreeMap<String, Sum>;

/// Resources that every node has, in the order they are told.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// `Non-terminated Pods:` and `Allocated resources:`.
pub fn requests(out: &mut Text, node: &Value, related: &Related) {
    let place = match map(node, "/status/allocatable") {
        Some(known) if !known.is_empty() => &node["status"]["allocatable"],
        _ => &node["status"]["capacity"],
    };
    let share = |sums: &Amounts, resource: &str| {
        let sum = sums.get(resource).copied().unwrap_or_default();
        format!("{sum} ({}%)", sum.percent_of(&plain(&place[resource])))
    };
    out.line(0, &format!("Non-terminated Pods:\t({} in total)", related.pods.len()));
    out.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    out.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let (mut all_requests, mut all_limits) = (Amounts::new(), Amounts::new());
    for pod in &related.pods {
        let (requests, limits) = (of_pod(pod, "requests"), of_pod(pod, "limits"));
        let made = text(pod, "/metadata/creationTimestamp").parse();
        let line = format!(
            "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
            object::namespace(pod),
            object::name(pod),
            share(&requests, "cpu"),
            share(&limits, "cpu"),
            share(&requests, "memory"),
            share(&limits, "memory"),
            made.map_or_else(|_| "<unknown>".to_owned(), |made| age(related.now, made)),
        );
        out.line(1, &line);
        add(&mut all_requests, &requests);
        add(&mut all_limits, &limits);
    }
    out.line(0, "Allocated resources:");
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    out.line(1, "Resource\tRequests\tLimits");
    out.line(1, "--------\t--------\t------");
    let known: BTreeSet<&str> = place
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let huge = known.iter().filter(|name| name.starts_with("hugepages-"));
    for resource in STANDARD.iter().chain(huge) {
        out.line(
            1,
            &format!(
                "{resource}\t{}\t{}",
                share(&all_requests, resource),
                share(&all_limits, resource)
            ),
        );
    }
    let extended = known
        .iter()
        .filter(|name| !STANDARD.contains(name) && **name != "pods" && !name.starts_with("hugepages-"));
    for resource in extended {
        let sum = |sums: &Amounts| sums.get(*resource).copied().unwrap_or_default();
        out.line(1, &format!("{resource}\t{}\t{}", sum(&all_requests), sum(&all_limits)));
    }
}

/// `requests` or `limits` of a pod as the scheduler counts them: all containers together, or what the start of it needs
/// when that is more. Sidecars run all the time.
fn of_pod(pod: &Value, kind: &str) -> Amounts {
    let declared = |container: &Value| -> Amounts {
        let amounts = map(container, &format!("/resources/{kind}")).into_iter().flatten();
        let mut sums = Amounts::new();
        for (resource, amount) in amounts {
            sums.entry(resource.clone()).or_default().add(&plain(amount));
        }
        sums
    };
    let (mut total, mut sidecars, mut start) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in list(pod, "/spec/containers") {
        add(&mut total, &declared(container));
    }
    for container in list(pod, "/spec/initContainers") {
        let own = declared(container);
        let mut needed = sidecars.clone();
        add(&mut needed, &own);
        if text(container, "/restartPolicy") == "Always" {
            add(&mut total, &own);
            sidecars.clone_from(&needed);
        }
        for (resource, sum) in needed {
            start.entry(resource).or_default().or_more(sum);
        }
    }
    for (resource, sum) in start {
        total.entry(resource).or_default().or_more(sum);
    }
    for (resource, amount) in map(pod, "/spec/overhead").into_iter().flatten() {
        // A limit that is not set stays so.
        if kind == "requests" || total.contains_key(resource) {
            total.entry(resource.clone()).or_default().add(&plain(amount));
        }
    }
    total
}

fn add(total: &mut Amounts, more: &Amounts) {
    for (resource, sum) in more {
        total.entry(resource.clone()).or_default().merge(*sum);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_start_of_a_pod_counts_when_it_needs_more_than_its_run() {
        let one = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = one("1");
        sidecar["restartPolicy"] = json!("Always");
        let cpu = |pod: Value| of_pod(&pod, "requests").get("cpu").map(ToString::to_string);
        assert_eq!(
            cpu(json!({"spec": {"containers": [one("1"), one("500m")]}})).as_deref(),
            Some("1500m")
        );
        let pod = json!({"spec": {"containers": [one("1")], "initContainers": [one("3")]}});
        assert_eq!(cpu(pod).as_deref(), Some("3"));
        let pod = json!({"spec": {"containers": [one("1")], "initContainers": [sidecar, one("2")], "overhead": {"cpu": "1"}}});
        assert_eq!(cpu(pod).as_deref(), Some("4"));
        assert_eq!(cpu(json!({"spec": {"containers": "x"}})), None);
    }
}
