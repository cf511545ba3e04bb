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

use crate::verb::Verb;

/// All of them.
pub fn all() -> Vec<Verb> {
    vec![
        count::verb(),
        echo::verb(),
        extreme::max(),
        extreme::min(),
        fields::verb(),
        filter::verb(),
        head::verb(),
        jq::verb(),
        pluck::verb(),
        raw::verb(),
        seed::verb(),
        sh::verb(),
        sleep::verb(),
        sort::verb(),
        sum::verb(),
        tail::verb(),
        unique::verb(),
        wc::verb(),
        which::verb(),
    ]
}
