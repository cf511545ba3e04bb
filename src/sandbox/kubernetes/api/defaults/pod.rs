//! Defaults of pods and pod templates, and what admission adds to a pod.

use serde_json::{Map, Value, json};

use super::{map, set};
use crate::sandbox::random::Random;

/// Fills in a pod spec, stand-alone or in a template.
pub fn spec(spec: &mut Value) {
    let Some(spec) = map(spec) else { return };
    for list in ["initContainers", "containers"] {
        for container in items(spec.get_mut(list)) {
            fill_container(container);
        }
    }
    for volume in items(spec.get_mut("volumes")) {
        fill_volume(volume);
    }
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    if let Some(account) = spec.get("serviceAccountName").filter(|a| !a.is_null()).cloned() {
        set(spec, "serviceAccount", account);
    }
    set(spec, "securityContext", json!({}));
    set(spec, "schedulerName", json!("default-scheduler"));
}

fn items(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn fill_container(container: &mut Map<String, Value>) {
    for port in items(container.get_mut("ports")) {
        set(port, "protocol", json!("TCP"));
    }
    for env in items(container.get_mut("env")) {
        if let Some(field) = env
            .get_mut("valueFrom")
            .and_then(|v| v.get_mut("fieldRef"))
            .and_then(Value::as_object_mut)
        {
            set(field, "apiVersion", json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
            fill_probe(probe);
        }
    }
    set(container, "resources", json!({}));
    default_requests(container);
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    let policy = if latest(container.get("image").and_then(Value::as_str).unwrap_or_default()) {
        "Always"
    } else {
        "IfNotPresent"
    };
    set(container, "imagePullPolicy", json!(policy));
}

/// A limit without a request is also the request.
fn default_requests(container: &mut Map<String, Value>) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    let Some(requests) = map(resources.entry("requests").or_insert(Value::Null)) else {
        return;
    };
    for (name, amount) in limits {
        requests.entry(name).or_insert(amount);
    }
}

fn fill_probe(probe: &mut Map<String, Value>) {
    if let Some(http) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        set(http, "path", json!("/"));
        set(http, "scheme", json!("HTTP"));
    }
    for (field, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        if probe.get(field).and_then(Value::as_i64).unwrap_or(0) == 0 {
            probe.insert(field.to_owned(), json!(value));
        }
    }
}

fn fill_volume(volume: &mut Map<String, Value>) {
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(source).and_then(Value::as_object_mut) {
            set(source, "defaultMode", json!(0o644));
        }
    }
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut)
        && !path.contains_key("type")
    {
        path.insert("type".into(), json!(""));
    }
}

/// Whether an image reference has the tag `latest`, said or not.
fn latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    !last.is_empty() && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// What admission adds to a new pod: service account, its token volume, tolerations, priority. `pod` must have passed
/// [`spec`].
pub fn admit(pod: &mut Value, random: &mut Random) {
    let Some(spec) = map(&mut pod["spec"]) else {
        return;
    };
    set(spec, "serviceAccountName", json!("default"));
    let account = spec.get("serviceAccountName").cloned().unwrap_or_default();
    set(spec, "serviceAccount", account);
    set(spec, "priority", json!(0));
    set(spec, "enableServiceLinks", json!(true));
    set(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    tolerations(spec);
    let mounts_token = spec.get("automountServiceAccountToken") != Some(&json!(false));
    if mounts_token {
        token_volume(spec, random);
    }
}

fn tolerations(spec: &mut Map<String, Value>) {
    let Some(list) = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut() else {
        return;
    };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = list.iter().any(|t| {
            let same_key = t["key"] == key || (t["key"].is_null() && t["operator"] == "Exists");
            same_key && (t["effect"].is_null() || t["effect"] == "NoExecute" || t["effect"] == "")
        });
        if !tolerated {
            list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

fn token_volume(spec: &mut Map<String, Value>, random: &mut Random) {
    const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let name = format!("kube-api-access-{}", random.name_suffix(5));
    let mut used = false;
    for list in ["initContainers", "containers"] {
        for container in items(spec.get_mut(list)) {
            let Some(mounts) = container
                .entry("volumeMounts")
                .or_insert_with(|| json!([]))
                .as_array_mut()
            else {
                continue;
            };
            if mounts.iter().all(|mount| mount["mountPath"] != MOUNT) {
                mounts.push(json!({"name": name, "readOnly": true, "mountPath": MOUNT}));
                used = true;
            }
        }
    }
    if !used {
        return;
    }
    let volume = json!({
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}
            ],
            "defaultMode": 420
        }
    });
    if let Some(volumes) = spec.entry("volumes").or_insert_with(|| json!([])).as_array_mut() {
        volumes.push(volume);
    }
}

/// The quality-of-service class: `Guaranteed` when every container has equal requests and limits for CPU and memory,
/// `BestEffort` when none has any, `Burstable` otherwise.
pub fn qos(pod: &Value) -> &'static str {
    let lists = ["initContainers", "containers"];
    let containers: Vec<&Value> = lists
        .iter()
        .flat_map(|list| pod["spec"][*list].as_array().into_iter().flatten())
        .collect();
    let amount = |c: &Value, what: &str, name: &str| c["resources"][what][name].clone();
    let none = containers.iter().all(|c| {
        ["requests", "limits"]
            .iter()
            .all(|w| ["cpu", "memory"].iter().all(|n| amount(c, w, n).is_null()))
    });
    if none {
        return "BestEffort";
    }
    let equal = containers.iter().all(|c| {
        ["cpu", "memory"]
            .iter()
            .all(|n| !amount(c, "limits", n).is_null() && amount(c, "limits", n) == amount(c, "requests", n))
    });
    if equal { "Guaranteed" } else { "Burstable" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_a_tag_are_pulled_always() {
        for (image, is) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("a:5000/nginx", true),
            ("nginx:1", false),
            ("a/b@sha256:0", false),
        ] {
            assert_eq!(latest(image), is, "{image}");
        }
    }

    #[test]
    fn quality_of_service() {
        let pod = |resources: Value| json!({"spec": {"containers": [{"resources": resources}]}});
        assert_eq!(qos(&pod(json!({}))), "BestEffort");
        assert_eq!(qos(&pod(json!({"requests": {"cpu": "1"}}))), "Burstable");
        let both = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(qos(&pod(json!({"requests": both, "limits": both}))), "Guaranteed");
    }

    #[test]
    fn tolerations_are_not_doubled() {
        let mut pod = json!({"spec": {"tolerations": [{"operator": "Exists"}], "containers": [{}]}});
        admit(&mut pod, &mut Random::new(1));
        assert_eq!(pod["spec"]["tolerations"].as_array().map(Vec::len), Some(1));
        assert_eq!(pod["spec"]["volumes"].as_array().map(Vec::len), Some(1));
        admit(&mut pod, &mut Random::new(2));
        assert_eq!(pod["spec"]["volumes"].as_array().map(Vec::len), Some(1));
    }
}
