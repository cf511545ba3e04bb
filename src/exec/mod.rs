//! Running one bundle command: the environment and stdout contract of Cog bundles, and the runner that puts it into a
//! container. Knows neither verbs nor pipelines; `bundle` makes verbs of manifests and calls this.

pub mod docker;
pub mod reply;
pub mod request;

pub use reply::{Reply, ReplyParser};
pub use request::{Request, Step};
