//! The panels about the session itself: what runs, and what was changed. Shown by name, not beside the others unless
//! the operator puts them there.

mod audit;
mod jobs;

use jiff::Timestamp;

pub use super::feed::SessionFeeds;
use crate::feed::health::age;
use crate::lang::Stage;
use crate::ui::panel::Meaning;
use crate::ui::panel::Panel;
use crate::ui::panel::list::ListPanel;
use crate::ui::panel::widgets::table::Cell;

/// The panels.
pub fn panels(feeds: &SessionFeeds) -> Vec<Box<dyn Panel>> {
    vec![
        Box::new(ListPanel::new(jobs::Jobs(feeds.clone()))),
        Box::new(ListPanel::new(audit::Audit(feeds.clone()))),
    ]
}

/// A stage about what is known by numbers: `pipeline-kill 3 4`.
fn numbered(verb: &str, numbers: impl IntoIterator<Item = u64>) -> Stage {
    let numbers = numbers.into_iter().map(|number| number.to_string());
    numbers.fold(Stage::new(verb), |stage, number| stage.arg(&number))
}

fn age_cell(at: Timestamp, now: Timestamp) -> Cell {
    Cell::styled(&age(now, at), Meaning::Dim)
}

#[cfg(test)]
mod tests;
