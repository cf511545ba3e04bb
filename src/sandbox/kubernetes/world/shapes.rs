//! What the objects of the start look like: nodes as kops makes them, deployments and services with the API's defaults.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{LOAD_LABEL, PODS_PER_NODE, Workload};
use crate::sandbox::cluster::{REGION, Role};
use crate::sandbox::kubernetes::RELEASE;
use crate::sandbox::kubernetes::objects::{name, namespace, uid};
use crate::sandbox::random::Random;

pub(super) fn slim_pod(set: &Value) -> Value {
    json!({
        "metadata": {
            "generateName": format!("{}-", name(set)), "namespace": namespace(set),
            "labels": set["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name(set), "uid": uid(set), "controller": true, "blockOwnerDeletion": true}],
        },
        "spec": set["spec"]["template"]["spec"],
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    })
}

pub(super) fn deployment_object(workload: &Workload<'_>) -> Value {
    let mut labels = workload.labels.clone();
    if workload.slim {
        labels[LOAD_LABEL.0] = LOAD_LABEL.1.into();
    }
    let mut container = workload.container.clone();
    for (field, value) in [
        ("resources", json!({})),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
        ("imagePullPolicy", json!("IfNotPresent")),
    ] {
        container[field] = value;
    }
    json!({
        "metadata": {"name": workload.name, "namespace": workload.namespace, "labels": labels},
        "spec": {
            "replicas": workload.replicas, "selector": {"matchLabels": workload.labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst", "securityContext": {}, "schedulerName": "default-scheduler",
                },
            },
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        },
        "status": {},
    })
}

pub(super) fn service_object(namespace: &str, own: &str, ip: &str, selector: Value, ports: Value) -> Value {
    let mut spec = json!({"ports": ports});
    if !selector.is_null() {
        spec["selector"] = selector;
    }
    for (field, value) in [
        ("clusterIP", json!(ip)),
        ("clusterIPs", json!([ip])),
        ("type", json!("ClusterIP")),
        ("sessionAffinity", json!("None")),
        ("ipFamilies", json!(["IPv4"])),
        ("ipFamilyPolicy", json!("SingleStack")),
        ("internalTrafficPolicy", json!("Cluster")),
    ] {
        spec[field] = value;
    }
    json!({"metadata": {"name": own, "namespace": namespace}, "spec": spec, "status": {"loadBalancer": {}}})
}

#[allow(clippy::too_many_arguments)]
pub(super) fn node_object(
    own: &str,
    ip: Ipv4Addr,
    public: Option<Ipv4Addr>,
    zone: &str,
    role: Role,
    range: Ipv4Addr,
    now: &str,
    random: &mut Random,
) -> Value {
    let (kind, group, size) = match role {
        Role::ControlPlane => ("control-plane", format!("master-{zone}"), "m3.medium"),
        Role::Worker => ("node", "nodes".to_owned(), "t2.medium"),
    };
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/instance-type": size, "beta.kubernetes.io/os": "linux",
        "kops.k8s.io/instancegroup": group, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": own, "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": size, "topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": zone,
    });
    labels[format!("node-role.kubernetes.io/{kind}")] = "".into();
    labels.sort_all_objects();
    let mut spec = json!({"podCIDR": format!("{range}/24"), "podCIDRs": [format!("{range}/24")], "providerID": format!("aws:///{zone}/i-{:017x}", random.next_u64() >> 4)});
    if role == Role::ControlPlane {
        spec["taints"] = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    }
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": reason, "message": message});
    let capacity = json!({"cpu": "2", "ephemeral-storage": "64Gi", "hugepages-2Mi": "0", "memory": "4Gi", "pods": PODS_PER_NODE.to_string()});
    let mut addresses = vec![json!({"type": "InternalIP", "address": ip.to_string()})];
    addresses.extend(public.map(|ip| json!({"type": "ExternalIP", "address": ip.to_string()})));
    addresses.push(json!({"type": "Hostname", "address": own}));
    let machine: String = (0..2).map(|_| format!("{:016x}", random.next_u64())).collect();
    json!({
        "metadata": {"name": own, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": spec,
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "addresses": addresses,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": machine, "systemUUID": machine, "bootID": random.uuid(), "kernelVersion": "6.1.0-cloud-amd64",
                "osImage": "Debian GNU/Linux 12 (bookworm)", "containerRuntimeVersion": "containerd://2.0.0", "kubeletVersion": RELEASE,
                "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            },
        },
    })
}
