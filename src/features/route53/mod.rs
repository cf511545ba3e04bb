//! Route 53: hosted zones and their records, shown and changed. Not for asking name servers (`features/dns`).

mod changes;
mod client;
mod complete;
mod elb;
mod feed;
pub mod model;
pub mod panel;
mod verbs;

use std::sync::Arc;

use self::changes::Changes;
use super::{Feature, Shared};
use crate::features::aws::client::Clients;
use crate::ui::panel::Panel;
use crate::verb::{BundleInfo, Completer};

/// What verbs, feed and completer share.
#[derive(Clone)]
pub struct Service {
    shared: Shared,
    clients: Clients,
    changes: Arc<Changes>,
    hosts: Arc<dyn Completer>,
}

impl Service {
    /// Opens no connection. `hosts` completes what a record may lead to.
    pub fn new(shared: &Shared, clients: Clients, hosts: Arc<dyn Completer>) -> Self {
        Service {
            shared: shared.clone(),
            clients,
            changes: Arc::default(),
            hosts,
        }
    }

    /// Completes names of records.
    pub fn names(&self) -> Arc<dyn Completer> {
        Arc::new(complete::DnsCompleter::new(self.clone()))
    }
}

/// The verbs of the bundle `r53`.
pub fn feature(service: &Service) -> Feature {
    Feature {
        bundles: vec![BundleInfo {
            variables: [
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_PROFILE",
                "AWS_ENDPOINT_URL",
            ]
            .map(|name| (name.to_owned(), "as Amazon's own tools read it".to_owned()))
            .to_vec(),
            ..BundleInfo::new("r53", "Look at and change Route 53 records")
        }],
        verbs: verbs::all(service),
    }
}

/// The panel `dns`.
pub fn panel(service: &Service) -> Box<dyn Panel> {
    Box::new(panel::panel(service.clone()))
}
