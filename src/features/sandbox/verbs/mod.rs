//! One file a verb.

pub mod kubeconfig;
pub mod speed;
