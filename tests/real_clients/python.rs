//! PyPI's Kubernetes client.

use super::support::run::Stream;
use super::support::{require, require_kubernetes_python};
use super::{CALL, Deck, SOON};

/// Lists pods, follows them from the list's version, breaks nothing off: what an operator written in Python does.
const PYTHON_WATCH: &str = r#"
import sys
from kubernetes import client, config, watch

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
listed = core.list_namespaced_pod("default", label_selector="app=web")
print("listed", len(listed.items), flush=True)
ready, deleted = set(), set()
stream = watch.Watch()
events = stream.stream(core.list_namespaced_pod, "default", label_selector="app=web",
                       resource_version=listed.metadata.resource_version, timeout_seconds=60)
for event in events:
    pod = event["object"]
    conditions = pod.status.conditions or []
    if any(c.type == "Ready" and c.status == "True" for c in conditions):
        ready.add(pod.metadata.name)
    if event["type"] == "DELETED":
        deleted.add(pod.metadata.name)
    if len(ready) == 3 and not deleted and not getattr(stream, "asked", False):
        stream.asked = True
        print("ready", flush=True)
    if len(deleted) == 3:
        stream.stop()
print("deleted", sorted(deleted) == sorted(ready))
try:
    core.read_namespaced_pod("none", "default")
except client.ApiException as error:
    print("error", error.status, error.reason)
apps = client.AppsV1Api()
print("deployments", [d.metadata.name for d in apps.list_namespaced_deployment("default").items])
"#;

#[test]
fn the_python_client_watches() {
    let (Some(python), Some(kubectl)) = (require_kubernetes_python(), require("kubectl")) else {
        return;
    };
    let deck = Deck::new(&kubectl);
    let kubeconfig = deck.world.kubeconfig();
    let mut command = deck.world.client(&python);
    command.args(["-c", PYTHON_WATCH]).arg(&kubeconfig);
    // This client asks a proxy for a tunnel to loopback too, whatever no_proxy says.
    command.env_remove("http_proxy");
    let mut watch = Stream::start(command);
    watch.wait_for(|lines| lines.iter().any(|line| line == "listed 0"), CALL);
    deck.kubectl("create deployment web --image=nginx:1 --replicas=3");
    watch.wait_for(|lines| lines.iter().any(|line| line == "ready"), SOON);
    deck.kubectl("delete deployment web");
    let lines = watch.wait_for(|lines| lines.iter().any(|line| line.starts_with("deployments")), SOON);
    let last: Vec<&str> = lines.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(
        last,
        ["deleted True", "error 404 Not Found", "deployments []"],
        "{}",
        watch.complaints()
    );
}
