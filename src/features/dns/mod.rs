//! DNS: asking name servers. Changing records is Route 53's (`features/route53`).

pub mod client;
mod verbs;

use super::Feature;

/// The verbs of the bundle `net`.
pub fn feature() -> Feature {
    Feature {
        verbs: vec![verbs::dig::verb()],
        ..Feature::default()
    }
}
