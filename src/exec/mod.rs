//! Running one bundle command: the environment and stdout contract of Cog bundles, and the runners that put it into a
//! container or into a supervised process of this host. Knows neither verbs nor pipelines; `bundle` makes verbs of
//! manifests and calls this.

pub mod docker;
pub mod helper;
pub mod native;
pub mod reply;
pub mod request;
pub mod supervisor;

pub use helper::Helper;
pub use reply::{Reply, ReplyParser};
pub use request::{Request, Setting, Step};
