//! Who answers the traffic: requests by hand, one new connection each, joined with the cluster's pods. Not a load
//! generator and not a metrics client.

pub mod client;
pub mod join;
pub mod model;
pub mod panel;
mod verbs;

use super::{Feature, Shared};
use crate::verb::BundleInfo;

/// The verbs of the bundle `traffic` and the traffic panel. `pods` opens the feed of the pods a request may reach.
pub fn feature(shared: &Shared, pods: join::OpenPods) -> Feature {
    Feature {
        bundles: vec![BundleInfo::new("traffic", "Watch who answers, per pod and per version")],
        verbs: vec![verbs::watch::verb(shared.clone(), pods)],
        panels: vec![Box::new(panel::TrafficPanel::new(shared.hub.clone()))],
    }
}
