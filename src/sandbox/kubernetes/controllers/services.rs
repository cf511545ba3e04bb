//! Services: their endpoint slices and endpoints, what the nodes route, and the cloud's load balancers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::recorder::{Severity, Source};
use super::{Controllers, Key, endpoints};
use crate::sandbox::kubernetes::network::{ServicePort, Target};
use crate::sandbox::kubernetes::objects::{
    self, condition, int, labels, name, namespace, pairs_match, pod, text, time, uid,
};
use crate::sandbox::kubernetes::store::Term;

/// How long the cloud takes to make a load balancer, at normal speed.
const ALLOCATION: Duration = Duration::from_secs(3);
const CLOUD: Source = Source::Component("service-controller");
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// What the last look at a service's pods knew: changes of a pod's readiness are traced back to their time.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    service: Option<Timestamp>,
    pods: HashMap<String, Timestamp>,
}

impl Triggers {
    /// The earliest of the times that changed since the last look.
    fn changed(&mut self, service: &Value, pods: &[Arc<Value>]) -> Option<Timestamp> {
        let mut earliest: Option<Timestamp> = None;
        let mut note = |at: Timestamp| earliest = Some(earliest.map_or(at, |e| e.min(at)));
        let created = time(service, "/metadata/creationTimestamp");
        if self.service != created {
            self.service = created;
            created.into_iter().for_each(&mut note);
        }
        let mut now = HashMap::new();
        for p in pods {
            let Some(at) = condition(p, "Ready").and_then(|c| time(c, "/lastTransitionTime")) else {
                continue;
            };
            if self.pods.get(uid(p)).is_none_or(|before| *before < at) {
                note(at);
            }
            now.insert(uid(p).to_owned(), at);
        }
        self.pods = now;
        earliest
    }
}

impl Controllers {
    pub(super) fn look_at_endpoints(&mut self, space: &str, own: &str) {
        let Some(service) = self.store.get("services", space, own) else {
            self.network.remove_service(space, own);
            self.triggers.remove(&(space.to_owned(), own.to_owned()));
            let _ = self.store.delete("endpoints", space, own);
            return;
        };
        let Some(selector) = service
            .pointer("/spec/selector")
            .and_then(Value::as_object)
            .filter(|s| !s.is_empty())
        else {
            return;
        };
        if objects::is_deleting(&service) {
            return;
        }
        let mut pairs = selector.iter();
        let pods: Vec<Arc<Value>> = match pairs.next().and_then(|(k, v)| Some((k, v.as_str()?))) {
            Some((key, value)) => self.store.find("pods", Some(space), Term::Label(key, value)),
            None => Vec::new(),
        };
        let pods: Vec<Arc<Value>> = pods.into_iter().filter(|p| pairs_match(selector, labels(p))).collect();
        let trigger = self
            .triggers
            .entry((space.to_owned(), own.to_owned()))
            .or_default()
            .changed(&service, &pods);
        // The nodes' rules first: what a watcher reads in a slice is never ahead of the traffic.
        self.network.set_service(space, own, routes(&service, &pods));
        self.write_slice(&service, &pods, trigger);
        self.write_endpoints(&service, &pods, trigger);
    }

    fn write_slice(&mut self, service: &Value, pods: &[Arc<Value>], trigger: Option<Timestamp>) {
        let space = namespace(service);
        let nodes: HashMap<String, String> = pods
            .iter()
            .filter_map(|p| self.store.get("nodes", "", text(p, "/spec/nodeName")))
            .map(|n| {
                (
                    name(&n).to_owned(),
                    n.pointer("/metadata/labels/topology.kubernetes.io~1zone")
                        .and_then(Value::as_str)
                        .unwrap_or("")
                        .to_owned(),
                )
            })
            .collect();
        let zone = |node: &str| nodes.get(node).filter(|z| !z.is_empty()).cloned();
        let slices = self.store.find(
            "endpointslices",
            Some(space),
            Term::Label("kubernetes.io/service-name", name(service)),
        );
        let current = slices.iter().find(|s| {
            text(s, "/metadata/labels/endpointslice.kubernetes.io~1managed-by") == "endpointslice-controller.k8s.io"
        });
        let known: Vec<String> = current
            .and_then(|s| s.get("endpoints")?.as_array().cloned())
            .into_iter()
            .flatten()
            .map(|e| text(&e, "/addresses/0").to_owned())
            .collect();
        let list = Value::Array(endpoints::slice_endpoints(pods, &known, zone));
        let ports = Value::Array(endpoints::slice_ports(service, pods));
        let Some(current) = current else {
            let mut slice = endpoints::new_slice(service);
            slice["endpoints"] = list;
            slice["ports"] = ports;
            note_trigger(&mut slice, trigger);
            let _ = self.store.create("endpointslices", slice);
            return;
        };
        if current["endpoints"] == list && current["ports"] == ports {
            return;
        }
        let _ = self.store.modify("endpointslices", space, name(current), |slice| {
            slice["endpoints"] = list.clone();
            slice["ports"] = ports.clone();
            note_trigger(slice, trigger);
            objects::bump_generation(slice);
        });
    }

    fn write_endpoints(&mut self, service: &Value, pods: &[Arc<Value>], trigger: Option<Timestamp>) {
        let (space, own) = (namespace(service), name(service));
        let subsets = endpoints::subsets(service, pods);
        let labels = endpoints::endpoints_labels(service);
        if let Some(current) = self.store.get("endpoints", space, own) {
            if current.get("subsets").unwrap_or(&Value::Null) == &subsets && current["metadata"]["labels"] == labels {
                return;
            }
            let _ = self.store.modify("endpoints", space, own, |e| {
                e["metadata"]["labels"] = labels.clone();
                note_trigger(e, trigger);
                if let Some(map) = e.as_object_mut() {
                    map.shift_remove("subsets");
                    if !subsets.is_null() {
                        map.insert("subsets".into(), subsets.clone());
                    }
                }
            });
            return;
        }
        let mut object = json!({"metadata": {"name": own, "namespace": space, "labels": labels}});
        note_trigger(&mut object, trigger);
        if !subsets.is_null() {
            object["subsets"] = subsets;
        }
        let _ = self.store.create("endpoints", object);
    }

    pub(super) fn look_at_load_balancer(&mut self, space: &str, own: &str) {
        let Some(service) = self.store.get("services", space, own) else {
            self.balancers.release(space, own);
            return;
        };
        let assigned = service.pointer("/status/loadBalancer/ingress/0").is_some();
        let wanted = text(&service, "/spec/type") == "LoadBalancer" && !objects::is_deleting(&service);
        if !wanted {
            self.balancers.release(space, own);
            if assigned {
                let _ = self
                    .store
                    .modify("services", space, own, |s| s["status"]["loadBalancer"] = json!({}));
            }
            return;
        }
        if assigned {
            return;
        }
        let now = self.clock.now();
        let due = self.allocations.entry(uid(&service).to_owned()).or_insert_with(|| {
            self.recorder.record(
                &service,
                &CLOUD,
                Severity::Normal,
                "EnsuringLoadBalancer",
                "Ensuring load balancer",
            );
            now + jiff::SignedDuration::try_from(self.clock.scaled(ALLOCATION)).unwrap_or_default()
        });
        if let Ok(left) = Duration::try_from(due.duration_since(now))
            && !left.is_zero()
        {
            self.later(left, Key::LoadBalancer(space.into(), own.into()));
            return;
        }
        self.allocations.remove(uid(&service));
        let host = self.balancers.allocate(uid(&service), space, own);
        let _ = self.store.modify("services", space, own, |s| {
            s["status"]["loadBalancer"] = json!({"ingress": [{"hostname": host}]})
        });
        self.recorder.record(
            &service,
            &CLOUD,
            Severity::Normal,
            "EnsuredLoadBalancer",
            "Ensured load balancer",
        );
    }
}

/// What the nodes send to which pods: ready ones that stay.
fn routes(service: &Value, pods: &[Arc<Value>]) -> Vec<ServicePort> {
    let ports = service
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    ports
        .filter_map(|port| {
            let targets = pods
                .iter()
                .filter(|p| pod::is_ready(p) && pod::is_active(p))
                .filter_map(|p| {
                    Some(Target::new(
                        text(p, "/status/podIP").parse::<Ipv4Addr>().ok()?,
                        endpoints::target_port(port, p)?,
                    ))
                })
                .collect();
            Some(ServicePort {
                port: u16::try_from(int(port, "/port", 0)).ok()?,
                targets,
            })
        })
        .collect()
}

fn note_trigger(object: &mut Value, trigger: Option<Timestamp>) {
    let metadata = &mut object["metadata"];
    match trigger {
        Some(at) => metadata["annotations"][TRIGGER_TIME] = objects::rfc3339(at).into(),
        None => {
            if let Some(map) = metadata.as_object_mut() {
                map.shift_remove("annotations");
            }
        }
    }
}
