//! Records themselves: making, filtering and reshaping them, by ourselves (`jq`) or by a shell. Not for where records
//! come from: those are the other subjects.

mod column;
mod csv;
mod held;
pub mod jq;
mod kept;
mod order;
mod path;
mod text;
mod verbs;

use super::Feature;
use crate::exec::Helper;
use crate::verb::BundleInfo;

/// The verbs that work on any records. `helper` runs what must not share our process.
pub fn feature(helper: &Helper) -> Feature {
    Feature {
        bundles: vec![BundleInfo {
            description: "What works on any records, and what concerns the session itself. These names win over \
                              those of other bundles."
                .to_owned(),
            ..BundleInfo::new(crate::verb::catalogue::BUILT_IN, "Commands that are always there")
        }],
        verbs: verbs::all(helper),
    }
}
