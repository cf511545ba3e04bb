//! One file a verb.

mod abort_when;
mod cat;
mod count;
mod echo;
mod extreme;
mod fields;
mod filter;
mod from_csv;
mod from_json;
mod from_yaml;
mod group_by;
mod head;
mod info;
mod join;
mod jq;
mod list;
mod map;
mod pluck;
mod raw;
mod seed;
mod sh;
mod sleep;
mod sort;
mod sum;
mod table;
mod tail;
mod tee;
mod to_csv;
mod to_json;
mod to_yaml;
mod unique;
mod wc;
mod which;

use crate::exec::Helper;
use crate::verb::Verb;

/// All of them; `helper` runs what must not share our process.
pub fn all(helper: &Helper) -> Vec<Verb> {
    vec![
        abort_when::verb(),
        cat::verb(),
        count::verb(),
        echo::verb(),
        extreme::max(),
        extreme::min(),
        fields::verb(),
        filter::verb(),
        from_csv::verb(),
        from_json::verb(),
        from_yaml::verb(),
        group_by::verb(),
        head::verb(),
        info::verb(),
        join::verb(),
        jq::verb(helper.clone()),
        list::verb(),
        map::verb(),
        pluck::verb(),
        raw::verb(),
        seed::verb(),
        sh::verb(helper.clone()),
        sleep::verb(),
        sort::verb(),
        sum::verb(),
        table::verb(),
        tail::verb(),
        tee::verb(),
        to_csv::verb(),
        to_json::verb(),
        to_yaml::verb(),
        unique::verb(),
        wc::verb(),
        which::verb(),
    ]
}
