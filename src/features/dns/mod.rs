//! DNS: asking name servers. Changing records is Route 53's (`features/route53`).

pub mod client;
mod complete;
mod verbs;

use std::sync::Arc;

use super::Feature;
use crate::verb::{BundleInfo, Completer};

/// The verbs of the bundle `net`; `names` complete what may be asked for.
pub fn feature(names: Vec<Arc<dyn Completer>>) -> Feature {
    Feature {
        bundles: vec![BundleInfo::new("net", "Ask name servers")],
        verbs: vec![verbs::dig::verb().completed_by(Arc::new(complete::Names(names)))],
    }
}
