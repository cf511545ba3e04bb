//! One file a verb.

mod count;
mod echo;
mod extreme;
mod fields;
mod filter;
mod head;
mod jq;
mod pluck;
mod raw;
mod seed;
mod sh;
mod sleep;
mod sort;
mod sum;
mod tail;
mod unique;
mod wc;
mod which;

use crate::exec::Helper;
use crate::verb::Verb;

/// All of them; `helper` runs what must not share our process.
pub fn all(helper: &Helper) -> Vec<Verb> {
    vec![
        count::verb(),
        echo::verb(),
        extreme::max(),
        extreme::min(),
        fields::verb(),
        filter::verb(),
        head::verb(),
        jq::verb(helper.clone()),
        pluck::verb(),
        raw::verb(),
        seed::verb(),
        sh::verb(helper.clone()),
        sleep::verb(),
        sort::verb(),
        sum::verb(),
        tail::verb(),
        unique::verb(),
        wc::verb(),
        which::verb(),
    ]
}
