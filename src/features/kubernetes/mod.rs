//! Kubernetes: kubectl's verbs as records, live feeds of slim rows, and the panels of deployments, rollouts,
//! pods, services, events and of any other type.

mod certificate;
pub mod client;
mod cluster;
mod connection;
mod credential;
mod describe;
mod discovery;
mod documents;
mod error;
pub mod feed;
mod files;
pub mod hosts;
mod jsonpath;
mod kubeconfig;
mod listing;
pub mod model;
mod nearby;
mod object;
mod panel;
mod path;
pub mod pod_lines;
mod proxy;
mod quantity;
mod rights;
pub mod rollout;
mod secrecy;
mod target;
mod verbs;
mod way;

use std::sync::Arc;

use super::{Feature, Shared};
use crate::ui::panel::Panel;
use crate::verb::BundleInfo;

/// The bundle's name.
pub const BUNDLE: &str = "kubectl";

/// The verbs of the bundle `kubectl`.
pub fn feature(shared: &Shared, clients: &Arc<client::Clients>) -> Feature {
    Feature {
        bundles: vec![bundle()],
        verbs: verbs::all(clients, &shared.hub, &shared.clock),
    }
}

/// The panels of the cluster, in the order they are offered.
pub fn panels(shared: &Shared, clients: &Arc<client::Clients>) -> Vec<Box<dyn Panel>> {
    let hub = &shared.hub;
    vec![
        Box::new(panel::deployments::panel(hub, clients)),
        Box::new(panel::rollout::RolloutPanel::new(hub, clients)),
        Box::new(panel::pods::panel(hub, clients)),
        Box::new(panel::services::panel(hub, clients)),
        Box::new(panel::events::panel(hub, clients)),
        Box::new(panel::objects::nodes(hub, clients)),
        Box::new(panel::objects::Objects::new(hub, clients)),
    ]
}

fn bundle() -> BundleInfo {
    BundleInfo {
        description:
            "Looks at and changes the cluster of the context, with kubectl's words and exit codes. What one command \
                      answers the next one takes: kubectl:get deploy | kubectl:describe."
                .to_owned(),
        configuration:
            "The cluster is the kube context that --context, @NAME, :ctx or the configuration names; else the \
                        one that KUBERNETES_SERVER, KUBERNETES_TOKEN and KUBERNETES_CERT name together for the room \
                        (`bundle config set kubectl KUBERNETES_TOKEN --secret`); else the kubeconfig's current one; \
                        else, in a pod, its service account. @A,B and @* \
                        ask several clusters at once. A proxy before it: proxy-url of the cluster in the \
                        kubeconfig, else HTTPS_PROXY unless NO_PROXY names the server."
                .to_owned(),
        variables: [
            (
                "KUBECONFIG",
                "kubeconfig files, separated by colons; ~/.kube/config when not set",
            ),
            (
                "COGDECK_KUBE_CONTEXT",
                "kube context instead of the kubeconfig's current one",
            ),
            ("COGDECK_NAMESPACE", "namespace instead of the kube context's"),
            (
                "KUBERNETES_SERVER",
                "URL of the server; in a layer of this bundle, as the next two",
            ),
            ("KUBERNETES_TOKEN", "bearer token"),
            ("KUBERNETES_CERT", "base64 of the authority's certificate"),
            (
                "HTTPS_PROXY",
                "proxy before clusters, http, https or socks5; NO_PROXY: not before these",
            ),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into(),
        ..BundleInfo::new("kubectl", "Interact with Kubernetes")
    }
}
