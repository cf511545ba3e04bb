//! Deployments and replica sets.

use serde_json::Value;

use super::Related;
use super::events::events;
use super::template::write_template;
use super::text::{Text, plain, time};
use crate::features::kubernetes::object::{self, list, number, text};

/// A deployment with its replica sets.
pub fn deployment(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.field(0, "CreationTimestamp", time(&live["metadata"]["creationTimestamp"]));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    out.field_or_none(0, "Selector", &object::selector_query(&live["spec"]["selector"]));
    out.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            live.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1),
            number(live, "/status/updatedReplicas"),
            number(live, "/status/replicas"),
            number(live, "/status/availableReplicas"),
            number(live, "/status/unavailableReplicas")
        ),
    );
    out.field(0, "StrategyType", text(live, "/spec/strategy/type"));
    out.field(0, "MinReadySeconds", number(live, "/spec/minReadySeconds").to_string());
    if let Some(rolling) = live
        .pointer("/spec/strategy/rollingUpdate")
        .filter(|rolling| rolling.is_object())
    {
        let (unavailable, surge) = (plain(&rolling["maxUnavailable"]), plain(&rolling["maxSurge"]));
        out.field(
            0,
            "RollingUpdateStrategy",
            format!("{unavailable} max unavailable, {surge} max surge"),
        );
    }
    write_template(&mut out, &live["spec"]["template"]);
    conditions(&mut out, live);
    let (new, old) = split(live, &related.replica_sets);
    if new.is_some() || !old.is_empty() {
        out.field(0, "OldReplicaSets", names(&old));
        out.field(0, "NewReplicaSet", names(&new.into_iter().collect::<Vec<_>>()));
    }
    events(&mut out, related);
    out.finish()
}

/// A replica set with its pods.
pub fn replica_set(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.field(0, "Namespace", object::namespace(live));
    out.field_or_none(0, "Selector", &object::selector_query(&live["spec"]["selector"]));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    if let Some(owner) = object::controller(live) {
        out.field(
            0,
            "Controlled By",
            format!("{}/{}", text(owner, "/kind"), text(owner, "/name")),
        );
    }
    out.field(
        0,
        "Replicas",
        format!(
            "{} current / {} desired",
            number(live, "/status/replicas"),
            number(live, "/spec/replicas")
        ),
    );
    let phase = |wanted: &str| {
        related
            .pods
            .iter()
            .filter(|pod| text(pod, "/status/phase") == wanted)
            .count()
    };
    out.field(
        0,
        "Pods Status",
        format!(
            "{} Running / {} Waiting / {} Succeeded / {} Failed",
            phase("Running"),
            phase("Pending"),
            phase("Succeeded"),
            phase("Failed")
        ),
    );
    write_template(&mut out, &live["spec"]["template"]);
    conditions(&mut out, live);
    events(&mut out, related);
    out.finish()
}

fn conditions(out: &mut Text, live: &Value) {
    let conditions = list(live, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tReason");
    out.line(1, "----\t------\t------");
    for condition in conditions {
        let line = format!(
            "{} \t{}\t{}",
            text(condition, "/type"),
            text(condition, "/status"),
            text(condition, "/reason")
        );
        out.line(1, &line);
    }
}

/// The replica set with the deployment's template (the oldest of them), and the others that ever had one.
fn split<'a>(live: &Value, sets: &'a [Value]) -> (Option<&'a Value>, Vec<&'a Value>) {
    let wanted = object::fingerprint(&live["spec"]["template"]);
    let mut sorted: Vec<&Value> = sets.iter().collect();
    sorted.sort_by_key(|set| {
        (
            text(set, "/metadata/creationTimestamp").to_owned(),
            object::name(set).to_owned(),
        )
    });
    let new = sorted
        .iter()
        .copied()
        .find(|set| object::fingerprint(&set["spec"]["template"]) == wanted);
    let old = sorted
        .into_iter()
        .filter(|set| new.is_none_or(|new| object::name(new) != object::name(set)))
        .collect();
    (new, old)
}

fn names(sets: &[&Value]) -> String {
    if sets.is_empty() {
        return "<none>".to_owned();
    }
    let described: Vec<String> = sets
        .iter()
        .map(|set| {
            format!(
                "{} ({}/{} replicas created)",
                object::name(set),
                number(set, "/status/replicas"),
                number(set, "/spec/replicas")
            )
        })
        .collect();
    described.join(", ")
}
