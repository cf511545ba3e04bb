//! What the cluster contains at the start: nodes, namespaces, DNS and dashboard, and the load that was asked for. All of
//! it is written in its settled state, so that nothing moves until somebody does something.

mod shapes;

use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::controllers::{deployment, replica_set};
use super::kubelet::Image;
use super::kubelet::status;
use super::objects::name;
use super::store::{Store, StoreError};
use crate::sandbox::clock::Clock;
use crate::sandbox::cluster::{MACHINES, Machine, REGION, Role};
use crate::sandbox::random::Random;
use shapes::{deployment_object, node_object, service_object, slim_pod};

/// Pods that a node takes.
pub const PODS_PER_NODE: usize = 110;
/// Nodes that fit the address plan with room to spare.
pub const MOST_NODES: usize = 4_000;
/// The label that the pods of the asked-for load carry.
pub const LOAD_LABEL: (&str, &str) = ("cogdeck.dev/load", "true");

/// How much there shall be beside the cluster's own objects.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    /// Deployments that share the pods.
    pub deployments: usize,
    /// Pods in all.
    pub pods: usize,
    /// Worker nodes at least; more come when the pods need them.
    pub nodes: usize,
}

/// Fills an empty store.
///
/// # Errors
/// `TooLarge` when more nodes would be needed than the address plan has room for.
pub fn fill(store: &Store, clock: &Clock, seed: u64, load: Load) -> Result<(), StoreError> {
    let mut builder = Builder {
        store,
        now: clock.rfc3339(),
        clock,
        random: Random::new(seed).fork("world"),
        nodes: Vec::new(),
        next: 0,
    };
    let workers = load.nodes.max(load.pods.div_ceil(PODS_PER_NODE - 5)).max(3);
    if workers > MOST_NODES {
        return Err(StoreError::TooLarge);
    }
    builder.namespaces()?;
    builder.nodes(workers)?;
    builder.own_objects()?;
    builder.load(load)
}

struct Builder<'a> {
    store: &'a Store,
    clock: &'a Clock,
    now: String,
    random: Random,
    /// Workers: name, address and the number of the next pod address.
    nodes: Vec<Worker>,
    next: usize,
}

struct Worker {
    name: String,
    host: String,
    range: u32,
    pods: u32,
}

/// What a settled deployment is made of.
struct Workload<'a> {
    namespace: &'a str,
    name: String,
    labels: Value,
    container: Value,
    replicas: usize,
    /// Leaves out what only takes memory (token volume, tolerations): for thousands of pods.
    slim: bool,
}

impl Builder<'_> {
    fn namespaces(&self) -> Result<(), StoreError> {
        for own in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            self.store.create(
                "namespaces",
                json!({
                    "metadata": {"name": own, "labels": {"kubernetes.io/metadata.name": own}},
                    "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
                }),
            )?;
        }
        Ok(())
    }

    fn nodes(&mut self, workers: usize) -> Result<(), StoreError> {
        let mut seen = 0;
        for (index, machine) in MACHINES.iter().enumerate() {
            self.node(
                index,
                machine.name.to_owned(),
                machine.private_ip,
                machine.zone,
                machine.role,
                machine.public_ip,
            )?;
            seen += usize::from(machine.role == Role::Worker);
        }
        for extra in 0..workers.saturating_sub(seen) {
            let [high, low] = u16::try_from(extra).unwrap_or(u16::MAX).to_be_bytes();
            let ip = Ipv4Addr::new(172, 20, 128_u8.wrapping_add(high), low);
            let own = format!("ip-{}.{REGION}.compute.internal", ip.to_string().replace('.', "-"));
            let zone = ["ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"][extra % 3];
            self.node(MACHINES.len() + extra, own, ip, zone, Role::Worker, None)?;
        }
        Ok(())
    }

    fn node(
        &mut self,
        index: usize,
        own: String,
        ip: Ipv4Addr,
        zone: &str,
        role: Role,
        public: Option<Ipv4Addr>,
    ) -> Result<(), StoreError> {
        let range = u32::from(Ipv4Addr::new(100, 96, 0, 0)) + (u32::try_from(index).unwrap_or(0) << 8);
        let node = node_object(
            &own,
            ip,
            public,
            zone,
            role,
            Ipv4Addr::from(range),
            &self.now,
            &mut self.random,
        );
        self.store.create("nodes", node)?;
        if role == Role::Worker {
            self.nodes.push(Worker {
                name: own,
                host: ip.to_string(),
                range,
                pods: 0,
            });
        }
        Ok(())
    }

    fn own_objects(&mut self) -> Result<(), StoreError> {
        self.api_service()?;
        let port =
            |name: &str, protocol: &str| json!({"name": name, "port": 53, "protocol": protocol, "targetPort": 53});
        self.service(
            "kube-system",
            "kube-dns",
            "100.64.0.10",
            json!({"k8s-app": "kube-dns"}),
            json!([port("dns", "UDP"), port("dns-tcp", "TCP")]),
        )?;
        self.workload(Workload {
            namespace: "kube-system",
            name: "kube-dns".into(),
            labels: json!({"k8s-app": "kube-dns"}),
            container: json!({"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.4", "ports": [
                {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"}]}),
            replicas: 2,
            slim: false,
        })?;
        let https = json!([{"port": 443, "protocol": "TCP", "targetPort": 8443}]);
        self.service(
            "kube-system",
            "kubernetes-dashboard",
            "100.64.71.18",
            json!({"k8s-app": "kubernetes-dashboard"}),
            https,
        )?;
        self.workload(Workload {
            namespace: "kube-system",
            name: "kubernetes-dashboard".into(),
            labels: json!({"k8s-app": "kubernetes-dashboard"}),
            container: json!({"name": "kubernetes-dashboard", "image": "docker.io/kubernetesui/dashboard:v2.7.0", "ports": [{"containerPort": 8443, "protocol": "TCP"}]}),
            replicas: 1,
            slim: false,
        })
    }

    /// The service `kubernetes`, whose endpoint is the control plane.
    fn api_service(&self) -> Result<(), StoreError> {
        let labels = json!({"component": "apiserver", "provider": "kubernetes"});
        let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]);
        let mut service = service_object("default", "kubernetes", "100.64.0.1", Value::Null, ports);
        service["metadata"]["labels"] = labels;
        self.store.create("services", service)?;
        let control = MACHINES
            .iter()
            .find(|m| m.role == Role::ControlPlane)
            .map_or(Ipv4Addr::UNSPECIFIED, |m: &Machine| m.private_ip);
        let port = json!([{"name": "https", "port": 443, "protocol": "TCP"}]);
        self.store.create(
            "endpoints",
            json!({
                "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
                "subsets": [{"addresses": [{"ip": control.to_string()}], "ports": port}],
            }),
        )?;
        self.store.create(
            "endpointslices",
            json!({
                "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
                "addressType": "IPv4", "endpoints": [{"addresses": [control.to_string()], "conditions": {"ready": true}}], "ports": port,
            }),
        )?;
        Ok(())
    }

    fn service(&self, namespace: &str, own: &str, ip: &str, selector: Value, ports: Value) -> Result<(), StoreError> {
        let mut service = service_object(namespace, own, ip, selector.clone(), ports);
        service["metadata"]["labels"] = selector;
        self.store.create("services", service)?;
        Ok(())
    }

    fn load(&mut self, load: Load) -> Result<(), StoreError> {
        let deployments = if load.pods > 0 {
            load.deployments.max(1)
        } else {
            load.deployments
        };
        for index in 0..deployments {
            let own = format!("load-{index:04}");
            let share = load.pods / deployments + usize::from(index < load.pods % deployments);
            let version = 1 + self.random.below(9);
            self.workload(Workload {
                namespace: "default",
                labels: json!({"run": own}),
                container: json!({"name": "load", "image": format!("example.org/load:{version}.0")}),
                name: own,
                replicas: share,
                slim: true,
            })?;
        }
        Ok(())
    }

    fn workload(&mut self, workload: Workload<'_>) -> Result<(), StoreError> {
        let at = self.clock.now();
        let replicas = workload.replicas;
        let object = deployment_object(&workload);
        let deployed = self.store.create("deployments", object)?;
        // The controller itself says what its replica set looks like, so that it finds nothing to correct later.
        let first = deployment::sync(&deployed, &[], &[], at);
        let Some(set) = first.into_iter().find_map(|action| match action {
            deployment::Action::CreateReplicaSet(set) => Some(set),
            _ => None,
        }) else {
            return Ok(());
        };
        let set = self.store.create("replicasets", set)?;
        let mut pods = Vec::new();
        for _ in 0..replicas {
            pods.push(self.pod(&set, workload.slim)?);
        }
        let status = replica_set::sync(&set, &pods, at)
            .into_iter()
            .find_map(|action| match action {
                replica_set::Action::Status(status) => Some(Value::Object(status)),
                _ => None,
            });
        let set = self.store.modify("replicasets", workload.namespace, name(&set), |s| {
            if let Some(status) = &status {
                s["status"] = status.clone();
            }
        })?;
        self.settle(&deployed, &set, workload.namespace)
    }

    /// Repeats the deployment controller's passes until its status says what is there.
    fn settle(&self, deployed: &Arc<Value>, set: &Arc<Value>, namespace: &str) -> Result<(), StoreError> {
        let mut current = deployed.clone();
        for _ in 0..3 {
            for action in deployment::sync(&current, std::slice::from_ref(set), &[], self.clock.now()) {
                if let deployment::Action::Status { status, revision } = action {
                    current = self.store.modify("deployments", namespace, name(deployed), |d| {
                        d["status"] = Value::Object(status.clone());
                        if let Some(revision) = &revision {
                            d["metadata"]["annotations"]["deployment.kubernetes.io/revision"] =
                                revision.as_str().into();
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A pod that runs and is ready.
    fn pod(&mut self, set: &Value, slim: bool) -> Result<Arc<Value>, StoreError> {
        let mut pod = if slim {
            slim_pod(set)
        } else {
            replica_set::new_pod(set, &self.random.name_suffix(5))
        };
        let index = self.next % self.nodes.len().max(1);
        self.next += 1;
        let Some(worker) = self.nodes.get_mut(index) else {
            return Err(StoreError::NotFound);
        };
        worker.pods += 1;
        // .0 is the network, .1 the bridge.
        let ip = Ipv4Addr::from(worker.range + 1 + worker.pods);
        pod["spec"]["nodeName"] = worker.name.as_str().into();
        pod["status"]["conditions"] =
            json!([{"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": self.now}]);
        let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let state = status::Pod {
            containers: containers
                .iter()
                .map(|c| status::Container {
                    name: super::objects::text(c, "/name").to_owned(),
                    image: Image::parse(super::objects::text(c, "/image")),
                    state: status::State::Running(self.now.clone()),
                    last: None,
                    restarts: 0,
                    ready: true,
                    id: (0..4).map(|_| format!("{:016x}", self.random.next_u64())).collect(),
                })
                .collect(),
            host: worker.host.clone(),
            ip: Some(ip),
            started: self.now.clone(),
            stopped: false,
            policy: status::Policy::Always,
        };
        pod["status"] = state.status(&pod, &self.now);
        self.store.create("pods", pod)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sandbox::kubernetes::objects::{int, pod, text};
    use std::collections::{HashMap, HashSet};

    fn world(load: Load) -> Store {
        let clock = Clock::new(1.0);
        let store = Store::new(clock.clone(), 1);
        fill(&store, &clock, 1, load).unwrap();
        store
    }

    #[test]
    fn the_cluster_is_there_and_settled() {
        let store = world(Load::default());
        assert_eq!(store.list("nodes", None).len(), 4);
        let deployments = store.list("deployments", Some("kube-system"));
        assert_eq!(
            deployments
                .iter()
                .map(|d| (name(d), int(d, "/status/availableReplicas", 0)))
                .collect::<Vec<_>>(),
            [("kube-dns", 2), ("kubernetes-dashboard", 1)]
        );
        for d in deployments {
            let sets = store
                .list("replicasets", Some("kube-system"))
                .into_iter()
                .filter(|s| deployment::is_controlled_by(s, &d))
                .collect::<Vec<_>>();
            assert_eq!(
                deployment::sync(&d, &sets, &[], Clock::new(1.0).now()),
                [],
                "nothing left to do"
            );
        }
        let service = store.get("services", "default", "kubernetes").unwrap();
        assert_eq!(text(&service, "/spec/clusterIP"), "100.64.0.1");
    }

    #[test]
    fn load_is_spread_within_the_nodes_and_addresses_are_unique() {
        let store = world(Load {
            deployments: 7,
            pods: 1_000,
            nodes: 2,
        });
        let pods = store.list("pods", Some("default"));
        assert_eq!(
            (pods.len(), store.list("deployments", Some("default")).len()),
            (1_000, 7)
        );
        assert!(pods.iter().all(|p| pod::is_ready(p)));
        let addresses: HashSet<&str> = pods.iter().map(|p| text(p, "/status/podIP")).collect();
        assert_eq!(addresses.len(), 1_000);
        let mut per_node: HashMap<&str, usize> = HashMap::new();
        pods.iter()
            .for_each(|p| *per_node.entry(text(p, "/spec/nodeName")).or_default() += 1);
        assert!(per_node.values().all(|n| *n <= PODS_PER_NODE), "{per_node:?}");
        let clock = Clock::new(1.0);
        let most = fill(
            &Store::new(clock.clone(), 1),
            &clock,
            1,
            Load {
                deployments: 1,
                pods: usize::MAX / 2,
                nodes: 0,
            },
        );
        assert_eq!(most, Err(StoreError::TooLarge));
    }
}
