//! One file a verb.

mod echo;
mod jq;
mod sh;

use crate::verb::Verb;

/// All of them.
pub fn all() -> Vec<Verb> {
    vec![echo::verb(), jq::verb(), sh::verb()]
}
