//! DNS: asking name servers. Changing records is Route 53's (`features/route53`).

pub mod client;
mod verbs;

use super::Feature;
use crate::verb::BundleInfo;

/// The verbs of the bundle `net`.
pub fn feature() -> Feature {
    Feature {
        bundles: vec![BundleInfo::new("net", "Ask name servers")],
        verbs: vec![verbs::dig::verb()],
        ..Feature::default()
    }
}
