#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::sandbox::kubernetes::api::defaults;
use crate::sandbox::kubernetes::kinds;
use crate::sandbox::random::Random;

fn fields(resource: &str, mut object: Value) -> Vec<String> {
    let kind = kinds::by_resource(resource).unwrap();
    defaults::create(kind, &mut object, &mut Random::new(1));
    create(kind, &object).into_iter().map(|cause| cause.field).collect()
}

fn deployment() -> Value {
    json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"run": "web"}},
            "template": {"metadata": {"labels": {"run": "web"}}, "spec": {"containers": [{"name": "web", "image": "x"}]}}
        }
    })
}

#[test]
fn a_plain_deployment_is_valid() {
    assert!(fields("deployments", deployment()).is_empty());
}

#[test]
fn broken_rules_are_all_named() {
    let mut bad = deployment();
    bad["spec"]["template"]["metadata"]["labels"] = json!({"run": "other"});
    bad["spec"]["template"]["spec"]["containers"] = json!([
        {"name": "a", "image": "x", "ports": [{"containerPort": 70000}]},
        {"name": "a", "image": " x"}
    ]);
    bad["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}});
    assert_eq!(
        fields("deployments", bad),
        [
            "spec.template.metadata.labels",
            "spec.template.spec.containers[0].ports[0].containerPort",
            "spec.template.spec.containers[1].name",
            "spec.template.spec.containers[1].image",
            "spec.strategy.rollingUpdate.maxUnavailable"
        ]
    );
    assert_eq!(fields("deployments", json!({"metadata": {}}))[0], "metadata.name");
}

#[test]
fn hostile_names_are_refused() {
    for name in [
        "a;b",
        "a b",
        "a\nb",
        "A",
        "../etc",
        "a\"b",
        "\u{1b}[31m",
        "-a",
        &"a".repeat(254),
    ] {
        let mut object = deployment();
        object["metadata"]["name"] = json!(name);
        assert_eq!(fields("deployments", object), ["metadata.name"], "{name:?}");
    }
    let labelled = json!({"metadata": {"name": "x", "labels": {"a b": "c", "ok": "not ok"}}});
    assert_eq!(fields("configmaps", labelled), ["metadata.labels", "metadata.labels"]);
}

#[test]
fn services_need_ports_and_a_letter_first() {
    assert_eq!(
        fields("services", json!({"metadata": {"name": "1x"}, "spec": {}})),
        ["metadata.name", "spec.ports"]
    );
    let two = json!({"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}, {"port": 0}]}});
    assert_eq!(
        fields("services", two),
        [
            "spec.ports[0].name",
            "spec.ports[1].name",
            "spec.ports[1].port",
            "spec.ports[1].targetPort"
        ]
    );
}

#[test]
fn selectors_and_pod_specs_stay() {
    let kind = kinds::by_resource("deployments").unwrap();
    let mut old = deployment();
    defaults::update(kind, &mut old);
    let mut new = old.clone();
    new["spec"]["selector"] = json!({"matchLabels": {"run": "web", "x": "y"}});
    new["spec"]["template"]["metadata"]["labels"] = json!({"run": "web", "x": "y"});
    let causes = update(kind, &old, &new);
    assert_eq!(causes.len(), 1);
    assert!(causes[0].message.ends_with("field is immutable"));

    let pods = kinds::by_resource("pods").unwrap();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x"}]}});
    let mut image = pod.clone();
    image["spec"]["containers"][0]["image"] = json!("y");
    assert!(update(pods, &pod, &image).is_empty());
    image["spec"]["containers"][0]["command"] = json!(["z"]);
    assert_eq!(update(pods, &pod, &image)[0].field, "spec");
}
