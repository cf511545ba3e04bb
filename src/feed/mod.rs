//! Live data: a feed keeps a table of slim rows up to date and says how healthy that is; the hub shares one feed per
//! context and kind. Not for drawing, and it knows no API: features bring the feeds.

pub mod health;
pub mod hub;
pub mod source;
pub mod table;
pub mod word;

pub use health::{Health, HealthState};
pub use hub::{FeedKey, Hub, Subscription};
pub use source::Source;
pub use table::RowTable;
pub use word::{Word, Words};
