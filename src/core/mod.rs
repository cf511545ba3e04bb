//! Plain types that every room may use: records, reports, safe text, the clock, contexts and changes.
//! No IO and no knowledge of any room.

pub mod address;
pub mod change;
pub mod clock;
pub mod context;
pub mod file;
pub mod record;
pub mod report;
pub mod text;
pub mod wrap;
pub mod yaml;
