//! The pods of one rollout as a table, the new ones first.

use jiff::Timestamp;

use super::super::{age_cell, pod_tone};
use crate::features::kubernetes::rollout::PodView;
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Meaning, Theme};

/// The columns.
pub fn columns() -> [Column; 7] {
    [
        Column::new("POD").shortening(12),
        Column::new("VERSION"),
        Column::new("STATUS"),
        Column::new("READY").expendable(2),
        // The last to leave: it must not come and go with the length of a status.
        Column::new("RESTARTS").right().expendable(1),
        Column::new("IP").expendable(4),
        Column::new("AGE").expendable(3),
    ]
}

/// The cells of a pod.
pub fn cells(pod: &PodView, theme: &Theme, now: Timestamp) -> Vec<Cell> {
    let tone = pod_tone(&pod.status, pod.is_ready);
    let version = if pod.is_new {
        Meaning::StateNew
    } else {
        Meaning::StateOld
    };
    vec![
        Cell::new(&pod.name),
        Cell::styled(&pod.version, version),
        Cell::state(tone, &pod.status, theme),
        Cell::new(if pod.is_ready { "yes" } else { "no" }),
        Cell::new(&pod.restarts.to_string()),
        Cell::new(if pod.ip.is_empty() { "-" } else { &pod.ip }),
        age_cell(pod.created, now),
    ]
}
