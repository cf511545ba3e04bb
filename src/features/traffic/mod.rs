//! Who answers the traffic: requests by hand, one new connection each, or those in the pods' logs, joined with the
//! cluster's pods. Not a load generator and not a metrics client.

mod access;
pub mod client;
pub mod join;
pub mod model;
pub mod panel;
pub mod verbs;

use std::sync::Arc;

use super::{Feature, Shared};
use crate::ui::panel::Panel;
use crate::verb::{BundleInfo, Completer};

/// The verbs of the bundle `traffic`. `pods` opens the feed of the pods a request may reach, `logs`
/// the lines they write; `urls` completes what can be asked.
pub fn feature(
    shared: &Shared,
    pods: join::OpenPods,
    logs: verbs::logs::OpenLogs,
    urls: Arc<dyn Completer>,
) -> Feature {
    Feature {
        bundles: vec![BundleInfo::new("traffic", "Watch who answers, per pod and per version")],
        verbs: vec![
            verbs::logs::verb(shared.clone(), logs),
            verbs::watch::verb(shared.clone(), pods).completed_by(urls),
        ],
    }
}

/// The traffic panel.
pub fn panel(shared: &Shared) -> Box<dyn Panel> {
    Box::new(panel::TrafficPanel::new(shared.hub.clone()))
}
