//! Starting containers.

use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::Value;

use super::Life;
use crate::sandbox::inspector::{self, Inspector};
use crate::sandbox::kubernetes::controllers::recorder::Severity;
use crate::sandbox::kubernetes::kubelet::Runs;
use crate::sandbox::kubernetes::kubelet::image::Program;
use crate::sandbox::kubernetes::kubelet::status::State;
use crate::sandbox::kubernetes::log::ContainerLog;
use crate::sandbox::kubernetes::objects::{int, name, namespace, text};
use crate::sandbox::kubernetes::store::Store;

impl Life {
    pub(super) async fn start_all(&mut self) {
        for index in 0..self.pod.containers.len() {
            self.start(index).await;
        }
    }

    pub(super) async fn start(&mut self, index: usize) {
        let id = {
            let random = &mut self.shared.lock().random;
            (0..4).map(|_| format!("{:016x}", random.next_u64())).collect()
        };
        let log = Arc::new(ContainerLog::default());
        if let Some(output) = self.outputs.get_mut(index) {
            *output = Some(log.clone());
        }
        let key = (namespace(&self.object).to_owned(), name(&self.object).to_owned());
        let container = &mut self.pod.containers[index];
        container.id = id;
        container.state = State::Running(self.shared.clock.rfc3339());
        let container = container.clone();
        {
            let mut state = self.shared.lock();
            let of_pod = state.logs.entry(key).or_default();
            let before = of_pod.remove(&container.name).map(|runs| runs.last);
            let last = log.clone();
            of_pod.insert(container.name.clone(), Runs { last, before });
        }
        if container.image.program() == Program::Inspector && self.serve(index, log).await.is_err() {
            // No loopback port left on this machine: the container can't do its work.
            self.pod.containers[index].state =
                State::Waiting("CreateContainerError", Some("no loopback port is free".into()));
            self.event(index, Severity::Warning, "Failed", "Error: no loopback port is free");
            return;
        }
        self.event(index, Severity::Normal, "Created", "Container created");
        self.event(index, Severity::Normal, "Started", "Container started");
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            pod: self.pod.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            host: self.pod.host.clone(),
        }
    }

    pub(super) async fn serve(&mut self, index: usize, log: Arc<ContainerLog>) -> std::io::Result<()> {
        let Some(ip) = self.pod.ip else { return Ok(()) };
        let container = inspector::Container {
            version: self.pod.containers[index].image.tag().to_owned(),
            ip,
            node_ip: self.pod.host.parse().unwrap_or(Ipv4Addr::UNSPECIFIED),
            namespace: namespace(&self.object).to_owned(),
            env: environment(&self.shared.store, &self.object, &self.addresses(), index),
        };
        let server = Inspector::start(container, log).await?;
        self.shared.network.listen(ip, inspector::PORT, server.address);
        self.servers.push(server);
        Ok(())
    }
}

/// The addresses of a pod and of its node; empty: not known yet.
#[derive(Debug, Default)]
pub struct Addresses {
    /// The pod's.
    pub pod: String,
    /// The node's.
    pub host: String,
}

/// The variables a container of a cluster finds: its own, and those of the services of its namespace. The pod may be older
/// than its status: the addresses are told apart from it.
pub fn environment(store: &Store, pod: &Value, addresses: &Addresses, index: usize) -> Vec<(String, String)> {
    let host = match text(pod, "/spec/hostname") {
        "" => name(pod),
        host => host,
    };
    let mut env = vec![
        (
            "PATH".to_owned(),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        ),
        ("HOSTNAME".to_owned(), host.to_owned()),
    ];
    let own = pod
        .pointer(&format!("/spec/containers/{index}/env"))
        .and_then(Value::as_array);
    env.extend(own.into_iter().flatten().map(|e| {
        let value = match text(e, "/valueFrom/fieldRef/fieldPath") {
            "" => text(e, "/value"),
            "status.podIP" => &addresses.pod,
            "status.hostIP" => &addresses.host,
            path => field(pod, path),
        };
        (text(e, "/name").to_owned(), value.to_owned())
    }));
    let mut services = store
        .get("services", "default", "kubernetes")
        .into_iter()
        .collect::<Vec<_>>();
    services.extend(
        store
            .list("services", Some(namespace(pod)))
            .into_iter()
            .filter(|s| name(s) != "kubernetes"),
    );
    for service in services {
        let ip = text(&service, "/spec/clusterIP");
        if ip.is_empty() || ip == "None" {
            continue;
        }
        let prefix = name(&service).to_uppercase().replace('-', "_");
        env.push((format!("{prefix}_SERVICE_HOST"), ip.to_owned()));
        env.push((
            format!("{prefix}_SERVICE_PORT"),
            int(&service, "/spec/ports/0/port", 0).to_string(),
        ));
    }
    env
}

/// A field of a pod as its containers may ask for it: `metadata.name`, `metadata.labels['app']`.
fn field<'a>(pod: &'a Value, path: &str) -> &'a str {
    if let Some((map, key)) = path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        let map = pod.pointer(&format!("/{}", map.replace('.', "/")));
        return map.and_then(|map| map.get(key)?.as_str()).unwrap_or_default();
    }
    text(pod, &format!("/{}", path.replace('.', "/")))
}
