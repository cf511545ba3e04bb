//! The sandbox's levers: what an operator may move in the built-in world itself, by its admin API. Not for what is in
//! that world: its objects, records and instances are reached like real ones.

mod client;
mod verbs;

use super::Feature;
use crate::verb::BundleInfo;

/// The verbs of the bundle `sandbox`.
pub fn feature() -> Feature {
    Feature {
        bundles: vec![BundleInfo::new("sandbox", "Steer the built-in world")],
        verbs: vec![verbs::speed::verb()],
        ..Feature::default()
    }
}
