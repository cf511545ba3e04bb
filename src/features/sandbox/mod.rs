//! The sandbox's levers: what an operator may move in the built-in world itself, by its admin API. Not for what is in
//! that world: its objects, records and instances are reached like real ones.

mod client;
mod verbs;

use super::Feature;
use crate::verb::BundleInfo;

/// What somebody wants to know who tries things out in it.
const PAGE: &str = "`cogdeck --sandbox` runs the console on a world of its own: a cluster, DNS, EC2 and Route 53 on this \
                    machine, from which nothing outside can be reached.\n\n\
                    Its registry has every repository, each with every version (`:1.27`, `:v2.0.0-alpine3.20`) and \
                    `latest`, `stable`, `alpine`, `slim`. Any other tag is not found: `:broken`, `:nope` and \
                    `:3.0.0-typo` end in ErrImagePull and ImagePullBackOff. The tag `crash` starts and ends with an \
                    error, again and again (CrashLoopBackOff). so0k/kuar-inspector serves HTTP and tells its version and \
                    pod; other images run and serve nothing.\n\n\
                    `:present demo` and `:present broken` show it. `cogdeck sandbox --kubeconfig FILE` serves such a \
                    world for other programs, `sandbox:kubeconfig FILE` lets them into the console's own.";

/// The verbs of the bundle `sandbox`.
pub fn feature() -> Feature {
    Feature {
        bundles: vec![BundleInfo {
            description: PAGE.to_owned(),
            ..BundleInfo::new("sandbox", "Steer the built-in world")
        }],
        verbs: vec![verbs::kubeconfig::verb(), verbs::speed::verb()],
    }
}
