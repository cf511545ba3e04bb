//! The texts of `kubectl:describe`. Not for reading the cluster: what belongs together is handed in.

mod tabs;
mod template;

pub use template::pod_template;
