//! The panel of a pinned pipeline: named after it, its latest answer as rows.

use std::sync::Arc;

use tokio::sync::Notify;

use super::rows::Row;
use super::{Pinned, feed};
use crate::core::context::Context;
use crate::feed::health::human_duration;
use crate::feed::{Hub, RowTable, Subscription};
use crate::lang::{Pipeline, parse};
use crate::ui::console::ports::Runner;
use crate::ui::panel::list::{ListPanel, Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning};

/// The list.
pub struct Answer {
    hub: Hub,
    runner: Arc<dyn Runner>,
    pinned: Pinned,
    again: Arc<Notify>,
}

/// The panel, which runs nothing until it is opened.
pub fn panel(hub: &Hub, runner: &Arc<dyn Runner>, pinned: &Pinned) -> ListPanel<Answer> {
    ListPanel::new(Answer {
        hub: hub.clone(),
        runner: runner.clone(),
        pinned: pinned.clone(),
        again: Arc::default(),
    })
}

const ACTIONS: [Action; 3] = [
    Action::new("again", 'r', "run it now"),
    Action::new("block", 'b', "run it in the chat"),
    Action::new("close", 'x', "unpin"),
];

impl Answer {
    fn pipeline(&self) -> Option<Pipeline> {
        let line = parse(&self.pinned.line).ok()?;
        line.items.into_iter().next().map(|item| item.pipeline)
    }
}

impl Listing for Answer {
    type Row = Row;

    fn id(&self) -> &str {
        &self.pinned.id
    }

    fn source(&self) -> &'static str {
        "pins"
    }

    /// The line runs in the session's own context, and names others itself.
    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        contexts.iter().take(1).cloned().collect()
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<Row> {
        // The wish to run again belongs to this feed: one of another context, which still ends, must not take it.
        self.again = Arc::default();
        feed::subscribe(&self.hub, &self.runner, context, &self.pinned, &self.again)
    }

    fn columns(&self, any: Option<&Row>) -> Vec<Column> {
        match any.and_then(|row| row.head.as_ref()) {
            None => vec![Column::new("").wrapping(20)],
            Some(head) => {
                let column = |(at, title): (usize, &String)| match at {
                    0 => Column::new(crate::core::text::safe_line(title)).shortening(14),
                    at => {
                        let rank = u8::try_from(at).unwrap_or(u8::MAX);
                        Column::new(crate::core::text::safe_line(title)).expendable(rank)
                    }
                };
                head.columns.iter().enumerate().map(column).collect()
            }
        }
    }

    fn cells(&self, row: &Row, _: &RowLook<'_>) -> Vec<Cell> {
        match row.head {
            None => row.cells.iter().map(|cell| Cell::new(cell)).collect(),
            Some(_) => row.cells.iter().map(|cell| Cell::styled(cell, Meaning::Text)).collect(),
        }
    }

    fn empty(&self) -> &'static str {
        "it answered nothing"
    }

    fn title(&self, rows: &RowTable<Row>) -> String {
        let how = match self.newest_first(rows) {
            true => "follows".to_owned(),
            false => format!("every {}", human_duration(self.pinned.pause())),
        };
        format!("{}  {how}", self.pinned.line)
    }

    fn shown<'a>(&self, rows: &'a RowTable<Row>) -> Vec<&'a str> {
        let mut shown: Vec<(i64, &str)> = rows.iter().map(|(key, row)| (row.at, key)).collect();
        shown.sort_unstable();
        shown.into_iter().map(|(_, key)| key).collect()
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn opens(&self) -> &'static str {
        "block"
    }

    fn act(&self, action: &str, _: &[Row]) -> Vec<Effect> {
        self.alone(action).unwrap_or_default()
    }

    fn alone(&self, action: &str) -> Option<Vec<Effect>> {
        Some(match action {
            "again" => {
                self.again.notify_one();
                Vec::new()
            }
            "block" => self.pipeline().map(Effect::Run).into_iter().collect(),
            "close" => vec![Effect::Unpin(self.pinned.id.clone())],
            _ => return None,
        })
    }

    fn newest_first(&self, rows: &RowTable<Row>) -> bool {
        rows.iter().next().is_some_and(|(_, row)| row.at < 0)
    }

    fn minimum(&self) -> (u16, u16) {
        (24, 3)
    }
}
