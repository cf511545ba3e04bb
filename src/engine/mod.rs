//! Runs pipelines: resolve, check, authorise, place, run; jobs, cancellation, redirects. Knows no command and no API:
//! what it needs from outside are the ports. A front end makes a [`Session`], starts lines and reads their [`Block`]s.
//!
//! A line goes through `lang` (text to tree), [`plan`] (the static pass over the whole line: nothing runs before it
//! has passed), `line` (what `&&`, `||`, `;` and `&` mean), `run` (one pipeline) and `stage` (one verb).

mod aliases;
mod beside;
mod block;
mod check;
mod coerce;
mod destination;
mod ending;
mod jobs;
mod line;
mod masked;
pub mod memory;
mod memory_journal;
mod memory_shelf;
mod mutation;
mod options;
mod permissions;
mod pin;
pub mod plan;
pub mod ports;
mod problem;
mod rerun;
mod resolve;
mod run;
mod secrets;
mod session;
mod sinks;
mod stage;
mod starred;
#[cfg(test)]
mod test_support;
mod undo;
mod variables;
mod window;

pub use block::{Block, BlockEvent, Canceller};
pub use check::{Check, CheckedStage};
pub use coerce::millis;
pub use destination::{NoBus, Outlets};
pub use memory_journal::MemoryJournal;
pub use memory_shelf::MemoryShelf;
pub use options::Partial;
pub use pin::Observed;
pub use plan::OnError;
pub use run::Items;
pub use session::{MakeCatalogue, Session, SessionConfig, Start};
pub use starred::secret_places;
pub use variables::part;

#[cfg(test)]
mod tests;
