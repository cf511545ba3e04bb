//! The port between the API server and whoever runs the pods: what `kubectl logs`, `exec` and `port-forward` need
//! of a running container.
//! Not for pod status, which travels through the store.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::container::Container;
use super::log::LogReader;
use super::network::Route;

/// Whoever runs the pods of the sandbox.
pub trait PodRuntime: Send + Sync {
    /// The output of a container's last run, or of the one before it with `previous`; `None` when there was none.
    fn logs(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Option<LogReader>;

    /// The inside of a pod's running container: the one at `index` of its spec, `id` as its status names it.
    fn inside(&self, pod: &Value, index: usize, id: &str) -> Container;

    /// A way to a port of a pod.
    fn dial(&self, address: Ipv4Addr, port: u16) -> Route;
}
