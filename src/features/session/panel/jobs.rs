//! The panel `jobs`: what runs in this session and what ran, the newest first.

use std::sync::Arc;

use super::super::feed::SessionFeeds;
use super::{age_cell, numbered};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{RowTable, Subscription};
use crate::ui::panel::list::{Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Tone};
use crate::verb::session::{Job, JobState};

/// The list of jobs.
pub struct Jobs(pub SessionFeeds);

const ACTIONS: [Action; 3] = [
    Action::new("info", 'd', "info"),
    Action::new("stop", 'x', "stop"),
    Action::new("copy", 'y', "copy line"),
];

impl Listing for Jobs {
    type Row = Job;

    fn id(&self) -> &'static str {
        "jobs"
    }

    fn source(&self) -> &'static str {
        "session"
    }

    /// Jobs are the session's, whichever contexts are shown.
    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        contexts.iter().take(1).cloned().collect()
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<Job> {
        self.0.jobs(context)
    }

    fn columns(&self, _: Option<&Job>) -> Vec<Column> {
        vec![
            Column::new("JOB").right(),
            Column::new("STATE"),
            Column::new("AGE").expendable(1),
            Column::new("RECORDS").right().expendable(2),
            Column::new("LINE").shortening(16),
        ]
    }

    fn cells(&self, row: &Job, look: &RowLook<'_>) -> Vec<Cell> {
        let (tone, word) = match row.state {
            JobState::Running => (Tone::Progress, "running"),
            JobState::Done => (Tone::Ok, "done"),
            JobState::Failed => (Tone::Bad, "failed"),
            JobState::Stopped => (Tone::Waiting, "stopped"),
        };
        vec![
            Cell::new(&format!("#{}", row.number)),
            Cell::state(tone, word, look.theme),
            age_cell(row.started, look.now),
            Cell::new(&row.records.to_string()),
            Cell::new(&row.pipeline),
        ]
    }

    fn empty(&self) -> &'static str {
        "nothing has run yet"
    }

    fn title(&self, rows: &RowTable<Job>) -> String {
        let running = rows.iter().filter(|(_, job)| job.state == JobState::Running).count();
        match running {
            0 => "jobs".to_owned(),
            running => format!("jobs {running} running"),
        }
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn opens(&self) -> &'static str {
        "info"
    }

    fn act(&self, action: &str, rows: &[Job]) -> Vec<Effect> {
        match action {
            "info" => vec![Effect::Run(
                numbered("pipeline-info", rows.iter().map(|job| job.number)).into(),
            )],
            "stop" => {
                let running = rows.iter().filter(|job| job.state == JobState::Running);
                let numbers: Vec<u64> = running.map(|job| job.number).collect();
                match numbers.is_empty() {
                    true => vec![Effect::Toast("it has ended already".into())],
                    false => vec![Effect::Run(numbered("pipeline-kill", numbers).into())],
                }
            }
            "copy" => {
                let lines: Vec<&str> = rows.iter().map(|job| job.pipeline.as_str()).collect();
                vec![Effect::Copy(SafeText::new(&lines.join("\n")))]
            }
            _ => Vec::new(),
        }
    }

    fn weight(&self) -> u16 {
        0
    }

    fn by_name_only(&self) -> bool {
        true
    }
}
