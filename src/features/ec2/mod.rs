//! EC2: instances, listed, searched and shown. Not for Kubernetes nodes, which are the cluster's view of some of them.

mod client;
mod complete;
mod feed;
pub mod model;
pub mod panel;
mod record;
mod verbs;

use super::{Feature, Shared};
use crate::features::aws::client::Clients;
use crate::ui::panel::Panel;
use crate::verb::BundleInfo;

/// What verbs and feed share.
#[derive(Clone)]
struct Service {
    shared: Shared,
    clients: Clients,
}

impl Service {
    fn new(shared: &Shared, clients: &Clients) -> Self {
        Service {
            shared: shared.clone(),
            clients: clients.clone(),
        }
    }
}

/// The verbs of the bundle `ec2`.
pub fn feature(shared: &Shared, clients: &Clients) -> Feature {
    Feature {
        bundles: vec![BundleInfo {
            variables: [
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_REGION",
                "AWS_PROFILE",
                "AWS_ENDPOINT_URL",
            ]
            .map(|name| (name.to_owned(), "as Amazon's own tools read it".to_owned()))
            .to_vec(),
            ..BundleInfo::new("ec2", "Look at EC2 instances")
        }],
        verbs: verbs::all(&Service::new(shared, clients)),
    }
}

/// The panel `instances`.
pub fn panel(shared: &Shared, clients: &Clients) -> Box<dyn Panel> {
    Box::new(panel::panel(Service::new(shared, clients)))
}
