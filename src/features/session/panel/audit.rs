//! The panel `audit`: what was changed, failed or was declined, the newest first, and the way back.

use std::sync::Arc;

use super::super::feed::{MOST, SessionFeeds};
use super::{age_cell, numbered};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{RowTable, Subscription};
use crate::lang::Stage;
use crate::lang::ast::Pipeline;
use crate::ui::panel::list::{Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning, Tone};
use crate::verb::session::AuditEntry;

/// The list of changes.
pub struct Audit(pub SessionFeeds);

const ACTIONS: [Action; 3] = [
    Action {
        name: "show",
        key: 'd',
        word: "before, after",
    },
    Action {
        name: "undo",
        key: 'u',
        word: "undo",
    },
    Action {
        name: "copy",
        key: 'y',
        word: "copy line",
    },
];

impl Listing for Audit {
    type Row = AuditEntry;

    fn id(&self) -> &'static str {
        "audit"
    }

    fn source(&self) -> &'static str {
        "journal"
    }

    /// The journal is the session's, whichever contexts are shown.
    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        contexts.iter().take(1).cloned().collect()
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<AuditEntry> {
        self.0.changes(context)
    }

    fn columns(&self, _: Option<&AuditEntry>) -> Vec<Column> {
        vec![
            Column::new("NO").right(),
            Column::new("AGE"),
            Column::new("USER").expendable(3),
            Column::new("CONTEXT").expendable(2),
            Column::new("CHANGE").shortening(20),
            Column::new("OUTCOME").wrapping(12),
        ]
    }

    fn cells(&self, row: &AuditEntry, look: &RowLook<'_>) -> Vec<Cell> {
        let tone = match row.outcome.as_str() {
            "applied" => Tone::Ok,
            outcome if outcome.starts_with("failed") => Tone::Bad,
            _ => Tone::Waiting,
        };
        let remark = match row.undoes {
            Some(number) => format!(" (undoes {number})"),
            None if tone == Tone::Ok && row.change.inverse.is_none() => " (no undo)".to_owned(),
            None => String::new(),
        };
        let outcome = Cell::state(tone, &format!("{}{remark}", row.outcome), look.theme);
        vec![
            Cell::new(&row.number.to_string()),
            age_cell(row.at, look.now),
            Cell::styled(&row.user, Meaning::Dim),
            Cell::styled(&row.context, Meaning::Dim),
            Cell::new(&row.change.summary),
            if look.open { outcome } else { outcome.single() },
        ]
    }

    fn empty(&self) -> &'static str {
        "nothing was changed yet"
    }

    fn title(&self, rows: &RowTable<AuditEntry>) -> String {
        match rows.len() {
            0 => "audit".to_owned(),
            MOST => format!("audit, the last {MOST}"),
            count => format!("audit {count}"),
        }
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn opens(&self) -> &'static str {
        "show"
    }

    fn act(&self, action: &str, rows: &[AuditEntry]) -> Vec<Effect> {
        match action {
            "show" => vec![Effect::Run(show(rows))],
            // The newest goes first: the ones before it find what they left.
            "undo" => vec![Effect::Run(
                numbered("undo", rows.iter().map(|entry| entry.number)).into(),
            )],
            "copy" => {
                let lines: Vec<&str> = rows.iter().map(|entry| entry.pipeline.as_str()).collect();
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

/// `audit … | jq 'select(…) | …'`: only numbers of ours go into the filter.
fn show(rows: &[AuditEntry]) -> Pipeline {
    let numbers: Vec<String> = rows.iter().map(|entry| entry.number.to_string()).collect();
    let filter = format!(
        "select(.number | IN({})) | {{number, at, pipeline, before: .change.before, after: .change.after, outcome}}",
        numbers.join(", ")
    );
    let mut pipeline = Pipeline::from(Stage::new("audit").option("--limit", Some(&MOST.to_string())));
    pipeline.stages.push(Stage::new("jq").arg(&filter));
    pipeline
}
